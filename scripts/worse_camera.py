"""A frame as a camera worse than the simulated one would have taken it; what changes is drawn once for a recording.

Real sensors show a scan's colours in another white balance, contrast and paleness, put colour a pixel or two beside
depth, measure too long or too short, and move the edges of what stands before something else. A confidence that was
fitted without all that trusts a real recording too little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import grey_dilation, shift

from scene.arrays import Floats
from scene.frame import RgbdFrame

GAIN, GAMMA, PALENESS = 0.12, 0.2, 0.4
"""deviation of each channel's logarithm, of the exponent's logarithm, and the most that saturation is lost"""
SHIFT_PX, DEPTH_SCALE, EDGE_PX = 1.0, 0.005, 1
"""deviation of colour beside depth, of the depth's scale, and the most by which what is near is seen too wide"""


@dataclass(frozen=True)
class WorseCamera:
    """What one camera does to each of its frames."""

    gains: Floats
    """(3,) of the channels"""
    gamma: float
    saturation: float
    shift_px: Floats
    """(2,) rows and columns by which colour is beside depth"""
    depth_scale: float
    edge_px: int

    @staticmethod
    def drawn(rng: np.random.Generator) -> WorseCamera:
        """One of the cameras that there are."""
        return WorseCamera(
            np.exp(GAIN * rng.normal(size=3)),
            float(np.exp(GAMMA * rng.normal())),
            1.0 - PALENESS * float(rng.uniform()),
            SHIFT_PX * rng.normal(size=2),
            1.0 + DEPTH_SCALE * float(rng.normal()),
            int(rng.integers(0, EDGE_PX + 1)),
        )

    def taken(self, frame: RgbdFrame) -> RgbdFrame:
        """The frame as this camera shows it."""
        light = (frame.color / 255.0) ** self.gamma * self.gains
        grey = light.mean(axis=-1, keepdims=True)
        paler = shift(grey + self.saturation * (light - grey), [*self.shift_px, 0], order=1, mode="nearest")
        color = np.clip(255 * paler, 0, 255).astype(np.uint8)
        side = 1 + 2 * self.edge_px
        nearness = np.divide(1, frame.depth, out=np.zeros_like(frame.depth), where=frame.depth > 0)
        wide = grey_dilation(nearness, size=(side, side))
        depth = np.where(frame.depth > 0, self.depth_scale / np.maximum(wide, 1e-6), 0).astype(np.float32)
        return replace(frame, color=color, depth=depth)
