"""One RGB-D frame: colour and depth of the same pixels at one time."""

from __future__ import annotations

from dataclasses import dataclass

from scene.arrays import Bytes, Floats


@dataclass(frozen=True)
class RgbdFrame:
    """Colour and depth registered to each other, seen by one camera."""

    index: int
    """position in its recording, from 0"""
    timestamp_s: float
    """seconds on the sensor's clock"""
    color: Bytes
    """(height, width, 3) RGB; black where the recording has none"""
    depth: Floats
    """(height, width) float32, metres along z, 0 = no measurement"""
    colored: bool = True
    """False where the recording has no colour"""
