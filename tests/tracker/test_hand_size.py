"""The hand's size from hands that were vouched for."""

from dataclasses import replace

import numpy as np
import pytest

from scene.hand_shape import average_hand, proportioned
from scene.hand_surface import HandSurface
from scene.symmetry import Symmetries
from tests.tracker import samples
from tests.tracker.samples import CAMERA, WALL_PLANE, belt, draw, likelihoods, models, true_pose
from tracker.hand_size import FRAMES, SIZES, HandSizes, problem_of
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


@pytest.mark.parametrize("size", [0.88, 1.0, 1.12])
def test_the_size_that_was_drawn_is_found(monkeypatch, size):
    shape = proportioned(average_hand(), size, size)
    surface = HandSurface.build(shape, spacing=0.005)
    monkeypatch.setattr(samples, "hand_surface", lambda: surface)
    sizes = HandSizes.unknown()
    for number in range(2):
        pose = true_pose(number)
        frame = draw(pose, index=number)
        known = knowledge(frame)
        observation = observe(frame, CAMERA, known.likelihoods, known.surroundings)
        reach, rng = known.models.object_reach, np.random.default_rng(number)
        evidence = about_hand_and_object(observation, [pose], reach, shape, 500, rng)
        sizes = sizes.seen(problem_of(evidence, pose, (), known), pose, known)
    found = sizes.fitted(average_hand())
    palm = found.palm_segments[0, 1, 0] / average_hand().palm_segments[0, 1, 0]
    fingers = found.phalanx_lengths[1, 0] / average_hand().phalanx_lengths[1, 0]
    assert palm == pytest.approx(size, abs=0.07)
    assert fingers == pytest.approx(size, abs=0.14)


def test_so_many_hands_are_looked_at():
    assert not replace(HandSizes.unknown(), frames=FRAMES - 1).known
    assert replace(HandSizes.unknown(), frames=FRAMES).known


def test_a_hand_of_which_nothing_is_known_is_the_average_one():
    fitted = HandSizes.unknown().fitted(average_hand())
    np.testing.assert_allclose(fitted.phalanx_lengths, average_hand().phalanx_lengths)
    np.testing.assert_allclose(fitted.palm_segments, average_hand().palm_segments)


@pytest.mark.parametrize(("less", "taken"), [(0.02, False), (0.10, True)])
def test_a_hand_is_of_average_size_where_another_fits_hardly_better(less, taken):
    other = int(np.nonzero((np.abs(SIZES - 0.94) < 0.01).all(axis=1))[0][0])
    objectives = np.full(len(SIZES), 2.4)
    objectives[other] *= 1 - less
    fitted = HandSizes(objectives, FRAMES).fitted(average_hand())
    assert (fitted.phalanx_lengths < average_hand().phalanx_lengths).all() == taken


def test_the_size_is_put_to_use_once_enough_hands_were_seen(monkeypatch):
    large = int(np.nonzero((np.abs(SIZES - 1.12) < 0.01).all(axis=1))[0][0])
    objectives = np.full(len(SIZES), 2.4)
    objectives[large] *= 0.5
    monkeypatch.setattr(
        HandSizes, "seen", lambda self, *_: replace(self, objectives=objectives, frames=self.frames + 1)
    )
    pose, before = true_pose(), knowledge(draw(true_pose()))
    sizes, known = replace(HandSizes.unknown(), frames=FRAMES - 2).learned(None, pose, before)
    assert known is before
    _, known = sizes.learned(None, pose, before)
    np.testing.assert_allclose(known.shape.phalanx_lengths, 1.12 * before.shape.phalanx_lengths)
    np.testing.assert_array_equal(known.models.phalanx_lengths, known.shape.phalanx_lengths)


def test_palm_and_fingers_have_their_own_factors():
    shape = proportioned(average_hand(), 1.1, 0.9)
    np.testing.assert_allclose(shape.base_offsets, 1.1 * average_hand().base_offsets)
    np.testing.assert_allclose(shape.palm_radii, 1.1 * average_hand().palm_radii)
    np.testing.assert_allclose(shape.phalanx_lengths, 0.9 * average_hand().phalanx_lengths)
    np.testing.assert_allclose(shape.radii, 0.9 * average_hand().radii)
    kernel = with_hand_shape(models(), shape)
    np.testing.assert_array_equal(kernel.radii, shape.radii)
    np.testing.assert_array_equal(kernel.samples, models().samples)
    assert len(SIZES) == 15
