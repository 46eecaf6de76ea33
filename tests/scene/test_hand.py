"""The hand's bones, its flesh and its surface."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from scene.errors import InputError
from scene.hand_pose import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    JOINT_NAMES,
    PARENTS,
    HandPose,
    bones,
    distance_to_segments,
    joints,
    rest_angles,
    segments,
)
from scene.hand_shape import average_hand, mirrored, proportioned, scaled
from scene.hand_surface import HandSurface
from scene.rotations import random_rotations
from scene.transforms import apply, rigid

FINGERS = range(5)
MIRROR = np.array([1, 1, -1])


def pose(angles=None, motion=None):
    return HandPose(np.eye(4) if motion is None else motion, np.zeros(20) if angles is None else angles)


def angles_within_limits(seed):
    return np.random.default_rng(seed).uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])


def tip(finger, angles, side="right"):
    return joints(average_hand(side), pose(angles))[4 * finger + 4]


@pytest.fixture(scope="module")
def surface():
    return HandSurface.build(average_hand(), spacing=0.004)


def test_names_and_limits_are_one_to_a_number():
    assert len(ANGLE_NAMES) == len(set(ANGLE_NAMES)) == 20
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == len(PARENTS) == 21
    assert ANGLE_LIMITS.shape == (20, 2)
    assert (ANGLE_LIMITS[:, 0] < ANGLE_LIMITS[:, 1]).all()
    assert JOINT_NAMES[0] == "wrist"
    assert JOINT_NAMES[8] == "index_tip"
    assert ANGLE_NAMES[4:8] == (
        "index_abduction",
        "index_base_flexion",
        "index_middle_flexion",
        "index_last_flexion",
    )
    rest = rest_angles()
    assert ((rest > ANGLE_LIMITS[:, 0]) & (rest < ANGLE_LIMITS[:, 1])).all()
    assert all(parent < joint for joint, parent in enumerate(PARENTS))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["left", "right"]))
@settings(max_examples=30)
def test_bones_keep_their_length_however_fingers_bend(seed, side):
    shape = average_hand(side)
    chain = joints(shape, pose(angles_within_limits(seed)))[1:].reshape(5, 4, 3)
    np.testing.assert_allclose(np.linalg.norm(np.diff(chain, axis=1), axis=2), shape.phalanx_lengths, atol=1e-12)
    np.testing.assert_allclose(chain[:, 0], shape.base_offsets)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_left_hand_is_the_mirror_image_of_a_right_one(seed):
    angles = angles_within_limits(seed)
    right, left = joints(average_hand("right"), pose(angles)), joints(average_hand("left"), pose(angles))
    np.testing.assert_allclose(left, right * MIRROR, atol=1e-12)
    ends_right, radii_right, owner_right = segments(average_hand("right"), angles)
    ends_left, radii_left, owner_left = segments(average_hand("left"), angles)
    np.testing.assert_allclose(ends_left, ends_right * MIRROR, atol=1e-12)
    np.testing.assert_array_equal(radii_left, radii_right)
    np.testing.assert_array_equal(owner_left, owner_right)


def test_bones_of_either_side_are_rotations():
    for side in ("left", "right"):
        frames = bones(average_hand(side), angles_within_limits(5))
        identity = np.tile(np.eye(3), (16, 1, 1))
        np.testing.assert_allclose(frames[:, :3, :3] @ np.swapaxes(frames[:, :3, :3], 1, 2), identity, atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(frames[:, :3, :3]), 1)


def test_the_thumb_of_a_right_hand_is_at_minus_z():
    tips = joints(average_hand("right"), pose())[4::4]
    assert (np.diff(tips[:, 2]) > 0).all()
    assert tips[0, 2] < 0 < tips[4, 2]
    assert joints(average_hand("left"), pose())[4, 2] > 0


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("finger", range(1, 5))
@pytest.mark.parametrize("motion", [1, 2, 3])
def test_positive_flexion_curls_to_the_palm(side, finger, motion):
    angles = np.zeros(20)
    angles[4 * finger + motion] = 0.5
    assert tip(finger, angles, side)[1] < tip(finger, np.zeros(20), side)[1] - 0.005


@pytest.mark.parametrize("finger", range(1, 5))
def test_positive_abduction_turns_a_finger_towards_the_thumb(finger):
    angles = np.zeros(20)
    angles[4 * finger] = 0.2
    assert tip(finger, angles)[2] < tip(finger, np.zeros(20))[2] - 0.005
    assert tip(finger, angles, "left")[2] > tip(finger, np.zeros(20), "left")[2] + 0.005


@pytest.mark.parametrize("side", ["left", "right"])
def test_positive_abduction_takes_the_thumb_out_of_the_palms_plane(side):
    angles = np.zeros(20)
    angles[0] = 0.5
    assert tip(0, angles, side)[1] < tip(0, np.zeros(20), side)[1] - 0.005


@pytest.mark.parametrize("motion", [1, 2, 3])
def test_positive_flexion_takes_the_thumb_across_the_palm(motion):
    """Towards the little finger, which is at +z of a right hand."""
    angles = np.zeros(20)
    angles[motion] = 0.5
    assert tip(0, angles)[2] > tip(0, np.zeros(20))[2] + 0.003


@pytest.mark.parametrize("number", range(20))
def test_an_angle_moves_its_own_finger_only(number):
    angles = np.zeros(20)
    angles[number] = 0.3
    moved = np.linalg.norm(joints(average_hand(), pose(angles)) - joints(average_hand(), pose()), axis=1) > 1e-9
    finger, motion = divmod(number, 4)
    first = 4 * finger + 1 + max(motion, 1)  # the joint after the one that turns
    np.testing.assert_array_equal(np.nonzero(moved)[0], np.arange(first, 4 * finger + 5))


def test_scaled_and_mirrored_hands():
    large = scaled(average_hand(), 1.2)
    angles = rest_angles()
    np.testing.assert_allclose(joints(large, pose(angles)), 1.2 * joints(average_hand(), pose(angles)), atol=1e-12)
    np.testing.assert_allclose(large.palm_radii, 1.2 * average_hand().palm_radii)
    again = mirrored(mirrored(average_hand()))
    assert again.side == "right"
    np.testing.assert_allclose(again.base_rotations, average_hand().base_rotations)


def test_an_average_hand_is_as_large_as_a_hand():
    reach = joints(average_hand(), pose())[12, 0]
    assert 0.17 < reach + average_hand().radii[2, 3] < 0.20
    assert tip(3, np.zeros(20))[0] < reach


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"side": "middle"}, "a hand's side must be left or right, got 'middle'"),
        ({"phalanx_lengths": np.zeros((5, 3))}, "every bone length and radius of a hand must be positive"),
        ({"radii": -np.ones((5, 4))}, "every bone length and radius of a hand must be positive"),
        ({"palm_radii": np.zeros((7, 2))}, "every bone length and radius of a hand must be positive"),
    ],
)
def test_what_is_no_hand_is_refused(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        replace(average_hand(), **changed)


def test_what_is_no_pose_is_refused():
    with pytest.raises(InputError, match=r"must be a \(4, 4\) transform and \(20,\) angles, got \(3, 3\) and \(19,\)"):
        HandPose(np.eye(3), np.zeros(19))


def test_distance_to_a_capsule_by_hand():
    ends, radii = np.array([[[0, 0, 0], [0.1, 0, 0]]], float), np.array([[0.02, 0.01]])
    points = np.array([[0.05, 0.05, 0], [-0.05, 0, 0], [0.1, 0, 0], [0.15, 0, 0]])
    np.testing.assert_allclose(distance_to_segments(points, ends, radii)[:, 0], [0.035, 0.03, -0.01, 0.04])


def test_the_surface_is_closed_and_faces_outwards(surface):
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert 1e-4 < mesh.volume < 6e-4  # a hand has 0.3 to 0.4 litres


def on_flesh(ends, radii, rng):
    """(N, 3) points spread over the union of the capsules."""
    which, along = np.repeat(np.arange(len(ends)), 100), rng.random(100 * len(ends))
    axis = ends[which, 1] - ends[which, 0]
    across = np.cross(axis, rng.normal(size=axis.shape))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    radius = radii[which, 0] + along * (radii[which, 1] - radii[which, 0])
    points = ends[which, 0] + along[:, None] * axis + radius[:, None] * across
    return points[distance_to_segments(points, ends, radii).min(axis=1) > -3e-4]


@pytest.mark.parametrize("size", [(1.0, 1.0), (0.9, 1.05)])
def test_the_surface_that_is_drawn_and_the_flesh_that_is_tracked_agree_to_2_mm(size):
    """In both directions, over hands between open and a fist; at a hundredth of the skin, webs and bent bases, not."""
    rng = np.random.default_rng(0)
    made = HandSurface.build(proportioned(average_hand(), *size), spacing=0.004)
    of_skin, of_flesh = [], []
    for closed in (0.0, 1.0, 2.0, 3.0):
        angles = np.clip(rest_angles() * closed + rng.normal(size=20) * 0.1, *ANGLE_LIMITS.T)
        ends, radii, _ = segments(made.shape, angles)
        skin = made.posed(pose(angles))
        of_skin.append(np.abs(distance_to_segments(skin, ends, radii).min(axis=1)))
        everywhere = np.concatenate([skin, skin[made.faces].mean(axis=1)])
        of_flesh.append(cKDTree(everywhere).query(on_flesh(ends, radii, rng))[0])
    for distance in map(np.concatenate, (of_skin, of_flesh)):
        assert np.median(distance) < 0.0011  # to the nearest of points 2 mm apart
        assert (distance < 0.002).mean() > 0.97
        assert distance.max() < 0.012


def test_the_surface_moves_with_the_hand(surface):
    motion = rigid(random_rotations(1, np.random.default_rng(0))[0], np.array([0.1, -0.2, 0.5]))
    still = surface.posed(pose(rest_angles()))
    np.testing.assert_allclose(surface.posed(pose(rest_angles(), motion)), apply(motion, still), atol=1e-9)
    np.testing.assert_allclose(surface.posed(pose()), surface.vertices, atol=1e-9)


def test_weights_bind_every_vertex(surface):
    np.testing.assert_allclose(surface.weights.sum(axis=1), 1)
    assert (surface.weights >= 0).all()
    assert (surface.weights.max(axis=0) > 0.5).all()  # every bone leads somewhere


def test_a_finger_of_the_surface_follows_its_joint(surface):
    angles = np.zeros(20)
    angles[5] = 1.0
    moved = np.linalg.norm(surface.posed(pose(angles)) - surface.vertices, axis=1) > 1e-3
    nearest = np.linalg.norm(surface.vertices[moved, None] - joints(surface.shape, pose())[[8, 12, 20]], axis=2)
    assert moved.any()
    assert (nearest.argmin(axis=1) == 0).mean() > 0.9


@pytest.mark.parametrize("along", [0.2, 0.4, 0.6])
def test_the_ball_of_the_little_finger_stands_out_between_wrist_and_knuckle(along):
    shape = average_hand()
    steps, (first, last) = np.linspace(0, 1, 50)[:, None, None], np.moveaxis(shape.palm_segments, 1, 0)
    centres = first + steps * (last - first)
    radii = shape.palm_radii[:, 0] + steps[..., 0] * (shape.palm_radii[:, 1] - shape.palm_radii[:, 0])

    def edge(x):
        across = radii**2 - (centres[..., 0] - x) ** 2
        return (centres[..., 2] + np.sqrt(np.maximum(across, 0)))[across >= 0].max()

    wrist, knuckle = 0.0, shape.base_offsets[4, 0]
    straight = (1 - along) * edge(wrist) + along * edge(knuckle)
    assert 0.002 < edge(along * knuckle) - straight < 0.006
