"""A TUM RGB-D sequence: `rgb.txt`, `depth.txt` ("time file"), `groundtruth.txt` ("time tx ty tz qx qy qz qw").

Depth is in 1/5000 m; the ground truth is the camera's pose in the world (Sturm et al., "A Benchmark for the Evaluation
of RGB-D SLAM Systems", IROS 2012). The layout tells no intrinsics: they are given, or lie in `cam_K.txt`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recorder.sensors.images import numbers, read_color, read_depth, read_intrinsics, sized_alike
from recorder.sensors.sequence import ImageSequence
from recorder.session import SensorFrame
from scene.arrays import Floats
from scene.camera import Camera
from scene.errors import InputError
from scene.rotations import matrix_from_quaternion
from scene.transforms import rigid

DEPTH_SCALE = 1 / 5000
TOGETHER_S = 0.02
"""times of colour, depth and pose that differ by less belong to one frame, as in the benchmark's associate.py"""


def open_tum(folder: Path, *, intrinsics: tuple[float, ...] | None, depth_scale: float = DEPTH_SCALE) -> ImageSequence:
    """Takes the folder, and fx, fy, cx, cy in pixels."""
    color, depth = read_list(folder / "rgb.txt", 2), read_list(folder / "depth.txt", 2)
    color_s, depth_s = times_of(color, folder), times_of(depth, folder)
    pairs = associated(color_s, depth_s, TOGETHER_S)
    if not pairs:
        raise InputError(
            f"no colour and depth image of {folder} are within {TOGETHER_S} s; check rgb.txt and depth.txt"
        )
    poses = _poses(folder / "groundtruth.txt", color_s[[at for at, _ in pairs]])
    height, width = read_depth(inside(folder, depth[pairs[0][1]][1])).shape
    dropped = np.diff([at for at, _ in pairs], prepend=pairs[0][0]) - 1

    def read(index: int) -> SensorFrame:
        of_color, of_depth = pairs[index]
        color_path, depth_path = inside(folder, color[of_color][1]), inside(folder, depth[of_depth][1])
        image, counts = read_color(color_path), read_depth(depth_path)
        sized_alike(image, counts, color_path, depth_path)
        pose = None if poses is None else poses[index]
        return SensorFrame(
            image,
            counts,
            float(color_s[of_color]),
            dropped_before=max(0, int(dropped[index])),
            world_from_camera=pose,
        )

    camera = _camera(folder, intrinsics, width, height)
    return ImageSequence("tum", folder.name, camera, depth_scale, len(pairs), read)


def associated(first_s: Floats, second_s: Floats, tolerance_s: float) -> list[tuple[int, int]]:
    """One-to-one pairs of indices whose times, rising, differ by less than the tolerance; the nearest first."""
    start = np.searchsorted(second_s, first_s - tolerance_s, side="right")
    stop = np.searchsorted(second_s, first_s + tolerance_s, side="left")
    near = [
        (abs(float(first_s[at] - second_s[other])), at, other)
        for at in range(len(first_s))
        for other in range(start[at], stop[at])
    ]
    taken_first, taken_second, pairs = set(), set(), []
    for _, at, other in sorted(near):
        if at not in taken_first and other not in taken_second:
            taken_first.add(at)
            taken_second.add(other)
            pairs.append((at, other))
    return sorted(pairs)


def read_list(path: Path, columns: int) -> list[list[str]]:
    """Rows of a text file, without comments; words are parted by blanks, tabs or commas."""
    if not path.is_file():
        raise InputError(f"{path} is missing; a TUM sequence has rgb.txt and depth.txt, give --source its folder")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [line.replace(",", " ").split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not rows or any(len(row) < columns for row in rows):
        raise InputError(f"{path} must have {columns} words in every line and at least one line; write it again")
    return sorted(rows, key=lambda row: float(row[0]) if _is_number(row[0]) else np.inf)


def times_of(rows: list[list[str]], folder: Path) -> Floats:
    """(N,) seconds, the first word of each row."""
    return numbers([row[0] for row in rows], (len(rows),), f"the times in the lists of {folder}")


def inside(folder: Path, name: str) -> Path:
    """A file that a list names, which must lie in the folder: a stranger's list could name any file."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"the lists of {folder} must name files inside of it, one names {name}; correct it")
    return path


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _camera(folder: Path, intrinsics: tuple[float, ...] | None, width: int, height: int) -> Camera:
    if intrinsics is not None:
        return Camera(width, height, *intrinsics)
    if not (folder / "cam_K.txt").is_file():
        raise InputError(
            f"a TUM sequence does not tell its camera; give --intrinsics FX FY CX CY (525 525 319.5 239.5 is what its "
            f"authors use by default) or write {folder}/cam_K.txt"
        )
    return Camera.from_matrix(read_intrinsics(folder / "cam_K.txt"), width, height)


def _poses(path: Path, times_s: Floats) -> Floats | None:
    """(N, 4, 4) world_from_camera at the times, NaN where no pose is near; None without the file."""
    if not path.is_file():
        return None
    rows = read_list(path, 8)
    table = numbers([row[:8] for row in rows], (len(rows), 8), f"every line of {path}")
    nearest = np.abs(table[:, 0][:, None] - times_s).argmin(axis=0)
    near = np.abs(table[nearest, 0] - times_s) < TOGETHER_S
    poses = np.full((len(times_s), 4, 4), np.nan)
    chosen = table[nearest[near]]
    if len(chosen):
        poses[near] = rigid(matrix_from_quaternion(chosen[:, [7, 4, 5, 6]]), chosen[:, 1:4])
    return poses
