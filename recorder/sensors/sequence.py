"""Recordings made by others, as sensors: each layout is one function that opens a folder as an ImageSequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from recorder.session import HandSide, SensorFrame
from scene.camera import Camera
from scene.errors import InputError
from scene.object_model import ObjectModel


@dataclass(frozen=True)
class ImageSequence:
    """Images that lie on a disk, and what is known about them."""

    name: str
    """of the layout, as `--sensor` names it"""
    serial: str
    """what tells the source"""
    camera: Camera
    depth_scale: float
    """metres a count"""
    count: int
    """of frames"""
    read: Callable[[int], SensorFrame]
    """the frame at an index"""
    object_model: ObjectModel | None = None
    """that comes with the images; None where none does"""
    hand_side: HandSide | None = None
    """None where the source does not tell"""


class SequenceSensor:
    """Plays an ImageSequence."""

    notes = ""

    def __init__(self, name: str, opened: Callable[[], ImageSequence]) -> None:
        """Takes the layout's name and what opens the images, which happens when the context is entered."""
        self.name, self._open = name, opened

    def __enter__(self) -> SequenceSensor:
        with told_as_damage(self.name):
            sequence = self._open()
        self.serial, self.camera, self.depth_scale = sequence.serial, sequence.camera, sequence.depth_scale
        self.object_model, self.hand_side = sequence.object_model, sequence.hand_side
        self.total: int | None = sequence.count
        self._read = sequence.read
        return self

    def __exit__(self, *raised: object) -> None:
        del raised  # nothing stays open between frames

    def frames(self) -> Iterator[SensorFrame]:
        """In the order of their time."""
        assert self.total is not None
        for index in range(self.total):
            with told_as_damage(self.name):
                frame = self._read(index)
            yield frame


@contextmanager
def told_as_damage(layout: str) -> Iterator[None]:
    """A table of somebody else's that lacks a part, or holds another kind of thing there, becomes a sentence."""
    try:
        yield
    except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            f"--source must be a whole {layout} recording, a file of it is damaged ({error!r}); copy it again"
        ) from error
