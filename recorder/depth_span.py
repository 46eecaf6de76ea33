"""How near and how far a recording looks, for pictures of its depth. In: Session. Out: metres."""

from __future__ import annotations

import numpy as np

from recorder.session import Session
from scene.depth_picture import depth_range

SAMPLED = 12
"""frames that it is taken from"""


def depth_span(session: Session) -> tuple[float, float]:
    """Metres, between which nearly all depth of a recording lies."""
    chosen = np.unique(np.linspace(0, len(session) - 1, SAMPLED).astype(int))
    return depth_range(np.stack([session.depth_counts(index) for index in chosen]) * session.depth_scale)
