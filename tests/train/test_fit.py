"""A run learns, repeats itself by seed, goes on where it was cut, and every option changes what it does."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from scene.errors import InputError, TrainingError
from tests.train.samples import learnable_file, quick
from train import fit as fit_module
from train.config import Fit, InputConfig, LossConfig
from train.dataset import open_split
from train.evaluate import evaluate
from train.fit import Plan, described, fit, planned
from train.model import Model, Settings
from train.predict import predict
from train.recipes import RECIPES, RecipeName
from train.residual import computes_bfloat16
from train.run_folder import RunFolder
from train.training import Training


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_file(tmp_path_factory.mktemp("fit") / "pairs.h5")


def silent(_: str) -> None:
    pass


def trained(config: Fit) -> torch.Tensor:
    """The feature layer's weights after a run."""
    return fit(config, silent).network.feature.weight.detach().clone()


def log_of(config: Fit) -> list[dict[str, str]]:
    with (config.output / "log.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_a_run_learns(pairs: Path, tmp_path: Path) -> None:
    short, long = quick(pairs, tmp_path / "short", epochs=1), quick(pairs, tmp_path / "long", epochs=40, occlusion=True)
    before, after = (evaluate(fit(config, silent), pairs).row("clean", "regression") for config in (short, long))
    assert before is not None
    assert after is not None
    assert after.median_geodesic_deg < 0.75 * before.median_geodesic_deg
    log = log_of(long)
    for term in ("regression", "feature", "occlusion"):
        assert float(log[-1][term]) < 0.75 * float(log[0][term])


def test_a_run_leaves_its_folder_complete(pairs: Path, tmp_path: Path) -> None:
    config = quick(pairs, tmp_path / "run")
    model = fit(config, silent)
    assert {path.name for path in config.output.iterdir()} == {"config.json", "log.csv", "model.pt"}
    record = json.loads((config.output / "config.json").read_text())
    assert record["configuration"]["recipe"] == "srn"
    assert len(record["identity"]["pairs_sha256"]) == 64
    assert "torch" in record["versions"]
    loaded = RunFolder(config.output).load_model()
    assert loaded.settings == model.settings
    assert loaded.templates is not None
    assert model.templates is not None
    torch.testing.assert_close(loaded.templates.features, model.templates.features, rtol=0, atol=0)
    for name, values in model.network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[name], values, rtol=0, atol=0)


def test_same_seed_same_weights(pairs: Path, tmp_path: Path) -> None:
    one, two = (trained(quick(pairs, tmp_path / name, augment=True)) for name in ("one", "two"))
    torch.testing.assert_close(one, two, rtol=0, atol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"occlusion": True},
        {"seed": 1},
        {"recipe": "normalised"},
        {"batch_pairs": 10},
        {"learning_rate": 0.02},
        {"final_rate": 0.9},
        {"momentum": 0.5},
        {"weight_decay": 0.1},
        {"augment": True},
        {"random_boxes": True},
        {"images": "clean"},
        {"images": "occluded"},
        {"recipe": "wohlhart"},
        {"recipe": "best"},
        {"epochs": 3},
        {"input": InputConfig(background="kept")},
        {"input": InputConfig(part=0.8)},
        {"loss": LossConfig(difference="absolute")},
        {"loss": LossConfig(sign="hemisphere")},
        {"loss": LossConfig(regression_weight=2.0)},
        {"loss": LossConfig(feature_weight=2.0)},
    ],
    ids=str,
)
def test_every_option_changes_training(pairs: Path, tmp_path: Path, change: dict[str, object]) -> None:
    plain = trained(quick(pairs, tmp_path / "plain"))
    assert not torch.equal(plain, trained(quick(pairs, tmp_path / "changed", **change)))


def test_occlusion_weight_counts_with_the_occlusion_term(pairs: Path, tmp_path: Path) -> None:
    one = trained(quick(pairs, tmp_path / "one", occlusion=True))
    two = trained(quick(pairs, tmp_path / "two", occlusion=True, loss=LossConfig(occlusion_weight=0.1)))
    assert not torch.equal(one, two)


def test_occlusion_term_pulls_features_together(pairs: Path, tmp_path: Path) -> None:
    gaps = {}
    for occlusion in (False, True):
        config = quick(pairs, tmp_path / str(occlusion), epochs=60, occlusion=occlusion)
        evaluated = fit(config, silent)
        gaps[occlusion] = mean_feature_gap(evaluated, pairs)
    assert gaps[True] < 0.85 * gaps[False]


def mean_feature_gap(model: Model, pairs: Path) -> float:
    with open_split(pairs, "test") as images:
        occluded, clean = (predict(model, images, clean=clean).features for clean in (False, True))
    return float((occluded - clean).square().sum(dim=1).mean())


@pytest.mark.parametrize(
    ("recipe", "normalised", "terms"),
    [
        ("srn", True, {"regression", "feature"}),
        ("normalised", True, {"regression"}),
        ("batches", False, {"regression"}),
        ("regression", False, {"regression"}),
    ],
)
def test_recipes_are_the_rows_of_figure_2a(
    pairs: Path, tmp_path: Path, recipe: RecipeName, normalised: bool, terms: set[str]
) -> None:
    config = quick(pairs, tmp_path / "run", recipe=recipe)
    assert fit(config, silent).settings.normalised is normalised
    assert {"regression", "feature", "occlusion"} & set(log_of(config)[0]) == terms


def test_batches_of_the_first_step_are_not_formed(pairs: Path, tmp_path: Path) -> None:
    assert not torch.equal(*(trained(quick(pairs, tmp_path / name, recipe=name)) for name in ("batches", "regression")))


# to look once, and not to measure norms, change no weights: test_looks.py, test_norms.py
OTHER_WEIGHTS = [
    name for name in RECIPES if name.startswith("best-") and name not in ("best-one-look", "best-last-norms")
]


@pytest.mark.parametrize("recipe", OTHER_WEIGHTS)
def test_each_choice_of_the_best_recipe_makes_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: RecipeName
) -> None:
    monkeypatch.setattr("train.training.computes_bfloat16", lambda: True)
    pairs = learnable_file(tmp_path / "pairs.h5", recordings=2)
    best = trained(quick(pairs, tmp_path / "best", recipe="best", epochs=1))
    without = trained(quick(pairs, tmp_path / "without", recipe=recipe, epochs=1))
    assert best.shape != without.shape or not torch.equal(best, without)


@pytest.mark.parametrize("units", [False, True])
def test_bfloat16_is_for_processors_with_units_for_it(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, units: bool
) -> None:
    monkeypatch.setattr("train.training.computes_bfloat16", lambda: units)
    names: tuple[RecipeName, ...] = ("best", "best-float32")
    brief, exact = (trained(quick(pairs, tmp_path / name, recipe=name, epochs=1)) for name in names)
    assert brief.dtype == torch.float32
    assert torch.equal(brief, exact) != units


def test_bfloat16_is_for_pairs_files_and_as_the_processor_says(monkeypatch: pytest.MonkeyPatch) -> None:
    of_patches: dict[str, Any] = {"patches": Path("patches"), "meshes": Path("meshes"), "object": "cat"}
    assert Fit().bfloat16
    assert not Fit(**of_patches).bfloat16
    for units, expected in (({"avx512_bf16": True}, True), ({"avx512_bf16": False, "avx2": True}, False), ({}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda units=units: units)
        assert computes_bfloat16() == expected


def test_feature_length_and_input_size_shape_the_network(pairs: Path, tmp_path: Path) -> None:
    settings = fit(quick(pairs, tmp_path / "run", feature_length=9, input=InputConfig(size=14)), silent).settings
    assert (settings.feature_length, settings.input_size, settings.stored_size) == (9, 14, 20)


class PowerCutError(Exception):
    """Stands for a power cut."""


@pytest.mark.parametrize("recipe", ["srn", "best"])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: RecipeName
) -> None:
    monkeypatch.setattr(fit_module, "CHECKPOINT_EVERY_S", 0.0)
    options: dict[str, object] = {"recipe": recipe, "epochs": 4, "occlusion": True, "augment": True}
    whole, cut = (quick(pairs, tmp_path / name, **options) for name in ("whole", "cut"))
    expected = fit(whole, silent).network.state_dict()
    with monkeypatch.context() as patch:
        step, steps = Training.step, iter(range(100))

        def failing(*arguments: object) -> None:
            if next(steps) == 8:
                raise PowerCutError
            step(*arguments)  # type: ignore[arg-type]

        patch.setattr(Training, "step", failing)
        with pytest.raises(PowerCutError):
            fit(cut, silent)
    said: list[str] = []
    fit(cut, said.append)
    assert "2 of them are done already" in said[0]
    found = RunFolder(cut.output).load_model().network.state_dict()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert [row["epoch"] for row in log_of(cut)] == ["1", "2", "3", "4"]
    assert not RunFolder(cut.output).checkpoint.exists()


def test_an_interrupted_run_of_other_options_is_not_continued(pairs: Path, tmp_path: Path) -> None:
    config = quick(pairs, tmp_path / "run")
    folder = RunFolder(config.output)
    folder.prepare(config, 2)
    folder.save_checkpoint(Training(config, Settings.of(config, 20, 4, "object", 0.1)).state(), config, 2)
    folder.prepare(config, 2)
    assert folder.load_checkpoint() is not None
    with pytest.raises(TrainingError, match="interrupted run with other seed \\(0 there, 5 now\\)"):
        fit(replace(config, seed=5), silent)
    fit(replace(config, seed=5, overwrite=True), silent)


def test_a_finished_run_is_kept_unless_told_otherwise(pairs: Path, tmp_path: Path) -> None:
    config = quick(pairs, tmp_path / "run")
    fit(config, silent)
    with pytest.raises(TrainingError, match="holds a finished run; give another --output, or --overwrite"):
        fit(config, silent)
    fit(replace(config, overwrite=True), silent)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"not a model")
    with pytest.raises(TrainingError, match="must be written by train fit and cannot be read"):
        RunFolder(tmp_path).load_model()
    with pytest.raises(TrainingError, match=r"must hold a finished run and has no model\.pt; run: train fit"):
        RunFolder(tmp_path / "elsewhere").load_model()


def test_a_folder_that_cannot_be_written_is_refused(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="must be a folder that can be written"):
        fit(quick(pairs, tmp_path / "file" / "run"), silent)


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5", 3, splits=(0,))
    with pytest.raises(InputError, match="at least 4 pairs in the train split, got 3"):
        fit(quick(pairs, tmp_path / "run"), silent)


def test_the_bar_shows_steps_and_the_latest_losses(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(quick(pairs, tmp_path / "run", occlusion=True), silent)
    said = " ".join(capsys.readouterr().err.split())
    assert "6/6" in said
    assert re.search(r"regression \d\.\d+ feature \d\.\d+ occlusion \d\.\d+", said)


def test_default_number_of_epochs_follows_from_the_steps() -> None:
    config = Fit(recipe="srn", steps=160)
    assert planned(config, 800) == Plan(800, 24, 7)
    assert planned(config, 100_000).epochs == 1
    for recipe in ("srn", "best"):
        plan = planned(Fit(recipe=recipe), 100_000)
        assert plan.epochs == RECIPES[recipe].fewest_epochs
        assert f"no fewer than {plan.epochs}; --steps or --epochs" in described(Fit(recipe=recipe), plan, 0)
    assert planned(replace(config, steps=80), 800).epochs == 3
    assert planned(replace(config, epochs=7), 800).epochs == 7


def test_what_was_chosen_is_said(pairs: Path, tmp_path: Path) -> None:
    said: list[str] = []
    fit(quick(pairs, tmp_path / "run", occlusion=True), said.append)
    expected = "recipe srn with the occlusion term: 48 training pairs, 2 epochs of 3 batches (as asked)"
    assert said == [expected]
    fit(quick(pairs, tmp_path / "other", epochs=None, steps=12), said.append)
    assert "without the occlusion term" in said[1]
    assert "4 epochs of 3 batches (from --steps 12; --epochs says otherwise)" in said[1]


@pytest.mark.parametrize("recipe", ["srn", "best-cosine"])
def test_learning_rate_rises_then_falls_by_half_a_cosine_to_the_final_rate(recipe: RecipeName) -> None:
    plan, config = Plan(100, 100, 4), Fit(recipe=recipe, learning_rate=0.01, final_rate=0.1)
    rates = [plan.learning_rate(config, step // 100, step % 100) for step in range(400)]
    assert rates[0] < 0.001
    assert max(rates) == rates[49]
    assert all(later < earlier for earlier, later in pairwise(rates[50:]))
    assert rates[200] == pytest.approx(0.0055)
    assert rates[-1] == pytest.approx(0.001, rel=1e-3)


def test_on_pairs_the_rate_of_best_falls_straight_and_late() -> None:
    plan, config = Plan(100, 100, 4), Fit(learning_rate=0.01, final_rate=0.1)
    rates = [plan.learning_rate(config, step // 100, step % 100) for step in range(400)]
    assert rates[0] < 0.001
    assert set(rates[49:241]) == {0.01}
    assert rates[320] == pytest.approx(0.0055)
    assert rates[-1] == pytest.approx(0.001, rel=0.1)
    on_patches = Fit(patches=Path(), meshes=Path(), object="cat", learning_rate=0.01, final_rate=0.1)
    assert plan.learning_rate(on_patches, 2, 0) == pytest.approx(0.0055)


def test_long_gradients_are_cut(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {}
    for length in (None, 1e6, 1e-3):
        monkeypatch.setitem(RECIPES, "srn", replace(RECIPES["srn"], largest_gradient=length))
        weights[length] = trained(quick(pairs, tmp_path / str(length)))
    assert torch.equal(weights[None], weights[1e6])
    assert not torch.equal(weights[None], weights[1e-3])


def test_a_run_needs_no_validation_pairs(tmp_path: Path) -> None:
    pairs = learnable_file(tmp_path / "pairs.h5", 12, splits=(0, 0, 2))
    config = quick(pairs, tmp_path / "run")
    fit(config, silent)
    assert log_of(config)[0]["validation_occluded_deg"] == "nan"


@pytest.mark.parametrize("name", ["feature_length", "batch_pairs", "steps", "learning_rate", "views"])
def test_numbers_with_which_nothing_is_learnt_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be positive, got 0"):
        Fit(**{name: 0})  # type: ignore[arg-type]


def test_no_epochs_are_refused() -> None:
    with pytest.raises(InputError, match="--epochs must be at least 1, got 0"):
        Fit(epochs=0)
