"""The file of a MANO model that a user brings: MANO_RIGHT.pkl or MANO_LEFT.pkl as published, or an .npz of its arrays.

The published file is a pickle of Python 2 with objects of chumpy and scipy in it. Neither package is called: stand-ins
keep what was pickled of them, numpy makes arrays of that, and nothing in the file is run. The same file with chumpy's
objects replaced by arrays, as several projects hand it on, is read, too.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from scene.arrays import Floats
from scene.errors import InputError
from scene.mano.model import BETAS, BONES, PARENTS, ManoModel
from scene.pickles import ARRAYS, unpickled

SHAPES = {
    "v_template": (778, 3),
    "shapedirs": (778, 3, BETAS),
    "posedirs": (778, 3, 9 * (BONES - 1)),
    "J_regressor": (BONES, 778),
    "weights": (778, BONES),
    "hands_mean": (3 * (BONES - 1),),
    "kintree_table": (2, BONES),
}
LARGEST_BYTES = 100 << 20
"""of the file, and of all that an .npz unpacks to; the published ones have 4 MB"""
SHORTEST, LONGEST = 0.05, 0.15
"""metres from the wrist to the middle finger's knuckle; beyond them the file is in another unit"""


class _Kept:
    """In place of an object of chumpy or scipy: its class and what was pickled of it."""

    kind = ""
    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _kept(kind: str) -> type[_Kept]:
    return type(kind, (_Kept,), {"kind": kind})


HARMLESS = {
    **ARRAYS,
    ("chumpy.ch", "Ch"): _kept("Ch"),
    ("chumpy.reordering", "Select"): _kept("Select"),
    **{(f"scipy.sparse.{module}", "csc_matrix"): _kept("csc_matrix") for module in ("csc", "_csc")},
    **{(module, "set"): set for module in ("__builtin__", "builtins")},
}


def read_mano(path: Path) -> ManoModel:
    """The model in a file.

    Raises:
        InputError: it is missing, is something else, or asks for more than arrays.
    """
    refuse_missing(path)
    if path.stat().st_size > LARGEST_BYTES:
        raise InputError(f"--mano {path} must be a MANO model, and has {path.stat().st_size >> 20} MB; give another")
    try:
        table = _read_npz(path) if zipfile.is_zipfile(path) else _read_pickle(path)
        arrays = {name: as_array(table[name]) for name in SHAPES}
    except InputError as error:
        raise InputError(f"--mano {path}: {error}") from error
    except KeyError as error:
        raise InputError(f"--mano {path} must hold {', '.join(SHAPES)} and lacks {error}; download it again") from error
    except Exception as error:  # a damaged pickle raises whatever the step it broke in raises
        raise InputError(f"--mano {path} cannot be read as a MANO model ({error}); download it again") from error
    _check(path, arrays)
    return _model(path, arrays)


def refuse_missing(path: Path) -> None:
    """Raises an InputError that says where the file comes from, where it is not there."""
    if not path.is_file():
        raise InputError(
            f"--mano {path} does not exist; register at mano.is.tue.mpg.de, download the model and give its "
            "MANO_RIGHT.pkl or MANO_LEFT.pkl"
        )


def as_array(value: Any) -> Floats:
    """What was pickled -> its numbers: chumpy's Ch is the array x, its Select some of another's entries."""
    if not isinstance(value, _Kept):
        return np.asarray(value, float)
    state = value.state
    if value.kind == "Ch":
        return np.asarray(state["x"], float)
    if value.kind == "Select":
        selected = as_array(state["a"]).ravel()[np.asarray(state["idxs"], int)]
        return np.reshape(selected, state["preferred_shape"])
    return _dense(state)


def _dense(state: dict[str, Any]) -> Floats:
    """Of a matrix in compressed sparse columns."""
    dense = np.zeros(state["_shape"])
    columns = np.repeat(np.arange(dense.shape[1]), np.diff(state["indptr"]))
    np.add.at(dense, (np.asarray(state["indices"]), columns), np.asarray(state["data"], float))
    return dense


def _read_pickle(path: Path) -> Any:
    return unpickled(path.read_bytes(), "a MANO model holds arrays alone", HARMLESS)


def _read_npz(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
    if size > LARGEST_BYTES:
        raise InputError(f"a MANO model has 4 MB, this one unpacks to {size >> 20} MB; give another")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in SHAPES if name in arrays}


def _check(path: Path, arrays: dict[str, Floats]) -> None:
    wrong = [f"{name} {arrays[name].shape}" for name, shape in SHAPES.items() if arrays[name].shape != shape]
    if wrong:
        raise InputError(
            f"--mano {path} must be of 778 vertices, 16 joints and {BETAS} shapes, and has {', '.join(wrong)}; "
            "give MANO_RIGHT.pkl or MANO_LEFT.pkl"
        )
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise InputError(f"--mano {path} must hold finite numbers, and has NaN or infinite ones; download it again")
    if tuple(arrays["kintree_table"][0, 1:].astype(int)) != PARENTS[1:]:
        raise InputError(f"--mano {path} must have the joints of a MANO hand, and has others; give MANO_RIGHT.pkl")


def _model(path: Path, arrays: dict[str, Floats]) -> ManoModel:
    wrist_and_knuckle = arrays["J_regressor"][[0, 4]] @ arrays["v_template"]
    length = float(np.linalg.norm(np.diff(wrist_and_knuckle, axis=0)))
    if not SHORTEST < length < LONGEST:
        raise InputError(f"--mano {path} must be in metres, and its palm is {length:.3g} long; give it as published")
    return ManoModel(
        template=arrays["v_template"],
        shape_directions=arrays["shapedirs"],
        pose_directions=arrays["posedirs"],
        joint_regressor=arrays["J_regressor"],
        weights=arrays["weights"],
        hands_mean=arrays["hands_mean"],
    )
