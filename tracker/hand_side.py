"""Whose hand it is, where a recording does not say: the one that is more surely right where the object is known.

What a wrong hand leaves unexplained is nearly as little as what the right one does: a palm fits the back of the other
hand. How much of its fingers is seen tells them apart (tracker/hand_quality.py).

In: some frames with the object's pose. Out: a side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import logit

from scene.arrays import Bytes, Floats
from scene.frame import RgbdFrame
from scene.hand_shape import Side, average_hand
from scene.progress import track as shown
from tracker.anew import object_at, with_hand_found
from tracker.grasp_views import GraspViews
from tracker.hints import with_labels
from tracker.scene_knowledge import SceneKnowledge

SIDES: tuple[Side, ...] = ("right", "left")
CLEARLY = 2.0
"""log odds, summed over the frames, by which a left hand must be surer than a right one, as most are right ones"""
LEAST, MOST = 0.02, 0.98
"""chances between which one frame counts"""


def side_seen(
    frames: Sequence[tuple[RgbdFrame, Floats]],
    knowledge: SceneKnowledge,
    points: int,
    seed: int,
    labels_of: Callable[[int], Bytes | None],
) -> Side:
    """Searches for a right and for a left hand in each frame, and sums up the log odds that each is right.

    Args:
        frames: each with camera_from_object (4, 4).
        knowledge: of the scene.
        points: observed points a hand has to explain.
        seed: of all randomness.
        labels_of: a frame's number, as hints.unlabelled.
    """
    sureness = np.zeros(len(SIDES))
    for frame, camera_from_object in shown(frames, "telling left from right"):
        known = knowledge.with_planes_of(frame)
        observation = with_labels(known.observed(frame), labels_of(frame.index))
        rng = np.random.default_rng([seed, frame.index])
        estimate = object_at(observation, camera_from_object, known, rng)
        for at, side in enumerate(SIDES):
            mine, same = known.with_shape(average_hand(side)), np.random.default_rng([seed, frame.index])
            found, _ = with_hand_found(observation, estimate, mine, (), GraspViews(), points, same)
            if np.isfinite(found.hand_certainty):  # enough of it was seen to be judged
                sureness[at] += logit(np.clip(found.hand_certainty, LEAST, MOST))
    right, left = sureness
    return "left" if left > right + CLEARLY else "right"
