"""Which sensors there are; each is imported only when it is asked for."""

from __future__ import annotations

from recorder.config import CaptureConfig
from recorder.sensors.base import Sensor
from scene.errors import SensorError
from scene.object_model import ObjectModel


def open_sensor(config: CaptureConfig, object_model: ObjectModel | None) -> Sensor:
    """The sensor that the configuration asks for, not yet entered.

    Args:
        config: of `recorder capture`.
        object_model: what the simulated hand takes; unused by the others.
    """
    if config.sensor == "folder":
        return _folder(config)
    if config.sensor == "simulated":
        return _simulated(config, object_model)
    if config.sensor == "realsense":
        return _realsense()
    return _attached()


def _attached() -> Sensor:
    """The camera that is there."""
    from recorder.sensors import realsense

    absent = realsense.why_absent()
    if absent is None:
        return _realsense()
    raise SensorError(
        f"no camera that this release can drive is attached, looked for an Intel RealSense ({absent}); "
        "use --sensor simulated, which needs none, or --sensor folder --source FOLDER for images that exist"
    )


def _realsense() -> Sensor:
    from recorder.sensors.realsense import RealSenseSensor

    return RealSenseSensor()


def _folder(config: CaptureConfig) -> Sensor:
    from recorder.sensors.folder import FolderSensor

    assert config.source is not None
    return FolderSensor(config.source, depth_scale=config.depth_scale, frames_per_s=config.fps)


def _simulated(config: CaptureConfig, object_model: ObjectModel | None) -> Sensor:
    from recorder.sensors.simulated import DEFAULT_FRAMES, SimulatedSensor, Simulation

    assert object_model is not None
    simulation = Simulation(
        hand_side=config.hand,
        speed=config.speed or "slow",
        noise=config.noise or "structured-light",
        drawer=config.drawer,
        depth_scale=config.depth_scale,
        frames_per_s=config.fps,
        frames=config.frames or DEFAULT_FRAMES,
        seed=config.seed,
    )
    return SimulatedSensor(object_model, simulation)
