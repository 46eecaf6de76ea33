"""Breaks a sound session in two dozen ways and prints what `recorder check` says of each: the list in docs/recorder.md.

Run it after a sentence changes: python scripts/broken_sessions.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import trimesh

from recorder.check import check
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from scene.camera import Camera
from scene.object_model import ObjectModel

Change = Callable[[h5py.File], object]
CAMERA = Camera(64, 48, 60.0, 61.0, 31.5, 23.5)


def cube(size: float = 0.12) -> ObjectModel:
    """A grey box."""
    mesh = trimesh.creation.box((size, size, 1.1 * size))
    faces, colors = np.asarray(mesh.faces, np.int32), np.full((8, 3), 90, np.uint8)
    return ObjectModel("cube", mesh.vertices, faces, colors, True, "made here")


def frames(truth: Truth | None = None) -> Iterator[SensorFrame]:
    """Five of noise, half a metre to a metre away."""
    for index in range(5):
        rng = np.random.default_rng(index)
        depth = rng.integers(500, 900, (48, 64), np.uint16)
        color = rng.integers(0, 256, (48, 64, 3), np.uint8)
        yield SensorFrame(color, depth, 5 + index / 30, truth=truth)


def write(path: Path, made: Iterator[SensorFrame]) -> Path:
    """A session of them."""
    with SessionWriter(path, SessionHeader(CAMERA, 0.001, "test", object_model=cube())) as writer:
        for frame in made:
            writer.append(frame)
    return path


def replaced(file: h5py.File, name: str, values: Any) -> None:
    """Another data set in the place of one."""
    del file[name]
    file[name] = values


def set_to(name: str, values: Any) -> Change:
    """Other values of the same type."""

    def change(file: h5py.File) -> None:
        file[name][...] = values

    return change


def scaled(name: str, factor: float) -> Change:
    """Every value times a factor."""

    def change(file: h5py.File) -> None:
        file[name][...] = file[name][...] * factor

    return change


def frozen(file: h5py.File) -> None:
    """One frame once more."""
    for name in ("color", "depth"):
        file[name][3] = file[name][2]


def stretched_8_bit(file: h5py.File) -> None:
    """Depth as it is after a detour by 8 bits."""
    file["depth"][:] = (file["depth"][:] // 16).astype(np.uint16) * 257


def zero_at(name: str, index: Any) -> Change:
    """Frames of zeros."""

    def change(file: h5py.File) -> None:
        file[name][index] = 0

    return change


def external(file: h5py.File) -> None:
    """A part that lies in another file."""
    del file["host_time_s"]
    file["host_time_s"] = h5py.ExternalLink("elsewhere.h5", "secret")


BROKEN: dict[str, tuple[Change, str]] = {
    "identity": (set_to("camera/matrix", np.eye(3)), "the intrinsics are the identity matrix"),
    "nan focal": (set_to("camera/matrix", np.diag([np.nan, 60, 1])), "focal lengths must be positive and finite"),
    "normalised": (set_to("camera/matrix", [[0.9, 0, 0.5], [0, 1.2, 0.5], [0, 0, 1]]), "do not fit an image 64 wide"),
    "other size": (set_to("camera/matrix", [[120, 0, 63], [0, 122, 47], [0, 0, 1]]), "far from the middle"),
    "distorted": (set_to("camera/distortion", [0.1, 0, 0, 0, 0]), "lens distortion is not 0"),
    "millimetres": (lambda file: replaced(file, "depth_scale", 1.0), "depth_scale 1 is not metres a count"),
    "no scale": (lambda file: replaced(file, "depth_scale", 0.0), "depth_scale must be positive"),
    "8 bit": (lambda file: replaced(file, "depth", (file["depth"][:] // 4).astype("u1")), "'depth' must be uint16"),
    "8 bit in 16": (stretched_8_bit, "depth was 8 bit once"),
    "empty depth": (scaled("depth", 0), "depth is empty in every frame looked at"),
    "empty frame": (zero_at("depth", 2), "depth is empty in frame 2;"),
    "other depth": (lambda file: replaced(file, "depth", np.full((5, 24, 32), 700, "u2")), "with height = 48"),
    "black frames": (zero_at("color", slice(1, 5)), "at every pixel of frames 1, 2, 3 and 1 more"),
    "frozen": (frozen, "the frame before once more in frame 3"),
    "repeated time": (set_to("device_time_s", [0, 0.1, 0.1, 0.3, 0.2]), "stands still or goes back in frames 2, 4"),
    "milliseconds": (set_to("device_time_s", np.arange(5) * 33.3 + 5e5), "33.3 s pass between frames"),
    "nan time": (set_to("device_time_s", [0, 1, np.nan, 3, 4]), "must be a number in every frame, is not in frame 2"),
    "dropped": (set_to("dropped_before", [0, 3, 0, 2, 0]), "5 of 10 frames were dropped"),
    "mesh in mm": (scaled("object/vertices", 1000), "the mesh, 21[45][0-9]{3} mm across, is not what a hand turns"),
    "mesh in cm": (scaled("object/vertices", 8), "would be .* pixels wide at the nearest depth seen"),
    "mesh of holes": (scaled("object/vertices", np.nan), "every vertex must be a finite number"),
    "bad mesh": (scaled("object/faces", 100), "points outside them"),
    "link": (external, "'host_time_s' is a link to elsewhere"),
    "version": (lambda file: file.attrs.modify("format_version", 9), "attribute format_version must be 1, is 9"),
    "part": (lambda file: file.__delitem__("depth_scale"), "'depth_scale' is missing"),
}
"""name -> what breaks a session, and a pattern of what is said of it"""


def sentence(name: str, folder: Path) -> str:
    """The first that `recorder check` says of a session broken in that way."""
    path = write(folder / "session.h5", frames())
    with h5py.File(path, "r+") as file:
        BROKEN[name][0](file)
    said = check(path)[0]
    path.unlink()
    return said


def main() -> None:
    """A line each."""
    with tempfile.TemporaryDirectory() as folder:
        for name in BROKEN:
            print(f"- {sentence(name, Path(folder))}")


if __name__ == "__main__":
    main()
