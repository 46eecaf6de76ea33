"""The hand's size from hands that were vouched for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.hand_shape import average_hand, proportioned
from scene.hand_surface import HandSurface
from scene.symmetry import Symmetries
from tests.tracker import samples
from tests.tracker.samples import CAMERA, WALL_PLANE, belt, draw, likelihoods, models, true_pose
from tracker import hand_size
from tracker.hand_size import EVERY, FINGERS, FRAMES, PALMS, ROUNDS, HandSizes, likeliest_change, problem_of
from tracker.models import with_hand_shape
from tracker.nearby import about_hand_and_object
from tracker.observation import Surroundings, observe
from tracker.quality import TYPICAL
from tracker.scene_knowledge import SceneKnowledge
from tracker.weights import weights_for


def knowledge(frame):
    return SceneKnowledge(
        camera=CAMERA,
        shape=average_hand(),
        models=models(),
        weights=weights_for(belt().diameter, colored=True),
        likelihoods=likelihoods(frame),
        first_likelihoods=None,
        usual=TYPICAL,
        colored=True,
        surroundings=Surroundings(WALL_PLANE),
        seed=0,
        symmetries=Symmetries.none(),
    )


@pytest.mark.parametrize("size", [0.86, 1.0, 1.12])
def test_the_size_that_was_drawn_is_found(monkeypatch, size):
    shape = proportioned(average_hand(), size, size)
    surface = HandSurface.build(shape, spacing=0.005)
    monkeypatch.setattr(samples, "hand_surface", lambda: surface)
    monkeypatch.setattr(hand_size, "FRAMES", 2)
    sizes, frames = HandSizes.unknown(), [draw(true_pose(number), index=number) for number in range(2)]
    known = knowledge(frames[0])
    while not sizes.known:
        for frame in frames:
            pose = true_pose(frame.index)
            observation = observe(frame, CAMERA, known.likelihoods, known.surroundings)
            reach, rng = known.models.object_reach, np.random.default_rng(frame.index)
            evidence = about_hand_and_object(observation, [pose], reach, shape, 500, rng)
            sizes, known = sizes.learned(problem_of(evidence, pose, known), pose, known)
    palm = known.shape.palm_segments[0, 1, 0] / average_hand().palm_segments[0, 1, 0]
    fingers = known.shape.phalanx_lengths[1, 0] / average_hand().phalanx_lengths[1, 0]
    assert palm == pytest.approx(size, abs=0.05)
    assert fingers == pytest.approx(size, abs=0.11)
    np.testing.assert_allclose(np.exp(sizes.size), [palm, fingers])


def bowl(palm, fingers, depth=1.0):
    """(palms, fingers) objectives that are lowest at these changes, logarithms, there by `depth` of a share."""
    away = (PALMS[:, None] - palm) ** 2 + (PALMS[:, None] + FINGERS - fingers) ** 2
    return np.exp(depth * away / 0.01)


@given(st.floats(-0.1, 0.1), st.floats(-0.04, 0.04))
def test_the_likeliest_size_may_lie_between_those_tried_and_is_nearer_to_the_average_one(palm, more):
    found = likeliest_change(bowl(palm, palm + more), np.zeros(2))
    assert abs(found.mean() - (palm + more / 2)) < 0.02
    assert abs(found.mean()) < abs(palm + more / 2) + 0.003


@pytest.mark.parametrize("present", [-0.1, 0.0, 0.1])
def test_flat_objectives_bring_the_average_size_back(present):
    found = likeliest_change(np.full((5, 3), 2.4), np.full(2, present))
    np.testing.assert_allclose(found, -present, atol=0.005)


def test_fingers_hardly_differ_from_their_palm_and_size_counts_from_the_average_hand():
    apart = likeliest_change(bowl(0.04, -0.02, 0.2), np.zeros(2))
    assert -0.06 < apart[1] - apart[0] < -0.005
    assert likeliest_change(bowl(0.05, 0.05, 0.005), np.full(2, 0.1)).mean() < 0, "it is large already"


def test_a_size_is_told_after_so_many_hands_and_so_often(monkeypatch):
    monkeypatch.setattr(hand_size, "objectives_of_sizes", lambda *_: bowl(0.05, 0.05))
    pose, known = true_pose(), knowledge(draw(true_pose()))
    before, sizes, told = known.shape, HandSizes.unknown(), []
    while not sizes.known:
        sizes, known = sizes.learned(None, pose, known)
        told.append(known.shape is not before)
        before = known.shape
    assert told == ([False] * (FRAMES - 1) + [True]) * ROUNDS
    assert sizes.frames == 0
    np.testing.assert_array_equal(known.models.phalanx_lengths, known.shape.phalanx_lengths)
    np.testing.assert_allclose(known.shape.phalanx_lengths, np.exp(sizes.size[1]) * average_hand().phalanx_lengths)
    assert 0.07 < sizes.size[1] < 0.15, "what the rounds told adds up"


def test_once_rehearsed_a_size_that_was_told_stays_and_one_that_was_not_is_told_once():
    assert replace(HandSizes.unknown(), left=ROUNDS - 1).rehearsed().known
    assert HandSizes.unknown().rehearsed().left == 1


def test_some_frames_are_asked_until_the_size_is_known():
    asked = [index for index in range(3 * EVERY) if HandSizes.unknown().asks(index)]
    assert asked == [0, EVERY, 2 * EVERY]
    assert not replace(HandSizes.unknown(), left=0).asks(0)


def test_palm_and_fingers_have_their_own_factors():
    shape = proportioned(average_hand(), 1.1, 0.9)
    np.testing.assert_allclose(shape.base_offsets, 1.1 * average_hand().base_offsets)
    np.testing.assert_allclose(shape.palm_radii, 1.1 * average_hand().palm_radii)
    np.testing.assert_allclose(shape.phalanx_lengths, 0.9 * average_hand().phalanx_lengths)
    np.testing.assert_allclose(shape.radii, 0.9 * average_hand().radii)
    kernel = with_hand_shape(models(), shape)
    np.testing.assert_array_equal(kernel.radii, shape.radii)
    np.testing.assert_array_equal(kernel.samples, models().samples)
