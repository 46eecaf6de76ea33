"""Tracks the generated recordings made otherwise, as users' recordings are: mirrored, upside down, under lamps, ...

In: as of track_generated.py, which also says what is printed. A tracker that is tuned to recordings may fail on what is
the same to a user. Usage: track_variants.py [VARIANT ...] [-- NAME ...]
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import trimesh
from track_generated import DATA, NAMES, report, tracked

from scene.arrays import Booleans, Bytes, Floats, Integers
from scene.rotations import matrix_from_rotation_vector

HAND, FOREARM = 1, 3
"""labels of seg/"""
TRUTH = ("camera_from_object", "joints_camera", "joint_visible", "object_visible_fraction", "object_in_view")
"""what `report` asks for, each of as many as there are frames"""
SWAYS: Floats = np.array([[5.0, 0.6], [8.0, 1.0], [11.0, 0.8]])
"""frames for a radian, and share of the angle, of a swaying camera's pitch, yaw and roll"""


@dataclass(frozen=True)
class Variant:
    """How a recording is made otherwise."""

    step: int = 1
    """from one frame to the next; below 0 backwards"""
    flipped: tuple[int, ...] = ()
    """the images' axes that run the other way, rows 0 and columns 1"""
    scale: float = 1.0
    """of all lengths"""
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """factors of red, green and blue"""
    skin: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """the same, of hand and forearm alone"""
    unmeasured: float = 0.0
    """share of the depth pixels that are taken out"""
    mesh_colored: bool = True
    sway_deg: float = 0.0
    """by which the camera turns to and fro"""


VARIANTS = {
    "mirrored": Variant(flipped=(1,)),
    "upside-down": Variant(flipped=(0, 1)),
    "backwards": Variant(step=-1),
    "half-rate": Variant(step=2),
    "small": Variant(scale=0.87),
    "dim": Variant(light=(0.45, 0.45, 0.45)),
    "lamps": Variant(light=(1.0, 0.94, 0.8)),
    "dim-lamps": Variant(light=(0.5, 0.47, 0.4)),
    "sky": Variant(light=(0.85, 0.95, 1.0)),
    "dark-skin": Variant(skin=(0.42, 0.36, 0.33)),
    "holes": Variant(unmeasured=0.3),
    "uncolored": Variant(mesh_colored=False),
    "swaying": Variant(sway_deg=5.0),
}


def write_variant(source: Path, variant: Variant, folder: Path) -> None:
    """The recording of a folder, made otherwise, into another folder; with its truth."""
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    count = len(list((source / "rgb").iterdir()))
    for to, index in enumerate(range(count)[:: variant.step]):
        color, depth, labels = (
            iio.imread(next((source / name).glob(f"{index:05d}.*"))) for name in ("rgb", "depth", "seg")
        )
        skin = np.isin(labels, (HAND, FOREARM))[..., None]
        color = np.rint(color * np.array(variant.light) * np.where(skin, variant.skin, 1.0)).astype(np.uint8)
        gone = np.random.default_rng(index).random(depth.shape) < variant.unmeasured
        depth = np.rint(np.where(gone, 0, depth) * variant.scale).astype(np.uint16)
        if variant.sway_deg:
            color, depth = _turned(color, depth, np.loadtxt(source / "cam_K.txt"), _sway(variant, index))
        for name, image in (("rgb", color), ("depth", depth)):
            iio.imwrite(folder / name / f"{to:05d}.png", np.flip(image, variant.flipped))
    height, width = depth.shape
    _write_truth(source, variant, (height, width), folder)


def _sway(variant: Variant, index: int) -> Floats:
    """(3, 3) from the camera that stands to the one that sways, in a frame."""
    angles = np.deg2rad(variant.sway_deg) * SWAYS[:, 1] * np.sin(index / SWAYS[:, 0])
    return matrix_from_rotation_vector(angles)


def _turned(color: Bytes, depth: Integers, intrinsics: Floats, turn: Floats) -> tuple[Bytes, Integers]:
    """The images (H, W, 3), (H, W) as a camera sees them that is turned by (3, 3); black and 0 where it sees more."""
    height, width = depth.shape
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(intrinsics).T @ turn
    there = np.rint(rays / rays[..., 2:] @ intrinsics.T).astype(int)
    seen: Booleans = np.all((there >= 0) & (there < (width, height, 2)), axis=-1)
    at = np.where(seen, there[..., 1], 0), np.where(seen, there[..., 0], 0)
    counts = np.where(seen, depth[at], 0) / rays[..., 2]
    return np.where(seen[..., None], color[at], 0), np.rint(counts).astype(np.uint16)


def _write_truth(source: Path, variant: Variant, size: tuple[int, int], folder: Path) -> None:
    """Camera, mesh and truth: a mirrored camera sees a mirrored object."""
    intrinsics, mesh = np.loadtxt(source / "cam_K.txt"), trimesh.load_mesh(source / "mesh.ply", process=False)
    signs = np.ones(3)
    for axis in variant.flipped:
        signs[1 - axis] = -1
        intrinsics[1 - axis, 2] = size[axis] - 1 - intrinsics[1 - axis, 2]
    mirror: Floats = np.array([signs.prod(), 1.0, 1.0])
    mesh.vertices = mesh.vertices * mirror * variant.scale
    if mirror[0] < 0:
        mesh.invert()
    if not variant.mesh_colored:
        mesh.visual = trimesh.visual.ColorVisuals()
    np.savetxt(folder / "cam_K.txt", intrinsics)
    mesh.export(folder / "mesh.ply")
    with np.load(source / "truth.npz") as file:
        truth = {name: file[name][:: variant.step] for name in TRUTH}
    if variant.sway_deg:
        turns = np.array([_sway(variant, index) for index in range(len(truth["joints_camera"]))])
        truth["camera_from_object"][:, :3] = turns @ truth["camera_from_object"][:, :3]
        truth["joints_camera"] = truth["joints_camera"] @ turns.swapaxes(1, 2)
    truth["camera_from_object"][:, :3, :3] *= signs[:, None] * mirror
    truth["camera_from_object"][:, :3, 3] *= signs * variant.scale
    truth["joints_camera"] *= signs * variant.scale
    np.savez(folder / "truth.npz", **truth)


def main() -> None:
    """Every variant that is named, or all, of every recording that is."""
    asked = sys.argv[1:]
    at = asked.index("--") if "--" in asked else len(asked)
    variants, names = asked[:at] or list(VARIANTS), asked[at + 1 :] or NAMES
    for name in names:
        source = DATA / "generated" / name
        if not source.is_dir():
            print(f"{name}: skipped, {source} is not there")
            continue
        for variant in variants:
            print(f"{name}, {variant}:")
            with tempfile.TemporaryDirectory() as temporary:
                write_variant(source, VARIANTS[variant], Path(temporary) / "made")
                report(tracked(Path(temporary) / "made"), Path(temporary) / "made" / "truth.npz")


if __name__ == "__main__":
    main()
