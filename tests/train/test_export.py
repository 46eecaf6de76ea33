"""An exported file says what the network says, its preprocessing inside, for any number of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scene.errors import InputError
from tests.train.samples import SIZE, learnable_file, quick
from train.cli import run
from train.export import export, run_exported
from train.fit import fit
from train.model import Model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    home = tmp_path_factory.mktemp("export")
    pairs = learnable_file(home / "pairs.h5", 20)
    names = ("srn", "best", "wohlhart")
    return {name: fit(quick(pairs, home / name, recipe=name, epochs=1), lambda _: None) for name in names}


@pytest.mark.parametrize("recipe", ["srn", "best"])
@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_an_export_says_what_the_network_says(models: dict[str, Model], tmp_path: Path, recipe: str, form: str) -> None:
    if form == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package)
    model, path = models[recipe], tmp_path / "network"
    assert export(model, path, form, overwrite=False) < 1e-4  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    color = torch.from_numpy(rng.integers(0, 256, (5, SIZE, SIZE, 3), np.uint8))
    depth = torch.from_numpy(rng.integers(0, 65536, (5, SIZE, SIZE)).astype(np.int32))
    with torch.inference_mode():
        expected = model.looking(model.inputs(color, depth)).quaternion_wxyz.numpy()
    found, _ = run_exported(path, (color, depth), form)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_cannot_be_exported_is_refused(models: dict[str, Model], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recipe wohlhart has no regression to export"):
        export(models["wohlhart"], tmp_path / "network", "torch", overwrite=False)
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="exists already"):
        export(models["srn"], tmp_path / "taken", "torch", overwrite=False)
    assert run(["export", str(tmp_path / "absent")]) == 2
