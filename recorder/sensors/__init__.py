"""Which sensors there are; each is imported only when it is asked for."""

from __future__ import annotations

from pathlib import Path

from recorder.config import CaptureConfig
from recorder.sensors.base import Sensor
from recorder.sensors.layout import layout_of
from scene.errors import SensorError
from scene.object_model import ObjectModel


def open_sensor(config: CaptureConfig, object_model: ObjectModel | None) -> Sensor:
    """The sensor that the configuration asks for, not yet entered.

    Args:
        config: of `recorder capture`.
        object_model: what the simulated hand takes; unused by the others.
    """
    name: str = config.sensor
    if name == "auto":
        name = layout_of(config.source) if config.source is not None else _attached()
    if name == "simulated":
        return _simulated(config, object_model)
    if name == "realsense":
        return _realsense() if config.source is None else _realsense_file(config.source)
    if name == "openni":
        return _openni(config) if config.source is None else _openni_file(config)
    return _sequence(name, config)


def _attached() -> str:
    """The camera that is there."""
    from recorder.sensors import openni, realsense

    absent = {"an Intel RealSense": realsense.why_absent(), "an OpenNI2 camera": openni.why_absent()}
    if absent["an Intel RealSense"] is None:
        return "realsense"
    if absent["an OpenNI2 camera"] is None:
        return "openni"
    looked = " and ".join(f"{what} ({why})" for what, why in absent.items())
    raise SensorError(
        f"no camera that this release can drive is attached, looked for {looked}; "
        "use --sensor simulated, which needs none, or --source FOLDER for images that exist"
    )


def _openni(config: CaptureConfig) -> Sensor:
    from recorder.sensors.openni import OpenNISensor

    return OpenNISensor(intrinsics=config.intrinsics)


def _openni_file(config: CaptureConfig) -> Sensor:
    from recorder.sensors.oni import open_oni
    from recorder.sensors.sequence import SequenceSensor

    assert config.source is not None
    source: Path = config.source
    return SequenceSensor("openni", lambda: open_oni(source, intrinsics=config.intrinsics))


def _realsense() -> Sensor:
    from recorder.sensors.realsense import RealSenseSensor

    return RealSenseSensor()


def _realsense_file(source: Path) -> Sensor:
    from recorder.sensors.realsense_file import RealSenseFile

    return RealSenseFile(source)


def _sequence(name: str, config: CaptureConfig) -> Sensor:
    from recorder.sensors.sequence import SequenceSensor

    assert config.source is not None
    source: Path = config.source
    if name == "tum":
        from recorder.sensors.tum import DEPTH_SCALE, open_tum

        scale = config.depth_scale or DEPTH_SCALE
        return SequenceSensor(name, lambda: open_tum(source, intrinsics=config.intrinsics, depth_scale=scale))
    if name == "bop":
        from recorder.sensors.bop import open_bop

        return SequenceSensor(name, lambda: open_bop(source, object_id=config.object_id, frames_per_s=config.fps))
    if name == "ho3d":
        from recorder.sensors.ho3d import open_ho3d

        return SequenceSensor(name, lambda: open_ho3d(source, frames_per_s=config.fps))
    if name == "dexycb":
        from recorder.sensors.dexycb import open_dexycb

        return SequenceSensor(name, lambda: open_dexycb(source, object_id=config.object_id, frames_per_s=config.fps))
    from recorder.sensors.folder import open_folder

    scale = config.depth_scale or DEFAULT_DEPTH_SCALE
    return SequenceSensor(
        name,
        lambda: open_folder(source, intrinsics=config.intrinsics, depth_scale=scale, frames_per_s=config.fps),
    )


DEFAULT_DEPTH_SCALE = 0.001
"""metres a count, of folders and of the simulated sensor"""


def _simulated(config: CaptureConfig, object_model: ObjectModel | None) -> Sensor:
    from recorder.sensors.simulated import DEFAULT_FRAMES, SimulatedSensor, Simulation

    assert object_model is not None
    simulation = Simulation(
        hand_side=config.hand or "right",
        motion=config.motion or "random",
        speed=config.speed or "slow",
        noise=config.noise or "structured-light",
        drawer=config.drawer,
        depth_scale=config.depth_scale or DEFAULT_DEPTH_SCALE,
        frames_per_s=config.fps,
        frames=config.frames or DEFAULT_FRAMES,
        seed=config.seed,
        occlusion=config.occlusion,
    )
    return SimulatedSensor(object_model, simulation)
