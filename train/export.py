"""A trained network with its preprocessing inside, as one file for use without this package: ONNX or torch.export.

In: a crop as stored, uint8 RGB and, where the network takes it, depth as int32. Out: the rotation as a unit quaternion,
and the features. The file is tried on random images before it gets its name.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scene.errors import InputError, TrainingError, require
from scene.files import refuse_existing
from train.config import ExportFormat
from train.model import Model
from train.preprocessing import color_input, network_input

TOLERANCE = 1e-4
TRIED = 3
"""images"""


class Exported(nn.Module):
    """Network and preprocessing in one; keeps to what the formats can express."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.network = model.looking.eval()
        settings = model.settings
        self.color_only = settings.channels == 3
        self.input = settings.input

    def forward(self, color: Tensor, depth: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, S, S, 3) uint8, (B, S, S) int32 stored depth -> (B, 4) quaternion wxyz, (B, D) features."""
        inputs = color_input(color) if depth is None else network_input(color, depth, self.input)
        predicted = self.network(inputs)
        return functional.normalize(predicted.quaternion_wxyz, dim=1), predicted.features


def export(model: Model, path: Path, form: ExportFormat, *, overwrite: bool) -> float:
    """Writes the file.

    Args:
        model: of a finished run.
        path: to write.
        form: `onnx`, which needs the extra of that name, or `torch` (torch.export, read by torch alone).
        overwrite: replace what is there.

    Returns:
        The largest difference between what the file and the network say, on random images.

    Raises:
        InputError, MissingError, TrainingError: the path is taken, a package is missing, the file says something else.
    """
    refuse_existing(path, overwrite=overwrite)
    if not model.settings.regression:
        raise InputError(f"recipe {model.settings.recipe} has no regression to export; export one of another recipe")
    exported, examples = Exported(model), _examples(model, TRIED)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        _write(exported, examples, partial, form)
        with torch.inference_mode():
            expected = [part.numpy() for part in exported(*examples)]
        found = run_exported(partial, examples, form)
        largest = max(float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True))
        if not largest < TOLERANCE:
            raise TrainingError(f"the exported network must say what the trained one says, and is off by {largest:.2g}")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} could not be written ({error}); give another --output") from error
    finally:
        partial.unlink(missing_ok=True)
    return largest


def run_exported(path: Path, images: tuple[Tensor, ...], form: ExportFormat) -> list[np.ndarray]:
    """What an exported file says about images: quaternions and features."""
    if form == "torch":
        with torch.inference_mode():
            return [part.numpy() for part in torch.export.load(path).module()(*images)]
    session = require("onnxruntime", extra="onnx").InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    feeds = {name: image.numpy() for name, image in zip(names, images, strict=True)}
    return [np.asarray(part) for part in session.run(None, feeds)]


def _write(exported: Exported, examples: tuple[Tensor, ...], path: Path, form: ExportFormat) -> None:
    batch = torch.export.Dim("batch", min=1, max=4096)
    shapes = tuple({0: batch} for _ in examples)
    names = ["color", "depth"][: len(examples)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters themselves, about their own future
        if form == "torch":
            torch.export.save(torch.export.export(exported, examples, dynamic_shapes=shapes, strict=False), path)
            return
        for package in ("onnx", "onnxscript", "onnxruntime"):
            require(package, extra="onnx")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # warns of packages that nothing here needs
        torch.onnx.export(
            exported, examples, str(path), dynamo=True, dynamic_shapes=shapes, input_names=names,
            output_names=["quaternion_wxyz", "features"], external_data=False, verbose=False, optimize=True,
        )  # fmt: skip


def _examples(model: Model, count: int) -> tuple[Tensor, ...]:
    rng, size = np.random.default_rng(0), model.settings.stored_size
    color = torch.from_numpy(rng.integers(0, 256, (count, size, size, 3), np.uint8))
    if model.settings.channels == 3:
        return (color,)
    return color, torch.from_numpy(rng.integers(0, 65536, (count, size, size)).astype(np.int32))
