import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tracker.swarm import WORST, SwarmSettings, minimise, seeded_global_state

TARGET = np.array([0.3, -0.2, 0.1, 0.4])
SCALES = np.full(4, 0.2)


def quadratic(vectors):
    return ((vectors - TARGET) ** 2).sum(axis=1)


def starts(count=32):
    return np.random.default_rng(0).normal(size=(count, 4)) * 0.1


def search(objective=quadratic, start=None, scales=SCALES, seed=1, **settings):
    start = starts() if start is None else start
    return minimise(objective, start, scales, SwarmSettings(**settings), np.random.default_rng(seed))


def test_the_minimum_of_a_shifted_quadratic_is_found():
    result = search(generations=60)
    np.testing.assert_allclose(result.best, TARGET, atol=0.005)
    assert result.objective == pytest.approx(quadratic(result.best[None])[0])


def test_results_agree_with_each_other():
    result = search(generations=10)
    np.testing.assert_allclose(quadratic(result.personal_bests), result.personal_objectives)
    assert result.objective == result.personal_objectives.min()
    assert (result.personal_objectives <= quadratic(starts()) + 1e-12).all()


def test_the_same_seed_gives_the_same_search():
    first, again, other = search(seed=3), search(seed=3), search(seed=4)
    np.testing.assert_array_equal(first.personal_bests, again.personal_bests)
    assert not np.array_equal(first.personal_bests, other.personal_bests)


def test_numpys_global_state_is_put_back():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    search()
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


def failing(_):
    raise ZeroDivisionError


def test_numpys_global_state_is_put_back_after_an_error():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    with pytest.raises(ZeroDivisionError):
        search(failing)
    with pytest.raises(ZeroDivisionError), seeded_global_state(np.random.default_rng(0)):
        failing(0)
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


def test_numpys_global_state_does_not_matter():
    np.random.seed(1)  # noqa: NPY002
    first = search()
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first.best, search().best)


def test_a_scale_of_zero_keeps_its_number():
    start = starts()
    start[:, 2] = np.linspace(-1, 1, len(start))
    scales = np.array([0.2, 0.2, 0, 0.2])
    result = search(start=start, scales=scales, generations=60)
    np.testing.assert_array_equal(result.personal_bests[:, 2], start[0, 2])
    np.testing.assert_allclose(result.best[[0, 1, 3]], TARGET[[0, 1, 3]], atol=0.01)


def test_nobody_leaves_the_bounds():
    seen = []

    def objective(vectors):
        seen.append(vectors.copy())
        return -vectors.sum(axis=1)  # ever farther

    start = starts()
    result = search(objective, start=start, reach=2.0)
    assert np.abs(np.concatenate(seen) - start[0]).max() <= 2 * 0.2 + 1e-9
    np.testing.assert_allclose(result.best, start[0] + 0.4, atol=0.02)


def test_the_objective_is_asked_once_a_generation():
    asked = []

    def objective(vectors):
        asked.append(vectors.shape)
        return quadratic(vectors)

    search(objective, start=starts(9), generations=7)
    assert asked == [(9, 4)] * 7


def test_the_first_generation_is_the_start():
    seen = []
    search(lambda vectors: seen.append(vectors.copy()) or quadratic(vectors), generations=1)
    np.testing.assert_allclose(seen[0], starts())


def test_what_is_no_number_never_wins():
    def objective(vectors):
        values = quadratic(vectors)
        values[::2] = np.nan
        values[1] = -np.inf
        return values

    result = search(objective)
    assert np.isfinite(result.objective)
    assert (result.personal_objectives[::2] == WORST).all()


def test_a_smaller_clamp_moves_less():
    seen = []
    search(lambda vectors: seen.append(vectors.copy()) or quadratic(vectors), generations=2, velocity_clamp=0.01)
    assert np.abs(seen[1] - seen[0]).max() <= 0.01 * 0.2 + 1e-12


def test_the_import_writes_no_log_and_leaves_logging_alone(tmp_path):
    script = (
        "import logging, numpy as np; from tracker.swarm import *; before = list(logging.root.handlers);"
        "minimise(lambda v: v.sum(axis=1), np.zeros((4, 2)), np.ones(2), SwarmSettings(3), np.random.default_rng(0));"
        "print(logging.root.handlers == before)"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert not (tmp_path / "report.log").exists()
    assert done.stdout == "True\n"
