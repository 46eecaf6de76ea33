"""How the hand moves: smooth, random, without end, a pure function of time once it is drawn.

The arm comes in from one side and keeps its direction but for a little swaying; the wrist bends and the whole hand
rolls about the arm, so that the object shows all sides, now before and now behind the fingers. It begins with the palm,
and so the object, turned to the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scene.arrays import Floats
from scene.rotations import matrix_from_rotation_vector
from scene.transforms import rigid

Speed = Literal["slow", "fast"]
PACE: dict[Speed, float] = {"slow": 1.0, "fast": 2.8}
"""factor on every frequency; at 30 frames a second slow turns about 2 degrees between frames, fast about 6"""

CHANNELS = ("roll", "bend_y", "bend_z", "x", "y", "depth", "sway_x", "sway_z")
REACH = (2.2, 0.60, 0.50, 0.17, 0.12, 0.15, 0.12, 0.10)
"""largest excursion: radians of roll and bends, tangent of the viewing angle of x and y, metres of depth, radians"""
FREQUENCY_HZ = (0.075, 0.11, 0.10, 0.07, 0.08, 0.06, 0.05, 0.05)
MIDDLE_DEPTH = 0.57
"""metres from the camera to the object, about which depth varies"""
ARM_DIRECTIONS = ((0.35, 0.90, -0.12), (-0.35, 0.90, -0.12), (0.85, 0.50, 0.05), (-0.85, 0.50, 0.05))
"""in which the arm leaves the hand, camera frame: down to the right, down to the left, right, left"""


@dataclass(frozen=True)
class Motion:
    """Two waves a channel, as CHANNELS."""

    frequency_hz: Floats
    """(2, 8)"""
    phase: Floats
    """(2, 8) radians"""
    arm_direction: Floats
    """(3,) unit vector, camera frame"""
    first_roll: float
    """radians at which the roll is in its middle; 0 = the palm faces the camera"""
    roll_reach: float = REACH[0]
    """radians, largest excursion of the roll"""

    @staticmethod
    def random(rng: np.random.Generator, speed: Speed = "slow") -> Motion:
        """Draws a motion."""
        frequency = np.array(FREQUENCY_HZ) * PACE[speed] * rng.uniform(0.8, 1.25, (2, 8)) * [[1.0], [1.9]]
        direction = np.array(ARM_DIRECTIONS[rng.integers(len(ARM_DIRECTIONS))]) + rng.normal(0, 0.05, 3)
        direction /= np.linalg.norm(direction)
        phase = rng.uniform(0, 2 * np.pi, (2, 8))
        phase[:, CHANNELS.index("roll")] = np.pi * rng.integers(2)  # the roll starts in its middle
        return Motion(frequency, phase, direction, float(rng.normal(0, 0.4)))

    def excursions(self, time_s: float) -> dict[str, float]:
        """Each channel at a time, within its REACH."""
        waves = np.sin(2 * np.pi * self.frequency_hz * time_s + self.phase)
        return dict(zip(CHANNELS, (waves.T @ (0.72, 0.28)) * (self.roll_reach, *REACH[1:]), strict=True))

    def arm(self, time_s: float) -> Floats:
        """(3,) unit vector in which the arm leaves the hand, camera frame."""
        now = self.excursions(time_s)
        direction: Floats = (
            matrix_from_rotation_vector(np.array([now["sway_x"], 0, now["sway_z"]])) @ self.arm_direction
        )
        return direction

    def camera_from_hand(self, time_s: float, held_hand: Floats) -> Floats:
        """(4, 4) at a time. `held_hand`: (3,) metres, hand frame, the point that follows the path of x, y and depth."""
        now = self.excursions(time_s)
        bend = matrix_from_rotation_vector(np.array([0, now["bend_y"], 0])) @ matrix_from_rotation_vector(
            np.array([0, 0, now["bend_z"]])
        )
        roll = matrix_from_rotation_vector(np.array([self.first_roll + now["roll"], 0, 0]))
        rotation = along(-self.arm(time_s)) @ roll @ bend
        depth = MIDDLE_DEPTH + now["depth"]
        held_camera = np.array([now["x"] * depth, now["y"] * depth, depth])
        return rigid(rotation, held_camera - rotation @ held_hand)


def along(x_axis: Floats) -> Floats:
    """(3, 3) rotation whose first column is the given unit vector and whose third lies in the image plane."""
    z_axis: Floats = np.cross(x_axis, (0.0, 0.0, 1.0))
    z_axis = z_axis / np.linalg.norm(z_axis)
    return np.stack([x_axis, np.cross(z_axis, x_axis), z_axis], axis=1)
