"""The recipes: what a run's network, batches, losses and optimiser are, as one row of numbers each.

regression, batches, normalised and srn are the four steps of the paper's figure 2a; wohlhart is the method it compares
itself with; best is this product's own; each best-... lacks one of its choices, for a table of what each is worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

RecipeName = Literal[
    "regression", "batches", "normalised", "srn", "wohlhart", "best", "best-unguided", "best-pairs", "best-formed",
    "best-plain", "best-own-hands", "best-paper-network", "best-adamw", "best-sgd", "best-cosine", "best-unvaried",
    "best-one-look", "best-float32", "best-last-norms",
]  # fmt: skip
FeatureTerm = Literal["none", "pairs", "triplets", "all-pairs"]


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how."""

    meaning: str
    """a few words for tables"""
    network: Literal["paper", "residual"] = "paper"
    """the paper's (network.py), or a smaller and deeper one (residual.py)"""
    formed_batches: bool = True
    """B: half of the pairs near in pose and half far, instead of pairs at random"""
    normalised: bool = True
    """N: features and quaternion of unit norm"""
    regression: bool = True
    """whether the network's own rotation is trained; else the nearest neighbour is the only read-out"""
    logarithmic: bool = False
    """whether large errors of a rotation matrix count ever less; the paper's network has no matrix"""
    feature_term: FeatureTerm = "pairs"
    """F: equation 3 on the formed pairs; on all pairs of the batch; or Wohlhart and Lepetit's triplets and pairs"""
    optimiser: Literal["sgd", "adamw"] = "sgd"
    orthogonal_steps: bool = False
    """on pairs files, Muon for the convolutions (muon.py), and `optimiser` for the rest"""
    bfloat16: bool = False
    """on pairs files, whether the residual network learns in bfloat16 where the processor has units for it"""
    learning_rate: float = 0.05
    """the highest, for losses that are means over the batch"""
    final_rate: float = 0.0
    """what it has fallen to at the end, as a fraction of that"""
    falling_share: float = 0.0
    """on pairs files, of the steps, those at the end over which the rate falls, straight, having been the highest until
    then; 0: it falls by half a cosine over all"""
    largest_gradient: float | None = 1.0
    """longer gradients are cut to this length, over all weights; None: never"""
    weight_decay: float = 1e-4
    """lambda of equation 4; AdamW's own decay where that is the optimiser"""
    norm_batches: int = 0
    """on pairs files, batches over which what layers normalise by is averaged once weights are final (norms.py); 0: it
    stays as the last steps left it"""
    batch_pairs: int = 34
    """pairs in a batch, which holds three images for each: in the minutes of a run, many small steps do more than few
    of the paper's 100 pairs"""
    augment: bool = False
    """vary the images of pairs files; images of patches always vary"""
    look_turn_deg: float = 0.0
    """by which a trained network's further looks at an image of a pairs file are turned (looks.py); 0: one look"""
    other_hands: float = 0.0
    """of varied occluded images, the share that shows the hand of another pair (other_hands.py), where a pairs file
    is of more than one recording"""
    steps: int = 900
    """what the default number of epochs aims at, on pairs files"""
    fewest_epochs: int = 5
    """on pairs files, however many pairs they have"""
    patch_steps: int = 1200
    """as steps, on patches"""
    real_share: float = 0.8
    """of the images of an epoch on patches that are real ones; the others are renders"""
    variation: float = 0.5
    """of images of patches, as a share of what `best` has (train/linemod/synthesis.py)"""


BEST = Recipe(
    "small residual network, 6D rotation, logarithm of its error, all pairs, augmentation, AdamW",
    network="residual",
    formed_batches=False,
    logarithmic=True,
    feature_term="all-pairs",
    optimiser="adamw",
    orthogonal_steps=True,
    bfloat16=True,
    learning_rate=2e-3,
    falling_share=0.4,
    largest_gradient=None,
    weight_decay=0.02,
    norm_batches=100,
    batch_pairs=32,
    augment=True,
    look_turn_deg=15.0,
    other_hands=0.4,
    steps=600,
    fewest_epochs=36,
    real_share=0.4,
    variation=1.0,
)

RECIPES: dict[RecipeName, Recipe] = {
    "regression": Recipe(
        "S: simple regression", formed_batches=False, normalised=False, feature_term="none"
    ),
    "batches": Recipe("S+B: batches of near and far pairs", normalised=False, feature_term="none"),
    "normalised": Recipe("S+B+N: features and quaternion of unit norm", feature_term="none"),
    "srn": Recipe("S+B+N+F: Siamese Regression Network"),
    "wohlhart": Recipe(
        "Wohlhart and Lepetit: triplets and pairs", normalised=False, regression=False, feature_term="triplets",
        learning_rate=0.03,
    ),
    "best": BEST,
    "best-unguided": replace(BEST, meaning="best without equation 3", feature_term="none"),
    "best-pairs": replace(BEST, meaning="best, equation 3 on formed pairs", feature_term="pairs", formed_batches=True),
    "best-formed": replace(BEST, meaning="best, half of the pairs near and half far", formed_batches=True),
    "best-plain": replace(BEST, meaning="best, large errors of rotation count in full", logarithmic=False),
    "best-own-hands": replace(BEST, meaning="best, each object in its own hand alone", other_hands=0.0),
    "best-paper-network": replace(BEST, meaning="best with the paper's network and quaternion", network="paper"),
    "best-adamw": replace(BEST, meaning="best with AdamW for convolutions, too", orthogonal_steps=False),
    "best-sgd": replace(
        BEST, meaning="best with the paper's optimiser", optimiser="sgd", orthogonal_steps=False, learning_rate=0.03,
        weight_decay=1e-4,
    ),
    "best-cosine": replace(BEST, meaning="best, the rate falls by half a cosine over all steps", falling_share=0.0),
    "best-unvaried": replace(BEST, meaning="best, images of pairs files as they are", augment=False, look_turn_deg=0.0),
    "best-one-look": replace(BEST, meaning="best, one look at an image of pairs files", look_turn_deg=0.0),
    "best-float32": replace(BEST, meaning="best in float32 on any processor", bfloat16=False),
    "best-last-norms": replace(BEST, meaning="best, layers normalise by what the last steps left", norm_batches=0),
}  # fmt: skip
