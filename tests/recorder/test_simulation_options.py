"""Built-in objects, how much the hand hides, and what the file says of the simulation."""

import json

import numpy as np
import pytest

from recorder.cli import run
from recorder.sensors.simulated import CAMERA
from recorder.session import open_session
from recorder.simulation import occlusion
from recorder.simulation.belt import belt
from recorder.simulation.objects import built_in
from recorder.simulation.occlusion import turned_to, visible_part
from recorder.simulation.world import World
from scene.drawing import open_drawer
from scene.noise import MODELS

TURNS = [np.diag(signs) for signs in ((1, -1, -1), (-1, 1, -1), (-1, -1, 1))]


@pytest.mark.parametrize(("name", "millimetres"), [("mug", 82), ("carton", 93)])
def test_built_in_objects_are_closed_and_no_half_turn_looks_alike(name, millimetres):
    model = built_in(name)
    assert model.mesh.is_watertight
    assert model.mesh.volume > 0  # faces point outwards
    assert model.diameter * 1000 == pytest.approx(millimetres, abs=3)
    sampled, _, colors = model.surface_samples(800, np.random.default_rng(0))
    for turn in TURNS:
        distance = np.linalg.norm((sampled @ turn)[:, None] - sampled[None], axis=-1)
        other = np.abs(colors.astype(int) - colors[distance.argmin(axis=1)]).sum(axis=1)
        assert (distance.min(axis=1) > 0.004).mean() > 0.05 or (other > 60).mean() > 0.15


@pytest.fixture(scope="module")
def world():
    drawer = open_drawer("rays")
    yield World.build(belt(), "right", "slow", CAMERA, drawer, np.random.default_rng(0))
    drawer.close()


@pytest.fixture
def few_tries(monkeypatch):
    monkeypatch.setattr(occlusion, "TRIED", 8)
    monkeypatch.setattr(occlusion, "TIMES_S", (0.0, 3.7))


def test_the_hand_hides_as_much_as_asked(world, few_tries):
    light, heavy = (visible_part(turned_to(world, name)) for name in ("light", "heavy"))
    assert light == pytest.approx(0.8, abs=0.2)
    assert heavy == pytest.approx(0.25, abs=0.2)


def test_object_occlusion_and_noise_reach_the_file(tmp_path, few_tries):
    output = tmp_path / "s.h5"
    options = "--object carton --occlusion heavy --noise disparity --frames 1 --seed 3 --drawer rays"
    assert run(["capture", "--sensor", "simulated", *options.split(), "--output", str(output)]) == 0
    with open_session(output) as session:
        notes = json.loads(session.attribute("notes"))
        assert session.object_model.name == "carton"
        assert session.truth.object_visibility[0] < 0.6
    assert (notes["plan"]["occlusion"], notes["plan"]["noise"], notes["plan"]["seed"]) == ("heavy", "disparity", 3)
    assert notes["depth_noise"]["disparity_sd"] == MODELS["disparity"].disparity_sd
    assert notes["depth_noise"]["baseline"] == 0.075
