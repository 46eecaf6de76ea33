"""The capture: from a sensor to a session file, until the source ends, enough frames are there, or Ctrl-C."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from recorder.config import BuiltInName, CaptureConfig
from recorder.sensors import open_sensor
from recorder.sensors.base import Sensor
from recorder.session import SessionHeader, SessionWriter
from recorder.status import shown
from scene.errors import SensorError
from scene.files import refuse_existing
from scene.object_model import ObjectModel, load_object


@dataclass(frozen=True)
class Captured:
    """What became of a capture."""

    frames: int
    """in the file"""
    stopped: bool
    """by Ctrl-C"""
    has_object: bool
    """without one no later stage can track"""


def capture(config: CaptureConfig, model: ObjectModel | None) -> Captured:
    """Records config.output; Ctrl-C ends it like any other end."""
    refuse_existing(config.output, overwrite=config.overwrite)
    with open_sensor(config, model) as sensor:
        header = SessionHeader(
            sensor.camera,
            sensor.depth_scale,
            sensor.name,
            sensor.serial,
            hand_side=config.hand or sensor.hand_side or "right",
            object_model=model or sensor.object_model,
            notes=sensor.notes,
        )
        writer = SessionWriter(
            config.output,
            header,
            configuration=config,
            seed=config.seed if config.sensor == "simulated" else None,
            sources=_object_file(config),
            overwrite=config.overwrite,
        )
        stopped = _record(sensor, writer, config.frames)
    if not writer.count:
        raise SensorError(f"sensor {sensor.name} gave no frame, so {config.output} was not written; check the source")
    return Captured(writer.count, stopped, header.object_model is not None)


def chosen_object(config: CaptureConfig) -> ObjectModel | None:
    """The mesh that was named, the built-in one of the simulated sensor, or None."""
    name = "belt" if config.object is None and config.sensor == "simulated" else config.object
    if name is not None and name in get_args(BuiltInName):
        from recorder.simulation.objects import built_in

        return built_in(name)
    return None if config.object is None else load_object(Path(config.object), config.object_units)


def _object_file(config: CaptureConfig) -> dict[str, Path]:
    named = config.object is not None and config.object not in get_args(BuiltInName)
    return {"object": Path(str(config.object))} if named else {}


@contextmanager
def stopping_signals() -> Iterator[None]:
    """SIGTERM (shutdown, `kill`) and SIGHUP (a closed terminal) end the recording as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _record(sensor: Sensor, writer: SessionWriter, limit: int | None) -> bool:
    """Appends until the end; whether Ctrl-C was it."""
    total = min(filter(None, (limit, sensor.total)), default=None)
    with writer, stopping_signals():
        try:
            for frame in shown(itertools.islice(sensor.frames(), limit), total, writer.partial):
                writer.append(frame)
        except KeyboardInterrupt:
            return True
    return False
