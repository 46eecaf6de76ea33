"""The hand as it is drawn: the surface of its shape, and other people's in its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from renderer.hands import DARKEST_SKIN, PALEST_SKIN, DrawableHand, HandLook, random_look
from scene.drawing import HAND, vertex_normals
from scene.hand_pose import joints
from scene.hand_shape import average_hand
from scene.hand_surface import HandSurface
from tests.renderer.fakes import hand_pose

SKIN = (200, 150, 120)


@pytest.fixture(scope="module")
def hand() -> DrawableHand:
    return DrawableHand.build(average_hand())


def test_same_hand_as_the_surface(hand: DrawableHand) -> None:
    pose = hand_pose(3)
    pose = replace(pose, angles=pose.angles + 0.3)
    body = hand.body(pose, HandLook(SKIN))
    expected = HandSurface.build(average_hand()).posed(pose)
    # six bones a vertex instead of all that have a say
    np.testing.assert_allclose(body.vertices, expected, atol=1e-4)
    assert (body.vertex_colors == SKIN).all()
    assert body.label == HAND
    np.testing.assert_allclose(body.normals, vertex_normals(body.vertices, body.faces), atol=1e-6)


def test_larger_hand_keeps_its_finger_tips(hand: DrawableHand) -> None:
    pose = hand_pose(0)
    plain, large = (hand.body(pose, HandLook(SKIN, size)).vertices for size in (1.0, 1.1))
    tips = joints(average_hand(), pose)[4::4].mean(axis=0)
    np.testing.assert_allclose(large - tips, 1.1 * (plain - tips), atol=1e-9)


def test_thicker_hand_lies_outside(hand: DrawableHand) -> None:
    pose = replace(hand_pose(0), angles=np.zeros(20))
    plain, thick = (hand.body(pose, HandLook(SKIN, thickness=by)) for by in (0.0, 0.002))
    outwards = ((thick.vertices - plain.vertices) * plain.normals).sum(axis=1)
    np.testing.assert_allclose(np.median(outwards), 0.002, atol=1e-5)


def test_people_differ() -> None:
    rng = np.random.default_rng(0)
    looks = [random_look(rng) for _ in range(300)]
    colors, sizes = np.array([look.color for look in looks]), np.array([look.size for look in looks])
    thickness = np.array([look.thickness for look in looks])
    assert (colors.min(axis=0) < DARKEST_SKIN + 20).all()
    assert (colors.max(axis=0) > PALEST_SKIN - 20).all()
    assert 0.03 < sizes.std() < 0.06
    assert np.abs(sizes - 1).max() <= 0.12 + 1e-9
    assert -0.0015 <= thickness.min() < 0 < thickness.max() <= 0.002
