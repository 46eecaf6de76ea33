"""What stays fixed for a person's hand: bone lengths, joint offsets and radii of the flesh, in metres.

Hand frame: origin at the wrist, +x from the wrist to the middle finger's knuckle, +y out of the back of the hand,
+z = x cross y, which is away from the thumb for a right hand and towards it for a left one. A left hand is the mirror
image of a right one in the plane z = 0.

The surface is the union of tapered capsules: one to a phalanx, and some that make the palm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from scene.arrays import Floats
from scene.errors import InputError

Side = Literal["left", "right"]
FINGER_NAMES = ("thumb", "index", "middle", "ring", "little")

PHALANX_LENGTHS_MM = (
    (32.0, 31.6, 25.0),  # the thumb's first is what is left of its metacarpal beyond the joint below
    (42.9, 23.7, 16.7),
    (47.8, 27.6, 18.4),
    (44.2, 26.9, 18.3),
    (35.5, 19.1, 16.9),
)
"""(finger, bone), from where one joint turns to where the next does: the middle of the head of the bone before it
(Buchholz, Armstrong and Goldstein, "Anthropometric data for describing the kinematics of the human hand", Ergonomics
35(3), 1992). So these are the bones of Buryanov and Kotiuk, "Proportions of Hand Segments", Int. J. Morphol. 28(3),
2010 (for the middle finger 44.6, 26.3 and 17.4 mm), each longer by the radius of the head before it and shorter by that
of its own (metacarpals 6.5 to 7.5 mm, then about 4 and 3). The last of each finger ends at the middle of the finger
tip, about 6 mm inside the skin, where annotators put the joint. The thumb's are its bones."""

BASE_OFFSETS_MM = ((34, -14, -30.5), (86, 0, -24), (89, 2, 0), (83, 0, 20), (74.5, -5, 37.5))
"""(finger): the thumb's first joint and the four knuckles, in the hand frame of a right hand. The first joint is a
third of the way along the metacarpal (46 mm), 32 mm from the knuckle: where hand models such as MANO (31 mm), and data
sets that are annotated with them, have it, rather than at the bone's end."""

RADII_MM = (
    (14.0, 11.4, 9.6, 7.7),
    (10.2, 8.7, 7.7, 6.4),
    (10.5, 8.8, 7.8, 6.5),
    (10.0, 8.4, 7.4, 6.2),
    (9.1, 7.4, 6.5, 5.6),
)
"""(finger, joint) half the thickness of the flesh, from the palm outwards: so that the ring finger's first phalanx is
about as thick as rings of adults are wide (18 mm)."""

PALM_SEGMENTS_MM = (
    ((14, -3, -14), (86, -1, -22), 15.5, 12.0),
    ((12, -2, -3), (88, 1, 0), 17.0, 13.0),
    ((12, -2, 7), (82, -1, 19), 16.5, 12.5),
    ((12, -2, 15), (72, -6, 35), 14.0, 11.0),
    ((-14, 0, -10), (14, 0, -11), 17.0, 16.0),
    ((-14, 0, 9), (14, 0, 10), 17.0, 16.0),
    ((22, -7, -19), (34, -14, -30.5), 14.0, 14.0),
    ((26, -8, -20), (70, -4, -22), 13.0, 10.5),
    ((16, -8, 21), (56, -7, 33), 14.0, 12.0),
)
"""((start), (end), radius at start, radius at end), right hand: four metacarpals, the wrist's two, the ball and the web
of the thumb, the ball of the little finger. They stand for the measured breadth (about 85 mm) and thickness (about 30
mm) of the palm; the balls stand out of it. The wrist's girth is 145 mm, still less than an adult's (some 165)."""

SPLAY_DEG = (5.0, 0.0, -4.0, -9.0)
"""(finger after the thumb) direction of the straight finger at zero abduction, about y, towards the thumb."""

THUMB_DIRECTION, THUMB_NAIL = (0.72, -0.35, -0.60), (-0.3, 0.5, -0.8)
"""The thumb's x and (before they are made orthogonal) y axis at rest, hand frame of a right hand."""


@dataclass(frozen=True)
class HandShape:
    """One person's hand."""

    side: Side
    base_offsets: Floats
    """(5, 3) metres, hand frame, of the joint at which each finger begins"""
    base_rotations: Floats
    """(5, 3, 3) hand_from_finger at zero angles"""
    phalanx_lengths: Floats
    """(5, 3) metres"""
    radii: Floats
    """(5, 4) metres, at each joint of a finger and at its tip"""
    palm_segments: Floats
    """(P, 2, 3) metres, hand frame"""
    palm_radii: Floats
    """(P, 2) metres"""

    def __post_init__(self) -> None:
        """Refuses numbers that are no hand."""
        if self.side not in ("left", "right"):
            raise InputError(f"a hand's side must be left or right, got {self.side!r}")
        if not (self.phalanx_lengths > 0).all() or not (self.radii > 0).all() or not (self.palm_radii > 0).all():
            raise InputError("every bone length and radius of a hand must be positive; scale an average hand instead")

    @property
    def abduction_sign(self) -> float:
        """+1 for a right hand, -1 for a left one: mirrored, a turn about y runs the other way."""
        return 1.0 if self.side == "right" else -1.0


def average_hand(side: Side = "right") -> HandShape:
    """The hand of the tables above."""
    right = HandShape(
        side="right",
        base_offsets=np.array(BASE_OFFSETS_MM) / 1000,
        base_rotations=np.stack([_thumb_rotation(), *(_splay(np.deg2rad(angle)) for angle in SPLAY_DEG)]),
        phalanx_lengths=np.array(PHALANX_LENGTHS_MM) / 1000,
        radii=np.array(RADII_MM) / 1000,
        palm_segments=np.array([segment[:2] for segment in PALM_SEGMENTS_MM]) / 1000,
        palm_radii=np.array([segment[2:] for segment in PALM_SEGMENTS_MM]) / 1000,
    )
    return right if side == "right" else mirrored(right)


def mirrored(shape: HandShape) -> HandShape:
    """The same person's other hand."""
    mirror = np.diag([1.0, 1.0, -1.0])
    return replace(
        shape,
        side="left" if shape.side == "right" else "right",
        base_offsets=shape.base_offsets @ mirror,
        base_rotations=mirror @ shape.base_rotations @ mirror,
        palm_segments=shape.palm_segments @ mirror,
    )


def scaled(shape: HandShape, factor: float) -> HandShape:
    """The same hand, `factor` times as large."""
    return proportioned(shape, factor, factor)


def proportioned(shape: HandShape, palm: float, fingers: float) -> HandShape:
    """The same hand, its palm and its fingers each so many times as large."""
    return replace(
        shape,
        base_offsets=shape.base_offsets * palm,
        phalanx_lengths=shape.phalanx_lengths * fingers,
        radii=shape.radii * fingers,
        palm_segments=shape.palm_segments * palm,
        palm_radii=shape.palm_radii * palm,
    )


def _splay(angle: float) -> Floats:
    """Rotation about y that turns +x towards the right hand's thumb (-z)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def _thumb_rotation() -> Floats:
    x = np.array(THUMB_DIRECTION) / np.linalg.norm(THUMB_DIRECTION)
    y = np.array(THUMB_NAIL) - x * (x @ THUMB_NAIL)
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)
