"""`pairs.h5` -> tensors: the images of one split, in memory where they fit and read row by row where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pairs.format import SPLIT_NAMES, PairsFile, open_pairs
from scene.arrays import Booleans, Floats, Integers
from scene.errors import InputError
from scene.rotations import matrix_from_quaternion, quaternion_from_matrix

Split = Literal["train", "validation", "test"]
IMAGE_FIELDS = ("occluded/color", "occluded/depth", "clean/color", "clean/depth")
LARGEST_IN_MEMORY_BYTES = 3 << 30
"""a split whose images are larger than this stays on disk"""
BYTES_A_PIXEL = 2 * (3 + 4)
"""in memory, of both images of a pair: colour as uint8, depth as int32"""
BEHIND, OBJECT, HAND = 0, 1, 2
"""what a pixel of an occluded image shows: neither of the two, the object, the hand"""


@dataclass(frozen=True)
class PairImages:
    """The occluded and clean images of one split."""

    file: PairsFile
    """open; read only where the images are not in memory"""
    rows: Integers
    """(N,) rows of the file that belong to the split"""
    quaternion_wxyz: Floats
    """(N, 4) what the network learns: the rotation view_from_object, w >= 0"""
    camera_from_view: Floats
    """(N, 3, 3) turns a view straight at the object to the camera"""
    visibility: Floats
    """(N,) visible fraction of the object in the occluded image, 0..1"""
    in_hand: Integers
    """(H,) indices into the split of the images whose hand is known"""
    memory: dict[str, Tensor]
    """the four image fields of these rows, and `layers` where asked for; empty where they stay on disk"""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def size(self) -> int:
        """Pixels along a side of the stored crops."""
        return self.file.size

    def camera_rotation(self, quaternion_wxyz: Floats) -> Floats:
        """(N, 4) view_from_object of each row -> (N, 3, 3) rotation of camera_from_object."""
        rotation: Floats = self.camera_from_view @ matrix_from_quaternion(quaternion_wxyz)
        return rotation

    def images(self, rows: Integers, clean: Booleans) -> tuple[Tensor, Tensor]:
        """Picks images.

        Args:
            rows: (B,) indices into the split.
            clean: (B,) the clean image of a row, else the occluded one.

        Returns:
            (B, S, S, 3) uint8 colour, (B, S, S) int32 stored depth.
        """
        color = torch.empty((len(rows), self.size, self.size, 3), dtype=torch.uint8)
        depth = torch.empty((len(rows), self.size, self.size), dtype=torch.int32)
        for view, chosen in (("occluded", ~clean), ("clean", clean)):
            where = torch.from_numpy(np.flatnonzero(chosen))
            color[where] = self._field(f"{view}/color", rows[chosen])
            depth[where] = self._field(f"{view}/depth", rows[chosen])
        return color, depth

    def layers(self, rows: Integers) -> Tensor:
        """(B,) indices into the split -> (B, S, S) uint8 BEHIND, OBJECT or HAND, of the occluded images."""
        if "layers" in self.memory:
            return self.memory["layers"][torch.from_numpy(rows)]
        return _layers(self.file, self.rows[rows])

    def _field(self, name: str, rows: Integers) -> Tensor:
        if self.memory:
            return self.memory[name][torch.from_numpy(rows)]
        return _tensor(self.file.read_rows(name, self.rows[rows]))


@contextmanager
def open_split(
    path: Path, split: Split, *, layers: bool = False, memory_limit: int = LARGEST_IN_MEMORY_BYTES
) -> Iterator[PairImages]:
    """The pairs of one split; the file stays open inside the block.

    What an image of an object shows is how the object is turned against the line of sight, not against the camera's
    axis: away from the middle of the frame the two differ by many degrees. So view_from_object is what is learnt, and
    `camera_rotation` turns it back.

    Args:
        path: of the pairs file.
        split: which of its rows.
        layers: whether `PairImages.layers` will be asked for, and is worth keeping.
        memory_limit: bytes of images above which they are read from disk when asked for.

    Raises:
        InputError: the split has no pairs.
    """
    with open_pairs(path) as file:
        rows = np.flatnonzero(file.split == SPLIT_NAMES.index(split))
        if len(rows) == 0:
            raise InputError(f"{path} must have pairs in its {split} split and has none; make pairs of more frames")
        in_memory = len(rows) * file.size**2 * BYTES_A_PIXEL <= memory_limit
        camera_from_view = file.column("camera_from_view")[rows]
        camera_from_object = matrix_from_quaternion(file.quaternion_wxyz[rows])
        yield PairImages(
            file=file,
            rows=rows,
            quaternion_wxyz=quaternion_from_matrix(np.swapaxes(camera_from_view, 1, 2) @ camera_from_object),
            camera_from_view=camera_from_view,
            visibility=file.visibility[rows],
            in_hand=np.flatnonzero(file.column("hand_frame")[rows] >= 0),
            memory=_memory(file, rows, layers=layers) if in_memory else {},
        )


def several_recordings(path: Path) -> bool:
    """Whether a pairs file's training pairs are of more than one recording, as far as it tells."""
    with open_pairs(path) as file:
        learnt = file.split == SPLIT_NAMES.index("train")
        return len(np.unique(file.column("recording")[learnt])) > 1


def has_split(path: Path, split: Split) -> bool:
    """Whether a pairs file has pairs in that split."""
    with open_pairs(path) as file:
        return bool((file.split == SPLIT_NAMES.index(split)).any())


def _memory(file: PairsFile, rows: Integers, *, layers: bool) -> dict[str, Tensor]:
    memory = {name: _tensor(file.read_rows(name, rows)) for name in IMAGE_FIELDS}
    return memory | ({"layers": _layers(file, rows)} if layers else {})


def _layers(file: PairsFile, rows: Integers) -> Tensor:
    """Of the two that are drawn, what is not the object that the occluded image shows is the hand."""
    seen, drawn = file.read_rows("mask_visible", rows), file.read_rows("rendered/depth", rows) > 0
    return torch.from_numpy(np.where(seen, OBJECT, np.where(drawn, HAND, BEHIND)).astype(np.uint8))


def _tensor(values: NDArray[Any]) -> Tensor:
    """Depth becomes int32: torch computes little with uint16."""
    return torch.from_numpy(values.astype(np.int32) if values.dtype == np.uint16 else values)
