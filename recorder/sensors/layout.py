"""Which layout a folder or file has, told by the names in it alone; where they do not tell, it is not guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scene.errors import InputError

SUFFIXES = {".bag": "realsense", ".db3": "realsense", ".oni": "openni"}
TELLING: dict[str, Callable[[Path], bool]] = {
    "bop": lambda folder: (folder / "scene_camera.json").is_file(),
    "tum": lambda folder: all((folder / name).is_file() for name in ("rgb.txt", "depth.txt")),
    "dexycb": lambda folder: any(folder.glob("color_*.jpg")) and any(folder.glob("labels_*.npz")),
    "ho3d": lambda folder: (folder / "rgb").is_dir() and any((folder / "meta").glob("*.pkl")),
    "folder": lambda folder: all((folder / name).exists() for name in ("depth", "cam_K.txt")),
}
"""layout -> what no other layout has; TUM's own lists come before a cam_K.txt that was added"""


def layout_of(source: Path) -> str:
    """The `--sensor` that reads it, or an InputError that says what was looked for."""
    if source.is_file() and source.suffix in SUFFIXES:
        return SUFFIXES[source.suffix]
    for name, tells in TELLING.items():
        if source.is_dir() and tells(source):
            return name
    raise InputError(
        f"the layout of {source} is none that is known (a .bag, .db3 or .oni file, a BOP scene, a TUM, HO-3D or DexYCB "
        "sequence, or depth/, cam_K.txt and rgb/ if any); give the folder with the images, or name it with --sensor"
    )
