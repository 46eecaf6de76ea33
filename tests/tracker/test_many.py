"""Many recordings: by processes, through a stand-in for Ray everywhere, and on two nodes of Ray itself where it is."""

import importlib.util
import queue
import shutil
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.command import run_program
from tests.tracker.samples import write_session
from tracker.config import RunConfig
from tracker.many import run_all
from tracker.track import ROW_FIELDS, open_track, track_path_of
from tracker.unfinished import UnfinishedTrack

SHORT = ("--particles", 6, "--generations", 3, "--points", 60, "--confidence", 0)


def tracker(*arguments):
    return run_program("tracker", "", {RunConfig: run_all}, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    return [write_session(folder / f"{name}.h5", model=belt(), frames=1 + at) for at, name in enumerate("ab")]


@pytest.fixture
def sessions(recorded, tmp_path):
    return [shutil.copy(path, tmp_path / path.name) for path in recorded]


def assert_same(path, other):
    one, another = open_track(path), open_track(other)
    for name in ROW_FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(another, name))


def test_processes_track_what_is_not_tracked_yet_and_tell_what_cannot_be(sessions, capfd):
    left = UnfinishedTrack(track_path_of(sessions[1]), {"seed": "7"}, 2, overwrite=False)
    assert left.rows is not None  # as of a run with other options
    assert tracker("run", *sessions, *SHORT, "--workers", 2) == 2
    out, err = capfd.readouterr()
    assert "1 of 2 recordings are not tracked" in err
    assert "b.track.h5.unfinished holds a run that was stopped and differs in" in err
    assert "a.track.h5: 1 frames" in out
    left.remove()
    assert tracker("run", *sessions, *SHORT, "--workers", 1) == 0
    out, err = capfd.readouterr()
    assert "a.track.h5 is finished already" in out
    assert "b.track.h5: 2 frames" in out
    assert "2/2" in err  # one bar over all frames that were to be tracked


def test_what_must_be_of_one_recording(sessions, tmp_path, capsys):
    assert tracker("run", *sessions, "--output", tmp_path / "t.h5") == 2
    assert "--output and --initial-pose must be of one recording, got 2 recordings" in capsys.readouterr().err
    assert tracker("run", sessions[0], sessions[0]) == 2
    assert "each recording must be given once" in capsys.readouterr().err
    assert tracker("run", *sessions, "--workers", -1) == 2
    assert "--workers must not be negative, got -1" in capsys.readouterr().err


def test_an_existing_track_of_other_inputs_is_not_replaced(sessions, capsys):
    track_path_of(sessions[1]).write_bytes(b"precious")
    assert tracker("run", *sessions, *SHORT) == 2
    assert "b.track.h5 exists already" in capsys.readouterr().err
    assert track_path_of(sessions[1]).read_bytes() == b"precious"
    assert not track_path_of(sessions[0]).exists()


class LostError(Exception):
    """ray.exceptions.RayError of the stand-in."""


class StandIn:
    """What of Ray is used, in this process."""

    exceptions = SimpleNamespace(RayError=LostError)

    def __init__(self):
        self.tasks, self.is_up, self.loses = 0, False, False

    def init(self, address, **options):
        del options
        if address == "nowhere:1":
            raise ConnectionError("no answer")
        self.is_up = True

    def shutdown(self):
        self.is_up = False

    def put(self, value):
        return value

    def remote(self, *, num_cpus):
        assert num_cpus == 1

        def start(function, *inputs):
            self.tasks += 1
            if self.loses:
                raise LostError("a machine was switched off")
            return function(*inputs)

        return lambda function: SimpleNamespace(remote=lambda *inputs: start(function, *inputs))

    def wait(self, tasks, num_returns, timeout):
        assert (num_returns, timeout) == (len(tasks), 0)
        return tasks, []

    def get(self, tasks):
        return tasks


@pytest.fixture
def ray(monkeypatch):
    stand_in, queues = StandIn(), ModuleType("ray.util.queue")
    vars(queues)["Queue"] = queue.Queue
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    monkeypatch.setitem(sys.modules, "ray.util", ModuleType("ray.util"))
    monkeypatch.setitem(sys.modules, "ray.util.queue", queues)
    return stand_in


@pytest.mark.usefixtures("quick")
def test_machines_of_a_cluster_send_back_the_same_tracks(sessions, tmp_path, ray, capsys):
    assert tracker("run", *sessions, *SHORT, "--cluster", "auto") == 0
    out, err = capsys.readouterr()
    assert "a.track.h5: 1 frames" in out
    assert "3/3" in err
    assert (ray.tasks, ray.is_up) == (2, False)
    assert tracker("run", sessions[1], *SHORT, "--output", tmp_path / "alone.h5") == 0
    assert_same(track_path_of(sessions[1]), tmp_path / "alone.h5")


def test_a_lost_machine_is_one_sentence(sessions, ray, capsys):
    ray.loses = True
    assert tracker("run", *sessions, *SHORT, "--cluster", "auto") == 2
    error = capsys.readouterr().err
    assert "the cluster at auto lost a worker (LostError); run the same command again" in error
    assert not ray.is_up


def test_no_cluster_is_one_sentence(sessions, ray, capsys):
    assert tracker("run", *sessions, *SHORT, "--cluster", "nowhere:1") == 2
    error = capsys.readouterr().err
    assert "--cluster must be the address of a running Ray cluster and none answers at nowhere:1" in error
    assert not ray.is_up


def test_without_ray_the_extra_is_named(sessions, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert tracker("run", *sessions, *SHORT, "--cluster", "local") == 2
    assert "run: pip install 'unocclude[cluster]'" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: extra [cluster]")
@pytest.mark.filterwarnings("ignore")
def test_two_nodes_of_ray_track_the_same(sessions, tmp_path, monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # a busy machine starts it late
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        assert tracker("run", *sessions, *SHORT, "--cluster", cluster.address) == 0
    finally:
        cluster.shutdown()
    assert tracker("run", sessions[1], *SHORT, "--output", tmp_path / "alone.h5") == 0
    assert_same(track_path_of(sessions[1]), tmp_path / "alone.h5")
