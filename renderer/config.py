"""What `renderer make-pairs` can be told; each field one option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import tyro

from renderer.selection import SelectionConfig
from scene.drawing import DrawerName
from scene.errors import InputError
from scene.noise import NoiseName
from scene.splits import SplitConfig


@dataclass(frozen=True)
class MakePairsConfig:
    """Make pairs of a tracked session. Example: renderer make-pairs session.h5 --views-per-frame 8."""

    VERB: ClassVar[str] = "make-pairs"

    session: tyro.conf.Positional[Path] = Path("session.h5")
    """the recording"""
    track: Path | None = None
    """its track; otherwise the session's name with .track.h5"""
    output: Path = Path("pairs.h5")
    """file to write"""
    size: int = 96
    """pixels along a side of the crops"""
    views_per_frame: int = 8
    """drawn views from other viewpoints that each kept frame gives, beside its real pair; each shows as much of the
    object as --selection.visibility asks of frames"""
    view_angle_deg: float = 90.0
    """degrees by which a drawn view is turned against its frame, at most; 180 covers all rotations"""
    drawer: DrawerName = "auto"
    """off-screen back-end: auto takes the first that works of egl, osmesa, rays"""
    noise: NoiseName = "structured-light"
    """of the drawn crops, the same with the hand and without"""
    seed: int = 0
    """of views, light, backgrounds and noise"""
    overwrite: bool = False
    """replace the output file if it exists"""
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    """which frames are kept"""
    splits: SplitConfig = field(default_factory=SplitConfig)
    """how they are divided in time"""

    def __post_init__(self) -> None:
        """Refuses what makes no pairs."""
        if not 8 <= self.size <= 1024:
            raise InputError(f"--size must be 8 to 1024 pixels, got {self.size}")
        if self.views_per_frame < 0:
            raise InputError(f"--views-per-frame must not be negative, got {self.views_per_frame}")
        if not 0 < self.view_angle_deg <= 180:
            raise InputError(f"--view-angle-deg must be above 0 and at most 180, got {self.view_angle_deg}")
