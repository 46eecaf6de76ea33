"""What every sensor back-end promises to the recorder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from recorder.session import HandSide, SensorFrame
from scene.camera import Camera
from scene.object_model import ObjectModel


class Sensor(Protocol):
    """A source of registered colour and depth.

    Entering the context opens the device, leaving it closes the device whatever happened; `frames` may be called once
    between. A back-end raises SensorError where the device is absent, refuses or stops, InputError where what it was
    given cannot be read. Every frame is registered: depth belongs to the colour pixel at the same place.
    """

    name: str
    """which back-end, as `--sensor` names it"""
    serial: str
    """of the device, or what else tells the source"""
    camera: Camera
    """of the colour image; known once the context is entered"""
    depth_scale: float
    """metres that one depth count stands for"""
    total: int | None
    """frames there will be; None where only the user decides when to stop"""
    object_model: ObjectModel | None
    """that the source brings along, once the context is entered; None where it brings none"""
    hand_side: HandSide | None
    """that the source tells; None where it does not"""
    notes: str
    """JSON of what else is to be known about the source; "" where nothing is"""

    def __enter__(self) -> Sensor:
        """Opens the device."""
        ...

    def __exit__(self, *raised: object) -> None:
        """Closes the device."""
        ...

    def frames(self) -> Iterator[SensorFrame]:
        """Frames in the order of their time, until the source ends or the caller stops asking."""
        ...
