"""The file that a user brings: as published, without chumpy, as .npz; and what is refused."""

import os
import pickle
import zipfile

import numpy as np
import pytest

from scene.errors import InputError
from scene.mano import file as mano_file
from scene.mano.file import read_mano
from tests.scene.mano_stand_in import published, python_2_pickle, stand_in, write_npz, write_pickle


@pytest.fixture(scope="module")
def arrays():
    return stand_in()


def expected(arrays):
    names = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "hands_mean")
    return [arrays[name] for name in names]


def assert_read(path, arrays):
    for found, wanted in zip(vars(read_mano(path)).values(), expected(arrays), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_published_pickle_is_read_without_chumpy(arrays, tmp_path):
    path = write_pickle(tmp_path / "MANO_RIGHT.pkl", arrays)
    content = path.read_bytes()
    for name in (b"chumpy.ch", b"chumpy.reordering", b"scipy.sparse.csc", b"numpy.core.multiarray", b"__builtin__"):
        assert b"c" + name + b"\n" in content
    assert_read(path, arrays)


def test_an_npz_of_the_arrays_is_read(arrays, tmp_path):
    assert_read(write_npz(tmp_path / "m.npz", arrays), arrays)


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_pickle_of_python_3_whose_chumpy_was_taken_out_is_read(arrays, tmp_path, protocol):
    plain = {**published(arrays), "shapedirs": arrays["shapedirs"], "v_template": arrays["v_template"]}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(plain, protocol=protocol))
    assert_read(tmp_path / "m.pkl", arrays)


class Hostile:
    def __reduce__(self):
        return os.system, ("echo harm",)


@pytest.mark.parametrize("where", ["whole", "inside", "python 2"])
def test_a_pickle_is_never_run(arrays, tmp_path, capfd, where):
    value = Hostile() if where == "whole" else {**published(arrays), "bs_style": Hostile()}
    content = python_2_pickle(value) if where != "whole" else pickle.dumps(value)
    (tmp_path / "m.pkl").write_bytes(content)
    with pytest.raises(
        InputError, match=r"m.pkl: a MANO model holds arrays alone, this one wants .*system: do not use"
    ):
        read_mano(tmp_path / "m.pkl")
    assert "harm" not in capfd.readouterr().out


def changed(arrays, **others):
    return {**arrays, **others}


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


REFUSED = {
    "lacks 'posedirs'; download it again": lambda arrays: without(arrays, "posedirs"),
    r"of 778 vertices, 16 joints and 10 shapes, and has shapedirs \(778, 3, 20\); give MANO_RIGHT.pkl": lambda arrays: (
        changed(arrays, shapedirs=np.ones((778, 3, 20)))
    ),
    "must hold finite numbers, and has NaN": lambda arrays: changed(arrays, weights=arrays["weights"] * np.nan),
    "must be in metres, and its palm is 89": lambda arrays: changed(arrays, v_template=arrays["v_template"] * 1000),
    "must have the joints of a MANO hand, and has others": lambda arrays: changed(
        arrays, kintree_table=arrays["kintree_table"][:, ::-1]
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_no_hand_is_refused(arrays, tmp_path, sentence):
    wrong = REFUSED[sentence](arrays)
    (tmp_path / "m.pkl").write_bytes(python_2_pickle(wrong))
    for path in (write_npz(tmp_path / "m.npz", wrong), tmp_path / "m.pkl"):
        with pytest.raises(InputError, match=sentence):
            read_mano(path)


def test_a_missing_file_is_said_where_to_get(tmp_path):
    with pytest.raises(InputError, match=r"MANO_RIGHT.pkl does not exist; register at mano.is.tue.mpg.de"):
        read_mano(tmp_path / "MANO_RIGHT.pkl")


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x02}q", pickle.dumps([1, 2])])
def test_what_is_damaged_is_said(tmp_path, content):
    (tmp_path / "m.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"m.pkl cannot be read as a MANO model .*download it again"):
        read_mano(tmp_path / "m.pkl")


def test_an_npz_with_pickles_in_it_is_not_loaded(arrays, tmp_path, capfd):
    write_npz(tmp_path / "m.npz", changed(arrays, weights=np.array([Hostile()])))
    with pytest.raises(InputError, match="cannot be read as a MANO model"):
        read_mano(tmp_path / "m.npz")
    assert "harm" not in capfd.readouterr().out


def test_a_file_that_is_far_too_large_is_not_read(arrays, tmp_path, monkeypatch):
    monkeypatch.setattr(mano_file, "LARGEST_BYTES", 3 << 20)
    (tmp_path / "m.pkl").write_bytes(bytes(4 << 20))
    with pytest.raises(InputError, match="must be a MANO model, and has 4 MB; give another"):
        read_mano(tmp_path / "m.pkl")
    with zipfile.ZipFile(tmp_path / "m.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("v_template.npy", bytes(5 << 20))
    with pytest.raises(InputError, match="this one unpacks to 5 MB; give another"):
        read_mano(tmp_path / "m.npz")
