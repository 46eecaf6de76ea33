"""What `renderer make-pairs` can be told; each field one option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import tyro

from renderer.backgrounds import BackgroundName
from renderer.selection import SelectionConfig
from scene.drawing import DrawerName
from scene.errors import InputError
from scene.noise import NoiseName
from scene.splits import SplitConfig

HandsName = Literal["varied", "tracked"]


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
    balance_rotations: bool = False
    """drawn views evenly over all rotations, in each split, whatever was recorded; instead of --view-angle-deg"""
    backgrounds: BackgroundName = "recording"
    """behind drawn views: pieces of the recording from frames of the same split, black, or random patterns"""
    hands: HandsName = "varied"
    """of drawn views: varied takes another size, thickness and skin for each, tracked those of the recording"""
    hand_transfer: float = 0.25
    """part of the drawn views whose hand is that of another frame of the same split, moved to this frame's object"""
    drawer: DrawerName = "raster"
    """back-end: raster is the fastest here; egl and osmesa are pyrender, rays is embree; auto is the first of these
    three that works"""
    noise: NoiseName = "structured-light"
    """of the drawn crops, the same with the hand and without; masks have none"""
    seed: int = 0
    """of views, hands, light, backgrounds and noise"""
    workers: int = 0
    """processes; 0 = one for each core. The file's content is the same for any number"""
    cluster: str | None = None
    """address of a Ray cluster whose machines share the work: auto, HOST:PORT, or local to start one here. Needs
    pip install 'unocclude[cluster]' on each of them; --workers is then 0 for all of its cores"""
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
        if self.balance_rotations and self.views_per_frame == 0:
            raise InputError("--balance-rotations needs drawn views, got --views-per-frame 0; give it at least 1")
        if not 0 <= self.hand_transfer <= 1:
            raise InputError(f"--hand-transfer must lie in 0..1, got {self.hand_transfer}")
        if self.workers < 0:
            raise InputError(f"--workers must not be negative, got {self.workers}")
