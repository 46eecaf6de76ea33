"""Makes a folder of LINEMOD patches to choose settings by: every fifth training image is what it tests on.

In: a folder of patches. Out: one of the same layout whose real images are the training images alone, so that a command
that is given it cannot look at a test image. Renders are linked, not copied.

Usage: python -m scripts.held_out_patches PATCHES FOLDER; then train compare --patches FOLDER ...
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

KEPT_FROM = 5
"""every such training image is held out, from the first on"""


def main(arguments: list[str]) -> None:
    """Writes the folder."""
    if len(arguments) != 2:
        sys.exit("usage: held_out_patches.py PATCHES FOLDER")
    source, target = (Path(argument).resolve() for argument in arguments)
    (target / "real").mkdir(parents=True)
    split = [int(word) for word in (source / "real/training_split.txt").read_text().replace(",", " ").split()]
    for home in sorted(path for path in (source / "real").iterdir() if path.is_dir()):
        _copy_training(home, target / "real" / home.name, split)
    for kind in ("fine", "coarse"):
        (target / kind).symlink_to(source / kind)
    learnt = [str(index) for index in range(len(split)) if index % KEPT_FROM]
    (target / "real/training_split.txt").write_text(", ".join(learnt) + "\n", encoding="utf-8")
    print(f"{target}: {len(learnt)} images to train on, {len(split) - len(learnt)} held out, of each object")


def _copy_training(home: Path, target: Path, split: list[int]) -> None:
    """The images of the split alone, numbered anew, with their poses."""
    target.mkdir()
    poses = [line for line in (home / "poses.txt").read_text().splitlines() if line and line[0] != "#"]
    (target / "poses.txt").write_text("".join(poses[index] + "\n" for index in split), encoding="utf-8")
    for number, index in enumerate(split):
        shutil.copyfile(home / f"real{index}.png", target / f"real{number}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
