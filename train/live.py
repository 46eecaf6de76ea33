"""Poses while a sensor runs: each frame is cut about one place of the picture, asked about, and told at once.

In: a sensor as the recorder opens it. Out: crops and poses, until so many frames, the source's end or Ctrl-C. The only
file of this package that knows sensors; where the object is in a picture is told by a pixel, as no tracker runs here.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np

from recorder.capture import chosen_object, stopping_signals
from recorder.config import BuiltInName, CaptureConfig
from recorder.sensors import open_sensor
from recorder.sensors.base import Sensor
from recorder.session import SensorFrame
from scene.errors import InputError
from train.config import Predict
from train.estimates import PoseEstimate, estimated
from train.model import Model, Settings
from train.one_image import for_one_image
from train.queries import color_query
from train.query import Query, center_behind, cut_query


def live(config: Predict, model: Model, say: Callable[[str], None] = print) -> tuple[list[Query], list[PoseEstimate]]:
    """Asks about each frame of a sensor as it comes.

    Args:
        config: names the sensor, and the pixel (of the picture's middle where it does not).
        model: a finished run's.
        say: takes a line for each frame.

    Raises:
        InputError: no frame had depth about the pixel, or the network is of an object that cannot be simulated.
    """
    queries: list[Query] = []
    poses: list[PoseEstimate] = []
    capture = _capture(config, model.settings)
    model = replace(model, network=for_one_image(model.network))
    with open_sensor(capture, chosen_object(capture)) as sensor, stopping_signals():
        try:
            for index, frame in enumerate(itertools.islice(sensor.frames(), config.frames)):
                began = time.perf_counter()
                query = _query(index, frame, sensor, config, model.settings)
                if query is None:
                    say(f"frame {index}: nothing measured about the pixel")
                    continue
                pose = estimated(model, [query])[0]
                queries.append(query)
                poses.append(pose)
                say(_line(pose, time.perf_counter() - began))
        except KeyboardInterrupt:
            say("stopped")
    if not poses:
        raise InputError(
            f"there must be depth about --at in some frame of sensor {sensor.name} and there was none; hold the object "
            "there, or give another pixel"
        )
    return queries, poses


def _capture(config: Predict, settings: Settings) -> CaptureConfig:
    """What the recorder would be told; the simulated hand takes the object that the network knows."""
    assert config.sensor is not None
    if config.sensor != "simulated":
        return CaptureConfig(sensor=config.sensor, source=config.source)
    if settings.object not in get_args(BuiltInName):
        raise InputError(
            f"the simulated sensor shows {', '.join(get_args(BuiltInName))}, and this network was trained on "
            f"{settings.object}; give another run or --sensor"
        )
    return CaptureConfig(
        sensor="simulated", source=config.source, object=settings.object, seed=config.seed, frames=config.frames
    )


def _query(index: int, frame: SensorFrame, sensor: Sensor, config: Predict, settings: Settings) -> Query | None:
    name = f"frame {index}"
    if frame.color is None:
        raise InputError(f"the network must see colour, and {sensor.serial} is depth alone; give another --source")
    if settings.channels == 3:
        return color_query(name, frame.color, config.crop, settings)
    camera, depth = sensor.camera, frame.depth_counts.astype(np.float32) * np.float32(sensor.depth_scale)
    at = config.at or (camera.width // 2, camera.height // 2)
    center = center_behind(*at, depth, camera, settings.diameter)
    return None if center is None else cut_query(name, frame.color, depth, camera, center, settings)


def _line(pose: PoseEstimate, seconds: float) -> str:
    w, x, y, z = pose.as_json()["quaternion_wxyz"]
    return (
        f"{pose.name}: quaternion wxyz {w:+.3f} {x:+.3f} {y:+.3f} {z:+.3f}, confidence {pose.confidence:.2f}, "
        f"{1000 * seconds:.0f} ms"
    )
