"""What a session shows when its frames are looked at: the numbers that `check` and `view` judge by.

In: an open file that may keep to SESSION or not. Out: Evidence; what is missing or cannot be read is None or empty.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import h5py
import numpy as np

from recorder.session import DAMAGE, LARGEST_CHUNK_BYTES, LARGEST_LENGTH
from scene.arrays import Floats, Integers
from scene.errors import InputError
from scene.object_model import read_object

LOOKED_AT = 200
"""frames, spread over the recording, whose pixels are looked at"""
NEAR_PERCENT = 2.0
"""of the depth in a frame counts as the nearest"""


@dataclass(frozen=True)
class Evidence:
    """Of a recording of N frames, L of which were looked at."""

    matrix: Floats | None
    """(3, 3) intrinsics"""
    distortion: Floats | None
    size: tuple[int, int] | None
    """height and width of the images"""
    depth_scale: float | None
    times_s: Floats
    """(N,)"""
    dropped_before: Integers
    """(N,)"""
    looked_at: Integers
    """(L,) indices of frames"""
    depth_valid: Floats
    """(L,) part of the pixels with a measurement"""
    depth_median: float
    """counts"""
    depth_max: int
    """counts"""
    depth_step: int
    """greatest common divisor of all counts"""
    nearest_m: float
    """metres, median over frames of the nearest depth; NaN = unknown"""
    color_spread: Floats
    """(L,) standard deviation over pixels"""
    frozen: Integers
    """indices of frames whose images are those of the frame before"""
    diameter: float | None
    """metres, of the object"""
    object_fault: str
    """"" where the object can be read, or there is none"""
    poses: Floats
    """(N, 4, 4) truth/camera_from_object, or (0, 4, 4)"""


def gather(file: h5py.File) -> Evidence:
    """Looks at a file."""
    color, depth = _part(file, "color", 4), _part(file, "depth", 3)
    scale, count = _values(file, "depth_scale", 0), min((len(part) for part in (color, depth) if part), default=0)
    looked_at = np.unique(np.linspace(0, max(0, count - 1), min(count, LOOKED_AT)).astype(int))
    valid, medians, nearest, depth_max, step = _depth(depth, looked_at)
    depth_scale = None if scale is None else float(scale)
    diameter, object_fault = _object(file)
    poses = _values(file, "truth/camera_from_object", 3)
    matrix = _values(file, "camera/matrix", 2)
    return Evidence(
        matrix=matrix if matrix is not None and matrix.shape == (3, 3) else None,
        distortion=_values(file, "camera/distortion", 1),
        size=next(((int(part.shape[1]), int(part.shape[2])) for part in (color, depth) if part is not None), None),
        depth_scale=depth_scale,
        times_s=_or_empty(_values(file, "device_time_s", 1)),
        dropped_before=_or_empty(_values(file, "dropped_before", 1)).astype(int),
        looked_at=looked_at,
        depth_valid=valid,
        depth_median=float(np.median(medians)) if len(medians) else float("nan"),
        depth_max=depth_max,
        depth_step=step,
        nearest_m=float(np.median(nearest)) * (depth_scale or np.nan) if len(nearest) else float("nan"),
        color_spread=np.array([float(np.std(color[index])) for index in looked_at] if color is not None else []),
        frozen=_frozen(color, depth),
        diameter=diameter,
        object_fault=object_fault,
        poses=poses if poses is not None and poses.shape[1:] == (4, 4) else np.zeros((0, 4, 4)),
    )


def _depth(depth: h5py.Dataset | None, looked_at: Integers) -> tuple[Floats, Floats, Floats, int, int]:
    """Part that is valid by frame; median and nearest counts of those with any; largest count; common divisor."""
    valid, medians, nearest = [], [], []
    largest, step = 0, 0
    for index in looked_at if depth is not None else ():
        assert depth is not None
        counts = depth[index]
        seen = counts[counts > 0]
        valid.append(seen.size / max(1, counts.size))
        if seen.size:
            medians.append(float(np.median(seen)))
            nearest.append(float(np.percentile(seen, NEAR_PERCENT)))
            largest = max(largest, int(seen.max()))
            step = int(np.gcd(step, np.gcd.reduce(np.unique(seen).astype(int))))
    return np.array(valid), np.array(medians), np.array(nearest), largest, step


def _frozen(color: h5py.Dataset | None, depth: h5py.Dataset | None) -> Integers:
    """Compared as they are packed, which is equal where the images are."""
    images = [part for part in (color, depth) if part is not None]
    if depth is None:
        return np.zeros(0, int)
    seen = [[_digest(part, index) for part in images] for index in range(min(map(len, images)))]
    return np.array([index for index in range(1, len(seen)) if seen[index] == seen[index - 1]], int)


def _digest(images: h5py.Dataset, index: int) -> int:
    if images.chunks is not None and images.chunks == (1, *images.shape[1:]):
        return zlib.crc32(images.id.read_direct_chunk((index, *(0,) * (images.ndim - 1)))[1])
    return zlib.crc32(images[index].tobytes())


def _object(file: h5py.File) -> tuple[float | None, str]:
    """Diameter in metres, and what is wrong with it."""
    if not all(_part(file, f"object/{name}", 2) for name in ("vertices", "faces", "vertex_colors")):
        return None, ""
    try:
        return read_object(file["object"]).diameter, ""
    except InputError as error:
        return None, str(error)
    except DAMAGE as error:
        return None, f"the object cannot be read ({error})"


def _values(file: h5py.File, name: str, axes: int) -> Floats | None:
    part = _part(file, name, axes)
    return None if part is None else np.asarray(part[()], float)


def _or_empty(values: Floats | None) -> Floats:
    return np.zeros(0) if values is None else values


def _part(file: h5py.File, name: str, axes: int) -> h5py.Dataset | None:
    """A data set of numbers inside the file, of that many axes and a size that can be read; else None."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        if not isinstance(file.get("/".join(parts[:end]), getlink=True), h5py.HardLink):
            return None
    part = file[name]
    if not isinstance(part, h5py.Dataset) or part.external or part.is_virtual or part.ndim != axes:
        return None
    pieces = int(np.prod(part.chunks, dtype=object)) * part.dtype.itemsize if part.chunks else 0
    sane = pieces <= LARGEST_CHUNK_BYTES and all(length <= max(LARGEST_LENGTH.values()) for length in part.shape)
    frame_bytes = int(np.prod(part.shape[1:], dtype=object)) * part.dtype.itemsize
    return part if sane and part.dtype.kind in "fiub" and frame_bytes <= LARGEST_CHUNK_BYTES else None
