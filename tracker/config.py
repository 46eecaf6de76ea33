"""The configuration of `tracker run`: every number that a user may want to change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tyro

from scene.errors import InputError
from tracker.swarm import GENERATIONS, PARTICLES


@dataclass(frozen=True)
class RunConfig:
    """Follow hand and object through a recording and write SESSION.track.h5."""

    VERB: ClassVar[str] = "run"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """recording to track"""
    output: Path | None = None
    """track to write; SESSION.track.h5 beside the session where not given"""
    particles: int = PARTICLES
    """hypotheses in the swarm"""
    generations: int = GENERATIONS
    """moves of the whole swarm in a frame"""
    points: int = 320
    """observed points that a hypothesis has to explain"""
    confidence: float = 0.5
    """lowest confidence, 0 to 1, at which a frame is called TRACKED"""
    seed: int = 0
    """of all randomness: the same seed gives the same track"""
    overwrite: bool = False
    """replace an existing track"""

    def __post_init__(self) -> None:
        """Refuses numbers with which nothing could be tracked."""
        if self.particles < 2 or self.generations < 1:
            given = f"{self.particles} x {self.generations}"
            raise InputError(f"a swarm must have at least 2 particles and 1 generation, got {given}")
        if self.points < 50:
            raise InputError(f"--points must be at least 50, got {self.points}")
        if self.seed < 0:
            raise InputError(f"--seed must not be negative, got {self.seed}")
        if not 0 <= self.confidence <= 1:
            raise InputError(f"--confidence must be between 0 and 1, got {self.confidence}")
