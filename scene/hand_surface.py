"""The hand as a closed triangle surface that follows its bones: for drawing, and to attach other appearances to.

Made once for a shape: the smooth union of the shape's capsules is contoured with straight fingers (marching cubes of
scikit-image), and each vertex is bound to the bones near it (linear blend skinning). So that what is drawn is what is
tracked, the skin keeps within 2 mm of the capsules; only where fingers leave the palm, and in the web of the thumb, a
hundredth of it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage import measure

from scene.arrays import Floats, Integers
from scene.hand_pose import BONE_COUNT, HandPose, bones, distance_to_segments, segments
from scene.hand_shape import HandShape
from scene.transforms import apply, inverse

BLEND = 0.001
"""metres over which neighbouring capsules flow into each other"""
BINDING = 0.0015
"""metres of extra distance at which a bone's say in a vertex falls by a factor of e"""


@dataclass(frozen=True)
class HandSurface:
    """A closed surface in the binding pose (all angles zero) and how its vertices follow the bones."""

    shape: HandShape
    vertices: Floats
    """(V, 3) metres, hand frame, binding pose"""
    faces: Integers
    """(F, 3) int32, outward by the right-hand rule"""
    weights: Floats
    """(V, 16) of each bone, rows sum to 1"""

    @staticmethod
    def build(shape: HandShape, *, spacing: float = 0.003) -> HandSurface:
        """Contours the shape on a grid of `spacing` metres."""
        ends, radii, owner = segments(shape, np.zeros(20))
        reach = radii.max() + 2 * spacing
        low, high = ends.min(axis=(0, 1)) - reach, ends.max(axis=(0, 1)) + reach
        axes = [np.arange(low[axis], high[axis], spacing) for axis in range(3)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        field = smooth_minimum(distance_to_segments(grid.reshape(-1, 3), ends, radii)).reshape(grid.shape[:3])
        contour: Any = measure.marching_cubes
        vertices, faces, _, _ = contour(field, 0.0, spacing=(spacing,) * 3)
        vertices = vertices + low
        return HandSurface(shape, vertices, faces.astype(np.int32), _bind(vertices, ends, radii, owner))

    def posed(self, pose: HandPose) -> Floats:
        """(V, 3) vertices_camera in metres."""
        binding = bones(self.shape, np.zeros(20))
        hand_from_binding = bones(self.shape, pose.angles) @ inverse(binding)
        blended = np.einsum("vb,bij->vij", self.weights, hand_from_binding[:, :3])
        vertices_hand = np.einsum("vij,vj->vi", blended[:, :, :3], self.vertices) + blended[:, :, 3]
        return apply(pose.camera_from_hand, vertices_hand)


def smooth_minimum(distances: Floats) -> Floats:
    """(N, S) -> (N,) metres; at most BLEND * log(S) below the least, and equal to it where one is clearly nearest."""
    least = distances.min(axis=1)
    total = np.exp(-(distances - least[:, None]) / BLEND).sum(axis=1)
    smooth: Floats = least - BLEND * np.log(total)
    return smooth


def _bind(vertices: Floats, ends: Floats, radii: Floats, owner: Integers) -> Floats:
    distances = distance_to_segments(vertices, ends, radii)
    nearest = np.stack([distances[:, owner == bone].min(axis=1) for bone in range(BONE_COUNT)], axis=1)
    weights = np.exp(-(nearest - nearest.min(axis=1, keepdims=True)) / BINDING)
    weights[weights < 0.01] = 0.0
    bound: Floats = weights / weights.sum(axis=1, keepdims=True)
    return bound
