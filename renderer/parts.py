"""Makes the parts of a plan, each a file, by many processes, and goes on where a killed run stopped.

A part's file gets its name when it is complete, in a folder beside the output. A run that finds the folder of one with
the same inputs and configuration takes the parts that are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from pairs.format import PairsWriter, new_pairs, open_pairs
from recorder.session import Session, open_session
from renderer.config import MakePairsConfig
from renderer.pair_maker import PairMaker, Recipe
from renderer.plan import Task
from scene.drawing import Drawer, open_drawer
from scene.errors import RenderingError
from scene.files import as_json, installed_versions, writing
from scene.processes import end_with_parent

Part = tuple[Task, ...]
MARK = "inputs.sha256"
"""file in the folder of parts that says what they are made from"""
FEWEST_ROWS_A_WORKER = 200
"""a process takes seconds to start: fewer rows are made in this one"""


def parts_folder(output: Path) -> Path:
    """Where the parts of a file lie while it is made."""
    return output.with_name(f".{output.name}.parts")


def inputs_hash(config: MakePairsConfig, sources: Sequence[str], drawer: str) -> str:
    """Of all that decides the content of the parts; how many workers make them, and where, does not.

    Args:
        config: of the run.
        sources: hashes of the session and its track.
        drawer: back-end that draws.
    """
    plain = replace(config, workers=0, cluster=None, overwrite=False, output=Path(), session=Path(), track=None)
    known = [as_json(plain), *sources, drawer, as_json(installed_versions())]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


def prepare_folder(output: Path, inputs: str) -> Path:
    """The folder, with the parts of an earlier run from the same inputs and without those of any other."""
    folder = parts_folder(output)
    mark = folder / MARK
    with writing(folder):
        if not mark.is_file() or mark.read_text() != inputs:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            mark.write_text(inputs)
        for partial in folder.glob(".*.partial"):
            partial.unlink()
    return folder


def part_path(folder: Path, index: int) -> Path:
    """Of one part's file."""
    return folder / f"{index:06d}.h5"


def missing_parts(parts: Sequence[Part], folder: Path) -> list[int]:
    """The parts of a plan that have no file yet."""
    return [index for index in range(len(parts)) if not part_path(folder, index).exists()]


def make_parts(recipe: Recipe, parts: Sequence[Part], folder: Path, session: Session, drawer: Drawer) -> Iterator[int]:
    """Makes the parts that are missing.

    Args:
        recipe: of the rows.
        parts: of the plan.
        folder: of prepare_folder.
        session: open, for a run without other processes.
        drawer: open, likewise.

    Yields:
        The number of rows of each part as it is done.
    """
    missing = missing_parts(parts, folder)
    workers = _worker_count(recipe.config, [parts[index] for index in missing])
    if workers > 1:
        yield from _shared(recipe, parts, missing, folder, workers)
        return
    maker = PairMaker.of(recipe, session, drawer)
    for index in missing:
        yield write_part(maker, parts[index], part_path(folder, index))


def write_part(maker: PairMaker, part: Part, path: Path) -> int:
    """Makes the rows of a part into a file, and says how many."""
    with new_pairs(path, maker.scenery.model, maker.config.size, overwrite=True) as writer:
        hidden = sum(_write_task(writer, maker, task) for task in part)
        writer.file.attrs["views_left_out"] = hidden
    return writer.count


def _write_task(writer: PairsWriter, maker: PairMaker, task: Task) -> int:
    """Appends the rows; the number of drawn views that came to nothing."""
    hidden = 0
    for at, pair in enumerate(maker.rows(task)):
        if pair is not None:
            writer.append(pair)
        elif task.first == 0 and at == 0:
            writer.leave_out(task.frame, "the object covers no pixel")
        else:
            hidden += 1
    return hidden


def _worker_count(config: MakePairsConfig, parts: Sequence[Part]) -> int:
    rows = sum(task.views + 1 for part in parts for task in part)
    if config.workers:
        return min(config.workers, len(parts))
    return min(os.cpu_count() or 1, len(parts), rows // FEWEST_ROWS_A_WORKER)


def _shared(recipe: Recipe, parts: Sequence[Part], missing: list[int], folder: Path, workers: int) -> Iterator[int]:
    with ProcessPoolExecutor(workers, get_context("spawn"), _wake_up, (recipe,)) as pool:
        done: list[Future[int]] = []
        try:
            done += [pool.submit(_make_part, parts[index], part_path(folder, index)) for index in missing]
            for future in as_completed(done):
                yield future.result()
        except BrokenProcessPool as error:
            raise RenderingError(
                "a worker process ended by itself, as one does where memory runs out; run the same command again to go "
                "on from the parts that are done, with fewer --workers"
            ) from error
        finally:
            for future in done:
                future.cancel()


_awake: dict[str, PairMaker] = {}
"""the worker's own"""
_open = ExitStack()


def _wake_up(recipe: Recipe) -> None:
    """Readies a worker, which ends when the process that started it does, however that ends."""
    end_with_parent()
    session = _open.enter_context(open_session(recipe.config.session))
    _awake["maker"] = PairMaker.of(recipe, session, open_drawer(recipe.config.drawer))


def _make_part(part: Part, path: Path) -> int:
    return write_part(_awake["maker"], part, path)


def put_together(writer: PairsWriter, folder: Path, count: int) -> int:
    """Appends all parts in their order; the number of drawn views that came to nothing."""
    hidden = 0
    for index in range(count):
        with open_pairs(part_path(folder, index)) as part:
            writer.append_all(part.file)
            for frame, reason in part.left_out:
                writer.leave_out(frame, reason)
            hidden += int(part.attribute("views_left_out"))
    return hidden
