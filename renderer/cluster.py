"""Parts made by the machines of a Ray cluster: the recipe and the session's bytes go out, files of parts come back.

No shared disk is needed, as a part's rows depend on its tasks and the recipe alone. Every machine needs this package.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.session import open_session
from renderer.pair_maker import PairMaker, Recipe
from renderer.parts import Part, missing_parts, part_path, write_part
from scene.cluster import joined
from scene.drawing import open_drawer
from scene.errors import RenderingError, require


class PartMaker:
    """A worker on some machine of the cluster."""

    def __init__(self, recipe: Recipe, session: NDArray[np.uint8]) -> None:
        """Opens a copy of the session that has lost its name already, so that no copy outlives its worker."""
        with tempfile.TemporaryDirectory(prefix="unocclude-") as folder:
            path = Path(folder) / recipe.config.session.name
            session.tofile(path)
            self._open = ExitStack()
            opened = self._open.enter_context(open_session(path))
        self._maker = PairMaker.of(recipe, opened, open_drawer(recipe.config.drawer))

    def make(self, index: int, part: Part) -> tuple[int, int, bytes]:
        """The index, the part's number of rows, and its file."""
        with tempfile.TemporaryDirectory(prefix="unocclude-") as folder:
            path = Path(folder) / "part.h5"
            rows = write_part(self._maker, part, path)
            return index, rows, path.read_bytes()


def make_on_cluster(recipe: Recipe, parts: Sequence[Part], folder: Path, address: str) -> Iterator[int]:
    """Makes the parts that are missing.

    Args:
        recipe: of the rows.
        parts: of the plan.
        folder: of prepare_folder, on this machine.
        address: of the cluster: `auto`, HOST:PORT, or `local` to start one here.

    Yields:
        The number of rows of each part as it comes back.

    Raises:
        MissingError: Ray is not installed.
        InputError: no cluster answers at the address.
        RenderingError: a worker was lost.
    """
    pool: Any = require("ray.util.actor_pool", extra="cluster")
    advice = "run the same command again to go on from the parts that are done"
    with joined(address, RenderingError, advice) as ray:
        missing = missing_parts(parts, folder)
        workers = min(recipe.config.workers or len(missing), len(missing), int(ray.cluster_resources()["CPU"]))
        inputs = ray.put(recipe), ray.put(np.fromfile(recipe.config.session, np.uint8))
        makers = [ray.remote(num_cpus=1)(PartMaker).remote(*inputs) for _ in range(workers)]
        tasks = [(index, parts[index]) for index in missing]
        for index, rows, content in pool.ActorPool(makers).map_unordered(_start, tasks):
            _put(part_path(folder, index), content)
            yield rows


def _start(maker: Any, task: tuple[int, Part]) -> Any:
    return maker.make.remote(*task)


def _put(path: Path, content: bytes) -> None:
    """The part gets its name when all of it is there."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.rename(path)
