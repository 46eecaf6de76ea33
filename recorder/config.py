"""What the recorder's commands can be told; each dataclass is one command, each field one option."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import tyro

from recorder.session import HandSide
from recorder.simulation.motion import Speed
from recorder.simulation.scripted import MotionName
from scene.drawing import DrawerName
from scene.errors import InputError
from scene.noise import NoiseName
from scene.object_model import LengthUnit

SensorName = Literal["auto", "realsense", "openni", "folder", "tum", "bop", "ho3d", "dexycb", "simulated"]
BuiltInName = Literal["belt", "mug", "carton"]
OcclusionName = Literal["light", "medium", "heavy"]
LAYOUTS = ("folder", "tum", "bop", "ho3d", "dexycb")
"""sensors that are folders of somebody else's"""
FINEST_DEPTH_SCALE, COARSEST_DEPTH_SCALE = 1e-5, 0.01
"""metres a count: with a finer one 16 bits end before 0.66 m, where hands are; a coarser one shows no object's shape"""


@dataclass(frozen=True)
class CaptureConfig:
    """Record a session. Example: recorder capture --sensor simulated --frames 60."""

    VERB: ClassVar[str] = "capture"

    sensor: SensorName = "auto"
    """auto: the attached camera, or the layout of --source; realsense: an Intel RealSense (extra `realsense`), or with
    --source a .bag or .db3 recording of its SDK; openni: a camera of OpenNI2 (extra `openni`), or with
    --source an .oni recording; folder: `rgb/`, `depth/`
    (uint16), `cam_K.txt`, as FoundationPose and YCBInEOAT have them, or depth images alone; tum, ho3d, dexycb: a
    sequence of those data sets; bop: a scene of a BOP data set; simulated: a hand that handles an object, drawn with
    noise"""
    source: Path | None = None
    """folder of images, or recording of a camera's SDK, to import"""
    object_id: int | None = None
    """which object of a BOP scene, or which YCB object of DexYCB in place of the grasped one"""
    intrinsics: tuple[float, float, float, float] | None = None
    """fx, fy, cx, cy in pixels of a TUM sequence or a folder, which do not always tell, or of an OpenNI camera or
    recording, which tells roughly"""
    object: str | None = None
    """mesh of the object (PLY, OBJ, STL, GLB), or a built-in one: `belt`, which the simulated sensor takes by itself,
    `mug`, `carton`"""
    object_units: LengthUnit = "m"
    """what one unit of the mesh file is"""
    output: Path = Path("session.h5")
    """file to write"""
    frames: int | None = None
    """stop after as many; otherwise the end of the source, 240 of the simulated sensor, Ctrl-C for a camera"""
    depth_scale: float | None = None
    """metres that one depth count of a folder, a TUM sequence or the simulated sensor stands for; 0.001 unless given,
    and 1/5000 of TUM"""
    fps: float = 30.0
    """frames a second of the simulated sensor and of layouts without times"""
    hand: HandSide | None = None
    """the hand that handles the object; where not given what the source tells, else the tracker sees which it is"""
    seed: int = 0
    """of the simulated sensor's hand, grasp, motion, clutter and noise"""
    motion: MotionName | None = None
    """of the simulated hand, random unless given; turn-x, turn-y, turn-z: whole turns about an axis of the camera;
    shake: quickly to and fro; leave-and-return: out of the view and back with another side"""
    speed: Speed | None = None
    """of the simulated hand, slow unless given: about 2 or 6 degrees between frames"""
    occlusion: OcclusionName | None = None
    """how much the simulated hand hides: about 20, 50 or 75 % of the object; where not given it rolls from one side to
    the other"""
    noise: NoiseName | None = None
    """of the simulated sensor, structured-light (Kinect, Xtion) unless given; disparity: the same camera with less
    noise; stereo: RealSense D400; time-of-flight: Azure Kinect; none: depth and colour as drawn"""
    drawer: DrawerName = "auto"
    """what draws the simulation: OpenGL on egl or osmesa, or rays, which need no system library"""
    overwrite: bool = False
    """replace the output file if it exists"""

    def __post_init__(self) -> None:
        """Refuses what contradicts itself."""
        if self.frames is not None and self.frames < 1:
            raise InputError(f"--frames must be at least 1, got {self.frames}")
        if self.seed < 0:
            raise InputError(f"--seed must be 0 or more, got {self.seed}")
        if not 0 < self.fps < math.inf:
            raise InputError(f"--fps must be above 0, got {self.fps}")
        if self.depth_scale is not None and not FINEST_DEPTH_SCALE <= self.depth_scale <= COARSEST_DEPTH_SCALE:
            raise InputError(
                f"--depth-scale must be metres a count, {FINEST_DEPTH_SCALE:g} to {COARSEST_DEPTH_SCALE:g}, got "
                f"{self.depth_scale:g}; give 0.001 where a count is a millimetre"
            )
        if self.sensor in LAYOUTS and self.source is None:
            raise InputError(f"--sensor {self.sensor} and --source FOLDER belong together; give the folder to import")
        if self.sensor == "simulated" and self.source is not None:
            raise InputError("--sensor simulated reads no files; leave --source out")
        if self.sensor != "simulated" and (self.motion or self.speed or self.noise or self.occlusion):
            raise InputError(
                "--motion, --speed, --noise and --occlusion are of --sensor simulated alone; leave them out"
            )
        if self.occlusion and self.motion not in (None, "random"):
            raise InputError(f"--occlusion goes with --motion random alone, got {self.motion}; leave one of them out")


@dataclass(frozen=True)
class InfoConfig:
    """Print what a session holds. Example: recorder info session.h5."""

    VERB: ClassVar[str] = "info"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the session"""


@dataclass(frozen=True)
class RepairConfig:
    """Keep what a killed recorder left. Example: recorder repair .session.h5.4711.partial."""

    VERB: ClassVar[str] = "repair"

    source: tyro.conf.Positional[Path | None] = None
    """the partial file, or a damaged session, which stays as it is; where not given, the partial file in this folder"""
    output: Path | None = None
    """session to write; of `.NAME.4711.partial` NAME, of another file NAME.repaired.h5 where not given"""
    overwrite: bool = False
    """replace the output file if it exists"""


@dataclass(frozen=True)
class TrimConfig:
    """Write some of a session's frames to another. Example: recorder trim session.h5 --start 20 --stop 200."""

    VERB: ClassVar[str] = "trim"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the session, which stays as it is"""
    start: int = 0
    """first frame to keep, counted from 0"""
    stop: int | None = None
    """first frame not to keep any more; the end where not given"""
    every: int = 1
    """keep each second, third ... frame"""
    output: Path | None = None
    """session to write; NAME.trimmed.h5 where not given"""
    overwrite: bool = False
    """replace the output file if it exists"""

    def __post_init__(self) -> None:
        """Refuses what keeps nothing."""
        if self.start < 0 or self.every < 1 or (self.stop is not None and self.stop <= self.start):
            raise InputError(
                f"--start must be 0 or more, --stop after it and --every at least 1, got {self.start}, {self.stop} "
                f"and {self.every}"
            )


@dataclass(frozen=True)
class CheckConfig:
    """Say all that is wrong with a session. Example: recorder check session.h5."""

    VERB: ClassVar[str] = "check"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the session"""


@dataclass(frozen=True)
class DevicesConfig:
    """List the cameras that are attached and the back-ends that are installed. Example: recorder devices."""

    VERB: ClassVar[str] = "devices"


@dataclass(frozen=True)
class ExportConfig:
    """Write a session as images or a video. Example: recorder export session.h5 --format bop."""

    VERB: ClassVar[str] = "export"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the session"""
    format: Literal["folder", "tum", "bop", "video"] = "folder"
    """folder: `rgb/`, `depth/`, `cam_K.txt`, masks, poses and mesh as FoundationPose reads them; tum: a TUM RGB-D
    sequence; bop: a BOP data set of one scene; video: MP4 of colour and depth, to look at"""
    output: Path | None = None
    """folder or video to write; SESSION.FORMAT or SESSION.mp4 where not given"""
    fps: float | None = None
    """frames a second of the video; as recorded where not given"""
    overwrite: bool = False
    """replace an earlier export"""

    def __post_init__(self) -> None:
        """Refuses a rate that is none, or of no video."""
        if self.fps is not None and (self.format != "video" or not 0 < self.fps < math.inf):
            raise InputError(f"--fps must be above 0 and is of --format video alone, got {self.fps} for {self.format}")


@dataclass(frozen=True)
class ViewConfig:
    """Look at a session. Example: recorder view session.h5, then open session.html."""

    VERB: ClassVar[str] = "view"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the session"""
    output: Path | None = None
    """page to write; SESSION.html, or SESSION.rrd with --rerun, where not given"""
    frames: int = 24
    """how many the page shows, spread over the recording"""
    rerun: bool = False
    """write a file for the viewer of rerun (extra `viewer`) in place of a page; open it with: rerun FILE"""
    overwrite: bool = False
    """replace the output file if it exists"""

    def __post_init__(self) -> None:
        """Refuses a page of nothing."""
        if self.frames < 1:
            raise InputError(f"--frames must be at least 1, got {self.frames}")
