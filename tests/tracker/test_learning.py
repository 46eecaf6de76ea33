from dataclasses import replace

import numpy as np
import pytest

from recorder.simulation.belt import belt
from scene.distance_field import build_distance_field
from scene.hand_pose import HandPose
from scene.hand_shape import average_hand
from scene.symmetry import Symmetries
from scene.transforms import rigid
from tests.tracker.samples import CAMERA, draw, true_pose
from tracker.arm import Arm
from tracker.explanation import SampleView
from tracker.initialisation import pose_without_hand
from tracker.quality import ObjectQuality
from tracker.scene_knowledge import SceneKnowledge

VIEW = SampleView(support=0.6, violation=0.0, hidden=0.4, feature_shift=np.zeros(3))
GOOD = ObjectQuality(VIEW, residual=0.0008, explained=0.97, discolored=0.05, depth=0.5, extent=0.1)


@pytest.fixture(scope="module")
def seen():
    """What is known of the drawn scene before anything is tracked, and its first frame."""
    frame = draw(true_pose())
    field = build_distance_field(belt(), nodes=60)
    knowledge = SceneKnowledge.before(frame, None, CAMERA, belt(), field, average_hand(), 0, Symmetries.none())
    return knowledge, knowledge.observed(frame)


def chances_after(seen, pose):
    """(H, W) chance of object and of hand, before and after learning from a pose."""
    knowledge, observation = seen
    learned = knowledge.learned(observation, pose, GOOD, 0.7).likelihoods
    return (observation.object_chance, observation.hand_chance), learned.chances(observation.features)


def test_skin_is_not_learned_as_the_objects_colour_where_the_hand_was_missed(seen):
    pose = true_pose()
    on_the_hand = pose.hand.camera_from_hand[:3, 3] + [0.09, 0, 0]
    (_, hand), (on_object, _) = chances_after(seen, pose_without_hand(rigid(np.eye(3), on_the_hand)))
    skin = (hand > 0.6) & seen[1].foreground
    assert skin.any()
    assert np.median(on_object[skin]) < 0.2


def test_skin_stays_like_a_hand_where_the_hand_was_missed(seen):
    pose = true_pose()
    (_, hand), (_, hand_after) = chances_after(seen, pose_without_hand(pose.camera_from_object))
    skin = (hand > 0.6) & seen[1].foreground
    assert skin.any()
    assert np.median(hand_after[skin]) > np.median(hand[skin])
    assert np.median(hand_after[skin]) > 0.95, "0.92 where nothing is learned as skin"


def test_a_sleeve_is_not_learned_as_skin_where_the_hand_was_missed(seen):
    knowledge, observation = seen
    here = replace(observation)
    here.__dict__["arm"] = Arm(np.zeros(3), np.array([0, 0, 1.0]), reach=9.0)  # the hand is far beyond all that is seen
    pose = pose_without_hand(true_pose().camera_from_object)
    learned = knowledge.learned(here, pose, GOOD, 0.7).likelihoods
    np.testing.assert_allclose(learned.hand_density, knowledge.likelihoods.hand_density)


def test_the_objects_colour_is_not_learned_as_skin_from_a_hand_that_is_wrong(seen):
    pose = true_pose()
    at_object = HandPose(rigid(np.eye(3), pose.camera_from_object[:3, 3] - [0.09, 0, 0]), pose.hand.angles)
    away = rigid(np.eye(3), pose.camera_from_object[:3, 3] + [0, 0.1, 0])
    (on_object, _), (_, hand) = chances_after(seen, replace(pose, camera_from_object=away, hand=at_object))
    thing = (on_object > 0.6) & seen[1].foreground
    assert thing.any()
    assert np.median(hand[thing]) < 0.2
