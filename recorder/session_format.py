"""The format of a recording, `session.h5`, and what a sensor hands over to be recorded.

One HDF5 file with one frame a chunk, depth lossless as the sensor counted it. SensorFrame is what a sensor delivers at
one time, SessionHeader what holds for the whole recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera
from scene.errors import InputError
from scene.object_model import ObjectModel
from scene.schema import Field, Schema

HandSide = Literal["right", "left"]
SessionSide = Literal["right", "left", "unknown"]
COLOR_MEANING = "RGB image of each frame; absent where the camera gave depth alone."
DEPTH_MEANING = "z at each colour pixel as the sensor counted it, times depth_scale = metres; 0 = no measurement."
REGISTRATION_MEANING = "Pose of the depth camera before `depth` was registered to colour; identity = registered by it."
WORLD_MEANING = "Camera pose, where the source tells it; NaN = unknown in this frame."
LABELS_MEANING = "What a pixel shows: 0 nothing that the source labels, 1 hand, 2 object, 255 = frame not labelled."
JOINTS_MEANING = "Wrist, then thumb to little from the palm outwards; NaN = unknown."
NOT_LABELLED, HAND_LABEL, OBJECT_LABEL = 255, 1, 2
"""values of `labels`, beside 0 for neither"""


def _truth(name: str, shape: tuple[int, ...], dtype: str, unit: str, meaning: str) -> Field:
    return Field(f"truth/{name}", ("frames", *shape), dtype, unit, "camera" if unit == "m" else "", meaning, True)


def _mesh(name: str, shape: tuple[int | str, ...], dtype: str, unit: str, meaning: str) -> Field:
    return Field(f"object/{name}", shape, dtype, unit, "object" if unit == "m" else "", meaning, True)


SESSION = Schema(
    "session",
    1,
    "A recording: registered colour and depth, or depth alone, of a hand; the mesh of the object in it, if any.",
    (
        Field("color", ("frames", "height", "width", 3), "uint8", "", "camera", COLOR_MEANING, True),
        Field("depth", ("frames", "height", "width"), "uint16", "depth_scale m", "camera", DEPTH_MEANING),
        Field("depth_scale", (), "float64", "m", "", "What one count of `depth` stands for."),
        Field("device_time_s", ("frames",), "float64", "s", "", "Time of the frame on the sensor's clock."),
        Field("host_time_s", ("frames",), "float64", "s", "", "Unix time of the frame's arrival; NaN = unknown."),
        Field("dropped_before", ("frames",), "int64", "", "", "Frames lost between the frame before and this one."),
        Field("camera/matrix", (3, 3), "float64", "px", "", "Intrinsics of both images; first pixel centre (0, 0)."),
        Field("camera/distortion", (5,), "float64", "", "", "k1, k2, p1, p2, k3 as OpenCV has them; 0 = none."),
        Field("camera/color_from_depth", (4, 4), "float64", "m", "camera", REGISTRATION_MEANING),
        Field("world_from_camera", ("frames", 4, 4), "float64", "m", "world", WORLD_MEANING, True),
        Field("labels", ("frames", "height", "width"), "uint8", "", "camera", LABELS_MEANING, True),
        _mesh("vertices", ("vertices", 3), "float64", "m", "Vertices of the object's mesh."),
        _mesh("faces", ("faces", 3), "int32", "", "Triangles, as indices into object/vertices."),
        _mesh("vertex_colors", ("vertices", 3), "uint8", "", "RGB of each vertex."),
        _truth("camera_from_object", (4, 4), "float64", "m", "Object pose; NaN = unknown."),
        _truth("joints_camera", (21, 3), "float64", "m", JOINTS_MEANING),
        _truth(
            "joint_visible",
            (21,),
            "bool",
            "",
            "Nothing but the hand's own skin covers the joint; False also = unknown.",
        ),
        _truth("camera_from_hand", (4, 4), "float64", "m", "Hand pose; NaN = unknown."),
        _truth("hand_angles", (20,), "float64", "rad", "Joint angles; NaN = unknown."),
        _truth(
            "object_visibility", (), "float64", "", "Visible / amodal pixels of the object; NaN = unseen or unknown."
        ),
        _truth("hand_visibility", (), "float64", "", "Visible / amodal pixels of the hand; NaN = unseen or unknown."),
    ),
)


@dataclass(frozen=True)
class Truth:
    """What a simulated sensor or annotators know; every array with a leading axis of frames, or none for one frame."""

    camera_from_object: Floats
    """(..., 4, 4) metres, NaN = unknown"""
    joints_camera: Floats
    """(..., 21, 3) metres, NaN = unknown"""
    joint_visible: Booleans
    """(..., 21) nothing but the hand's own skin covers the joint; False also = unknown"""
    camera_from_hand: Floats
    """(..., 4, 4) metres, NaN = unknown"""
    hand_angles: Floats
    """(..., 20) radians, NaN = unknown"""
    object_visibility: Floats
    """(...) visible pixels / amodal pixels, NaN = unseen or unknown"""
    hand_visibility: Floats
    """(...) visible pixels / amodal pixels, NaN = unseen or unknown"""

    @staticmethod
    def unknown() -> Truth:
        """Of one frame of which nothing is known: to be filled with what is, by dataclasses.replace."""
        nan = np.nan
        return Truth(
            camera_from_object=np.full((4, 4), nan),
            joints_camera=np.full((21, 3), nan),
            joint_visible=np.zeros(21, bool),
            camera_from_hand=np.full((4, 4), nan),
            hand_angles=np.full(20, nan),
            object_visibility=np.asarray(nan),
            hand_visibility=np.asarray(nan),
        )


@dataclass(frozen=True)
class SensorFrame:
    """What a sensor delivers at one time."""

    color: Bytes | None
    """(height, width, 3) RGB; with every frame or with none"""
    depth_counts: NDArray[np.uint16]
    """(height, width) z in the sensor's counts, registered to colour; 0 = no measurement"""
    device_time_s: float
    """seconds on the sensor's clock"""
    host_time_s: float = float("nan")
    """seconds on the Unix clock at arrival, NaN = unknown"""
    dropped_before: int = 0
    """frames lost since the frame before"""
    truth: Truth | None = None
    """of this frame, from a simulated sensor or an annotated data set; with every frame or with none"""
    labels: Bytes | None = None
    """(height, width) as LABELS_MEANING; with every frame or with none"""
    world_from_camera: Floats | None = None
    """(4, 4) metres, NaN = unknown; with every frame or with none"""


@dataclass(frozen=True)
class SessionHeader:
    """What holds for the whole recording."""

    camera: Camera
    """of the colour image, to which depth is registered"""
    depth_scale: float
    """metres that one depth count stands for"""
    sensor: str
    """which back-end recorded"""
    serial: str = ""
    """of the device, or what else tells the source"""
    hand_side: SessionSide = "right"
    """the hand that handles the object; unknown where nobody said which"""
    object_model: ObjectModel | None = None
    """None where nobody gave one; then the hand alone can be tracked"""
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3 as OpenCV has them"""
    notes: str = ""
    """JSON of what else is known, as of a simulation its plan and the constants of its noise"""

    def __post_init__(self) -> None:
        """Refuses a scale that is none."""
        if not (np.isfinite(self.depth_scale) and self.depth_scale > 0):
            raise InputError(f"the depth scale must be positive metres per count, got {self.depth_scale}")
