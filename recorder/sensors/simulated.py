"""A sensor that needs no hardware: a drawn hand turns an object over a table, with a depth camera's noise.

Everything follows from the seed, and a frame from the seed and its index alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.config import OcclusionName
from recorder.session import HandSide, SensorFrame
from recorder.simulation.motion import Speed
from recorder.simulation.scripted import MotionName
from scene.arrays import Floats
from scene.camera import Camera
from scene.drawing import Drawer, DrawerName, open_drawer
from scene.files import as_json
from scene.noise import MODELS, READ_SD, SHOT_SD_AT_WHITE, NoiseName, noisy_color, noisy_depth
from scene.object_model import ObjectModel

CAMERA = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
"""the usual numbers of a PrimeSense camera"""
DEFAULT_FRAMES = 240


@dataclass(frozen=True)
class Simulation:
    """What is simulated."""

    hand_side: HandSide = "right"
    motion: MotionName = "random"
    speed: Speed = "slow"
    noise: NoiseName = "structured-light"
    drawer: DrawerName = "auto"
    depth_scale: float = 0.001
    """metres a count"""
    frames_per_s: float = 30.0
    frames: int | None = DEFAULT_FRAMES
    """None = without end"""
    seed: int = 0
    occlusion: OcclusionName | None = None
    """None = the hand rolls so far that the object shows all sides"""


class SimulatedSensor:
    """Draws a World frame by frame."""

    name = "simulated"
    camera = CAMERA
    object_model: ObjectModel | None = None
    hand_side: HandSide | None = None

    def __init__(self, model: ObjectModel, simulation: Simulation) -> None:
        self.simulation, self.model = simulation, model
        self.serial = f"seed-{simulation.seed}"
        self.depth_scale, self.total = simulation.depth_scale, simulation.frames
        self._drawer: Drawer | None = None
        self.hand_side = simulation.hand_side
        self.notes = as_json({"plan": asdict(simulation), **noise_constants(simulation.noise)})

    def __enter__(self) -> SimulatedSensor:
        from recorder.simulation.occlusion import turned_to  # late: they need open3d
        from recorder.simulation.world import World

        plan = self.simulation
        self._drawer = open_drawer(plan.drawer)
        rng = np.random.default_rng(plan.seed)
        world = World.build(self.model, plan.hand_side, plan.speed, self.camera, self._drawer, rng, motion=plan.motion)
        self._world = world if plan.occlusion is None else turned_to(world, plan.occlusion)
        return self

    def __exit__(self, *raised: object) -> None:
        if self._drawer is not None:
            self._drawer.close()

    def frames(self) -> Iterator[SensorFrame]:
        """As many as were asked for."""
        indices = itertools.count() if self.total is None else range(self.total)
        return map(self.frame, indices)

    def frame(self, index: int) -> SensorFrame:
        """The frame at `index`, from 0, whichever were asked for before."""
        time_s = index / self.simulation.frames_per_s
        drawing, truth = self._world.at(time_s)
        rng = np.random.default_rng((self.simulation.seed, index))
        depth = noisy_depth(drawing.depth, self.camera, rng, self.simulation.noise)
        color = drawing.color if self.simulation.noise == "none" else noisy_color(drawing.color, rng)
        return SensorFrame(color, as_counts(depth, self.depth_scale), time_s, truth=truth)


def noise_constants(noise: NoiseName) -> dict[str, dict[str, Any] | None]:
    """Of a model's depth and colour, for the file; None where there is no noise."""
    depth = MODELS[noise]
    if depth is None:
        return {"depth_noise": None, "color_noise": None}
    return {
        "depth_noise": asdict(depth),
        "color_noise": {"read_sd": READ_SD, "shot_sd_at_white": SHOT_SD_AT_WHITE},
    }


def as_counts(depth: Floats, depth_scale: float) -> NDArray[np.uint16]:
    """(height, width) metres -> counts, to the nearest; what a count cannot hold becomes 0, no measurement."""
    counts = np.rint(depth / depth_scale)
    return np.where(counts <= np.iinfo(np.uint16).max, counts, 0).astype(np.uint16)
