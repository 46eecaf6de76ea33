"""Of objects that look the same at several poses: the estimate nearest to the truth among those that look alike."""

from __future__ import annotations

import numpy as np

from scene.arrays import Floats
from scene.rotations import geodesic_angle
from scene.symmetry import symmetry_rotations

__all__ = ["nearest_equivalent", "symmetry_rotations"]


def nearest_equivalent(estimated: Floats, true: Floats, symmetries: Floats) -> Floats:
    """(N, 3, 3) estimates and truths -> (N, 3, 3) of each estimate's equivalents the one nearest to the truth."""
    if len(symmetries) == 1:
        return estimated
    best, angle = estimated, geodesic_angle(estimated, true)
    for symmetry in symmetries[1:]:
        candidate = estimated @ symmetry
        nearer = (found := geodesic_angle(candidate, true)) < angle
        best, angle = np.where(nearer[:, None, None], candidate, best), np.minimum(found, angle)
    return best
