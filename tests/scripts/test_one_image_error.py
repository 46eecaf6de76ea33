"""By how much poses turn when a network is made ready for single images, of a run on patches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scripts import one_image_error
from tests.train.patch_samples import patch_folder
from train.config import Fit
from train.fit import fit
from train.network import SiameseRegressionNetwork


def test_it_tells_the_turns_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch_folder(tmp_path)
    patches, run = tmp_path / "patches", tmp_path / "run"
    config = Fit(
        recipe="srn", patches=patches, meshes=tmp_path / "meshes", object="wedge", views=40, steps=1, output=run
    )
    fit(config, lambda _: None)
    one_image_error.main([str(run), str(patches), "wedge"])
    assert "6 images: turned by 0." in capsys.readouterr().out


def test_turns_are_those_of_what_is_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)  # now and then a network has an image near one of its jumps
    network, images = SiameseRegressionNetwork(20), torch.rand(5, 4, 20, 20) - 0.5
    assert 0 < one_image_error.turns_deg(network, images).max() < 1
    monkeypatch.setattr(one_image_error, "for_one_image", lambda same: same)
    assert one_image_error.turns_deg(network, images).max() < 1e-4


def test_it_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match="usage: one_image_error"):
        one_image_error.main([])
