"""From one frame to the next: how far to search, which points count, and how sure the frames before make."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene.hand_pose import joints
from scene.hand_shape import average_hand
from scene.rotations import matrix_from_rotation_vector
from scene.symmetry import Symmetries
from scene.transforms import apply, rigid
from tests.tracker.samples import WALL, WALL_PLANE, drawn, likelihoods, models
from tracker import scene_knowledge
from tracker.config import RunConfig
from tracker.following import HAND, OBJECT, SCALES, Last, moved, object_followed
from tracker.initialisation import pose_without_hand
from tracker.judgement import judged
from tracker.nearby import about_hand_and_object, about_object, pick
from tracker.observation import PLANE_SHARE, SMALL_PLANE_SHARE, Surroundings
from tracker.quality import MOST_FROM_BEFORE, TYPICAL, followed_confidence, log_odds
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import PLANES_EVERY, SequenceTracker
from tracker.swarm import SwarmSettings

REACH = models().object_reach
CHANCES = st.floats(0.001, 0.999)


def rng():
    return np.random.default_rng(0)


def estimate():
    scene = drawn(use_hand=False)
    here = judged(scene.observation, scene.problem, scene.truth, TYPICAL, rng(), colored=True)
    return replace(here, told=1.0)


@given(st.floats(-10, 10), CHANCES, CHANCES)
def test_the_frames_before_make_surer_or_less_so_within_bounds(evidence, before, other):
    low, high = sorted([before, other])
    assert followed_confidence(evidence, low) <= followed_confidence(evidence, high)
    gain = log_odds(followed_confidence(evidence, high)) - log_odds(followed_confidence(evidence, low))
    assert gain <= 2 * log_odds(MOST_FROM_BEFORE) + 1e-6


def test_a_doubtful_frame_is_believed_after_sure_ones_and_a_bad_one_is_not():
    assert followed_confidence(log_odds(0.4), 0.95) > 0.6
    assert followed_confidence(log_odds(0.05), 0.95) < 0.5
    assert followed_confidence(log_odds(0.4), 0.05) < 0.2


def test_log_odds_are_finite_and_symmetric():
    assert log_odds(0.5) == 0
    assert log_odds(0.8) == pytest.approx(np.log(4))
    assert np.isfinite([log_odds(0.0), log_odds(1.0)]).all()
    assert log_odds(0.0) == pytest.approx(-log_odds(1.0), rel=1e-6)


def test_what_moved_is_searched_farther_and_what_is_not_asked_for_not_at_all():
    still = Last(estimate(), np.eye(4))
    np.testing.assert_array_equal(still.scales(OBJECT)[OBJECT], SCALES[OBJECT])
    assert not still.scales(OBJECT)[HAND].any()
    assert not still.scales(HAND)[OBJECT].any()
    swift = replace(still, motion=rigid(matrix_from_rotation_vector(np.array([0.0, 0.0, 0.3])), np.array([0.02, 0, 0])))
    assert (swift.scales(OBJECT)[OBJECT] > SCALES[OBJECT]).all()
    np.testing.assert_array_equal(swift.scales(HAND)[12:], SCALES[12:])


def test_both_bodies_move_together():
    pose, motion = drawn().pose, rigid(matrix_from_rotation_vector(np.array([0.1, 0.2, 0.3])), np.array([0.1, 0, 0]))
    after = moved(pose, motion)
    np.testing.assert_allclose(after.camera_from_object, motion @ pose.camera_from_object)
    shape = average_hand()
    expected = joints(shape, pose.hand) @ motion[:3, :3].T + motion[:3, 3]
    np.testing.assert_allclose(joints(shape, after.hand), expected)


def test_points_are_taken_about_the_object_alone_or_half_about_the_hand():
    scene = drawn()
    alone = about_object(scene.observation, [scene.pose], REACH, 100, rng())
    centre = scene.pose.camera_from_object[:3, 3]
    assert len(alone.points) == 100
    assert np.linalg.norm(alone.points - centre, axis=1).max() < 1.3 * REACH
    both = about_hand_and_object(scene.observation, [scene.pose], REACH, average_hand(), 100, rng())
    assert len(both.points) <= 100
    to_joint = np.linalg.norm(both.points[:, None] - joints(average_hand(), scene.pose.hand), axis=2).min(axis=1)
    assert (to_joint < 0.04).mean() >= 0.5
    assert np.linalg.norm(both.points - centre, axis=1).max() > 1.3 * REACH


def test_a_pick_is_in_order_and_never_more_than_asked_for():
    mask = np.arange(50) % 2 == 0
    np.testing.assert_array_equal(pick(mask, 100, rng()), np.arange(0, 50, 2))
    few = pick(mask, 10, rng())
    assert len(few) == 10
    assert (np.diff(few) > 0).all()
    assert mask[few].all()


def known(scene):
    return SceneKnowledge(
        camera=scene.observation.camera,
        shape=average_hand(),
        models=models(),
        weights=scene.problem.weights,
        likelihoods=likelihoods(scene.frame),
        first_likelihoods=None,
        usual=TYPICAL,
        colored=True,
        surroundings=Surroundings(WALL_PLANE),
        seed=0,
        symmetries=Symmetries.none(),
    )


def test_the_object_is_followed_over_a_step_and_a_turn():
    scene = drawn(use_hand=False)
    away = rigid(matrix_from_rotation_vector(np.array([0.0, 0.15, 0.05])), np.array([0.006, -0.004, 0.003]))
    pose = scene.pose.camera_from_object.copy()
    pose[:3, :3], pose[:3, 3] = away[:3, :3] @ pose[:3, :3], pose[:3, 3] + away[:3, 3]
    last = Last(replace(estimate(), pose=replace(scene.pose, camera_from_object=pose)), np.eye(4))
    here = object_followed(scene.observation, last, known(scene), SwarmSettings(generations=20), (32, 200), rng())
    assert here is not None
    error = here.pose.camera_from_object[:3, 3] - scene.pose.camera_from_object[:3, 3]
    assert np.linalg.norm(error) < 0.003
    assert here.confidence > 0.5
    far = replace(last.estimate.pose, camera_from_object=rigid(np.eye(3), np.array([0.0, 0.0, 9.0])))
    nowhere = Last(replace(last.estimate, pose=far), np.eye(4))
    assert object_followed(scene.observation, nowhere, known(scene), SwarmSettings(), (32, 200), rng()) is None


def quality_shifted(shift):
    """Of a right pose whose colours are shifted."""
    quality = estimate().quality
    return replace(quality, view=replace(quality.view, feature_shift=np.array(shift)))


def test_colours_learned_later_are_held_half_way_to_those_learned_first():
    scene = drawn()
    first = known(scene).learned(scene.observation, scene.pose, quality_shifted([0, 0, 0]), 0.7)
    skin = replace(scene.pose, camera_from_object=scene.pose.hand.camera_from_hand)
    unheld, held = replace(first, first_likelihoods=None), first
    for _ in range(60):
        observation = scene.observation  # in which the hand's colour now passes for the object's, and is learned as it
        observation = replace(
            observation, object_chance=observation.hand_chance, hand_chance=np.zeros_like(observation.hand_chance)
        )
        pose = pose_without_hand(skin.camera_from_object)
        unheld = replace(unheld.learned(observation, pose, quality_shifted([0, 0, 0]), 0.1), first_likelihoods=None)
        held = held.learned(observation, pose, quality_shifted([0, 0, 0]), 0.1)

    def moved(knowledge):
        before = first.likelihoods.object_density
        return np.abs(knowledge.likelihoods.object_density - before).sum()

    assert moved(unheld) > 0.1
    assert moved(held) == pytest.approx(0.5 * moved(unheld), rel=0.15)


def test_colours_are_learned_from_the_object_and_not_from_the_skin_beside_it():
    scene = drawn()
    before = known(scene)
    after = before.learned(scene.observation, scene.pose, quality_shifted([0.1, 0.0, 0.0]), 0.5)
    np.testing.assert_allclose(after.models.sample_features, before.models.sample_features + np.array([0.05, 0, 0]))
    skin = scene.observation.hand_chance[scene.observation.foreground] > 0.8
    chance = after.observed(scene.frame).object_chance[scene.observation.foreground]
    assert chance[skin].mean() < 0.2
    assert not np.array_equal(after.likelihoods.object_density, before.likelihoods.object_density)


@pytest.mark.parametrize("still", [False, True])
def test_where_nothing_stands_still_planes_are_looked_for_in_every_frame_and_smaller_ones(still, monkeypatch, tmp_path):
    scene, asked = drawn(), []
    background = np.full(scene.frame.depth.shape, WALL, np.float32) if still else None
    knowledge = replace(known(scene), surroundings=Surroundings(WALL_PLANE, background))
    monkeypatch.setattr(scene_knowledge, "find_planes", lambda *given: asked.append(given[5]) or WALL_PLANE)
    for index in range(2 * PLANES_EVERY):
        tracker = SequenceTracker(knowledge, RunConfig((tmp_path / "s.h5",)))
        monkeypatch.setattr(tracker, "_followed", lambda observation: None)
        monkeypatch.setattr(tracker, "_found", lambda observation: [])
        tracker.track(replace(scene.frame, index=index))
    assert asked == ([PLANE_SHARE] * 2 if still else [SMALL_PLANE_SHARE] * 2 * PLANES_EVERY)


def test_planes_are_not_looked_for_where_the_object_last_was(monkeypatch, tmp_path):
    scene, held = drawn(), []
    monkeypatch.setattr(scene_knowledge, "find_planes", lambda *given: held.append(given[4]) or np.zeros((0, 4)))
    tracker = SequenceTracker(known(scene), RunConfig((tmp_path / "s.h5",)))
    tracker._observed(scene.frame, fresh_planes=True)
    tracker._last = Last(replace(estimate(), pose=scene.pose), np.eye(4))
    tracker._observed(scene.frame, fresh_planes=True)
    assert held[0] is None
    middle, reach = held[1]
    away = np.linalg.norm(apply(scene.pose.camera_from_object, models().samples) - middle, axis=1)
    assert away.max() == pytest.approx(reach)
    assert reach < 1.1 * REACH
