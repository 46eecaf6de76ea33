"""The training loop: batch -> losses -> step -> log -> checkpoint. In: pairs.h5 and a configuration. Out: a run folder.

The paper's recipe: stochastic gradient descent, momentum 0.9, learning rate 0.01 that falls every epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from scene.errors import InputError
from scene.progress import track
from train.batches import Batch, batches_an_epoch, epoch_batches
from train.config import RECIPES, Fit
from train.dataset import PairImages, has_split, open_split
from train.run_folder import Model, RunFolder
from train.training import Training

FEWEST_EPOCHS = 4
FEWEST_PAIRS = 4
"""an anchor, a partner near it, one far from it, and one to tell the two apart"""
CHECKPOINT_EVERY_S = 30.0
"""a checkpoint is some hundred megabytes: not worth one every epoch where epochs are short"""


@dataclass(frozen=True)
class Plan:
    """How long a run is."""

    pairs: int
    """training pairs"""
    batches: int
    """in each epoch"""
    epochs: int

    def learning_rate(self, config: Fit, epoch: int) -> float:
        """Falls by one factor every epoch, from `learning_rate` to `final_rate` times that."""
        return float(config.learning_rate * config.final_rate ** (epoch / max(1, self.epochs - 1)))


def planned(config: Fit, pairs: int) -> Plan:
    """As many epochs as --epochs says, or as make about --steps batches, at least FEWEST_EPOCHS."""
    if pairs < FEWEST_PAIRS:
        raise InputError(f"training needs at least {FEWEST_PAIRS} pairs in the train split, got {pairs}; make more")
    batches = batches_an_epoch(pairs, config.batch_pairs)
    return Plan(pairs, batches, config.epochs or max(FEWEST_EPOCHS, round(config.steps / batches)))


def fit(config: Fit, say: Callable[[str], None] = print) -> Model:
    """Trains, or goes on with an interrupted run, and leaves the run folder complete.

    Args:
        config: the whole configuration.
        say: takes the line on what was chosen.

    Returns:
        The trained network, ready to predict.
    """
    folder = RunFolder(config.output)
    with ExitStack() as files:
        images = files.enter_context(open_split(config.pairs, "train"))
        validation = None
        if has_split(config.pairs, "validation"):
            validation = files.enter_context(open_split(config.pairs, "validation"))
        plan = planned(config, len(images))
        state = folder.prepare(config, plan.epochs)
        training = Training(config, config.input.of(images.size), state)
        say(described(config, plan, done=training.epoch))
        _run(training, plan, images, validation, folder)
    folder.save_model(training.model)
    return training.model


def described(config: Fit, plan: Plan, done: int) -> str:
    """One line on what is about to be trained and why that long."""
    term = "with the occlusion term" if config.occlusion else "without the occlusion term"
    reason = "as asked" if config.epochs else f"from --steps {config.steps}; --epochs says otherwise"
    resumed = f"; {done} of them are done already" if done else ""
    return (
        f"recipe {config.recipe} {term}: {plan.pairs} training pairs, {plan.epochs} epochs of {plan.batches} batches "
        f"({reason}){resumed}"
    )


def _run(training: Training, plan: Plan, images: PairImages, validation: PairImages | None, folder: RunFolder) -> None:
    config, saved_at = training.config, time.monotonic()
    remaining = (plan.epochs - training.epoch) * plan.batches
    for epoch, rng, batch in track(_schedule(config, plan, images, training.epoch), "train", remaining):
        training.step(images, batch, rng, plan.learning_rate(config, epoch))
        if training.steps_in_epoch < plan.batches:
            continue
        training.close_epoch(validation)
        folder.write_log(training.log)
        if time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
            folder.save_checkpoint(training.state(), config, plan.epochs)
            saved_at = time.monotonic()


def _schedule(
    config: Fit, plan: Plan, images: PairImages, done: int
) -> Iterator[tuple[int, np.random.Generator, Batch]]:
    """Every batch still to come, with its epoch and that epoch's generator."""
    formed = RECIPES[config.recipe].formed_batches
    for epoch in range(done, plan.epochs):
        rng = np.random.default_rng([config.seed, epoch])
        for batch in epoch_batches(images.quaternion_wxyz, config.batch_pairs, formed=formed, rng=rng):
            yield epoch, rng, batch
