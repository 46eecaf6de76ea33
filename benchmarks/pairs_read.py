"""Pairs read a second into a torch DataLoader, against PNG files and an uncompressed numpy memory map.

What a pair is here is what training takes: occluded and clean crop, colour and depth, and the quaternion; 96 pixels,
batches of 300, random and in order, 0, 2 and 4 workers, forked and spawned. The rate is that of a second pass over the
data: the first one starts the workers and brings the files into memory. `pairs_read.py [PAIRS.h5] [--rows N]`; without
a file, N pairs are made up from a smooth picture and noise. With few pairs it shows that it runs, and no rate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler

from pairs.format import Crop, Pair, new_pairs, open_pairs, stored_depth
from pairs.rows import PairRows
from scene.noise import noisy_color
from scene.object_model import ObjectModel

SIZE, BATCH = 96, 300
PNG_ROWS = 600
"""of the slow store: its rate does not change with their number"""
FIELDS = ("occluded/color", "occluded/depth", "clean/color", "clean/depth")


@dataclass(frozen=True)
class PngRows:
    """The obvious way: four files a pair."""

    folder: Path
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: list[int]) -> dict[str, Any]:
        return {
            field: np.stack([imageio.imread(self.folder / f"{row}-{field.replace('/', '-')}.png") for row in rows])
            for field in FIELDS
        }


@dataclass(frozen=True)
class MappedRows:
    """The fast way, at four times the size: arrays on disk as they are in memory."""

    folder: Path
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: list[int]) -> dict[str, Any]:
        chosen = np.asarray(rows)
        return {
            field: np.load(self.folder / f"{field.replace('/', '-')}.npy", mmap_mode="r")[chosen] for field in FIELDS
        }


def rate(rows: Any, *, random: bool, workers: int, start: str | None) -> float:
    """Pairs a second of the second pass."""
    order = RandomSampler(rows) if random else SequentialSampler(rows)
    loader = DataLoader(
        rows,
        batch_size=None,
        sampler=BatchSampler(order, BATCH, drop_last=False),
        num_workers=workers,
        multiprocessing_context=start,
        persistent_workers=workers > 0,
    )
    for _ in range(2):
        began = time.perf_counter()
        for batch in loader:
            assert len(batch["clean/depth"])
        seconds = time.perf_counter() - began
    return len(rows) / seconds


def made_up(path: Path, count: int) -> Path:
    """A file of pairs that packs about as well as real ones."""
    rng = np.random.default_rng(0)
    v, u = np.mgrid[:SIZE, :SIZE]
    disc = (u - 48) ** 2 + (v - 48) ** 2 < 900
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]])
    model = ObjectModel(
        "made up", corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.full((4, 3), 9, np.uint8), True, ""
    )
    with new_pairs(path, model, SIZE, overwrite=True) as writer:
        for row in range(count):
            occluded, rendered, clean = (_crop(rng, disc, full=full) for full in (True, False, False))
            writer.append(
                Pair(
                    occluded=occluded,
                    rendered=rendered,
                    clean=clean,
                    mask_amodal=disc,
                    mask_visible=disc,
                    quaternion_wxyz=np.array([1.0, 0, 0, 0]),
                    camera_from_object=np.eye(4),
                    camera_from_view=np.eye(3),
                    crop_matrix=np.eye(3),
                    crop_box=np.zeros(4),
                    visibility=1.0,
                    visibility_lost_hand=0.0,
                    visibility_lost_self=0.0,
                    visibility_lost_truncation=0.0,
                    visibility_lost_other=0.0,
                    confidence=1.0,
                    frame_index=row,
                    hand_frame=-1,
                    timestamp_s=0.0,
                    split=0,
                    origin=1,
                )
            )
    return path


def _crop(rng: np.random.Generator, disc: np.ndarray, *, full: bool) -> Crop:
    v, u = np.mgrid[:SIZE, :SIZE]
    shade = (90 + 40 * np.sin(u / rng.uniform(9, 20)) + v / 2)[..., None] * rng.uniform(0.5, 1.2, 3)
    color = noisy_color(shade.clip(0, 255).astype(np.uint8), rng)
    depth = 0.6 + np.rint((u + v) / rng.uniform(4, 9) + rng.normal(0, 0.8, u.shape)) * 0.001
    shown = disc | full
    return Crop(np.where(shown[..., None], color, 0).astype(np.uint8), stored_depth(depth * shown, 0.6, 0.1))


def stores_of(path: Path, folder: Path, most: int) -> dict[str, Any]:
    """The first pairs of a file, and the same in the two other layouts."""
    with open_pairs(path) as pairs:
        count = min(len(pairs), most)
        for field in FIELDS:
            images, flat = pairs.read_rows(field, range(count)), field.replace("/", "-")
            np.save(folder / f"{flat}.npy", images)
            for row, image in enumerate(images[:PNG_ROWS]):
                imageio.imwrite(folder / f"{row}-{flat}.png", image)
    return {
        "pairs.h5": PairRows(path),
        "PNG files": PngRows(folder, min(count, PNG_ROWS)),
        "numpy map": MappedRows(folder, count),
    }


def main() -> None:
    """Prints a line for each way of reading, with the rate of each store."""
    parser = argparse.ArgumentParser(description="Rates of reading pairs.")
    parser.add_argument("pairs", type=Path, nargs="?", help="file of pairs; without one, pairs are made up")
    parser.add_argument("--rows", type=int, default=2000, help="pairs to make up, or of the file to copy")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="This DataLoader will create 4 worker processes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = options.pairs or made_up(folder / "pairs.h5", options.rows)
        stores = stores_of(path, folder, options.rows)
        print(f"{len(stores['pairs.h5'])} pairs, batches of {BATCH}, {torch.get_num_threads()} threads; pairs/s")
        for random in (True, False):
            for workers, start in ((0, None), (2, "fork"), (2, "spawn"), (4, "fork"), (4, "spawn")):
                rates = [
                    f"{store} {rate(rows, random=random, workers=workers, start=start):7.0f}"
                    for store, rows in stores.items()
                ]
                how = f"{workers} workers {start or 'in process':10}"
                print(f"{'random' if random else 'in order':8} {how}: {', '.join(rates)}", flush=True)


if __name__ == "__main__":
    main()
