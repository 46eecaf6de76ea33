"""`recorder check`: everything that is wrong with a session, at once, each fault a sentence.

In: a session, however broken, from whoever. Out: sentences. A part of a wrong shape or type is still looked at
as far as it can be; one that leads out of the file never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from recorder.evidence import Evidence, gather
from recorder.session import DAMAGE, SESSION, too_large, unfinished
from scene.arrays import Integers
from scene.errors import InputError, SchemaError
from scene.object_model import LARGEST_DIAMETER, SMALLEST_DIAMETER
from scene.schema import faults

FOCAL_RANGE = (0.3, 5.0)
"""focal length / image width of cameras with lenses between very wide and very long"""
DEPTH_RANGE = (0.1, 15.0)
"""metres between which half of the depth before an RGB-D camera lies"""
OBJECT_PIXELS = 10.0
"""an object that would be smaller in the image, at the nearest depth seen, is not what was recorded"""
RATE_HZ = (0.2, 1000.0)
"""of frames, between which times in seconds lie"""
MOSTLY_HOLES, MANY_DROPPED = 0.9, 0.1
LISTED = 3
"""frames that a sentence names"""


def check(path: Path) -> list[str]:
    """All faults of a file, each a sentence; none where it can be trusted.

    Raises:
        InputError: there is no such file, or it is no HDF5 file at all.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the session to check")
    if unfinished(path):
        return [f"the recording was killed or still goes on; make a session of it with: recorder repair {path}"]
    try:
        with h5py.File(path, "r") as file:
            return list(_faults(file))
    except OSError as error:
        raise SchemaError(f"{path} must be an HDF5 file and is damaged, cut short or something else") from error


def _faults(file: h5py.File) -> Iterator[str]:
    try:
        yield from _format_faults(file)
        evidence = gather(file)
    except DAMAGE as error:
        yield f"the file is damaged inside ({error}); keep what is whole with: recorder repair {file.filename}"
        return
    for examine in EXAMINATIONS:
        yield from examine(evidence)


def _format_faults(file: h5py.File) -> Iterator[str]:
    for name, wanted in (("format", SESSION.format), ("format_version", SESSION.version)):
        given = file.attrs.get(name)
        if np.ndim(given) or given != wanted:
            yield f"the attribute {name} must be {wanted}, is {given}; make the session with recorder capture"
    found = faults(file, SESSION)
    for fault in found or too_large(file):
        yield f"{fault}; make the session again with recorder capture"


def _camera(seen: Evidence) -> Iterator[str]:
    if seen.matrix is None or seen.size is None:
        return
    (fx, fy), (cx, cy) = np.diag(seen.matrix)[:2], seen.matrix[:2, 2]
    height, width = seen.size
    if np.allclose(seen.matrix, np.eye(3)):
        yield "the intrinsics are the identity matrix, which nobody measured; import again with the camera's own"
    elif not np.isfinite(seen.matrix).all() or fx <= 0 or fy <= 0:
        yield f"focal lengths must be positive and finite, are {fx:g} and {fy:g}; import again with the camera's own"
    elif not FOCAL_RANGE[0] < fx / width < FOCAL_RANGE[1] or not 0.8 < fx / fy < 1.25:
        yield (
            f"focal lengths of {fx:.1f} and {fy:.1f} pixels do not fit an image {width} wide; give those of this "
            "resolution, in pixels"
        )
    elif not (width / 4 < cx < width * 3 / 4 and height / 4 < cy < height * 3 / 4):
        yield (
            f"the principal point ({cx:.1f}, {cy:.1f}) is far from the middle of an image of {width}x{height}; "
            "give the intrinsics of this resolution"
        )
    if seen.distortion is not None and np.any(seen.distortion):
        yield "the lens distortion is not 0, and every stage takes images as rectified; record rectified images"


def _depth(seen: Evidence) -> Iterator[str]:
    if not len(seen.depth_valid):
        return
    if not seen.depth_valid.any():
        yield "depth is empty in every frame looked at; check that the camera's depth stream was on"
        return
    empty = seen.looked_at[seen.depth_valid == 0]
    if len(empty):
        yield f"depth is empty in {_named(empty)}; trim them away or record again"
    if 1 - seen.depth_valid.mean() > MOSTLY_HOLES:
        yield f"{1 - seen.depth_valid.mean():.0%} of the depth is holes; come nearer, or check the projector"
    if _was_8_bit(seen):
        yield "depth was 8 bit once, so that the measurement is lost; export it again as 16 bit"
        return
    scale = seen.depth_scale
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        yield f"depth_scale must be positive metres a count, is {scale:g}; import again with --depth-scale"
    elif scale is not None and not _plausible(seen):
        yield (
            f"half of the depth lies beyond {_figure(seen.depth_median * scale)} m, which no hand-held scene does: "
            f"depth_scale {scale:g} is not metres a count; import again with --depth-scale (0.001 for millimetres)"
        )


def _color(seen: Evidence) -> Iterator[str]:
    blank = seen.looked_at[: len(seen.color_spread)][seen.color_spread == 0]
    if len(blank):
        yield f"colour is one and the same at every pixel of {_named(blank)}; check the lens cap and the colour stream"
    if len(seen.frozen):
        yield f"the images are those of the frame before once more in {_named(seen.frozen)}; check the camera's cable"


def _times(seen: Evidence) -> Iterator[str]:
    times = seen.times_s
    if not np.isfinite(times).all():
        unknown = np.flatnonzero(~np.isfinite(times))
        yield f"device_time_s must be a number in every frame, is not in {_named(unknown)}; trim them away"
    steps = np.diff(times)
    stuck = np.flatnonzero(steps <= 0) + 1
    if len(stuck):
        yield f"device_time_s must rise, it stands still or goes back in {_named(stuck)}; record again, or trim"
    typical = float(np.median(steps[steps > 0])) if (steps > 0).any() else None
    if typical is not None and not RATE_HZ[0] < 1 / typical < RATE_HZ[1]:
        yield f"{typical:.3g} s pass between frames by device_time_s, which must be seconds; import again, with --fps"
    lost = int(np.maximum(seen.dropped_before, 0).sum())
    if lost > MANY_DROPPED * (len(times) + lost):
        yield f"{lost} of {len(times) + lost} frames were dropped while recording; use USB 3, or a faster disk"


def _object(seen: Evidence) -> Iterator[str]:
    if seen.object_fault:
        yield f"{seen.object_fault}; capture again with another --object"
    if seen.diameter is None:
        return
    across = f"the mesh, {_figure(seen.diameter * 1000)} mm across,"
    if not SMALLEST_DIAMETER <= seen.diameter <= LARGEST_DIAMETER:
        yield f"{across} is not what a hand turns before a camera: its unit is wrong; give it with --object-units"
    elif seen.matrix is not None and seen.size is not None and _plausible(seen) and not any(_camera(seen)):
        pixels = seen.matrix[0, 0] * seen.diameter / seen.nearest_m
        if not OBJECT_PIXELS < pixels < 1.5 * float(np.hypot(*seen.size)):
            yield (
                f"{across} would be {pixels:.0f} pixels wide at the nearest depth seen, {seen.nearest_m:.3g} m, in an "
                f"image of {seen.size[1]}: its unit is wrong; give it with --object-units"
            )


def _plausible(seen: Evidence) -> bool:
    """Whether depth is what a camera sees before it, in metres."""
    if seen.depth_scale is None or _was_8_bit(seen):
        return False
    return DEPTH_RANGE[0] < seen.depth_median * seen.depth_scale < DEPTH_RANGE[1]


def _was_8_bit(seen: Evidence) -> bool:
    """No count above 255, or all of them multiples as 8 bits stretched to 16 have."""
    return 0 < seen.depth_max <= 255 or seen.depth_step in (256, 257)


def _truth(seen: Evidence) -> Iterator[str]:
    poses = seen.poses[np.isfinite(seen.poses).all(axis=(1, 2))]
    if not len(poses):
        return
    rotation = poses[:, :3, :3]
    skew = np.abs(rotation @ rotation.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2))
    if (skew > 1e-3).any() or (np.linalg.det(rotation) < 0).any():
        yield "truth/camera_from_object must hold rotations, and some are mirrored or stretched; convert it again"
    z = float(np.median(poses[:, 2, 3]))
    if z <= 0:
        yield "truth/camera_from_object has the object behind the camera, as in OpenGL's axes; turn it to z forward"
    elif z > DEPTH_RANGE[1]:
        yield f"truth/camera_from_object has the object {_figure(z)} m away: it must be in metres; convert it again"


def _figure(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _named(frames: Integers) -> str:
    """`frame 3`, `frames 3, 7, 9 and 12 more`."""
    first = ", ".join(map(str, frames[:LISTED]))
    more = f" and {len(frames) - LISTED} more" if len(frames) > LISTED else ""
    return f"frame{'s' if len(frames) > 1 else ''} {first}{more}"


EXAMINATIONS: tuple[Callable[[Evidence], Iterator[str]], ...] = (_camera, _depth, _color, _times, _object, _truth)
