"""The table of `pairs.h5`: one row is one pair, what a camera saw beside what it would have seen without the hand.

Three crops of one view stand side by side: `occluded` (the recording's, or a rendered view before a background:
`origin` says which), `rendered` (tracked hand and object on black), `clean` (the object alone on black, at the same
pose, in the same light and noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scene.arrays import Booleans, Bytes, Floats, Integers
from scene.object_model import ObjectModel
from scene.schema import Field, Schema
from scene.symmetry import SYMMETRY_FIELDS

REAL, RENDERED = 0, 1
"""values of `origin`: the occluded crop is the recording's / is a rendering of the tracked hand and object from another
viewpoint, before a background cut from the recording"""
ORIGIN_NAMES = ("real", "rendered")
OWN, BLACK, RECORDING, RANDOM = 0, 1, 2, 3
"""values of `background`, behind the object in the occluded crop: the real image's own, none, a piece of the recording,
a random pattern"""
BACKGROUND_NAMES = ("its own", "black", "recording", "random")

DEPTH_STEPS = 32767
"""stored depth is 1 + DEPTH_STEPS (normalised + 1): 1..65535, and 0 for no measurement"""
NORMALISED = "(z - z of the object's centre) / diameter, clipped to -1..1, as 1 + 32767 (x + 1); 0 = no measurement"
BACKGROUND_MEANING = "Behind the occluded crop: 0 its own, 1 black, 2 a piece of the recording, 3 random."
BEHIND = {
    "occluded": "the recording's, or a rendering before its background",
    "rendered": "tracked hand and object on black",
    "clean": "the object alone on black",
}


def _row(
    name: str, shape: tuple[int | str, ...], dtype: str, unit: str, frame: str, meaning: str, *, optional: bool = False
) -> Field:
    return Field(name, ("pairs", *shape), dtype, unit, frame, meaning, optional)


def _crops(kind: str) -> tuple[Field, Field]:
    return (
        _row(f"{kind}/color", ("size", "size", 3), "uint8", "", "camera", f"RGB crop: {BEHIND[kind]}."),
        _row(f"{kind}/depth", ("size", "size"), "uint16", "", "camera", f"Depth of that crop: {NORMALISED}."),
    )


PAIRS = Schema(
    "pairs",
    1,
    "Crops of an object in a hand, each beside what it would be without the hand, with the object's pose.",
    (
        *_crops("occluded"),
        *_crops("rendered"),
        *_crops("clean"),
        _row("mask_amodal", ("size", "size"), "bool", "", "", "The object's whole silhouette, hidden parts included."),
        _row("mask_visible", ("size", "size"), "bool", "", "", "What of it the occluded crop shows."),
        _row("quaternion_wxyz", (4,), "float64", "", "camera", "Unit quaternion of camera_from_object, w >= 0."),
        _row("camera_from_object", (4, 4), "float64", "m", "camera", "Object pose, in the recording's camera."),
        _row("camera_from_view", (3, 3), "float64", "", "camera", "Turns a view straight at the object to the camera."),
        _row("crop_matrix", (3, 3), "float64", "px", "", "Intrinsics of the crops; project with it and the pose."),
        _row("crop_box", (4,), "float64", "px", "", "Left, top, right, bottom edge in the recording's pixels."),
        _row("visibility", (), "float64", "", "", "Visible / amodal pixels; with lost hand, truncation and other 1."),
        _row("visibility_lost_hand", (), "float64", "", "", "Part of the amodal mask behind something nearer."),
        _row("visibility_lost_self", (), "float64", "", "", "Part of what faces the camera, behind the object itself."),
        _row("visibility_lost_truncation", (), "float64", "", "", "Part of the amodal mask outside of the image."),
        _row("visibility_lost_other", (), "float64", "", "", "Part where the camera sees past it: error of the pose."),
        _row("confidence", (), "float64", "", "", "The tracker's, of the object in that frame; 0..1."),
        _row("frame_index", (), "int64", "", "", "Frame of the session that the row comes from."),
        _row("hand_frame", (), "int64", "", "", "Frame whose tracked hand is drawn; -1 = none is."),
        _row("timestamp_s", (), "float64", "s", "", "Of that frame, on the sensor's clock."),
        _row("split", (), "uint8", "", "", "0 train, 1 validation, 2 test: by blocks of time, of either origin."),
        _row("origin", (), "uint8", "", "", "Of the occluded crop: 0 real (recorded), 1 rendered (another viewpoint)."),
        _row("background", (), "uint8", "", "", BACKGROUND_MEANING, optional=True),
        _row("background_frame", (), "int64", "", "", "Frame the background is cut from; -1: none.", optional=True),
        _row("recording", (), "int64", "", "", "Index into recordings/name of what the row comes from.", optional=True),
        Field("recordings/name", ("recordings",), "str", "", "", "File names of the recordings.", True),
        Field("recordings/sha256", ("recordings",), "str", "", "", "Their hashes; empty where unknown.", True),
        Field("left_out/frame_index", ("left_out",), "int64", "", "", "Frames of the session that gave no pair."),
        Field("left_out/reason", ("left_out",), "str", "", "", "Why not."),
        Field("object/vertices", ("vertices", 3), "float64", "m", "object", "Vertices of the object's mesh."),
        Field("object/faces", ("faces", 3), "int32", "", "", "Triangles, as indices into object/vertices."),
        Field("object/vertex_colors", ("vertices", 3), "uint8", "", "", "RGB of each vertex."),
        *SYMMETRY_FIELDS,
    ),
)  # fmt: skip

ROW_FIELDS = tuple(field for field in PAIRS.fields if field.shape[0] == "pairs")
IMAGE_FIELDS = tuple(field for field in ROW_FIELDS if "size" in field.shape)

Numbers = TypeVar("Numbers")


def center_of(model: ObjectModel) -> Floats:
    """(3,) metres, object frame: the middle of the mesh's bounding box, about which crops and depth are taken."""
    middle: Floats = (model.vertices.min(axis=0) + model.vertices.max(axis=0)) / 2
    return middle


def stored_depth(depth: Floats, center_z: float, diameter: float) -> NDArray[np.uint16]:
    """(...) metres, 0 = no measurement -> as the file keeps it."""
    normalised = np.clip((depth - center_z) / diameter, -1, 1)
    stored = np.where(depth > 0, 1 + np.rint(DEPTH_STEPS * (normalised + 1)), 0)
    return stored.astype(np.uint16)


def normalised_depth(stored: Numbers) -> Numbers:
    """Stored depth as any array of floats -> -1..1, diameters about the object's centre; not where it is 0."""
    number: Any = stored
    normalised: Numbers = (number - 1) / DEPTH_STEPS - 1
    return normalised


def metric_depth(stored: Integers, center_z: float, diameter: float) -> Floats:
    """(...) as stored -> float32 metres, 0 = no measurement; what was clipped stays one diameter from the centre."""
    depth = center_z + diameter * normalised_depth(stored.astype(np.float32))
    metres: Floats = np.where(stored > 0, depth, 0).astype(np.float32)
    return metres


@dataclass(frozen=True)
class Crop:
    """Colour and stored depth of one crop."""

    color: Bytes
    """(size, size, 3) RGB"""
    depth: NDArray[np.uint16]
    """(size, size) as stored_depth makes it"""


@dataclass(frozen=True)
class Pair:
    """One row; the fields are those of PAIRS."""

    occluded: Crop
    rendered: Crop
    clean: Crop
    mask_amodal: Booleans
    mask_visible: Booleans
    quaternion_wxyz: Floats
    camera_from_object: Floats
    camera_from_view: Floats
    crop_matrix: Floats
    crop_box: Floats
    visibility: float
    visibility_lost_hand: float
    visibility_lost_self: float
    visibility_lost_truncation: float
    visibility_lost_other: float
    confidence: float
    frame_index: int
    hand_frame: int
    timestamp_s: float
    split: int
    origin: int
    background: int = OWN
    background_frame: int = -1
    recording: int = 0
