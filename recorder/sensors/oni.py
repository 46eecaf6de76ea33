"""A recording of OpenNI, `.oni`, as a sequence of images: colour and depth matched by time, no SDK needed.

OpenNI2's recorder writes each stream's times from its own first frame, and does not write whether depth was registered;
OpenNI 1 writes the latter as "Registration". Of the intrinsics a file tells the field of view alone.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recorder.sensors.oni_file import COLOR, DEPTH, StoredFrame, Stream, color_image, depth_image, read_streams
from recorder.sensors.openni import MICROSECONDS
from recorder.sensors.sequence import ImageSequence
from recorder.session import SensorFrame
from scene.arrays import Floats
from scene.camera import Camera
from scene.errors import InputError

FORMATS = {100: 0.001, 101: 0.0001}
"""OniPixelFormat of depth -> metres a count"""
RGB888, XN_RGB24 = 200, 1
"""OniPixelFormat, and XnPixelFormat of OpenNI 1, of colour"""
LARGEST_SIDE, LARGEST_RATE = 4096, 1000


def open_oni(path: Path, *, intrinsics: tuple[float, ...] | None) -> ImageSequence:
    """Takes the file, and fx, fy, cx, cy in pixels if known."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; give an .oni file of OpenNI")
    data = mapped(path)
    streams = read_streams(data)
    color, depth = _only(streams, COLOR, "colour"), _only(streams, DEPTH, "depth")
    width, height, frames_per_s = _mode(color)
    if _mode(depth)[:2] != (width, height):
        raise InputError("colour and depth of an .oni file must be of one size; record with the video modes alike")
    scale = _depth_scale(depth)
    _require_plain(color, depth)
    camera = Camera(width, height, *(intrinsics or from_field_of_view(color, width, height)))
    color_frames, depth_frames = _by_time(color.frames), _by_time(depth.frames)
    pairs = nearest_pairs(_times(color_frames), _times(depth_frames), 1e6 / frames_per_s / 2)
    if not len(pairs):
        raise InputError(
            f"{path} must hold a colour and a depth image of one time, and holds none; record with both streams on"
        )

    def read(index: int) -> SensorFrame:
        of_color, of_depth = (frames[at] for frames, at in zip((color_frames, depth_frames), pairs[index], strict=True))
        image = color_image(data, of_color, color.codec, height, width)
        counts = depth_image(data, of_depth, depth.codec, height, width)
        before = of_color.number - color_frames[pairs[index - 1][0]].number - 1 if index else 0
        return SensorFrame(
            np.ascontiguousarray(image[:, ::-1]) if color.integer("xnMirror") else image,
            np.ascontiguousarray(counts[:, ::-1]) if depth.integer("xnMirror") else counts,
            of_color.time_us * MICROSECONDS,
            dropped_before=max(0, before),
        )

    told = depth.integer("Registration") is not None
    serial = path.name if told else f"{path.name}, which does not tell whether depth was registered"
    return ImageSequence("openni", serial, camera, scale, len(pairs), read)


def mapped(path: Path) -> bytes | mmap.mmap:
    """A file's bytes, read when they are asked for."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def nearest_pairs(color_us: Floats, depth_us: Floats, tolerance_us: float) -> NDArray[np.int_]:
    """(N, 2) indices of colour and depth, times rising, each the other's nearest and nearer than the tolerance."""
    if not len(color_us) or not len(depth_us):
        return np.empty((0, 2), int)
    depths = _nearest(color_us, depth_us)
    colors = np.arange(len(color_us))
    mutual = _nearest(depth_us, color_us)[depths] == colors
    near = np.abs(color_us - depth_us[depths]) < tolerance_us
    pairs: NDArray[np.int_] = np.stack((colors, depths), axis=1)[mutual & near]
    return pairs


def _nearest(times: Floats, among: Floats) -> NDArray[np.int_]:
    after = np.searchsorted(among, times).clip(0, len(among) - 1)
    before = (after - 1).clip(0)
    return np.where(times - among[before] <= np.abs(among[after] - times), before, after)


def from_field_of_view(color: Stream, width: int, height: int) -> tuple[float, ...]:
    """fx, fy, cx, cy; the principal point is taken as the image's middle."""
    angles = color.numbers("xnFOV", "<f8", 2)
    if angles is None or not all(0 < angle < np.pi for angle in angles):
        raise InputError("this .oni file tells no field of view of colour; calibrate the camera and give --intrinsics")
    fx, fy = (size / 2 / np.tan(angle / 2) for size, angle in zip((width, height), angles, strict=True))
    return float(fx), float(fy), (width - 1) / 2, (height - 1) / 2


def _only(streams: dict[int, Stream], kind: int, what: str) -> Stream:
    found = [stream for stream in streams.values() if stream.kind == kind]
    if len(found) != 1:
        raise InputError(
            f"an .oni file must have one stream of {what}, this one has {len(found)}; record colour and depth of one "
            "camera"
        )
    return found[0]


def _mode(stream: Stream) -> tuple[int, int, float]:
    """Width, height, frames a second."""
    mode = stream.numbers("xnMapOutputMode", "<u4", 3)
    if mode is None or not (0 < mode[0] <= LARGEST_SIDE and 0 < mode[1] <= LARGEST_SIDE and 0 < mode[2] < LARGEST_RATE):
        raise InputError(f"an .oni file must tell its images' size and rate, this one tells {mode}; record it again")
    return int(mode[0]), int(mode[1]), mode[2]


def _depth_scale(depth: Stream) -> float:
    """Metres a count; OpenNI 1 knows millimetres alone."""
    pixels = depth.integer("oniPixelFormat") or 100
    if pixels not in FORMATS:
        raise InputError(
            f"depth of an .oni file must be in steps of 1 mm (100) or 100 um (101), is in the pixel format {pixels}; "
            "record with one of those"
        )
    return FORMATS[pixels]


def _require_plain(color: Stream, depth: Stream) -> None:
    """Refuses what would not be RGB and depth of the same whole pixels."""
    pixels = color.integer("oniPixelFormat")
    if (pixels or RGB888) != RGB888 or (pixels is None and color.integer("xnPixelFormat") not in (None, XN_RGB24)):
        raise InputError(
            f"colour of an .oni file must be RGB888 ({RGB888}), is in the pixel format "
            f"{pixels or color.integer('xnPixelFormat')}; set the video mode to RGB888 and record again"
        )
    if any(stream.properties.get("xnCropping", b"\0")[:1] not in (b"", b"\0") for stream in (color, depth)):
        raise InputError("images of an .oni file must be whole, these are cropped; record without cropping")
    if depth.integer("Registration") == 0:
        raise InputError(
            "depth must be registered to colour, and in this .oni file it is not; record with registration on, or "
            "register with the camera's own tools and use --sensor folder --source FOLDER"
        )


def _by_time(frames: list[StoredFrame]) -> list[StoredFrame]:
    """In the order of time, one of each time."""
    return sorted({frame.time_us: frame for frame in reversed(frames)}.values(), key=lambda frame: frame.time_us)


def _times(frames: list[StoredFrame]) -> Floats:
    return np.array([frame.time_us for frame in frames], float)
