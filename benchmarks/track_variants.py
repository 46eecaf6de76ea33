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

from scene.arrays import Floats

HAND, FOREARM = 1, 3
"""labels of seg/"""
TRUTH = ("camera_from_object", "joints_camera", "joint_visible", "object_visible_fraction", "object_in_view")
"""what `report` asks for, each of as many as there are frames"""


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
        for name, image in (("rgb", color), ("depth", depth)):
            iio.imwrite(folder / name / f"{to:05d}.png", np.flip(image, variant.flipped))
    height, width = depth.shape
    _write_truth(source, variant, (height, width), folder)


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
