"""The hand model that a user brings (--mano, --betas): checked, and as the hand that is tracked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scene.errors import InputError
from scene.hand_shape import HandShape, Side
from scene.mano.file import read_mano
from scene.mano.hand import hand_shape_of, side_of
from scene.mano.model import BETAS, ManoModel

LARGEST_BETA = 10.0
"""deviations of the population from which no hand is that differs more"""


def brought_hand(path: Path, betas: tuple[float, ...], side: Side) -> HandShape:
    """The hand of that shape, the model's mean one where there are no betas.

    Raises:
        InputError: as brought_model.
    """
    return hand_shape_of(brought_model(path, side), np.array(betas or (0.0,) * BETAS))


def brought_model(path: Path, side: Side) -> ManoModel:
    """The model in the file.

    Raises:
        InputError: it cannot be read, or is of the other hand.
    """
    model = read_mano(path)
    try:
        given = side_of(model)
    except InputError as error:
        raise InputError(f"--mano {path}: {error}") from error
    if given != side:
        raise InputError(
            f"--mano {path} must be of a {side} hand, and is of a {given} one; give MANO_{side.upper()}.pkl"
        )
    return model


def refuse_betas(mano: Path | None, betas: tuple[float, ...]) -> None:
    """Raises an InputError where betas are not those of a hand."""
    if betas and mano is None:
        raise InputError("--betas are of --mano FILE, which is not given; give both or none")
    if betas and (len(betas) != BETAS or not np.all(np.abs(betas) <= LARGEST_BETA)):
        given = " ".join(f"{beta:g}" for beta in betas)
        raise InputError(f"--betas must be {BETAS} numbers between -{LARGEST_BETA:g} and {LARGEST_BETA:g}, got {given}")
