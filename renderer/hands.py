"""The tracked hand as a surface to draw, and hands of other people in its place.

The surface follows its bones in compiled code: it is posed anew for every drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from scene.arrays import Floats, Integers
from scene.drawing import HAND, Body, vertex_normals
from scene.hand_pose import HandPose, bones, joints_of_bones
from scene.hand_shape import HandShape
from scene.hand_surface import HandSurface
from scene.transforms import inverse

BONES_A_VERTEX = 6
"""the bones with the greatest say in a vertex; hardly any has more"""
DARKEST_SKIN, PALEST_SKIN = np.array([75, 48, 36]), np.array([243, 212, 190])
"""RGB between which other people's skin lies"""
SKIN_SPREAD = 6.0
"""standard deviation of each channel about that line"""
SIZE_SPREAD, LARGEST_SIZE_CHANGE = 0.05, 0.12
"""standard deviation and limit of a hand's size against the tracked one; adults' hand lengths deviate by 5 %"""
THINNEST, THICKEST = -0.0015, 0.002
"""metres that the flesh is thinner or thicker at most"""


@dataclass(frozen=True)
class HandLook:
    """How a hand differs from the tracked one."""

    color: tuple[int, int, int]
    """RGB of the skin"""
    size: float = 1.0
    """of the tracked hand's"""
    thickness: float = 0.0
    """metres that its skin lies outside of the tracked one's"""


def random_look(rng: np.random.Generator) -> HandLook:
    """Another person's hand."""
    tone = DARKEST_SKIN + rng.random() * (PALEST_SKIN - DARKEST_SKIN)
    red, green, blue = np.clip(tone + SKIN_SPREAD * rng.normal(size=3), 20, 255).astype(int).tolist()
    size = 1 + float(np.clip(SIZE_SPREAD * rng.normal(), -LARGEST_SIZE_CHANGE, LARGEST_SIZE_CHANGE))
    return HandLook((red, green, blue), size, float(rng.uniform(THINNEST, THICKEST)))


@dataclass(frozen=True)
class DrawableHand:
    """A hand's surface with what posing it needs."""

    shape: HandShape
    vertices: Floats
    """(V, 3) metres, hand frame, all angles zero"""
    normals: Floats
    """(V, 3) outward unit normals there"""
    faces: Integers
    """(F, 3)"""
    bones: Integers
    """(V, BONES_A_VERTEX) that move each vertex"""
    weights: Floats
    """(V, BONES_A_VERTEX) of their say, rows sum to 1"""

    @staticmethod
    def build(shape: HandShape) -> DrawableHand:
        """From the shape's surface."""
        surface = HandSurface.build(shape)
        strongest = np.argsort(-surface.weights, axis=1)[:, :BONES_A_VERTEX].astype(np.int32)
        weights = np.take_along_axis(surface.weights, strongest, axis=1)
        weights /= weights.sum(axis=1, keepdims=True)
        normals = vertex_normals(surface.vertices, surface.faces)
        return DrawableHand(shape, surface.vertices, normals, surface.faces, strongest, weights)

    def body(self, pose: HandPose, look: HandLook) -> Body:
        """The hand in a pose, as another person's where `look` says so: grown about its finger tips, which hold."""
        from_binding = bones(self.shape, pose.angles)
        tips = joints_of_bones(self.shape, from_binding)[4::4].mean(axis=0)
        from_binding = from_binding @ inverse(bones(self.shape, np.zeros(20)))
        skin = self.vertices + look.thickness * self.normals
        vertices, normals = posed_skin(skin, self.faces, self.bones, self.weights, from_binding)
        turn, place = pose.camera_from_hand[:3, :3], pose.camera_from_hand[:3, 3]
        vertices = (tips + look.size * (vertices - tips)) @ turn.T + place
        colors = np.broadcast_to(np.array(look.color, np.uint8), vertices.shape)
        return Body(vertices, self.faces, colors, HAND, np.eye(4), normals @ turn.T)


@numba.njit(cache=True)
def posed_skin(vertices, faces, owners, weights, from_binding):  # type: ignore[no-untyped-def]
    """Linear blend skinning.

    Args:
        vertices: (V, 3) metres in the binding pose.
        faces: (F, 3) indices into vertices.
        owners: (V, K) bones of each vertex.
        weights: (V, K) their say.
        from_binding: (B, 4, 4) motion of each bone since the binding pose.

    Returns:
        (V, 3) metres and (V, 3) unit normals, hand frame.
    """
    posed = np.zeros_like(vertices)
    for vertex in range(len(vertices)):
        for at in range(owners.shape[1]):
            weight, bone = weights[vertex, at], from_binding[owners[vertex, at]]
            if weight == 0.0:
                continue
            for row in range(3):
                moved = bone[row, 3]
                for column in range(3):
                    moved += bone[row, column] * vertices[vertex, column]
                posed[vertex, row] += weight * moved
    normals = np.zeros_like(vertices)
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        one, two = posed[b] - posed[a], posed[c] - posed[a]
        for axis in range(3):
            following, last = (axis + 1) % 3, (axis + 2) % 3
            across = one[following] * two[last] - one[last] * two[following]
            normals[a, axis] += across
            normals[b, axis] += across
            normals[c, axis] += across
    for vertex in range(len(vertices)):
        length = np.sqrt((normals[vertex] ** 2).sum())
        if length > 0.0:
            normals[vertex] /= length
    return posed, normals
