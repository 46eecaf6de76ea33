"""Every number of a training run, as frozen dataclasses: the whole configuration of the `train` commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from scene.errors import InputError
from train.recipes import RECIPES, Recipe, RecipeName

Difference = Literal["squared", "absolute"]
Sign = Literal["nearer", "hemisphere"]
Background = Literal["cut", "kept"]
Images = Literal["both", "occluded", "clean"]
TemplatesName = Literal["training", "grid"]
ExportFormat = Literal["onnx", "torch"]
SensorName = Literal["auto", "realsense", "openni", "simulated"]


@dataclass(frozen=True)
class InputConfig:
    """How a stored crop becomes the network's input."""

    background: Background = "cut"
    """whether what lies a diameter behind the object is painted black"""
    size: int | None = 48
    """larger crops are shrunk to as many pixels; None = as stored. A step at the paper's 96 takes some five times as
    long, and within the minutes of the default --steps the smaller input gets much further"""
    part: float = 1.0
    """of a crop's side that is looked at, about its middle: less is a closer look at the same cost. Crops are 1.4
    diameters wide, so 0.75 holds the object at any rotation"""

    def __post_init__(self) -> None:
        """Refuses parts of which nothing is seen, or that no crop has."""
        if not 0 < self.part <= 1:
            raise InputError(f"--input.part must be above 0 and at most 1, got {self.part}; leave it out for all")

    def seen(self, stored: int) -> int:
        """Pixels along a side of what is looked at, of crops of `stored` pixels."""
        return max(1, round(self.part * stored))

    def of(self, stored: int) -> int:
        """Pixels along a side of the network's input, for crops of `stored` pixels: they are never enlarged."""
        seen = self.seen(stored)
        return seen if self.size is None else min(self.size, seen)


def refuse_epochs(epochs: int | None) -> None:
    """None is a default that depends on recipe and images."""
    if epochs is not None and epochs < 1:
        raise InputError(f"--epochs must be at least 1, got {epochs}; leave it out for the default")


def refuse_variation(share: float | None) -> None:
    """Refuses shares of the variation of images that are none."""
    if share is not None and not 0 <= share <= 1:
        raise InputError(f"--variation must be from 0 to 1, got {share}; leave it out for the recipe's")


@dataclass(frozen=True)
class LossConfig:
    """The weights of the terms of equations 4 and 5; the paper has them all at one."""

    regression_weight: float = 1.0
    """of equation 2"""
    feature_weight: float = 1.0
    """of equation 3"""
    occlusion_weight: float = 1.0
    """of equation 5"""
    difference: Difference = "squared"
    """what stands for the difference in equation 3, see losses.py"""
    sign: Sign = "nearer"
    """of the true quaternion in equation 2: the one nearer to what the network says, or the one on the hemisphere about
    the training images' principal direction, which is the same whatever the network says"""


@dataclass(frozen=True)
class Fit:
    """Train the network on a pairs file, or on LINEMOD patches, and print its errors on the test images.

    Example: train fit --occlusion
    """

    VERB: ClassVar[str] = "fit"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file that `renderer make-pairs` wrote"""
    occlusion: bool = False
    """add the occlusion term (equation 5); without it the same images are seen, and nothing ties them together"""
    output: Path = Path("run")
    """folder for model, configuration, log and test errors; an interrupted run in it is taken up again"""
    overwrite: bool = False
    """replace what a finished run left in the folder"""
    epochs: int | None = None
    """an epoch shows every training pair once as anchor; default: as many as make --steps steps, but of pairs files,
    where --steps is not given, at least 5, of best 36"""
    steps: int | None = None
    """what the default number of epochs aims at; default: the recipe's"""
    seed: int = 0
    """of weights, batches and augmentation"""
    recipe: RecipeName = "best"
    """the paper's figure 2a: regression (S), batches (S+B), normalised (S+B+N), srn (S+B+N+F); wohlhart, what the paper
    compares itself with; best, this product's own; best-...: best without one of its choices"""
    images: Images = "both"
    """of a pairs file: train on occluded and clean images, or on one kind alone"""
    random_boxes: bool = False
    """cover a part of every image with a box of noise: the cheap rival of realistic occlusion"""
    feature_length: int = 64
    """D, numbers in the feature layer"""
    batch_pairs: int | None = None
    """pairs in a batch; a batch holds three images for each; default: the recipe's, 100 in the paper"""
    learning_rate: float | None = None
    """the highest, for losses that are means over the batch (the paper's are sums); default: the recipe's"""
    final_rate: float | None = None
    """what the learning rate has fallen to at the end, as a fraction of the highest; default: the recipe's"""
    momentum: float = 0.9
    """of stochastic gradient descent"""
    weight_decay: float | None = None
    """lambda of equation 4; default: the recipe's"""
    augment: bool | None = None
    """vary the colours of a pairs file's images, shift and turn them; default: the recipe's"""
    variation: float | None = None
    """of patches, how much images vary in place, turn, size, cover and exposure; best has 1; default: the recipe's"""
    fixed_images: bool = False
    """of patches, an epoch shows each real image once, as it is, and each render once, always the same; otherwise every
    image is made anew each time, and real ones are shown as often as the recipe says"""
    patches: Path | None = None
    """folder of LINEMOD patches, to train on in place of a pairs file; needs --meshes and --object"""
    meshes: Path | None = None
    """folder of the objects' meshes, NAME.ply or obj_NN.ply by BOP's number, in millimetres"""
    object: str | None = None
    """name of the object in --patches"""
    views: int = 4000
    """renders of the mesh that are made to train on beside the patches"""
    input: Annotated[InputConfig, tyro.conf.arg(name="input")] = InputConfig()
    loss: Annotated[LossConfig, tyro.conf.arg(name="loss")] = LossConfig()

    def __post_init__(self) -> None:
        """Refuses numbers with which nothing would be learnt, and options that contradict each other."""
        for name in ("feature_length", "batch_pairs", "steps", "learning_rate", "views"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                option = name.replace("_", "-")
                raise InputError(f"--{option} must be positive, got {value}; leave it out for the default")
        if self.final_rate is not None and not self.final_rate >= 0:
            raise InputError(f"--final-rate must not be negative, got {self.final_rate}; leave it out for the default")
        refuse_variation(self.variation)
        refuse_epochs(self.epochs)
        if self.occlusion and self.images != "both":
            raise InputError(
                f"--occlusion ties occluded to clean images and needs both, got --images {self.images}; leave one out"
            )
        if len({self.patches is None, self.meshes is None, self.object is None}) != 1:
            raise InputError("--patches, --meshes and --object go together, some are missing; give all three or none")

    @property
    def chosen(self) -> Recipe:
        """The recipe of that name."""
        return RECIPES[self.recipe]

    @property
    def pairs_in_batch(self) -> int:
        """Of the option, else of the recipe."""
        return self.chosen.batch_pairs if self.batch_pairs is None else self.batch_pairs

    @property
    def first_rate(self) -> float:
        """The highest learning rate."""
        return self.chosen.learning_rate if self.learning_rate is None else self.learning_rate

    @property
    def last_rate_share(self) -> float:
        """Of the highest learning rate, at the end."""
        return self.chosen.final_rate if self.final_rate is None else self.final_rate

    @property
    def falling_share(self) -> float:
        """Of the steps, at the end, over which the rate falls straight; 0: by half a cosine over all."""
        return self.chosen.falling_share if self.patches is None else 0.0

    @property
    def decay(self) -> float:
        """Of the weights."""
        return self.chosen.weight_decay if self.weight_decay is None else self.weight_decay

    @property
    def varied(self) -> bool:
        """Whether a pairs file's images are varied."""
        return self.chosen.augment if self.augment is None else self.augment

    @property
    def patch_variation(self) -> float:
        """Of images of patches, as a share of the most."""
        return self.chosen.variation if self.variation is None else self.variation

    @property
    def changed_hands(self) -> float:
        """Share of a pairs file's occluded images that show another pair's hand: of varied ones, beside clean ones."""
        return self.chosen.other_hands if self.varied and self.images == "both" else 0.0

    @property
    def orthogonal_steps(self) -> bool:
        """Whether convolutions are trained by Muon."""
        return self.chosen.orthogonal_steps and self.patches is None

    @property
    def bfloat16(self) -> bool:
        """Whether the residual network learns in bfloat16, on processors that can."""
        return self.chosen.bfloat16 and self.patches is None

    @property
    def norm_batches(self) -> int:
        """Batches over which what layers normalise by is averaged at the end; 0: it stays as training left it."""
        return self.chosen.norm_batches if self.patches is None else 0

    @property
    def aimed_steps(self) -> int:
        """What the default number of epochs aims at."""
        if self.steps is not None:
            return self.steps
        return self.chosen.steps if self.patches is None else self.chosen.patch_steps


@dataclass(frozen=True)
class Evaluate:
    """Print a trained network's errors on the test images of a pairs file or of LINEMOD patches, by visibility.

    Example: train evaluate run pairs.h5 --json errors.json --page errors.html
    """

    VERB: ClassVar[str] = "evaluate"

    run: tyro.conf.Positional[Path] = Path("run")
    """the folder that `train fit` wrote"""
    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """pairs file with the images to test on"""
    patches: Path | None = None
    """folder of LINEMOD patches with the images to test on, in place of a pairs file; needs --object"""
    object: str | None = None
    """name of the object in --patches"""
    symmetry: tuple[str, ...] = ()
    """rotations that leave the object as it is, in place of those that the pairs keep: axis and number of positions of
    its own frame, z2 is half a turn about z, zinf any turn; none; or a JSON file as BOP's models_info.json.
    Errors are of the nearest of all equivalent poses"""
    templates: TemplatesName = "training"
    """of the nearest neighbour: the training images, or the object drawn at rotations of a grid"""
    grid_size: int = 4000
    """rotations of that grid for a pairs file, some 15 degrees apart; patches come with renders on a grid of theirs"""
    json: Path | None = None
    """also write every number to this file"""
    page: Path | None = None
    """also write a page with tables and the worst images to this HTML file"""
    overwrite: bool = False
    """replace the files of --json and --page"""

    def __post_init__(self) -> None:
        """Refuses half of what patches need, and a grid of nothing."""
        if (self.patches is None) != (self.object is None):
            raise InputError("--patches and --object go together, one is missing; give both or none")
        if self.grid_size < 1:
            raise InputError(f"--grid-size must be at least 1, got {self.grid_size}; leave it out for 4000")


@dataclass(frozen=True)
class Compare:
    """Train and test several recipes on several objects: the paper's figure 2 and table 2.

    Example: train compare --patches linemod-patches --meshes linemod-meshes --objects ape cam cat --json errors.json
    """

    VERB: ClassVar[str] = "compare"

    pairs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """pairs files, each trained and tested on by itself"""
    patches: Path | None = None
    """folder of LINEMOD patches"""
    meshes: Path | None = None
    """folder of the meshes of --objects, NAME.ply or obj_NN.ply by BOP's number, in millimetres"""
    objects: tuple[str, ...] = ()
    """names of objects in --patches"""
    recipes: tuple[RecipeName, ...] = ("regression", "batches", "normalised", "srn", "wohlhart", "best")
    """what is compared; best best-unguided best-pairs best-formed best-plain best-paper-network best-sgd tells what
    each choice of best is worth, and best-own-hands, best-adamw, best-cosine, best-unvaried, best-one-look and
    best-last-norms on pairs files"""
    output: Path = Path("comparison")
    """folder for the runs, the table and the page; what is finished in it is not done again"""
    json: Path | None = None
    """also write every number to this file, besides comparison.json in --output; both grow with each finished cell"""
    overwrite: bool = False
    """replace the file of --json"""
    again: bool = False
    """train all cells anew, also those that are finished in --output; to go on after an interruption, leave it out"""
    epochs: int | None = None
    """of every training, as `train fit` has them; default: each recipe's own number, by --steps"""
    steps: int | None = None
    """batches that each training aims at; default: the recipe's"""
    learning_rate: float | None = None
    """the highest, of every training; default: each recipe's own"""
    views: int = 4000
    """renders of each mesh that are made to train on beside the patches"""
    variation: float | None = None
    """of patches, how much images vary in place, turn, size, cover and exposure; best has 1; default: the recipe's"""
    fixed_images: bool = False
    """of patches, each training image is made once, and an epoch shows each once"""
    seeds: Annotated[tuple[int, ...], tyro.conf.arg(aliases=["--seed"])] = (0,)
    """of weights, batches and augmentation: everything is trained with each, and tables have means and spreads. The
    first one's runs are OBJECT/RECIPE in --output, those of others seed-N/OBJECT/RECIPE"""
    input: Annotated[InputConfig, tyro.conf.arg(name="input")] = InputConfig()
    loss: Annotated[LossConfig, tyro.conf.arg(name="loss")] = LossConfig()

    def __post_init__(self) -> None:
        """Refuses to compare nothing."""
        refuse_epochs(self.epochs)
        refuse_variation(self.variation)
        if not self.pairs and not self.objects:
            raise InputError("there must be something to compare on, got nothing; give pairs files, or --patches")
        if self.objects and (self.patches is None or self.meshes is None):
            raise InputError("--objects are looked for in --patches and --meshes, and one is missing; give both")
        if not self.objects and self.patches is not None:
            raise InputError("--patches needs to know which objects, got none; give --objects ape cam cat")
        if not self.recipes:
            raise InputError("there must be recipes to compare, got none; leave --recipes out for all")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            given = " ".join(map(str, self.seeds)) or "none"
            raise InputError(f"--seeds must be one or more, each another, got {given}; give --seeds 0 1 2")


@dataclass(frozen=True)
class Predict:
    """Tell the pose of the object in images, frames of a session, crops of a pairs file, or live from a sensor.

    Example: train predict run session.h5 --output poses.json --overlay pictures
    """

    VERB: ClassVar[str] = "predict"

    run: tyro.conf.Positional[Path]
    """the folder that `train fit` wrote"""
    source: tyro.conf.Positional[Path | None] = None
    """an image, a folder of images, a session (each frame in which its track has the object) or a pairs file"""
    sensor: SensorName | None = None
    """in place of a source: each frame of a sensor as it comes, auto being the attached camera; until --frames, or
    Ctrl-C. A recording of a RealSense is played where the source names one"""
    frames: int | None = None
    """of --sensor: stop after as many"""
    crop: tuple[int, int, int, int] | None = None
    """left, top, right, bottom in pixels: the square about the object, for networks of colour alone"""
    at: tuple[int, int] | None = None
    """u, v in pixels: a point on the object about which an RGB-D crop is cut, of a session out of every frame; of a
    sensor the picture's middle where not given"""
    track: Path | None = None
    """of a session; default: session.track.h5 beside session.h5"""
    depth: Path | None = None
    """depth image of 16 bits that belongs to the image and has its pixels"""
    depth_unit: float = 0.001
    """metres that one step of --depth is"""
    camera: Path | None = None
    """text file with the 3x3 camera matrix of the image, pixels"""
    output: Path = Path("poses.json")
    """poses as JSON"""
    overlay: Path | None = None
    """also write pictures with the object's axes to this folder"""
    seed: int = 0
    """of --sensor simulated"""
    overwrite: bool = False
    """replace what is there"""

    def __post_init__(self) -> None:
        """Refuses what contradicts itself, and a unit that is none."""
        if self.sensor is None and self.source is None:
            raise InputError("there must be something to look at, got nothing; give a file, a folder or --sensor")
        if self.sensor is None and self.frames is not None:
            raise InputError(f"--frames is of --sensor, got --frames {self.frames} without; leave it out")
        if self.frames is not None and self.frames < 1:
            raise InputError(f"--frames must be at least 1, got {self.frames}; leave it out to go on until Ctrl-C")
        if self.sensor is not None and (self.track or self.depth or self.camera):
            raise InputError("--track, --depth and --camera are of files, a --sensor brings its own; leave them out")
        if not self.depth_unit > 0:
            raise InputError(f"--depth-unit must be positive, got {self.depth_unit}; 0.001 is a millimetre")


@dataclass(frozen=True)
class Export:
    """Write a trained network, preprocessing inside, to one file that runs without this package.

    Example: train export run --output network.onnx
    """

    VERB: ClassVar[str] = "export"

    run: tyro.conf.Positional[Path] = Path("run")
    """the folder that `train fit` wrote"""
    output: Path | None = None
    """file to write; default: network.onnx or network.pt2 in the run folder"""
    format: ExportFormat = "onnx"
    """onnx, for ONNX Runtime; torch, for torch.export.load"""
    overwrite: bool = False
    """replace what is there"""
