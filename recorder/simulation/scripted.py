"""Scripted motions, one kind at a time and the same at every seed: turns about each axis, shaking, leaving the view.

In: a name, a speed, a time. Out: where the hand and its arm are. In all of them hand, arm and object move as one body,
which begins with the palm, and so the object, turned to the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recorder.simulation.motion import MIDDLE_DEPTH, PACE, Motion, Speed, along
from scene.arrays import Floats
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid

MotionName = Literal["random", "turn-x", "turn-y", "turn-z", "shake", "leave-and-return"]
Placement = tuple[Floats, Floats]
"""(3,) rotation vector in radians and (3,) metres, camera frame: how far the held object has turned and moved"""

TURN_S = 8.0
"""seconds of a whole turn at slow speed: 1.5 degrees a frame at 30 frames a second"""
SHAKE_HZ, SHAKE_REACH, SHAKE_TURN = (2.0, 1.4, 1.7), (0.030, 0.020), 0.25
"""of to and fro, up and down and turning; metres of the first two, radians of the last"""
CYCLE_S = (2.5, 3.2, 4.8, 5.5, 6.5)
"""seconds: in view, leaving, away, returning, in view until the cycle begins again"""
AWAY = 0.75
"""metres that hand and object are drawn back along the arm, where no part of them is in view"""
AXES = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}
FROM_BELOW = np.array([0.36, 0.93, 0.0]) / np.hypot(0.36, 0.93)
"""direction in which an arm leaves the hand that comes in from the lower right"""


@dataclass(frozen=True)
class Scripted:
    """A motion that follows a script."""

    arm_direction: Floats
    """(3,) unit vector in which the arm leaves the hand at the beginning, camera frame"""
    placed: Callable[[float], Placement]
    """seconds at slow speed -> where the object is"""
    pace: float
    """how many such seconds pass in one"""

    def arm(self, time_s: float) -> Floats:
        """(3,) unit vector in which the arm leaves the hand, camera frame."""
        turned, _ = self.placed(time_s * self.pace)
        direction: Floats = matrix_from_rotation_vector(turned) @ self.arm_direction
        return direction

    def camera_from_hand(self, time_s: float, held_hand: Floats) -> Floats:
        """(4, 4) at a time. `held_hand`: (3,) metres, hand frame, the point about which all turns."""
        turned, moved = self.placed(time_s * self.pace)
        rotation = matrix_from_rotation_vector(turned) @ along(-self.arm_direction)
        return rigid(rotation, np.array([0, 0, MIDDLE_DEPTH]) + moved - rotation @ held_hand)


def chosen_motion(name: MotionName, speed: Speed, rng: np.random.Generator) -> Motion | Scripted:
    """The motion of that name; `rng` decides the random one alone."""
    if name == "random":
        return Motion.random(rng, speed)
    arm_direction, placed = SCRIPTS[name]
    return Scripted(arm_direction, placed, PACE[speed])


def _turning(axis: Floats) -> Callable[[float], Placement]:
    return lambda time_s: (2 * np.pi * time_s / TURN_S * axis, np.zeros(3))


def _shaken(time_s: float) -> Placement:
    across, up, turn = np.sin(2 * np.pi * time_s * np.array(SHAKE_HZ))
    return SHAKE_TURN * turn * FROM_BELOW, np.array([SHAKE_REACH[0] * across, SHAKE_REACH[1] * up, 0])


def _leaving(time_s: float) -> Placement:
    """Turns about the arm all the time, so that it returns with another side."""
    part = np.interp(time_s % CYCLE_S[-1], (0, *CYCLE_S), (0, 0, 1, 1, 0, 0))
    smooth = part**2 * (3 - 2 * part)
    return 2 * np.pi * time_s / (2 * TURN_S) * FROM_BELOW, AWAY * smooth * FROM_BELOW


SCRIPTS: dict[str, tuple[Floats, Callable[[float], Placement]]] = {
    "turn-x": (AXES["x"], _turning(AXES["x"])),
    "turn-y": (AXES["y"], _turning(AXES["y"])),
    "turn-z": (FROM_BELOW, _turning(AXES["z"])),
    "shake": (FROM_BELOW, _shaken),
    "leave-and-return": (FROM_BELOW, _leaving),
}
"""name -> direction of the arm at the beginning, and the script; about x and y the arm lies along the axis, so that it
stays out of the way"""
