"""The folder a training run writes: one rule for every name in it, used by `fit` to save and by `evaluate` to find.

    config.json       the configuration, package versions and the hash of the pairs file
    log.csv           one line an epoch
    checkpoint.pt     while the run is not finished: what it takes to go on exactly where it stopped
    model.pt          when it is finished: weights, templates, and what is needed to use them
    evaluation.json   the errors on the test split

Weights are read with `weights_only=True`: a model from a stranger cannot run code.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from scene.errors import TrainingError
from train.config import Fit
from train.identity import before_planning, different_parts, run_record
from train.model import Model, Settings, Templates, new_network


@dataclass(frozen=True)
class RunFolder:
    """Where one run keeps its files."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """State of an unfinished run."""
        return self.path / "checkpoint.pt"

    @property
    def model(self) -> Path:
        """Weights of a finished run."""
        return self.path / "model.pt"

    @property
    def evaluation(self) -> Path:
        """Errors on the test split."""
        return self.path / "evaluation.json"

    def prepare(self, config: Fit, epochs: int) -> None:
        """Makes the folder and writes config.json; a checkpoint in it is one of this very configuration.

        Raises:
            TrainingError: the folder holds a finished run, or an interrupted one of another configuration.
        """
        record = run_record(config, epochs)
        if config.overwrite:
            for path in (self.checkpoint, self.model, self.evaluation):
                path.unlink(missing_ok=True)
        if self.model.exists():
            raise TrainingError(
                f"{self.path} holds a finished run; give another --output, or --overwrite to replace it"
            )
        state = self.load_checkpoint()
        different = different_parts(json.loads(state["record"])["identity"], record["identity"]) if state else ()
        if different:
            raise TrainingError(
                f"{self.path} holds an interrupted run with other {'; '.join(different)}; repeat its command to go on, "
                "or give --overwrite to start anew"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / "config.json").write_text(json.dumps(record, indent=2) + "\n")
        except OSError as error:
            raise TrainingError(f"{self.path} must be a folder that can be written ({error}); give --output") from error

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The state of an unfinished run, None where there is none."""
        return _load(self.checkpoint) if self.checkpoint.exists() else None

    def save_checkpoint(self, state: dict[str, Any], config: Fit, epochs: int) -> None:
        """Replaces the checkpoint in one step."""
        _save({**state, "record": json.dumps(run_record(config, epochs))}, self.checkpoint)

    def save_model(self, model: Model) -> None:
        """Writes the finished network and removes the checkpoint."""
        assert model.templates is not None, "a finished run has templates"
        state = {
            "settings": json.dumps(dataclasses.asdict(model.settings)),
            "weights": model.network.state_dict(),
            "template_features": model.templates.features,
            "template_quaternions": torch.from_numpy(model.templates.quaternion_wxyz),
        }
        _save(state, self.model)
        self.checkpoint.unlink(missing_ok=True)

    def load_model(self) -> Model:
        """The network of a finished run, ready to predict."""
        if not self.model.is_file():
            raise TrainingError(f"{self.path} must hold a finished run and has no {self.model.name}; run: train fit")
        state = _load(self.model)
        try:
            settings = Settings(**json.loads(state["settings"]))
            network = new_network(settings)
            network.load_state_dict(state["weights"])
            templates = Templates(state["template_features"], state["template_quaternions"].numpy())
        except (KeyError, TypeError, RuntimeError) as error:
            raise TrainingError(f"{self.model} was written by another version ({error}); train again") from error
        return Model(network.eval(), settings, templates)

    def seconds(self) -> float:
        """What training took, by the log."""
        with (self.path / "log.csv").open(newline="") as stream:
            return sum(float(row["seconds"]) for row in csv.DictReader(stream))

    def write_log(self, rows: list[dict[str, float]]) -> None:
        """Writes one line an epoch."""
        with (self.path / "log.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def differences(config: Fit) -> tuple[str, ...]:
    """How the run in the output folder, finished or interrupted, differs from this configuration; nothing if it is it.

    Where the folder holds no run there is no difference.
    """
    folder = RunFolder(config.output)
    if not (folder.model.exists() or folder.checkpoint.exists()):
        return ()
    try:
        record = json.loads((folder.path / "config.json").read_text(encoding="utf-8"))
        before = before_planning(record)
    except (OSError, ValueError, KeyError, TypeError):
        return ("options, as its config.json cannot be read",)
    return different_parts(before, before_planning(run_record(config, 0)))


def is_finished(config: Fit) -> bool:
    """Whether the output folder holds a finished run of this very configuration, on these very images."""
    return RunFolder(config.output).model.exists() and not differences(config)


def _save(state: dict[str, Any], path: Path) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        torch.save(state, partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError on a full disk
        raise TrainingError(f"{path} could not be written ({error}); free some space or give --output") from error
    finally:
        partial.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} must be written by train fit and cannot be read; train again") from error
    return state
