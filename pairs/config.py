"""What the verbs of `pairs` can be told; each field one option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import tyro

from scene.errors import InputError
from scene.splits import SplitConfig

ExportName = Literal["bop", "coco", "folder", "webdataset"]


@dataclass(frozen=True)
class InfoConfig:
    """Print what a pairs file holds. Example: pairs info pairs.h5."""

    VERB: ClassVar[str] = "info"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""
    hash: bool = False
    """also the hash of its content, the same for equal content whatever wrote it; reads the whole file"""


@dataclass(frozen=True)
class CheckConfig:
    """Look for damage, and for what one split tells of another. Example: pairs check pairs.h5."""

    VERB: ClassVar[str] = "check"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""
    duplicate_levels: float = 3.0
    """occluded crops of different splits are near-duplicates where their thumbnails differ by fewer levels of 255"""
    duplicate_deg: float = 5.0
    """and their poses by fewer degrees"""

    def __post_init__(self) -> None:
        """Refuses what would find nothing."""
        if self.duplicate_levels <= 0 or self.duplicate_deg <= 0:
            given = f"{self.duplicate_levels} levels and {self.duplicate_deg} degrees"
            raise InputError(f"near-duplicates must be told by positive differences, got {given}")


@dataclass(frozen=True)
class MergeConfig:
    """Put files of pairs of one object into one. Example: pairs merge a.h5 b.h5 --output all.h5."""

    VERB: ClassVar[str] = "merge"

    pairs: tyro.conf.Positional[tuple[Path, ...]]
    """the files, in the order of their rows; each row keeps its split"""
    output: Path = Path("merged.h5")
    """file to write"""
    overwrite: bool = False
    """replace the output file if it exists"""

    def __post_init__(self) -> None:
        """Refuses what needs no merging."""
        if len(self.pairs) < 2:
            raise InputError(f"pairs merge needs at least two files, got {len(self.pairs)}")


@dataclass(frozen=True)
class SplitAgainConfig:
    """Divide the rows anew into train, validation and test. Example: pairs split all.h5 --by recording."""

    VERB: ClassVar[str] = "split"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file; it is not changed"""
    output: Path = Path("split.h5")
    """file to write"""
    by: Literal["recording", "time"] = "recording"
    """whole recordings, or blocks of time in each of them with a gap between"""
    overwrite: bool = False
    """replace the output file if it exists"""
    splits: SplitConfig = field(default_factory=SplitConfig)
    """parts; cycles and gap for blocks of time"""


@dataclass(frozen=True)
class ViewConfig:
    """Write a page with a sample of the pairs. Example: pairs view pairs.h5."""

    VERB: ClassVar[str] = "view"

    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""
    output: Path | None = None
    """page to write, complete in itself; otherwise the file's name with .html"""
    rows: int = 24
    """pairs to show: as many real ones as drawn views, where there are both"""
    seed: int = 0
    """of the choice"""
    overwrite: bool = False
    """replace the page if it exists"""

    def __post_init__(self) -> None:
        """Refuses an empty page."""
        if self.rows < 1:
            raise InputError(f"--rows must be at least 1, got {self.rows}")


@dataclass(frozen=True)
class ImportPatchesConfig:
    """Read LINEMOD patches and draw their clean counterparts. Example: pairs import-patches PATCHES cat obj_06.ply."""

    VERB: ClassVar[str] = "import-patches"

    patches: tyro.conf.Positional[Path]
    """folder with real/, fine/ and coarse/"""
    name: tyro.conf.Positional[str]
    """folder of the object in each of them"""
    mesh: tyro.conf.Positional[Path]
    """of the object, in millimetres"""
    output: Path = Path("patches.h5")
    """file to write"""
    overwrite: bool = False
    """replace the output file if it exists"""


@dataclass(frozen=True)
class ImportBopConfig:
    """Read a split of a BOP data set and draw clean counterparts. Example: pairs import-bop lm test --object 6."""

    VERB: ClassVar[str] = "import-bop"

    dataset: tyro.conf.Positional[Path]
    """folder with models/ and the split"""
    folder: tyro.conf.Positional[str]
    """of the split in it, such as train_pbr or test"""
    object: int = 1
    """its number"""
    output: Path = Path("bop.h5")
    """file to write"""
    size: int = 96
    """pixels along a side of the crops"""
    visibility: float = 0.1
    """the least part of the object that must be seen"""
    overwrite: bool = False
    """replace the output file if it exists"""
    splits: SplitConfig = field(default_factory=SplitConfig)
    """how each scene's images are divided, an image counting as 1/30 s"""

    def __post_init__(self) -> None:
        """Refuses crops that cannot be."""
        if not 8 <= self.size <= 1024:
            raise InputError(f"--size must be 8 to 1024 pixels, got {self.size}")


@dataclass(frozen=True)
class ExportConfig:
    """Write the pairs as others read them. Example: pairs export pairs.h5 --format bop --output bop-pairs."""

    VERB: ClassVar[str] = "export"

    format: ExportName
    """bop and coco hold the occluded crops, folder and webdataset all three"""
    pairs: tyro.conf.Positional[Path] = Path("pairs.h5")
    """the file"""
    output: Path = Path("exported")
    """folder to make"""
    overwrite: bool = False
    """replace the folder if it exists"""
    shard_rows: int = 2000
    """pairs in one tar file of a webdataset"""

    def __post_init__(self) -> None:
        """Refuses empty shards."""
        if self.shard_rows < 1:
            raise InputError(f"--shard-rows must be at least 1, got {self.shard_rows}")
