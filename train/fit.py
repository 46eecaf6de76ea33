"""The training loop: batch -> losses -> step -> log -> checkpoint. In: images and a configuration. Out: a run folder.

The paper's optimiser: stochastic gradient descent, momentum 0.9, a learning rate of 0.01 that falls every epoch, by a
law it does not give. Here epochs are few, so it falls every step, after a short rise: by half a cosine; in `best`, on
pairs files, straight, and only towards the end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, count, islice

import numpy as np
import torch
from torch import Tensor

from scene.errors import InputError
from scene.memory import keep_freed_memory
from scene.progress import track
from train.batches import Batch, batches_an_epoch, epoch_batches
from train.config import Fit
from train.dataset import PairImages, has_split, open_split, several_recordings
from train.kept_inputs import KeptInputs
from train.linemod.source import FixedPatches, PatchSource, open_patches
from train.losses import principal_direction
from train.model import Model, Settings, Templates
from train.norms import measure_norms
from train.predict import predict
from train.processes import joined_processes
from train.run_folder import RunFolder
from train.source import PairSource, Source
from train.training import Training

FEWEST_PAIRS = 4
"""an anchor, a partner near it, one far from it, and one to tell the two apart"""
CHECKPOINT_EVERY_S = 30.0
"""a checkpoint is some hundred megabytes: not worth one every epoch where epochs are short"""
WARM_UP = 50
"""steps over which the learning rate rises"""


@dataclass(frozen=True)
class Plan:
    """How long a run is."""

    pairs: int
    """training pairs"""
    batches: int
    """in each epoch"""
    epochs: int

    def learning_rate(self, config: Fit, epoch: int, step: int) -> float:
        """The rate of one step of one epoch: a short rise, then a fall to `final_rate` of the highest, soon or late."""
        first, share, falling = config.first_rate, config.last_rate_share, config.falling_share
        done = epoch * self.batches + step
        progress = done / (self.epochs * self.batches)
        height = min(1.0, (1 - progress) / falling) if falling else 0.5 * (1 + math.cos(math.pi * progress))
        return first * min(1.0, (done + 1) / WARM_UP) * (share + (1 - share) * height)


def planned(config: Fit, pairs: int) -> Plan:
    """As many epochs as --epochs says, or as make about --steps batches, or the recipe's but then its fewest epochs."""
    if pairs < FEWEST_PAIRS:
        raise InputError(f"training needs at least {FEWEST_PAIRS} pairs in the train split, got {pairs}; make more")
    batches = batches_an_epoch(pairs, config.pairs_in_batch)
    return Plan(pairs, batches, config.epochs or max(_fewest(config), round(config.aimed_steps / batches)))


def _fewest(config: Fit) -> int:
    """Epochs that are made of a large pairs file, where no one asked for fewer."""
    return config.chosen.fewest_epochs if config.patches is None and config.steps is None else 1


def fit(config: Fit, say: Callable[[str], None] = print) -> Model:
    """Trains, or goes on with an interrupted run, and leaves the run folder complete.

    Args:
        config: the whole configuration.
        say: takes the line on what was chosen.

    Returns:
        The trained network, ready to predict.
    """
    if config.patches is not None:
        return _fit_patches(config, say)
    with ExitStack() as files:
        # within one recording the grasp tells the pose as well, which other hands would hide
        hands = config.changed_hands if several_recordings(config.pairs) else 0.0
        images = files.enter_context(open_split(config.pairs, "train", layers=hands > 0))
        validation = None
        if has_split(config.pairs, "validation"):
            validation = files.enter_context(open_split(config.pairs, "validation"))
        kept = KeptInputs.of(images, config.input)
        source = PairSource(kept, config.images, config.varied, config.random_boxes, hands)
        settings = Settings.of(config, images.size, 4, images.file.object_model.name, images.file.object_model.diameter)
        return _fit_source(config, source, settings, validation, say)


def _fit_patches(config: Fit, say: Callable[[str], None]) -> Model:
    assert config.patches is not None
    assert config.meshes is not None
    assert config.object is not None
    source = open_patches(config.patches, config.meshes, config.object, config.views, config.seed)
    made: Source = source.for_recipe(config.chosen, config.patch_variation)
    if config.fixed_images:
        made = source.fixed(config.patch_variation, np.random.default_rng(config.seed))
    return _fit_source(config, made, Settings.of(config, source.size, 3, config.object, 0.0), None, say)


def _fit_source(
    config: Fit, source: Source, settings: Settings, validation: PairImages | None, say: Callable[[str], None]
) -> Model:
    keep_freed_memory()
    folder = RunFolder(config.output)
    plan = planned(config, len(source.quaternion_wxyz))
    with joined_processes() as processes:
        if processes.first:
            folder.prepare(config, plan.epochs)
        processes.wait()
        training = Training(config, settings, folder.load_checkpoint(), processes, _direction(config, source))
        if processes.first:
            say(described(config, plan, done=training.epoch))
        _run(training, plan, source, validation, folder)
        if config.norm_batches:
            measure_norms(training.network, _norm_inputs(training, plan, source))
        model = Model(training.model.network, settings)
        model = replace(model, templates=templates_of(model, source, config))
        if processes.first:
            folder.save_model(model)
        processes.wait()
    return model


def _direction(config: Fit, source: Source) -> Tensor | None:
    """(4,) of the hemisphere that equation 2 takes its signs from, if it does."""
    if config.loss.sign == "nearer":
        return None
    return principal_direction(torch.from_numpy(source.quaternion_wxyz)).float()


def templates_of(model: Model, source: Source, config: Fit) -> Templates:
    """The nearest neighbour's: the clean images of a pairs file (the occluded where only those were trained on)."""
    if isinstance(source, PatchSource | FixedPatches):
        inputs, quaternions = source.templates(np.random.default_rng(config.seed))
        return Templates(model.predict(torch.split(inputs, 256)).features, quaternions)
    assert isinstance(source, PairSource)
    features = predict(model, source.pairs, clean=config.images != "occluded").features
    return Templates(features, source.quaternion_wxyz)


def described(config: Fit, plan: Plan, done: int) -> str:
    """One line on what is about to be trained and why that long."""
    term = "with the occlusion term" if config.occlusion else "without the occlusion term"
    reason = f"from --steps {config.aimed_steps}; --epochs says otherwise"
    if config.epochs:
        reason = "as asked"
    elif plan.epochs == _fewest(config) > 1:
        reason = f"no fewer than {plan.epochs}; --steps or --epochs says otherwise"
    resumed = f"; {done} of them are done already" if done else ""
    return (
        f"recipe {config.recipe} {term}: {plan.pairs} training pairs, {plan.epochs} epochs of {plan.batches} batches "
        f"({reason}){resumed}"
    )


def _run(training: Training, plan: Plan, source: Source, validation: PairImages | None, folder: RunFolder) -> None:
    config, saved_at = training.config, time.monotonic()
    remaining = (plan.epochs - training.epoch) * plan.batches
    schedule = _schedule(config, plan, source, training)
    if training.processes.first:
        schedule = track(schedule, "train", remaining, lambda: training.note)
    for epoch, rng, batch in schedule:
        training.step(source, batch, rng, plan.learning_rate(config, epoch, training.steps_in_epoch))
        if training.steps_in_epoch < plan.batches:
            continue
        training.close_epoch(validation)
        if not training.processes.first:
            continue
        folder.write_log(training.log)
        if time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
            folder.save_checkpoint(training.state(), config, plan.epochs)
            saved_at = time.monotonic()


def _schedule(
    config: Fit, plan: Plan, source: Source, training: Training
) -> Iterator[tuple[int, np.random.Generator, Batch]]:
    """Every batch still to come, with its epoch and that epoch's generator of this process' images."""
    for epoch in range(training.epoch, plan.epochs):
        for of_images, batch in _epoch(config, epoch, source, training):
            yield epoch, of_images, batch


def _epoch(config: Fit, epoch: int, source: Source, training: Training) -> Iterator[tuple[np.random.Generator, Batch]]:
    """The batches of one epoch, with its generator of this process' images."""
    of_batches = np.random.default_rng([config.seed, epoch])
    of_images = np.random.default_rng([config.seed, epoch, 1 + training.processes.rank])
    formed, pairs = config.chosen.formed_batches, config.pairs_in_batch
    for batch in epoch_batches(source.quaternion_wxyz, pairs, formed=formed, rng=of_batches):
        yield of_images, batch


def _norm_inputs(training: Training, plan: Plan, source: Source) -> Iterator[Tensor]:
    """Images as of the epochs after the last, as many batches as what layers normalise by is averaged over."""
    config = training.config
    batches = chain.from_iterable(_epoch(config, epoch, source, training) for epoch in count(plan.epochs))
    for rng, batch in islice(batches, config.norm_batches):
        yield source.inputs(training.processes.share(batch), rng)[0]
