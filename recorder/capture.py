"""The capture: from a sensor to a session file, until the source ends, enough frames are there, or Ctrl-C."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from recorder.ahead import read_ahead
from recorder.config import BuiltInName, CaptureConfig
from recorder.sensors import open_sensor
from recorder.sensors.base import Sensor
from recorder.session import SensorFrame, SessionHeader, SessionWriter
from recorder.status import shown
from scene.errors import SensorError
from scene.files import refuse_existing
from scene.object_model import ObjectModel, load_object

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Captured:
    """What became of a capture."""

    frames: int
    """in the file"""
    stopped: bool
    """by Ctrl-C or another signal"""
    has_object: bool
    """without one the hand alone can be tracked"""


def capture(config: CaptureConfig, model: ObjectModel | None) -> Captured:
    """Records config.output; Ctrl-C ends it like any other end, with every frame that the camera gave until then."""
    refuse_existing(config.output, overwrite=config.overwrite)
    with open_sensor(config, model) as sensor:
        header = SessionHeader(
            sensor.camera,
            sensor.depth_scale,
            sensor.name,
            sensor.serial,
            hand_side=config.hand or sensor.hand_side or "unknown",
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
def stopping_signals() -> Iterator[threading.Event]:
    """What Ctrl-C, SIGTERM (shutdown, `kill`) or SIGHUP (a closed terminal) sets; a second one interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield stop
        return

    def set_stop(*signalled: object) -> None:
        del signalled
        stop.set()
        for number in STOPPING:
            signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, set_stop) for number in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _record(sensor: Sensor, writer: SessionWriter, limit: int | None) -> bool:
    """Appends until the end; whether a signal was it."""
    total = min(filter(None, (limit, sensor.total)), default=None)
    with writer, stopping_signals() as stop, _asked(sensor, stop) as frames:
        try:
            for frame in shown(itertools.islice(frames, limit), total, writer.partial):
                writer.append(frame)
        except KeyboardInterrupt:
            return True
        return stop.is_set()


def _asked(sensor: Sensor, stop: threading.Event) -> AbstractContextManager[Iterator[SensorFrame]]:
    """A camera does not wait: its frames are taken while others are written. All else gives what it is asked for."""
    if sensor.total is None:
        return read_ahead(sensor.frames(), stop)
    return nullcontext(itertools.takewhile(lambda frame: not stop.is_set(), sensor.frames()))
