"""Many recordings at once: each by a process of its own or by a machine of a Ray cluster, with one bar over all frames.

A recording's track is the same however many workers there are. What is finished already is left as it is.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.session import open_session
from scene.cluster import joined
from scene.errors import TrackingError, UnoccludeError, require
from scene.files import new_path, refuse_existing
from scene.mano.file import refuse_missing
from scene.processes import end_with_parent
from scene.progress import track as shown
from tracker.beginning import refuse_untrackable
from tracker.config import RunConfig
from tracker.run import inputs_of, run
from tracker.track import track_path_of

Answer = tuple[str, str, bytes]
"""line on the track, or "" and the error's sentence; the track's file where it was made elsewhere"""
POLL_S = 0.2


def run_all(config: RunConfig) -> None:
    """Tracks all recordings that have no track of the same inputs yet.

    Raises:
        TrackingError: some could not be tracked; the others are.
    """
    if len(config.sessions) == 1 and config.cluster is None:
        print(run(config, config.sessions[0]))
        return
    sessions = [path for path in config.sessions if not _is_done(config, path)]
    total = 0
    for path in sessions:
        refuse_existing(config.output or track_path_of(path), overwrite=config.overwrite)
        with open_session(path) as session:
            refuse_untrackable(session, config)
            total += len(session)
    if sessions:
        by = _by_processes if config.cluster is None else _by_cluster
        failures = list(by(config, sessions, total))
        if failures:
            raise TrackingError(f"{len(failures)} of {len(sessions)} recordings are not tracked: {'; '.join(failures)}")


def _is_done(config: RunConfig, session_path: Path) -> bool:
    """Whether its track is there and of the same inputs."""
    path = config.output or track_path_of(session_path)
    if config.overwrite or not path.is_file():
        return False
    try:
        with h5py.File(path, "r") as file:
            done = bool(json.loads(str(file.attrs["inputs"])) == inputs_of(config, session_path))
    except (OSError, KeyError, ValueError):
        return False
    if done:
        print(f"{path} is finished already")
    return done


def _by_processes(config: RunConfig, sessions: list[Path], total: int) -> Iterator[str]:
    """Prints a line for each recording tracked; yields the sentences of those that could not be."""
    context = get_context("spawn")
    reports: Any = context.Queue()
    workers = min(config.workers or os.cpu_count() or 1, len(sessions))
    with ProcessPoolExecutor(workers, context, _wake_up, (reports,)) as pool:
        futures = [pool.submit(_tracked_here, config, path) for path in sessions]
        try:
            for _ in shown(_reported(reports, lambda: all(f.done() for f in futures)), "tracking", total=total):
                pass
            yield from _outcomes(sessions, [future.result() for future in futures])
        except BrokenProcessPool as error:
            raise TrackingError(
                "a worker process ended by itself, as one does where memory runs out; run the same command again to go "
                "on, with fewer --workers"
            ) from error
        except KeyboardInterrupt:
            _end(pool, futures)
            raise TrackingError("interrupted; what is tracked is kept, run the same command to go on") from None


def _end(pool: ProcessPoolExecutor, futures: list[Future[Answer]]) -> None:
    """Workers end in the middle of a frame: their folders keep what they had stored."""
    for future in futures:
        future.cancel()
    for process in list(pool._processes.values()):
        process.terminate()


def _outcomes(sessions: list[Path], answers: list[Answer]) -> Iterator[str]:
    for path, (line, sentence, _) in zip(sessions, answers, strict=True):
        if line:
            print(line)
        else:
            yield f"{path}: {sentence}"


def _reported(reports: Any, all_done: Callable[[], bool]) -> Iterator[None]:
    """One item for each frame that a worker reports, until all is done."""
    while True:
        done = all_done()
        try:
            reports.get(timeout=POLL_S)
            yield
        except queue.Empty:
            if done:
                return


_reports: dict[str, Any] = {}
"""the worker's own"""


def _wake_up(reports: Any) -> None:
    end_with_parent()
    _reports["queue"] = reports


def _tracked_here(config: RunConfig, session_path: Path) -> Answer:
    """In a worker, whose bars nobody sees."""
    return _answer(config, session_path, lambda: _reports["queue"].put(1))


def _answer(config: RunConfig, session_path: Path, report: Callable[[], None]) -> Answer:
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return run(config, session_path, report), "", b""
        except UnoccludeError as error:
            return "", str(error), b""


def _by_cluster(config: RunConfig, sessions: list[Path], total: int) -> Iterator[str]:
    """As _by_processes; recordings go out as bytes and tracks come back so: no shared disk is needed."""
    assert config.cluster is not None
    queues: Any = require("ray.util.queue", extra="cluster")
    advice = "run the same command again: recordings that are finished are not done again"
    brought = None if config.mano is None else _content(config.mano)
    with joined(config.cluster, TrackingError, advice) as ray:
        reports = queues.Queue()
        work = ray.remote(num_cpus=1)(_tracked_there)
        plain = replace(config, cluster=None, overwrite=False, output=None)
        names = [path.name for path in sessions]
        tasks = [
            work.remote(plain, name, ray.put(np.fromfile(path, np.uint8)), brought, reports)
            for name, path in zip(names, sessions, strict=True)
        ]

        def all_done() -> bool:
            return not ray.wait(tasks, num_returns=len(tasks), timeout=0)[1]

        for _ in shown(_reported(reports, all_done), "tracking", total=total):
            pass
        answers: list[Answer] = ray.get(tasks)
    for path, (line, _, content) in zip(sessions, answers, strict=True):
        if line:
            with new_path(config.output or track_path_of(path), overwrite=config.overwrite) as partial:
                partial.write_bytes(content)
    yield from _outcomes(sessions, answers)


def _content(mano: Path) -> NDArray[np.uint8]:
    refuse_missing(mano)
    return np.fromfile(mano, np.uint8)


def _tracked_there(
    config: RunConfig, name: str, content: NDArray[np.uint8], brought: NDArray[np.uint8] | None, reports: Any
) -> Answer:
    """On some machine of the cluster; `brought` is the content of --mano."""
    with tempfile.TemporaryDirectory(prefix="unocclude-") as folder:
        path = Path(folder) / name
        content.tofile(path)
        if config.mano is not None and brought is not None:
            config = replace(config, mano=Path(folder) / config.mano.name)
            brought.tofile(str(config.mano))
        line, sentence, _ = _answer(config, path, lambda: reports.put(1))
        track = track_path_of(path)
        return line.replace(str(track), track.name), sentence, track.read_bytes() if line else b""
