"""Particle swarm optimisation on pyswarms' operators, over any objective of many vectors at once.

Particles live in units of each number's search scale, so that one velocity clamp serves metres and radians alike.
pyswarms draws from numpy's global random state: it is seeded here from the generator given, and put back afterwards.
"""

from __future__ import annotations

import importlib
import logging.config
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from scene.arrays import Floats

PARTICLES, GENERATIONS = 64, 40
"""Oikonomidis et al. 2011"""
WORST = 1e9
"""objective of a particle whose own is not a finite number"""


@dataclass(frozen=True)
class SwarmSettings:
    """How a swarm moves."""

    generations: int = GENERATIONS
    inertia: float = 0.7298
    cognitive: float = 2.0434
    social: float = 0.9487
    """Clerc and Kennedy's constriction of c1 = 2.8, c2 = 1.3, as Oikonomidis et al. 2011 use it"""
    velocity_clamp: float = 1.0
    """most that a particle moves along one number in a generation, in search scales"""
    reach: float = 4.0
    """bounds about the start's centre, in search scales"""


@dataclass(frozen=True)
class SwarmResult:
    """Where a swarm ended."""

    best: Floats
    """(D,)"""
    objective: float
    """of `best`"""
    personal_bests: Floats
    """(particles, D)"""
    personal_objectives: Floats
    """(particles,)"""


def minimise(
    objective: Callable[[Floats], Floats],
    start: Floats,
    scales: Floats,
    settings: SwarmSettings,
    rng: np.random.Generator,
) -> SwarmResult:
    """Moves a swarm towards lower values.

    Args:
        objective: (particles, D) -> (particles,); NaN counts as infinite.
        start: (particles, D) first positions; the first particle is the centre of the bounds.
        scales: (D,) how far a search along each number should reach; 0 keeps the number as it is.
        settings: of the motion.
        rng: of all randomness.
    """
    backend = _pyswarms()
    centre, unit = start[0], np.where(scales > 0, scales, 1.0)
    position = np.where(scales > 0, (start - centre) / unit, 0.0)
    bounds = (np.full(len(unit), -settings.reach), np.full(len(unit), settings.reach))
    clamp = (-settings.velocity_clamp, settings.velocity_clamp)
    position = np.clip(position, *bounds)
    options = {"w": settings.inertia, "c1": settings.cognitive, "c2": settings.social}
    swarm = backend.swarms.Swarm(position, np.zeros_like(position), options=options)
    with logging_untouched():
        topology = backend.topology.Star()
        inside = backend.handlers.BoundaryHandler(strategy="nearest")
        free = backend.handlers.VelocityHandler(strategy="unmodified")

    def evaluated(positions: Floats) -> Floats:
        values = objective(centre + positions * np.where(scales > 0, unit, 0.0))
        return np.where(np.isfinite(values), values, WORST)

    with seeded_global_state(rng):
        swarm.velocity = np.random.uniform(*clamp, size=position.shape)  # noqa: NPY002
        for generation in range(settings.generations):
            swarm.current_cost = evaluated(swarm.position)
            if generation == 0:
                swarm.pbest_pos, swarm.pbest_cost = swarm.position.copy(), swarm.current_cost.copy()
            else:
                swarm.pbest_pos, swarm.pbest_cost = backend.operators.compute_pbest(swarm)
            swarm.best_pos, swarm.best_cost = topology.compute_gbest(swarm)
            swarm.velocity = topology.compute_velocity(swarm, clamp, free, bounds)
            swarm.position = topology.compute_position(swarm, bounds, inside)
    personal = centre + swarm.pbest_pos * np.where(scales > 0, unit, 0.0)
    best = int(np.argmin(swarm.pbest_cost))
    return SwarmResult(personal[best], float(swarm.pbest_cost[best]), personal, swarm.pbest_cost)


@contextmanager
def seeded_global_state(rng: np.random.Generator) -> Iterator[None]:
    """Seeds numpy's global random state from `rng` for the body, and restores it."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


@contextmanager
def logging_untouched() -> Iterator[None]:
    """Keeps pyswarms from rewiring logging and writing `report.log` into the working directory, as it would."""
    configure = logging.config.dictConfig
    try:
        logging.config.dictConfig = lambda _: None  # type: ignore[assignment]
        yield
    finally:
        logging.config.dictConfig = configure


@cache
def _pyswarms() -> ModuleType:
    with logging_untouched():
        return importlib.import_module("pyswarms.backend")
