"""HDF5 files: complete or absent, checked against their table, and knowing how they were made."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from scene.errors import InputError, SchemaError
from scene.files import (
    MADE_OF,
    as_json,
    new_file,
    new_folder,
    new_path,
    open_file,
    refuse_existing,
    sha256,
    stamp_provenance,
)
from scene.schema import Field, Schema, faults, stored_dtype

SCHEMA = Schema(
    "toy",
    3,
    "for tests",
    (
        Field("color", ("frames", 2), "uint8", "", "", "a"),
        Field("pose/time", ("frames",), "float64", "s", "", "b"),
        Field("name", (), "str", "", "", "c", optional=True),
    ),
)


def fill(file, frames=4, **changed):
    data = {"color": np.zeros((frames, 2), np.uint8), "pose/time": np.arange(frames, dtype=float), **changed}
    for name, values in data.items():
        if values is not None:
            file[name] = values


@pytest.fixture
def path(tmp_path):
    with new_file(tmp_path / "toy.h5", SCHEMA, overwrite=False) as file:
        fill(file)
    return tmp_path / "toy.h5"


def change(path, name, value=None):
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value


def refused(path):
    with pytest.raises(SchemaError) as error, open_file(path, SCHEMA):
        pass
    return str(error.value)


def test_what_was_written_is_read(path):
    with open_file(path, SCHEMA) as file:
        assert faults(file, SCHEMA) == []
        assert file["pose/time"][:].tolist() == [0, 1, 2, 3]


def test_every_fault_is_listed(path):
    change(path, "color", np.zeros((4, 3), np.float32))
    change(path, "pose")
    text = refused(path)
    assert "does not keep to the toy format" in text
    assert "'color' must be uint8, is float32" in text
    assert "'pose/time' is missing" in text


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("color", np.zeros((4, 3), np.uint8), "'color' must have shape ('frames', 2) with 2 = 2, has (4, 3)"),
        ("color", np.zeros(4, np.uint8), "'color' must have shape ('frames', 2), has (4,)"),
        ("pose/time", np.zeros(5), "'pose/time' must have shape ('frames',) with frames = 4, has (5,)"),
        ("pose/time", np.zeros(4, ">f8"), "'pose/time' must be float64, is >f8"),
    ],
)
def test_each_fault_has_its_words(path, name, value, sentence):
    change(path, name, value)
    assert sentence in refused(path)


def test_an_optional_field_may_be_absent_and_is_checked_where_it_is_not(path):
    with h5py.File(path, "r+") as file:
        file.create_dataset("name", data="a mug", dtype=stored_dtype(SCHEMA.field("name")))
        assert faults(file, SCHEMA) == []
        del file["name"]
        file["name"] = 3.0
        assert faults(file, SCHEMA) == ["'name' must be str, is float64"]


def test_a_group_in_place_of_a_data_set(path):
    change(path, "color")
    with h5py.File(path, "r+") as file:
        file.create_group("color")
    assert "'color' must be a data set" in refused(path)


def test_another_format_and_no_format(path):
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = "track"
    assert "must be a toy file, it says 'track'; give the file of that stage" in refused(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["format"]
    assert "must be a toy file, it names no format" in refused(path)


def test_another_version(path):
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    assert "is toy version 2, this program reads version 3" in refused(path)


def test_links_are_never_followed(path, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["color"] = np.zeros((4, 2), np.uint8)
    for link in (h5py.ExternalLink(str(secret), "color"), h5py.SoftLink("/pose/time")):
        change(path, "color")
        with h5py.File(path, "r+") as file:
            file["color"] = link
        assert "'color' is a link to elsewhere, which is never followed" in refused(path)


def test_data_kept_in_another_file_is_never_read(path, tmp_path):
    (tmp_path / "raw").write_bytes(b"12345678")
    change(path, "color")
    with h5py.File(path, "r+") as file:
        file.create_dataset("color", (4, 2), np.uint8, external=[(str(tmp_path / "raw"), 0, 8)])
    assert "'color' keeps its data in another file" in refused(path)
    layout = h5py.VirtualLayout((4, 2), np.uint8)
    layout[:] = h5py.VirtualSource(str(tmp_path / "raw"), "x", (4, 2))
    change(path, "color")
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("color", layout)
    assert "'color' keeps its data in another file" in refused(path)


def test_a_linked_group_is_never_followed(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["pose/time"] = np.zeros(4)
    change(path, "pose")
    with h5py.File(path, "r+") as file:
        file["pose"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "pose")
    assert "link to elsewhere" in refused(path)


def test_a_data_set_that_claims_too_much(path):
    change(path, "color")
    with h5py.File(path, "r+") as file:
        file.create_dataset("color", (1 << 41, 2), np.uint8, chunks=(1024, 2))
    assert "more than any recording holds" in refused(path)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.9])
def test_a_file_cut_short(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    refused(path)


def test_text_is_no_hdf5(tmp_path):
    (tmp_path / "toy.h5").write_text("hello")
    assert "must be an HDF5 file and is damaged, cut short or something else" in refused(tmp_path / "toy.h5")


def test_a_missing_file(tmp_path):
    with (
        pytest.raises(InputError, match=r"none\.h5 does not exist; give the toy file that the stage before wrote"),
        open_file(tmp_path / "none.h5", SCHEMA),
    ):
        pass


def test_an_existing_file_is_kept_unless_overwrite(path):
    before = path.read_bytes()
    with (
        pytest.raises(InputError, match="exists already; give another --output, or --overwrite to replace it"),
        new_file(path, SCHEMA, overwrite=False),
    ):
        pass
    assert path.read_bytes() == before
    with new_file(path, SCHEMA, overwrite=True) as file:
        fill(file, frames=2)
    with open_file(path, SCHEMA) as file:
        assert len(file["color"]) == 2


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match=r"the folder of .* does not exist; make it first or give another --output"):
        refuse_existing(tmp_path / "none" / "toy.h5", overwrite=True)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(tmp_path, error):
    def interrupted():
        with new_file(tmp_path / "toy.h5", SCHEMA, overwrite=False) as file:
            fill(file)
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_what_was_there(path):
    before = path.read_bytes()
    with pytest.raises(RuntimeError), new_file(path, SCHEMA, overwrite=True):
        raise RuntimeError
    assert path.read_bytes() == before
    assert [path] == list(path.parent.iterdir())


def test_a_file_that_does_not_keep_to_its_table_is_never_written(tmp_path):
    with (
        pytest.raises(SchemaError, match="'pose/time' is missing"),
        new_file(tmp_path / "toy.h5", SCHEMA, overwrite=False) as file,
    ):
        fill(file, **{"pose/time": None})
    assert list(tmp_path.iterdir()) == []


def test_the_name_appears_only_when_the_file_is_whole(tmp_path):
    with new_file(tmp_path / "toy.h5", SCHEMA, overwrite=False) as file:
        assert not (tmp_path / "toy.h5").exists()
        fill(file)
    assert (tmp_path / "toy.h5").exists()


@dataclass(frozen=True)
class Settings:
    output: Path = Path("a/b.h5")
    rate: float = 0.5


def test_a_file_knows_how_it_was_made(tmp_path, path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["somewhere/bin/tracker", "run", "--seed", "7"])
    with new_file(tmp_path / "made.h5", SCHEMA, overwrite=False) as file:
        fill(file)
        stamp_provenance(file, configuration=Settings(), seed=7, sources={"session": path})
    with open_file(tmp_path / "made.h5", SCHEMA) as file:
        made = dict(file.attrs)
    assert made["command"] == "tracker run --seed 7"
    assert json.loads(made["configuration"]) == {"output": "a/b.h5", "rate": 0.5}
    assert made["seed"] == "7"
    assert json.loads(made["sources"]) == {
        "session": {"name": "toy.h5", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    }
    assert {"python", "numpy", "h5py"} <= set(json.loads(made["versions"]))


def test_no_randomness_is_told_apart_from_seed_0(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stamp_provenance(file, configuration=None, seed=None)
        assert file.attrs["seed"] == "none"
        stamp_provenance(file, configuration=None, seed=0)
        assert file.attrs["seed"] == "0"


def test_hash_and_json(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x").startswith("ba7816bf")
    assert json.loads(as_json({"path": Path("x")})) == {"path": "x"}


def test_fields_are_found_by_name():
    assert SCHEMA.field("pose/time").unit == "s"
    with pytest.raises(KeyError):
        SCHEMA.field("none")


def test_a_file_of_any_kind_is_whole_or_absent_and_keeps_its_ending(tmp_path):
    path = tmp_path / "video.mp4"
    with new_path(path, overwrite=False) as partial:
        assert (partial.parent, partial.suffix) == (tmp_path, ".mp4")
        partial.write_bytes(b"first")
        assert not path.exists()
    with pytest.raises(InputError, match="exists already"), new_path(path, overwrite=False):
        pass

    def stopped_halfway():
        with new_path(path, overwrite=True) as partial:
            partial.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped_halfway()
    assert path.read_bytes() == b"first"
    with pytest.raises(InputError, match="could not be written"), new_path(path, overwrite=True):
        raise OSError("disk full")
    with new_path(path, overwrite=True) as partial:
        partial.write_bytes(b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_whole_or_absent_and_only_what_was_made_here_is_replaced(tmp_path):
    path = tmp_path / "made"
    with new_folder(path, {"from": Path("a.h5")}, overwrite=False) as folder:
        assert folder.parent == tmp_path
        (folder / "first").touch()
    assert json.loads((path / MADE_OF).read_text()) == {"from": "a.h5"}
    with pytest.raises(InputError, match="exists already"), new_folder(path, None, overwrite=False):
        pass

    def fail_half_way():
        with new_folder(path, None, overwrite=True) as folder:
            (folder / "half").touch()
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"made could not be written \(\[Errno 28\]"):
        fail_half_way()
    assert sorted(item.name for item in path.iterdir()) == [MADE_OF, "first"]
    with new_folder(path, None, overwrite=True) as folder:
        (folder / "second").touch()
    assert sorted(item.name for item in path.iterdir()) == [MADE_OF, "second"]
    (path / MADE_OF).unlink()
    with pytest.raises(InputError, match="was not made by an export"), new_folder(path, None, overwrite=True):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["made"]
