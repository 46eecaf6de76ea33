"""The state of a run and one step of it: everything that a checkpoint must hold to go on as if nothing had happened.

Randomness is drawn anew from (seed, epoch) at the start of each epoch, so that no generator's state need be kept.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scene.rotations import geodesic_angle, matrix_from_quaternion
from train.augmentation import augmented
from train.batches import Batch
from train.config import RECIPES, Fit
from train.dataset import PairImages
from train.losses import feature_term, occlusion_term, regression_term, total
from train.network import Prediction, SiameseRegressionNetwork
from train.predict import predict
from train.preprocessing import network_input
from train.run_folder import Model


class Training:
    """Network, optimiser and log of a run."""

    def __init__(self, config: Fit, input_size: int, state: dict[str, Any] | None = None) -> None:
        """Fresh from the configuration's seed, or as a checkpoint left it.

        Args:
            config: the whole configuration.
            input_size: pixels along a side of the network's input.
            state: what `state()` returned; None to start.
        """
        self.config, self.recipe = config, RECIPES[config.recipe]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = SiameseRegressionNetwork(
                input_size, config.feature_length, normalised=self.recipe.normalised
            )
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), config.learning_rate, config.momentum, weight_decay=config.weight_decay
        )
        self.log: list[dict[str, float]] = []
        self._terms: list[dict[str, float]] = []
        self._epoch_began = time.monotonic()
        if state is not None:
            self.network.load_state_dict(state["weights"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.log = state["log"]

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return len(self.log)

    @property
    def steps_in_epoch(self) -> int:
        """Batches of the epoch that is under way."""
        return len(self._terms)

    @property
    def model(self) -> Model:
        """The network as it is now, ready to predict."""
        return Model(self.network.eval(), self.config.input)

    def state(self) -> dict[str, Any]:
        """What it takes to go on: tensors, numbers and text only."""
        return {"weights": self.network.state_dict(), "optimiser": self.optimiser.state_dict(), "log": self.log}

    def step(self, images: PairImages, batch: Batch, rng: np.random.Generator, learning_rate: float) -> None:
        """One batch: forward, losses, backward, update."""
        self.network.train()
        inputs = network_input(*images.images(batch.rows, batch.clean), self.config.input)
        if self.config.augment:
            inputs = augmented(inputs, rng)
        poses = torch.from_numpy(images.quaternion_wxyz[batch.rows]).float()
        terms = self.terms(self.network(inputs), poses)
        self.optimiser.param_groups[0]["lr"] = learning_rate
        self.optimiser.zero_grad()
        total(terms, self.config.loss).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._terms.append({name: float(values.detach().mean()) for name, values in terms.items()})

    def terms(self, predicted: Prediction, poses: Tensor) -> dict[str, Tensor]:
        """The losses that the recipe asks for; rows are anchors, partners, counterparts (see batches.py)."""
        anchors, partners, counterparts = predicted.features.chunk(3)
        anchor_poses, partner_poses, _ = poses.chunk(3)
        terms = {"regression": regression_term(predicted.quaternion_wxyz, poses)}
        if self.recipe.feature_term:
            difference = self.config.loss.difference
            terms["feature"] = feature_term((anchors, partners), (anchor_poses, partner_poses), difference)
        if self.config.occlusion:
            terms["occlusion"] = occlusion_term(anchors, counterparts)
        return terms

    def close_epoch(self, validation: PairImages | None) -> None:
        """Adds the epoch's line to the log."""
        means = {name: float(np.mean([terms[name] for terms in self._terms])) for name in self._terms[0]}
        now = time.monotonic()
        self.log.append(
            {
                "epoch": len(self.log) + 1,
                "learning_rate": self.optimiser.param_groups[0]["lr"],
                **means,
                "validation_occluded_deg": _mean_error_deg(self.model, validation) if validation else float("nan"),
                "seconds": round(now - self._epoch_began, 2),
            }
        )
        self._terms, self._epoch_began = [], now


def _mean_error_deg(model: Model, images: PairImages) -> float:
    """Mean geodesic error of the regression on a split's occluded images, degrees."""
    predicted = predict(model, images, clean=False).quaternion_wxyz.numpy()
    true = matrix_from_quaternion(images.quaternion_wxyz)
    return float(np.degrees(geodesic_angle(matrix_from_quaternion(predicted), true)).mean())
