"""Several looks tell one pose: turns are taken back, errors cancel, and settings say how often a model looks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.train.samples import learnable_file, quick
from train.config import Fit
from train.fit import fit
from train.looks import SeveralLooks
from train.model import Model, Settings
from train.network import Prediction, SiameseRegressionNetwork
from train.run_folder import RunFolder

SIZE, TURN = 49, 15.0


class Compass(nn.Module):
    """Tells by what angle about the centre, clockwise from the right, an image's only bright spot lies."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[float] = []

    def forward(self, images: Tensor) -> Prediction:
        down, across = torch.meshgrid(*[torch.arange(SIZE) - SIZE // 2] * 2, indexing="ij")
        angles = torch.atan2((images[:, 0] * down).sum((1, 2)), (images[:, 0] * across).sum((1, 2)))
        self.told = np.degrees(angles.numpy()).tolist()
        zero = torch.zeros_like(angles)
        quaternion = torch.stack([(angles / 2).cos(), zero, zero, (angles / 2).sin()], dim=1)
        return Prediction(torch.stack([angles.cos(), angles.sin()], dim=1), quaternion)


class Told(nn.Module):
    """Tells what it is told to, whatever it sees."""

    def __init__(self, quaternions: list[list[float]], features: list[list[float]]) -> None:
        super().__init__()
        self.answer = Prediction(torch.tensor(features), torch.tensor(quaternions))

    def forward(self, images: Tensor) -> Prediction:
        assert len(images) == len(self.answer.features)
        return self.answer


def about_z(degrees: float) -> list[float]:
    return [float(np.cos(np.radians(degrees) / 2)), 0.0, 0.0, float(np.sin(np.radians(degrees) / 2))]


def spot(degrees: float) -> Tensor:
    image = torch.zeros(1, 4, SIZE, SIZE)
    at = SIZE // 2 + 16 * np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    down, across = torch.meshgrid(*[torch.arange(SIZE)] * 2, indexing="ij")
    image[0, 0] = torch.exp(-((down - at[0]) ** 2 + (across - at[1]) ** 2) / 8)
    return image


@pytest.mark.parametrize("degrees", [30.0, 100.0, -70.0])
def test_each_look_is_turned_and_its_turn_is_taken_back(degrees: float) -> None:
    compass = Compass()
    looked = SeveralLooks(compass, TURN, SIZE)(spot(degrees))
    np.testing.assert_allclose(compass.told, [degrees, degrees + TURN, degrees - TURN], atol=0.2)
    np.testing.assert_allclose(looked.quaternion_wxyz.numpy(), [about_z(degrees)], atol=2e-3)


def test_errors_to_either_side_cancel_and_signs_do_not_matter() -> None:
    right, left = about_z(40 + TURN + 6), about_z(40 - TURN - 6)
    network = Told([about_z(40), [-value for value in right], left], [[1.0, 0.0]] * 3)
    mean = SeveralLooks(network, TURN, SIZE)(torch.zeros(1, 4, SIZE, SIZE)).quaternion_wxyz
    np.testing.assert_allclose(mean.numpy(), [about_z(40)], atol=1e-6)
    lone = Told([about_z(40 + 6), about_z(40 + TURN), about_z(40 - TURN)], [[1.0, 0.0]] * 3)
    mean = SeveralLooks(lone, TURN, SIZE)(torch.zeros(1, 4, SIZE, SIZE)).quaternion_wxyz
    np.testing.assert_allclose(mean.numpy(), [about_z(40 + 2)], atol=1e-4)


def test_the_mean_has_a_scalar_that_is_not_negative() -> None:
    network = Told([about_z(200), about_z(200 + TURN), about_z(200 - TURN)], [[1.0, 0.0]] * 3)
    mean = SeveralLooks(network, TURN, SIZE)(torch.zeros(1, 4, SIZE, SIZE)).quaternion_wxyz
    np.testing.assert_allclose(mean.numpy(), [about_z(-160)], atol=1e-6)


@pytest.mark.parametrize(("normalised", "expected"), [(True, [0.0, 1.0]), (False, [0.0, 1 / 3])])
def test_features_are_the_mean_of_the_looks(normalised: bool, expected: list[float]) -> None:
    network = Told([about_z(0), about_z(TURN), about_z(-TURN)], [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    looked = SeveralLooks(network, TURN, SIZE, normalised=normalised)(torch.zeros(1, 4, SIZE, SIZE))
    np.testing.assert_allclose(looked.features.numpy(), [expected], atol=1e-6)


def test_images_of_a_batch_keep_their_order() -> None:
    images = torch.cat([spot(degrees) for degrees in (10.0, 80.0, -45.0)])
    looked = SeveralLooks(Compass(), TURN, SIZE)(images).quaternion_wxyz
    np.testing.assert_allclose(looked.numpy(), [about_z(10), about_z(80), about_z(-45)], atol=2e-3)


def test_a_model_looks_as_often_as_its_settings_say() -> None:
    once = Settings("paper", 20, 20, 4, 64, True, True, "cut", "srn", "belt", 0.1)
    network, image = SiameseRegressionNetwork(20), torch.rand(2, 4, 20, 20) - 0.5
    alone, thrice = Model(network, once), Model(network, replace(once, look_turn_deg=TURN))
    assert alone.looking is network
    with torch.inference_mode():
        expected = SeveralLooks(network, TURN, 20)(image)
    torch.testing.assert_close(thrice.predict([image]).quaternion_wxyz, expected.quaternion_wxyz)
    torch.testing.assert_close(thrice.predict([image]).features, expected.features)
    assert not torch.allclose(alone.predict([image]).features, expected.features, atol=1e-4)


def test_only_networks_that_learnt_turned_images_of_pairs_look_again(tmp_path: Path) -> None:
    def turn(recipe: str, channels: int) -> float:
        config = Fit(tmp_path / "pairs.h5", recipe=recipe)  # type: ignore[arg-type]
        return Settings.of(config, 32, channels, "belt", 0.1).look_turn_deg

    assert turn("best", 4) == TURN
    assert turn("best", 3) == turn("srn", 4) == turn("best-unvaried", 4) == turn("best-one-look", 4) == 0


def test_a_run_keeps_its_looks_and_one_of_before_looks_once(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5", 20)
    model = fit(quick(pairs, tmp_path / "run", recipe="best", epochs=1), lambda _: None)
    folder = RunFolder(tmp_path / "run")
    kept = folder.load_model()
    assert kept.settings.look_turn_deg == model.settings.look_turn_deg == TURN
    assert kept.templates is not None
    state = torch.load(folder.model, weights_only=True)
    settings = json.loads(state["settings"])
    del settings["look_turn_deg"]
    torch.save({**state, "settings": json.dumps(settings)}, folder.model)
    assert folder.load_model().settings.look_turn_deg == 0
