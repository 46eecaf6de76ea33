"""The configuration of `tracker run`: every number that a user may want to change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import tyro

from scene.errors import InputError
from scene.symmetry import declared_symmetries
from tracker.brought_hand import refuse_betas
from tracker.swarm import GENERATIONS, PARTICLES, SwarmSettings
from tracker.track import track_path_of

HandChoice = Literal["auto", "left", "right"]
DETECT = ("detect",)
"""of --symmetry: look for them"""


@dataclass(frozen=True)
class RunConfig:
    """Follow hand and object through a recording and write SESSION.track.h5."""

    VERB: ClassVar[str] = "run"

    sessions: tyro.conf.Positional[tuple[Path, ...]] = (Path("session.h5"),)
    """recordings to track"""
    output: Path | None = None
    """track to write, of one recording; SESSION.track.h5 beside each session where not given"""
    particles: int = PARTICLES
    """hypotheses in the swarm"""
    generations: int = GENERATIONS
    """moves of the whole swarm that follows the hand in a frame, and half as many of the object's"""
    points: int = 320
    """observed points that a hypothesis has to explain, and twice as many where it is of the object alone"""
    confidence: float = 0.5
    """lowest confidence, 0 to 1, at which a frame is called TRACKED; of a hand it is 0.65 at least"""
    hand: HandChoice = "auto"
    """whose hand is followed: auto is the side that the session names, or that is seen where it names none"""
    mano: Path | None = None
    """MANO_RIGHT.pkl or MANO_LEFT.pkl, or an .npz of its arrays, that you have: its hand is followed in place of the
    average one, and its size is fitted on top as that of the average one"""
    betas: tuple[float, ...] = ()
    """10 shape coefficients of that hand, where they are known; all 0 where not given"""
    initial_pose: Path | None = None
    """camera_from_object in the first frame, where it is known: a file with 4 x 4 numbers as text, .npy or .json, the
    translation in metres. Tracking then begins there"""
    masks: bool = True
    """take the session's labels of hand and object, in frames that have them, in place of what colours say"""
    refine: bool = False
    """after tracking, look at LOST frames again from the other side in time, and smooth the poses: a better track for
    offline use, of which no frame was estimated from the past alone"""
    symmetry: tuple[str, ...] = DETECT
    """of the object, kept in the track: `detect` in shape and colour, `none`, an axis and a number of positions as z2
    or zinf (several for several), or a JSON file as BOP's models_info.json"""
    seed: int = 0
    """of all randomness: the same seed gives the same track"""
    workers: int = 0
    """of several recordings: processes; 0 = one for each core, at most one for each recording"""
    cluster: str | None = None
    """address of a Ray cluster whose machines share the recordings: auto, HOST:PORT, or local to start one here. Needs
    pip install 'unocclude[cluster]' on each of them"""
    overwrite: bool = False
    """replace an existing track"""

    def __post_init__(self) -> None:
        """Refuses numbers with which nothing could be tracked."""
        if self.particles < 2 or self.generations < 1:
            given = f"{self.particles} x {self.generations}"
            raise InputError(f"a swarm must have at least 2 particles and 1 generation, got {given}")
        if self.points < 50:
            raise InputError(f"--points must be at least 50, got {self.points}")
        if not self.sessions:
            raise InputError("there must be a recording to track, got none; give its file, as session.h5")
        several = len(self.sessions) > 1
        if several and (self.output is not None or self.initial_pose is not None):
            given = f"got {len(self.sessions)} recordings"
            raise InputError(f"--output and --initial-pose must be of one recording, {given}; leave them out")
        if len({track_path_of(session) for session in self.sessions}) < len(self.sessions):
            raise InputError("each recording must be given once, and their names must differ in more than the ending")
        refuse_betas(self.mano, self.betas)
        if self.workers < 0:
            raise InputError(f"--workers must not be negative, got {self.workers}")
        if self.symmetry != DETECT:
            declared_symmetries(self.symmetry)
        if self.seed < 0:
            raise InputError(f"--seed must not be negative, got {self.seed}")
        if not 0 <= self.confidence <= 1:
            raise InputError(f"--confidence must be between 0 and 1, got {self.confidence}")

    @property
    def swarm(self) -> SwarmSettings:
        """How swarms move."""
        return SwarmSettings(generations=self.generations)

    @property
    def sizes(self) -> tuple[int, int]:
        """Particles of a swarm, and the points that each has to explain."""
        return self.particles, self.points
