"""How much each term of the objective counts, and from where on a difference is large."""

from __future__ import annotations

from typing import NamedTuple

FINE_POINTS, FINE_SCALE = 2.0, 0.4
"""by which the term `points` counts more, and its scale is shorter, once an object is about right"""


class Weights(NamedTuple):
    """How much each term counts, and the scales of its residuals."""

    points: float = 1.6
    object: float = 1.0
    color: float = 0.8
    hand: float = 0.7
    contact: float = 0.3
    prior: float = 0.05
    points_scale: float = 0.012
    """metres"""
    gap_scale: float = 0.008
    """metres"""
    color_scale: float = 0.25
    """of a colour feature's difference"""
    label_cost: float = 0.015
    """metres of distance that a colour which speaks wholly for another body is worth"""
    contact_scale: float = 0.006
    """metres"""
    fingers: float = 0.01
    """of the overlap of each two fingers"""
    flesh_yields: float = 0.003
    """metres by which the flesh of two fingers gives way"""
    gain_reach: float = 0.12
    """most that the light's gain may shift a colour feature"""
    palest: float = 0.5
    """least saturation of the sensor's colours as a share of the mesh's"""
    hidden: float = 0.35
    """most that a hidden sample costs"""
    unmeasured: float = 0.15
    """price of a sample where the sensor measured nothing: less, because steep surfaces are rarely measured"""
    under_hand: float = 0.75
    """share of that price which is let off under what looks like a hand"""
    prior_scale: float = 0.5
    """radians"""
    forearm_cost: float = 0.004
    """metres of distance that a point behind the wrist is worth: the hand model says nothing of forearms"""
    grasp: float = 0.1
    grasp_scale: float = 0.04
    """metres from the object's surface to a finger tip"""
    arm: float = 0.5
    least_along: float = 0.2
    """cosine between the hand's x axis and the way the arm comes, below which a wrist does not bend"""
    support: float = 8.0
    """points, by weight, below which a hypothesis is charged for those that are missing"""
    around: float = 1.1
    """of the object's reach: as far about it points are its own to explain, where no hand explains them"""


def weights_for(diameter: float, *, colored: bool) -> Weights:
    """Distances that fit the object's size: what is a fair miss for a mug would hide a belt buckle's orientation.

    Args:
        diameter: of the object, metres.
        colored: whether its mesh has colours.
    """
    return Weights(
        points_scale=min(max(0.08 * diameter, 0.005), 0.012),
        gap_scale=min(max(0.055 * diameter, 0.004), 0.008),
        color=0.8 if colored else 0.2,
    )


def fine(weights: Weights, by: float = 1.0) -> Weights:
    """For an object that is about right: of a mesh and thousands of points more may be asked than while searching.

    The lowest pose is nearer to the true one for it and fewer starts lead there: benchmarks/object_accuracy.py.

    Args:
        weights: of a search.
        by: 0 leaves them as they are, 0.5 goes half the way.
    """
    return weights._replace(points=FINE_POINTS**by * weights.points, points_scale=FINE_SCALE**by * weights.points_scale)
