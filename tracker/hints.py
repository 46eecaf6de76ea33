"""What a user knows already: the object's pose in the first frame, and which pixels are whose.

In: a file with 4 x 4 numbers; a session's labels. Out: camera_from_object; an observation that heeds the labels.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from recorder.session import HAND_LABEL, NOT_LABELLED, OBJECT_LABEL
from scene.arrays import Bytes, Floats
from scene.errors import InputError
from scene.transforms import rigid
from tracker.observation import Observation

FARTHEST = 5.0
"""metres: a translation beyond it is in another unit"""


def unlabelled(_: int) -> Bytes | None:
    """The labels of any frame of a session that has none."""
    return None


def with_labels(observation: Observation, labels: Bytes | None) -> Observation:
    """The observation with the session's labels (H, W) in place of what colours say; as it is where there are none."""
    if labels is None or (labels == NOT_LABELLED).all():
        return observation
    told = labels != NOT_LABELLED
    chances = (
        np.where(told, labels == label, chance).astype(np.float32)
        for label, chance in ((OBJECT_LABEL, observation.object_chance), (HAND_LABEL, observation.hand_chance))
    )
    object_chance, hand_chance = chances
    return replace(observation, object_chance=object_chance, hand_chance=hand_chance)


def read_pose(path: Path) -> Floats:
    """(4, 4) camera_from_object of a text file, .npy or .json, in metres.

    Raises:
        InputError: a file that does not hold a rigid transform in metres, before the camera.
    """
    try:
        numbers = _read_numbers(path)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"--initial-pose {path} must hold 4 x 4 numbers and cannot be read ({error})") from error
    if numbers.shape != (4, 4) or not np.isfinite(numbers).all():
        raise InputError(f"--initial-pose {path} must hold 4 x 4 finite numbers, holds {numbers.shape}")
    rotation, translation = numbers[:3, :3], numbers[:3, 3]
    proper = np.allclose(rotation @ rotation.T, np.eye(3), atol=0.01) and np.linalg.det(rotation) > 0
    if not proper or not np.allclose(numbers[3], [0, 0, 0, 1]):
        raise InputError(
            f"--initial-pose {path} must be a rotation and a translation above the row 0 0 0 1, and is not; "
            "give camera_from_object, row by row"
        )
    if not 0 < translation[2] < FARTHEST:
        raise InputError(
            f"--initial-pose {path} must place the object before the camera in metres, z is {translation[2]:g}; "
            "the camera looks along +z"
        )
    left, _, right = np.linalg.svd(rotation)  # written with few digits, a rotation is one only nearly
    return rigid(left @ right, translation)


def _read_numbers(path: Path) -> Floats:
    if path.suffix == ".npy":
        return np.asarray(np.load(path, allow_pickle=False), float)
    if path.suffix == ".json":
        return np.array(json.loads(path.read_text(encoding="utf-8")), float)
    return np.loadtxt(path, delimiter="," if "," in path.read_text(encoding="utf-8") else None)
