"""How much of the object the simulated hand hides: the arm is turned until the object shows as much as asked.

A hand hides an object with its back turned to the camera and shows it with its palm; how much of it depends on hand,
grasp and object, so it is tried out with drawings of low resolution.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recorder.config import OcclusionName
from recorder.simulation.motion import Motion
from recorder.simulation.world import World

VISIBLE: dict[OcclusionName, float] = {"light": 0.8, "medium": 0.5, "heavy": 0.25}
"""part of the object that shows on average, as near as hand and grasp allow"""
ROLL_REACH = 0.7
"""radians that the hand rolls to either side of its middle; the reach without a wish would show all sides"""
TRIED, TIMES_S = 16, (0.0, 1.6, 3.7, 6.1)
SMALL = (160, 120)
"""pixels of the drawings that are tried"""


def turned_to(world: World, occlusion: OcclusionName) -> World:
    """The world whose hand, which moves at random, is turned so that the object shows as VISIBLE says."""
    assert isinstance(world.motion, Motion)
    rolls = np.linspace(-np.pi, np.pi, TRIED, endpoint=False)
    motions = [replace(world.motion, first_roll=float(roll), roll_reach=ROLL_REACH) for roll in rolls]
    worlds = [replace(world, motion=motion) for motion in motions]
    away = [abs(visible_part(candidate) - VISIBLE[occlusion]) for candidate in worlds]
    return worlds[int(np.argmin(away))]


def visible_part(world: World) -> float:
    """Visible / amodal pixels of the object, mean over TIMES_S."""
    camera = world.camera.resized(*SMALL)
    return float(np.mean([world.object_visibility(time_s, camera) for time_s in TIMES_S]))
