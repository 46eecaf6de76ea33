"""The state of a run and one step of it: everything that a checkpoint must hold to go on as if nothing had happened.

Randomness is drawn anew from (seed, epoch) at the start of each epoch, so that no generator's state need be kept.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scene.rotations import geodesic_angle, matrix_from_quaternion
from train.batches import Batch
from train.config import Fit
from train.dataset import PairImages
from train.losses import (
    all_pairs_term,
    feature_term,
    logarithmic,
    matrix_term,
    occlusion_term,
    regression_term,
    same_pose_term,
    total,
    triplet_term,
)
from train.model import Model, Settings, new_network
from train.muon import Muon
from train.network import Prediction
from train.predict import predict
from train.processes import Processes
from train.residual import ResidualNetwork, computes_bfloat16
from train.source import Source

ALONE = Processes()
STEPS_NOTED = 20
"""whose mean is shown while training"""


class Training:
    """Network, optimiser and log of a run."""

    def __init__(
        self,
        config: Fit,
        settings: Settings,
        state: dict[str, Any] | None = None,
        processes: Processes = ALONE,
        direction: Tensor | None = None,
    ) -> None:
        """Fresh from the configuration's seed, or as a checkpoint left it.

        Args:
            config: the whole configuration.
            settings: of the network.
            state: what `state()` returned; None to start.
            processes: that train together.
            direction: (4,) of the hemisphere of equation 2's true quaternions; None: the nearer sign.
        """
        self.config, self.recipe, self.settings, self.processes = config, config.chosen, settings, processes
        self.direction = direction
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = new_network(settings)
        if isinstance(self.network, ResidualNetwork):
            self.network.brief = config.bfloat16 and computes_bfloat16()
        self.optimisers = self._new_optimisers()
        self.log: list[dict[str, float]] = []
        self._terms: list[dict[str, float]] = []
        self._latest: deque[dict[str, float]] = deque(maxlen=STEPS_NOTED)
        self._epoch_began = time.monotonic()
        if state is not None:
            self.network.load_state_dict(state["weights"])
            for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(kept)
            self.log = state["log"]

    def _new_optimisers(self) -> list[torch.optim.Optimizer]:
        weights, rate, decay = list(self.network.parameters()), self.config.first_rate, self.config.decay
        optimisers: list[torch.optim.Optimizer] = []
        if self.config.orthogonal_steps:
            optimisers.append(Muon([values for values in weights if values.ndim == 4], rate, decay))
            weights = [values for values in weights if values.ndim != 4]
        if self.recipe.optimiser == "adamw":
            return [*optimisers, torch.optim.AdamW(weights, rate, weight_decay=decay, fused=True)]
        return [*optimisers, torch.optim.SGD(weights, rate, self.config.momentum, weight_decay=decay)]

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
        """The network as it is now, ready to predict; one look tells how far training is, in a third of the time."""
        return Model(self.network.eval(), replace(self.settings, look_turn_deg=0.0))

    @property
    def note(self) -> str:
        """The losses of the last steps, for whoever watches."""
        names = self._latest[-1] if self._latest else ()
        return " ".join(f"{name} {np.mean([terms[name] for terms in self._latest]):.3f}" for name in names)

    def state(self) -> dict[str, Any]:
        """What it takes to go on: tensors, numbers and text only."""
        optimisers = [optimiser.state_dict() for optimiser in self.optimisers]
        return {"weights": self.network.state_dict(), "optimisers": optimisers, "log": self.log}

    def step(self, source: Source, batch: Batch, rng: np.random.Generator, learning_rate: float) -> None:
        """One batch: forward, losses, backward, update."""
        self.network.train()
        inputs, poses = source.inputs(self.processes.share(batch), rng)
        terms = self.terms(self._predicted(inputs, len(poses)), poses)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
        self.network.zero_grad()
        total(terms, self.config.loss).backward()  # type: ignore[no-untyped-call]
        self.processes.average(self.network.parameters())
        if self.recipe.largest_gradient is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.largest_gradient)
        for optimiser in self.optimisers:
            optimiser.step()
        self._terms.append({name: float(values.detach().mean()) for name, values in terms.items()})
        self._latest.append(self._terms[-1])

    def _predicted(self, inputs: Tensor, count: int) -> Prediction:
        """What the network says, for `count` rows: where there are fewer images, the first ones come again."""
        predicted = self.network(inputs)
        if len(inputs) < count:
            rows = torch.arange(count) % len(inputs)
            rotation = None if predicted.rotation is None else predicted.rotation[rows]
            predicted = Prediction(predicted.features[rows], predicted.quaternion_wxyz[rows], rotation)
        assert isinstance(predicted, Prediction)
        return predicted

    def terms(self, predicted: Prediction, poses: Tensor) -> dict[str, Tensor]:
        """The losses that the recipe asks for; rows are anchors, partners, counterparts (see batches.py)."""
        terms: dict[str, Tensor] = {}
        if self.recipe.regression and predicted.rotation is not None:
            distances = matrix_term(predicted.rotation, poses)
            terms["regression"] = logarithmic(distances) if self.recipe.logarithmic else distances
        elif self.recipe.regression:
            terms["regression"] = regression_term(predicted.quaternion_wxyz, poses, self.direction)
        terms |= self._feature_terms(predicted.features, poses)
        if self.config.occlusion:
            anchors, _, counterparts = predicted.features.chunk(3)
            terms["occlusion"] = occlusion_term(anchors, counterparts)
        return terms

    def _feature_terms(self, features: Tensor, poses: Tensor) -> dict[str, Tensor]:
        difference = self.config.loss.difference
        anchors, partners, counterparts = features.chunk(3)
        if self.recipe.feature_term == "pairs":
            anchor_poses, partner_poses, _ = poses.chunk(3)
            return {"feature": feature_term((anchors, partners), (anchor_poses, partner_poses), difference)}
        if self.recipe.feature_term == "all-pairs":
            return {"feature": all_pairs_term(features, poses, difference)}
        if self.recipe.feature_term == "triplets":
            half = len(anchors) // 2  # the partners near their anchors come first; far is what is farthest in the batch
            far = (poses[:half] @ poses.T).abs().argmin(dim=1)
            triplets = triplet_term(anchors[:half], partners[:half], features[far])
            return {"feature": triplets, "same_pose": same_pose_term(anchors, counterparts)}
        return {}

    def close_epoch(self, validation: PairImages | None) -> None:
        """Adds the epoch's line to the log."""
        means = {name: float(np.mean([terms[name] for terms in self._terms])) for name in self._terms[0]}
        now = time.monotonic()
        self.log.append(
            {
                "epoch": len(self.log) + 1,
                "learning_rate": self.optimisers[0].param_groups[0]["lr"],
                **means,
                "validation_occluded_deg": _mean_error_deg(self.model, validation) if validation else math.nan,
                "seconds": round(now - self._epoch_began, 2),
            }
        )
        self._terms, self._epoch_began = [], now


def _mean_error_deg(model: Model, images: PairImages) -> float:
    """Mean geodesic error of the regression on a split's occluded images, degrees."""
    predicted = predict(model, images, clean=False).quaternion_wxyz.numpy()
    true = matrix_from_quaternion(images.quaternion_wxyz)
    return float(np.degrees(geodesic_angle(matrix_from_quaternion(predicted), true)).mean())
