"""Workers of a cluster make the same file: through a stand-in for Ray everywhere, through Ray itself where it is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pairs.content import content_hash
from pairs.format import open_pairs
from renderer.cli import run
from renderer.parts import parts_folder
from tests.renderer.fakes import write_session, write_track

FRAMES = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session, its track, and the pairs that this process makes of it."""
    folder = tmp_path_factory.mktemp("cluster")
    write_track(write_session(folder / "session.h5", frames=FRAMES), frames=FRAMES)
    assert make(folder, "alone.h5", "--workers", "1") == 0
    return folder


def make(folder: Path, output: str, *arguments: str) -> int:
    paths = [str(folder / "session.h5"), "--output", str(folder / output), "--overwrite"]
    return run(["make-pairs", *paths, "--size", "16", "--views-per-frame", "16", *arguments])


def hash_of(path: Path) -> str:
    with open_pairs(path) as pairs:
        return content_hash(pairs)


class LostError(Exception):
    """ray.exceptions.RayError of the stand-in."""


class StandIn:
    """What of Ray is used, in this process."""

    exceptions = SimpleNamespace(RayError=LostError)

    def __init__(self) -> None:
        self.workers, self.is_up, self.loses_worker_after = 0, False, 10**6

    def init(self, address: str, **options: object) -> None:
        del options
        if address == "nowhere:1":
            raise ConnectionError("no answer")
        self.is_up = True

    def shutdown(self) -> None:
        self.is_up = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def put(self, value: object) -> object:
        return value

    def remote(self, *, num_cpus: int) -> Callable[[type], Any]:
        assert num_cpus == 1
        return lambda kind: SimpleNamespace(remote=lambda *inputs: self._start(kind(*inputs)))

    def _start(self, worker: Any) -> Any:
        self.workers += 1
        return SimpleNamespace(make=SimpleNamespace(remote=worker.make))

    def pool(self, workers: Sequence[Any]) -> Any:
        def map_unordered(start: Callable[[Any, Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
            for at, task in enumerate(reversed(tasks)):
                if at == self.loses_worker_after:
                    raise LostError("a machine was switched off")
                yield start(workers[at % len(workers)], task)

        return SimpleNamespace(map_unordered=map_unordered)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in, pools = StandIn(), ModuleType("ray.util.actor_pool")
    vars(pools)["ActorPool"] = stand_in.pool
    monkeypatch.setitem(sys.modules, "ray", stand_in)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "ray.util", ModuleType("ray.util"))
    monkeypatch.setitem(sys.modules, "ray.util.actor_pool", pools)
    return stand_in


def test_content_is_that_of_one_process(folder: Path, ray: StandIn) -> None:
    assert make(folder, "shared.h5", "--cluster", "auto") == 0
    assert hash_of(folder / "shared.h5") == hash_of(folder / "alone.h5")
    assert (ray.workers, ray.is_up) == (2, False)


def test_workers_are_as_many_as_asked_for(folder: Path, ray: StandIn) -> None:
    assert make(folder, "shared.h5", "--cluster", "auto", "--workers", "1") == 0
    assert ray.workers == 1


def test_lost_worker_is_one_sentence_and_the_next_run_goes_on(
    folder: Path, ray: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    ray.loses_worker_after = 1
    assert make(folder, "lost.h5", "--cluster", "auto") == 2
    error = capsys.readouterr().err
    assert "the cluster at auto lost a worker (LostError); run the same command again" in error
    assert not ray.is_up
    assert len(list(parts_folder(folder / "lost.h5").glob("*.h5"))) == 1
    assert make(folder, "lost.h5") == 0  # where it goes on makes no difference either
    assert "went on from 1 parts" in capsys.readouterr().out
    assert hash_of(folder / "lost.h5") == hash_of(folder / "alone.h5")


def test_no_cluster_is_one_sentence(folder: Path, ray: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(folder, "none.h5", "--cluster", "nowhere:1") == 2
    error = capsys.readouterr().err
    assert "--cluster must be the address of a running Ray cluster and none answers at nowhere:1" in error
    assert not (folder / "none.h5").exists()
    assert not ray.is_up


def test_without_ray_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert make(folder, "none.h5", "--cluster", "local") == 2
    assert "run: pip install 'unocclude[cluster]'" in capsys.readouterr().err


def test_cluster_that_does_not_come_up_is_one_sentence(
    folder: Path, ray: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(address: str, **options: object) -> None:
        raise Exception("The current node timed out during startup.\nMore of it.")

    monkeypatch.setattr(ray, "init", init)
    assert make(folder, "none.h5", "--cluster", "local") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "Ray must start at local and does not (The current node timed out during startup.); see its log" in error


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: extra [cluster]")
@pytest.mark.filterwarnings("ignore")
def test_ray_itself_makes_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # a busy machine starts it late
    assert make(folder, "ray.h5", "--cluster", "local", "--workers", "2") == 0
    assert hash_of(folder / "ray.h5") == hash_of(folder / "alone.h5")
