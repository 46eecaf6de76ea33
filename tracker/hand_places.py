"""Where a bare hand may be in a frame: things of an arm's size before all that is behind them.

In: an Observation of the whole frame. Out: for each such thing, the nearest first, an Observation in which it alone is
foreground and everything else is not hand. Depth alone tells things apart; colours and labels, where there are any, say
which of them may be a hand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from scene.arrays import Booleans, Floats, Integers
from tracker.observation import Observation

JUMP = 0.015
"""metres between two neighbouring pixels that are not of one surface"""
DEEP = 0.15
"""metres behind the nearest part of a thing up to which it may be hand and forearm: behind that is a body"""
SMALLEST, LARGEST = 0.0015, 0.06
"""square metres, seen from the front, of a fist's edge and of a whole arm"""
SHADOW = 0.008
"""metres beside what was measured within which nothing is said of a pixel without a measurement"""
SPECK_PX = 100
EMPTY = 10.0
"""metres: depth of a pixel where the sensor saw nothing in its range"""


def hand_places(observation: Observation) -> list[Observation]:
    """Each thing that may be a hand with its forearm, the nearest first; none where nothing has that size."""
    depth = np.zeros(observation.foreground.shape)
    depth[observation.foreground] = observation.points[:, 2]
    emptied = _with_empty_space(observation)
    found = []
    for thing in pieces(depth):
        near = np.where(thing & (depth < nearest(depth[thing]) + DEEP), depth, 0.0)
        found += [place for blob in pieces(near) for place in _hands_of(emptied, blob)]
    return sorted(found, key=lambda place: nearest(place.points[place.hand_points, 2]))


def nearest(depths: Floats) -> float:
    """(N,) metres, N > 0 -> of the nearest part, a few wrong pixels aside."""
    return float(np.quantile(depths, 0.02))


def _hands_of(observation: Observation, blob: Booleans) -> list[Observation]:
    """The blob as an arm: once for each piece of it that is hand-coloured and far enough from where the arm comes."""
    alone = _alone(observation, blob)
    if not SMALLEST < alone.area(np.ones(len(alone.points), bool)) < LARGEST:
        return []
    ends = np.zeros(blob.shape)
    ends[blob] = np.where(alone.hand_points, alone.points[:, 2], 0.0)
    hands = []
    for end in pieces(ends):
        hand = replace(alone, hand_chance=np.where(end | (ends == 0), alone.hand_chance, 0.0).astype(np.float32))
        if hand.area(hand.hand_points) > SMALLEST:
            hands.append(hand)
    return hands


def _with_empty_space(observation: Observation) -> Observation:
    """Where nothing is measured, and not merely beside what is, the sensor saw that nothing is there."""
    depth = observation.depth
    unmeasured = depth <= 0
    if unmeasured.all():
        return observation
    away_px, at = distance_transform_edt(unmeasured, return_indices=True)
    beside_px = SHADOW * observation.camera.fx / depth[tuple(at)]
    return replace(observation, depth=np.where(away_px > beside_px, EMPTY, depth).astype(np.float32))


def _alone(observation: Observation, blob: Booleans) -> Observation:
    """With the blob as foreground."""
    return replace(
        observation,
        hand_chance=np.where(blob, observation.hand_chance, 0.0).astype(np.float32),
        foreground=blob,
        points=observation.points[blob[observation.foreground]],
        lone=True,
    )


def pieces(depth: Floats) -> list[Booleans]:
    """(H, W) metres, 0 = nothing -> (H, W) masks of its surfaces, but for mere specks.

    Neighbouring pixels are of one surface where depth does not jump between them.
    """
    seen = depth > 0
    count = int(seen.sum())
    numbers = np.full(depth.shape, -1)
    numbers[seen] = np.arange(count)
    links = [_links(depth[:, :-1], depth[:, 1:], numbers[:, :-1], numbers[:, 1:])]
    links += [_links(depth[:-1], depth[1:], numbers[:-1], numbers[1:])]
    first, second = (np.concatenate([link[side] for link in links]) for side in (0, 1))
    graph = coo_matrix((np.ones(len(first), bool), (first, second)), shape=(count, count))
    numbers[seen] = connected_components(graph, directed=False)[1]
    sizes = np.bincount(numbers[seen], minlength=1)
    return [numbers == piece for piece in np.flatnonzero(sizes >= SPECK_PX)]


def _links(first: Floats, second: Floats, pixels: Integers, others: Integers) -> tuple[Integers, Integers]:
    near = (first > 0) & (second > 0) & (np.abs(first - second) < JUMP)
    return pixels[near], others[near]
