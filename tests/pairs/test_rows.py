"""Rows for a data loader: any order, any process, and no trust in a stranger's bytes."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from pairs.format import TEST, open_pairs
from pairs.rows import TRAINING_FIELDS, PairRows
from scene.errors import InputError, SchemaError
from tests.pairs.samples import SIZE, a_file


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_file(tmp_path_factory.mktemp("rows") / "pairs.h5", 30)


def test_rows_are_the_files(path: Path) -> None:
    rows, order = PairRows(path), [7, 0, 7, 29]
    batch = rows[order]
    assert set(batch) == set(TRAINING_FIELDS)
    with open_pairs(path) as file:
        for name, values in batch.items():
            np.testing.assert_array_equal(values, file.column(name)[order])
            np.testing.assert_array_equal(rows[7][name], values[0])
    assert len(rows) == 30


def test_one_split_and_chosen_fields(path: Path) -> None:
    rows = PairRows(path, ("rendered/color", "frame_index"), split=TEST)
    with open_pairs(path) as file:
        np.testing.assert_array_equal(rows[[0, 2]]["frame_index"], np.flatnonzero(file.split == TEST)[[0, 2]])
        np.testing.assert_array_equal(rows[1]["rendered/color"], file.column("rendered/color")[file.split == TEST][1])


def test_pickled_and_used_in_between(path: Path) -> None:
    rows = PairRows(path)
    before = rows[[3, 1]]
    again = pickle.loads(pickle.dumps(rows))[[3, 1]]
    for name in before:
        np.testing.assert_array_equal(before[name], again[name])


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_data_loader_workers_read_the_same(path: Path, start: str) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {start} here")
    rows = PairRows(path, ("clean/color", "frame_index"))
    rows[[0]]  # the parent has its file open when it forks
    sampler = BatchSampler(RandomSampler(rows, generator=torch.Generator().manual_seed(0)), 7, drop_last=False)
    loader = DataLoader(rows, batch_size=None, sampler=sampler, num_workers=1, multiprocessing_context=start)
    seen = []
    with open_pairs(path) as file:
        colors = file.column("clean/color")
    for batch in loader:
        seen += batch["frame_index"].tolist()
        np.testing.assert_array_equal(batch["clean/color"].numpy(), colors[batch["frame_index"].numpy()])
    assert sorted(seen) == list(range(30))


def test_unknown_field_is_named(path: Path) -> None:
    with pytest.raises(InputError, match="fields must be those of the pairs format, hand/color is none"):
        PairRows(path, ("hand/color",))


def test_field_packed_by_another_program_is_read_too(tmp_path: Path) -> None:
    path = a_file(tmp_path / "pairs.h5")
    with h5py.File(path, "r+") as file:
        colors = file["clean/color"][:]
        del file["clean/color"]
        file.create_dataset("clean/color", data=colors, compression="gzip", chunks=(4, SIZE, SIZE, 3))
    np.testing.assert_array_equal(PairRows(path)[[5, 2, 11]]["clean/color"], colors[[5, 2, 11]])


@pytest.mark.parametrize("place", [4, 12, 20])
def test_damaged_bytes_are_refused(tmp_path: Path, place: int) -> None:
    """In the header, where Blosc would believe a length, and behind it."""
    path = a_file(tmp_path / "pairs.h5")
    with open_pairs(path) as file:
        chunks = file.chunks("clean/depth")
        at = int(chunks.offsets[5])
    with path.open("r+b") as stream:
        stream.seek(at + place)
        stream.write(b"\xff\xff\xff\x7f")
    with pytest.raises(SchemaError, match="is damaged in row 5 of clean/depth"):
        PairRows(path)[[5]]
