"""What a run on LINEMOD patches draws its batches from, and what it is tested on.

Training images are the real ones of the training split and views of the mesh; the renders that come with the patches
fix where the mesh lies, and the test images are looked at by nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scene.arrays import Floats, Integers
from scene.drawing import OBJECT, open_drawer
from scene.object_model import ObjectModel, load_object
from scene.rotations import matrix_from_quaternion
from train.augmentation import turned
from train.batches import Batch
from train.linemod.mesh_fit import MeshFit, body_of, fit_mesh
from train.linemod.patches import ObjectPatches, Patches, mesh_path, read_object_patches
from train.linemod.synthesis import Synthesis
from train.linemod.view_bank import make_bank
from train.preprocessing import color_input
from train.recipes import Recipe

LARGEST_TURN = np.radians(25.0)
"""about the line of sight, of every training image, at full variation"""


@dataclass(frozen=True)
class PatchSource:
    """Rows are real training patches, each several times over, and views of the mesh."""

    patches: ObjectPatches
    synthesis: Synthesis
    items: Integers
    """(N,) what each row shows: an image of `synthesis`"""
    quaternion_wxyz: Floats
    """(N, 4)"""
    variation: float = 1.0
    """of its images, as a share of the most"""

    channels = 3

    @property
    def size(self) -> int:
        """As of Source."""
        return self.patches.size

    def inputs(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """As of Source; `clean` has no meaning here: every image is made anew, so a counterpart differs anyway."""
        turns = np.tile(self.variation * rng.uniform(-LARGEST_TURN, LARGEST_TURN, batch.pairs), 3)
        images = self.synthesis.images(self.items[batch.rows], turns, rng, self.variation)
        quaternions = turned(self.quaternion_wxyz[batch.rows], turns)
        return (images - 0.5).contiguous(memory_format=torch.channels_last), torch.from_numpy(quaternions).float()

    def templates(self, rng: np.random.Generator) -> tuple[Tensor, Floats]:
        """(T, 3, S, S) network input and (T, 4): the real images as they are, and the views before backgrounds."""
        real = self.patches.training
        views = np.arange(len(real), len(real) + len(self.synthesis.bank))
        parts = np.array_split(views, min(16, len(views)))
        made = [self.synthesis.images(part, np.zeros(len(part)), rng, self.variation) - 0.5 for part in parts]
        shown = self.items >= len(real)
        quaternions = np.concatenate([real.quaternion_wxyz, self.quaternion_wxyz[shown]])
        return torch.cat([color_input(torch.from_numpy(real.color)), *made]), quaternions

    def for_recipe(self, recipe: Recipe, variation: float) -> PatchSource:
        """The same views and real images, with the recipe's share of the latter, each as often, varied that much."""
        real, views = self.patches.training, np.arange(len(self.synthesis.bank))
        repeats = max(1, round(recipe.real_share / (1 - recipe.real_share) * len(views) / len(real)))
        shown = self.quaternion_wxyz[-len(views) :]
        return replace(
            self,
            items=np.concatenate([np.tile(np.arange(len(real)), repeats), len(real) + views]),
            quaternion_wxyz=np.concatenate([np.tile(real.quaternion_wxyz, (repeats, 1)), shown]),
            variation=variation,
        )

    def fixed(self, variation: float, rng: np.random.Generator) -> FixedPatches:
        """Each image made once: the real ones as they are, and the views, varied that much but not turned."""
        return FixedPatches(*replace(self, variation=variation).templates(rng))


@dataclass(frozen=True)
class FixedPatches:
    """Rows are images that are always the same."""

    images: Tensor
    """(N, 3, S, S) network input"""
    quaternion_wxyz: Floats
    """(N, 4)"""

    channels = 3

    @property
    def size(self) -> int:
        """As of Source."""
        return int(self.images.shape[-1])

    def inputs(self, batch: Batch, _rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """As of Source; there is one image a row, so counterparts are their anchors, and not given again."""
        images = self.images[torch.from_numpy(batch.rows[: 2 * batch.pairs])].contiguous(
            memory_format=torch.channels_last
        )
        return images, torch.from_numpy(self.quaternion_wxyz[batch.rows]).float()

    def templates(self, _rng: np.random.Generator) -> tuple[Tensor, Floats]:
        """(N, 3, S, S) network input and (N, 4): the images themselves."""
        return self.images, self.quaternion_wxyz


@lru_cache(maxsize=4)
def open_patches(patches: Path, meshes: Path, name: str, views: int, seed: int) -> PatchSource:
    """Reads an object's patches, finds where its mesh lies and draws its views, once for all recipes."""
    read = read_object_patches(patches, name)
    model = load_object(mesh_path(meshes, name), "mm")
    drawer = open_drawer("raster")
    fit = fit_mesh(model, read.renders, drawer)
    training = read.training
    rng = np.random.default_rng(seed)
    bank = make_bank(model, fit, training.quaternion_wxyz, views, read.size, drawer, rng)
    covers = np.stack([_cover(fit, model, rotation, read.size) for rotation in _rotations(training)])
    return PatchSource(
        patches=read,
        synthesis=Synthesis.of(training, covers, bank),
        items=np.arange(len(training) + views),
        quaternion_wxyz=np.concatenate([training.quaternion_wxyz, bank.quaternion_wxyz]),
    )


def _rotations(patches: Patches) -> Floats:
    return matrix_from_quaternion(patches.quaternion_wxyz)


def _cover(fit: MeshFit, model: ObjectModel, rotation: Floats, size: int) -> np.ndarray:
    placed = body_of(model).placed(fit.camera_from_mesh(rotation))
    return np.asarray(open_drawer("raster").draw([placed], fit.camera(size)).labels == OBJECT)
