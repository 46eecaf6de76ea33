"""MANO's skinning, our hand made of its, and our poses as its, on the stand-in for the licensed file."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from recorder.simulation.skin import varied_shape
from scene.errors import InputError
from scene.hand_pose import ANGLE_LIMITS, JOINT_NAMES, HandPose, distance_to_segments, rest_angles, segments
from scene.hand_pose import joints as our_joints
from scene.hand_shape import average_hand, mirrored, proportioned
from scene.mano.file import read_mano
from scene.mano.hand import drawn_in, fitted_betas, hand_shape_of, side_of
from scene.mano.model import ManoPoses, joints, skinned
from scene.mano.pose import mano_poses, shortest_turns
from scene.rotations import matrix_from_rotation_vector, random_rotations
from scene.transforms import apply, inverse, rigid
from tests.scene.mano_stand_in import MANO_FROM_HAND, PARENTS, slightly_bent, stand_in, write_npz

FLAT, MEAN_HAND = ManoPoses.flat(), np.zeros(10)
INDEX = (5, 6, 7, 8)
seeds = st.integers(0, 2**32 - 1)


@cache
def model(side="right"):
    return model_of(stand_in(average_hand(side)))


def model_of(arrays):
    with tempfile.TemporaryDirectory() as folder:
        return read_mano(write_npz(Path(folder) / "m.npz", arrays))


@cache
def person(seed):
    """Of odd seeds a left hand."""
    return varied_shape(average_hand("left" if seed % 2 else "right"), np.random.default_rng(seed))


@cache
def model_of_person(seed):
    return model_of(stand_in(person(seed)))


def random_poses(count, rng):
    return ManoPoses(rng.normal(size=(count, 3)), rng.normal(size=(count, 45)) * 0.4, rng.normal(size=(count, 3)))


def by_the_paper(model, betas, orient, pose, transl):
    """Joints and vertices of one pose, joint by joint and vertex by vertex."""
    rotations = [Rotation.from_rotvec(vector).as_matrix() for vector in [orient, *pose.reshape(15, 3)]]
    shaped = model.template + sum(beta * model.shape_directions[..., at] for at, beta in enumerate(betas))
    at_rest = model.joint_regressor @ shaped
    bend = np.concatenate([(rotation - np.eye(3)).ravel() for rotation in rotations[1:]])
    frames = [rigid(rotations[0], at_rest[0])]
    for joint in range(1, 16):
        parent = PARENTS[joint]
        frames.append(frames[parent] @ rigid(rotations[joint], at_rest[joint] - at_rest[parent]))
    vertices = []
    for at, place in enumerate(shaped):
        resting = place + model.pose_directions[at] @ bend
        moved = [frame[:3, :3] @ (resting - joint) + frame[:3, 3] for frame, joint in zip(frames, at_rest, strict=True)]
        vertices.append(model.weights[at] @ np.array(moved) + transl)
    return np.array([frame[:3, 3] + transl for frame in frames]), np.array(vertices)


def test_the_flat_mean_hand_is_the_template():
    inner, vertices = skinned(model(), MEAN_HAND, FLAT)
    np.testing.assert_allclose(vertices[0], model().template, atol=1e-12)
    np.testing.assert_allclose(inner[0], model().joint_regressor @ model().template, atol=1e-12)


@given(seeds)
@settings(max_examples=5)
def test_skinning_is_that_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    poses, betas = random_poses(2, rng), rng.normal(size=10)
    inner, vertices = skinned(model(), betas, poses)
    for at in range(2):
        one = poses.global_orient[at], poses.hand_pose[at], poses.transl[at]
        expected = by_the_paper(model(), betas, *one)
        np.testing.assert_allclose(inner[at], expected[0], atol=1e-12)
        np.testing.assert_allclose(vertices[at], expected[1], atol=1e-12)


@given(seeds)
@settings(max_examples=20)
def test_global_orient_turns_all_joints_about_the_wrist(seed):
    rng = np.random.default_rng(seed)
    poses = random_poses(1, rng)
    upright = joints(model(), MEAN_HAND, replace(poses, global_orient=np.zeros((1, 3)), transl=np.zeros((1, 3))))[0]
    turned = matrix_from_rotation_vector(poses.global_orient[0])
    expected = (upright - upright[0]) @ turned.T + upright[0] + poses.transl[0]
    np.testing.assert_allclose(joints(model(), MEAN_HAND, poses)[0], expected, atol=1e-12)


def test_joints_are_in_our_order():
    """MANO has the thumb last and the little finger before the ring finger."""
    found = joints(model(), MEAN_HAND, FLAT)[0]
    inner = model().joint_regressor @ model().template
    places = {"wrist": 0, "thumb_base": 13, "index_middle": 2, "middle_last": 6, "ring_base": 10, "little_last": 9}
    for name, at in places.items():
        np.testing.assert_allclose(found[JOINT_NAMES.index(name)], inner[at], atol=1e-12, err_msg=name)
    for finger, vertex in {"thumb": 744, "index": 320, "middle": 443, "ring": 554, "little": 671}.items():
        np.testing.assert_allclose(found[JOINT_NAMES.index(f"{finger}_tip")], model().template[vertex], atol=1e-12)
    ours = our_joints(average_hand(), HandPose(MANO_FROM_HAND, slightly_bent()))
    np.testing.assert_allclose(
        np.delete(found, [4, 8, 12, 16, 20], 0), np.delete(ours, [4, 8, 12, 16, 20], 0), atol=1e-9
    )


def test_one_joint_moves_what_is_beyond_it():
    """A quarter turn of MANO's joint 2, the index finger's middle one, about the camera's z."""
    without_bulges = replace(model(), pose_directions=np.zeros((778, 3, 135)))
    flat = joints(without_bulges, MEAN_HAND, FLAT)[0]
    pose = np.zeros((1, 15, 3))
    pose[0, 1] = [0, 0, np.pi / 2]
    bent = joints(without_bulges, MEAN_HAND, replace(FLAT, hand_pose=pose.reshape(1, 45)))[0]
    x, y, z = flat[7] - flat[6]
    np.testing.assert_allclose(bent[7] - bent[6], [-y, x, z], atol=1e-12)
    x, y, z = flat[8] - flat[6]
    np.testing.assert_allclose(bent[8] - bent[6], [-y, x, z], atol=1e-12)
    others = [joint for joint in range(21) if joint not in (7, 8)]
    np.testing.assert_allclose(bent[others], flat[others], atol=1e-12)


def test_shape_coefficients_add_up():
    larger = joints(model(), 2.0 * np.eye(10)[0], FLAT)[0]
    flat = joints(model(), MEAN_HAND, FLAT)[0]
    np.testing.assert_allclose(larger - larger[0], 1.1 * (flat - flat[0]), atol=1e-9)


@pytest.mark.parametrize("seed", [2, 3])
def test_our_hand_has_the_joints_and_the_flesh_of_the_model(seed):
    true, found = person(seed), hand_shape_of(model_of_person(seed), MEAN_HAND)
    assert found.side == true.side == side_of(model_of_person(seed))
    np.testing.assert_allclose(found.phalanx_lengths, true.phalanx_lengths, atol=4e-4)
    reach = np.linalg.norm(true.base_offsets, axis=1)
    np.testing.assert_allclose(np.linalg.norm(found.base_offsets, axis=1), reach, atol=1e-9)
    np.testing.assert_allclose(
        found.base_offsets, true.base_offsets, atol=1e-3
    )  # turned to the average hand's knuckles
    np.testing.assert_array_equal(found.base_rotations, average_hand(true.side).base_rotations)
    np.testing.assert_allclose(found.radii, true.radii, atol=8e-4)
    ends, radii, _ = segments(found, slightly_bent())
    skin = apply(inverse(MANO_FROM_HAND), model_of_person(seed).template)
    assert np.abs(distance_to_segments(skin, ends, radii).min(axis=1)).mean() < 0.7e-3


def test_betas_reach_our_hand():
    flat, larger = (hand_shape_of(model(), betas) for betas in (MEAN_HAND, np.eye(10)[0]))
    np.testing.assert_allclose(larger.base_offsets, 1.05 * flat.base_offsets, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(larger.radii.ravel()[1:], 1.05 * flat.radii.ravel()[1:], rtol=0.01)
    # the ball of the thumb shares the flesh of its first joint
    np.testing.assert_allclose(larger.radii[0, 0], 1.05 * flat.radii[0, 0], rtol=0.03)


def test_a_mean_pose_that_bends_nothing_tells_no_side():
    straight = replace(model(), hands_mean=np.zeros(45))
    with pytest.raises(InputError, match="must bend the fingers to the palm, and this one does not; give MANO_RIGHT"):
        side_of(straight)


@given(seeds, st.sampled_from(["right", "left"]))
@settings(max_examples=20)
def test_our_poses_are_mano_s(seed, side):
    """All joints but the tips, which pose directions push about, are where ours are."""
    rng = np.random.default_rng(seed)
    shape = hand_shape(side)
    angles = rng.uniform(*ANGLE_LIMITS.T, (3, 20))
    camera_from_hand = rigid(random_rotations(3, rng), rng.normal(size=(3, 3)))
    poses = mano_poses(model(side), MEAN_HAND, shape, camera_from_hand, angles)
    found = drawn_in(joints(model(side), MEAN_HAND, poses), shape.radii[:, 3])
    ours = [our_joints(shape, HandPose(motion, bend)) for motion, bend in zip(camera_from_hand, angles, strict=True)]
    off = np.linalg.norm(found - ours, axis=2)
    tips = off[:, 4::4].copy()
    off[:, 4::4] = 0
    assert off.max() < 1e-9
    assert tips.max() < 0.004


@cache
def hand_shape(side):
    return hand_shape_of(model(side), MEAN_HAND)


def test_a_flat_hand_is_no_rotation_at_all():
    shape = hand_shape("right")
    poses = mano_poses(model(), MEAN_HAND, shape, MANO_FROM_HAND[None], slightly_bent()[None])
    np.testing.assert_allclose(poses.hand_pose, 0, atol=0.005)  # turns of a finger about its own length, no more
    np.testing.assert_allclose(poses.global_orient, 0, atol=1e-6)
    np.testing.assert_allclose(poses.transl, 0, atol=1e-9)


def test_the_mean_pose_curls_as_ours_does():
    """Turned about its own length a finger could not bend: rotations, not joints alone, are those of the file."""
    poses = mano_poses(model(), MEAN_HAND, hand_shape("right"), MANO_FROM_HAND[None], rest_angles()[None])
    np.testing.assert_allclose(poses.hand_pose[0], model().hands_mean, atol=0.01)


@pytest.mark.parametrize("size", [(1.0, 1.0), (1.08, 1.08), (0.93, 0.93), (1.0, 1.03)])
def test_the_shape_is_fitted_to_our_hand(size):
    shape = proportioned(hand_shape("right"), *size)
    betas = fitted_betas(model(), shape)
    if size == (1.0, 1.0):
        np.testing.assert_allclose(betas, 0, atol=1e-6)
    camera_from_hand, angles = rigid(np.eye(3), np.zeros(3))[None], slightly_bent()[None]

    def error(betas):
        found = joints(model(), betas, mano_poses(model(), betas, shape, camera_from_hand, angles))
        ours = our_joints(shape, HandPose(camera_from_hand[0], angles[0]))
        return np.linalg.norm(drawn_in(found, shape.radii[:, 3])[0] - ours, axis=1).mean()

    assert error(betas) < 0.0015
    assert error(betas) <= error(MEAN_HAND)


@given(seeds)
@settings(max_examples=20)
def test_shortest_turns_lead_from_one_to_the_other(seed):
    source, target = np.random.default_rng(seed).normal(size=(2, 4, 3))
    turns = shortest_turns(source, target)
    turned = np.einsum("nij,nj->ni", turns, source) / np.linalg.norm(source, axis=1, keepdims=True)
    np.testing.assert_allclose(turned, target / np.linalg.norm(target, axis=1, keepdims=True), atol=1e-9)
    axes = np.cross(source, target)
    np.testing.assert_allclose(np.einsum("nij,nj->ni", turns, axes), axes, atol=1e-9)


def test_directions_that_agree_need_no_turn():
    np.testing.assert_allclose(shortest_turns(np.eye(3), 2 * np.eye(3)), np.tile(np.eye(3), (3, 1, 1)), atol=1e-12)


def test_a_left_hand_is_fleshed_as_a_right_one():
    left, right = hand_shape("left"), hand_shape("right")
    np.testing.assert_allclose(mirrored(left).base_offsets, right.base_offsets, atol=1e-9)
    np.testing.assert_allclose(left.radii, right.radii, atol=5e-4)
