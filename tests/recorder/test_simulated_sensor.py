from dataclasses import replace

import numpy as np
import pytest

from recorder.cli import run
from recorder.sensors.simulated import CAMERA, SimulatedSensor, Simulation, as_counts
from recorder.session import open_session
from recorder.simulation.belt import belt
from recorder.simulation.motion import Motion
from recorder.simulation.world import over
from scene.drawing import HAND, OBJECT, Body, Drawing, open_drawer
from scene.hand_pose import HandPose, joints
from scene.rotations import geodesic_angle

PLAN = Simulation(drawer="rays", noise="none", frames=3)


@pytest.fixture(scope="module")
def sensor():
    with SimulatedSensor(belt(), PLAN) as opened:
        yield opened


def test_truth_agrees_with_the_picture(sensor):
    world = sensor._world
    for index in (0, 30):
        drawing, truth = world.at(index / 30)
        model = belt()
        alone = open_drawer("rays").draw(
            [Body(model.vertices, model.faces, model.vertex_colors, OBJECT, truth.camera_from_object)], CAMERA
        )
        seen = drawing.labels == OBJECT
        assert not (seen & (alone.labels == 0)).any()  # visible lies within amodal
        np.testing.assert_allclose(drawing.depth[seen], alone.depth[seen], atol=1e-4)
        assert truth.object_visibility == pytest.approx(seen.sum() / (alone.labels == OBJECT).sum(), abs=0.01)
        assert 0 < truth.hand_visibility <= 1


def test_joints_are_those_of_the_pose_and_under_the_skin(sensor):
    drawing, truth = sensor._world.at(0.0)
    posed = joints(sensor._world.skin.shape, HandPose(truth.camera_from_hand, truth.hand_angles))
    np.testing.assert_allclose(truth.joints_camera, posed)
    u, v = np.rint(CAMERA.project(truth.joints_camera[truth.joint_visible])).astype(int).T
    assert truth.joint_visible.sum() >= 4
    assert (drawing.labels[v, u] == HAND).all()
    assert (drawing.depth[v, u] < truth.joints_camera[truth.joint_visible, 2] + 0.003).all()


def test_hand_and_object_move_together_through_many_orientations(sensor):
    grasp = sensor._world.grasp
    truths = [sensor._world.at(time_s)[1] for time_s in (0.0, 2.0, 5.0)]
    for truth in truths:
        np.testing.assert_allclose(truth.camera_from_object @ grasp.object_from_hand, truth.camera_from_hand, atol=1e-9)
        assert 0.35 < truth.camera_from_object[2, 3] < 0.85
    turn = geodesic_angle(truths[0].camera_from_object[:3, :3], truths[2].camera_from_object[:3, :3])
    assert np.rad2deg(turn) > 20


def test_frame_is_what_the_world_shows(sensor):
    frame = sensor.frame(2)
    drawing, _ = sensor._world.at(2 / 30)
    np.testing.assert_array_equal(frame.color, drawing.color)
    np.testing.assert_allclose(frame.depth_counts * 0.001, drawing.depth, atol=0.00051)
    assert frame.device_time_s == pytest.approx(2 / 30)


def test_options_are_heeded(sensor):
    reference = sensor.frame(1)
    for name, value in (("noise", "structured-light"), ("depth_scale", 0.0005), ("frames_per_s", 10.0)):
        other = SimulatedSensor(belt(), replace(PLAN, **{name: value}))
        other._world = sensor._world
        assert (other.frame(1).depth_counts != reference.depth_counts).mean() > 0.01
    assert len(list(sensor.frames())) == 3


def test_seed_decides_everything_and_hand_and_speed_are_options(tmp_path):
    def recorded(name, *options):
        output = tmp_path / f"{name}.h5"
        command = ["capture", "--sensor", "simulated", "--frames", "2", "--drawer", "rays", "--output", str(output)]
        assert run([*command, *options]) == 0
        with open_session(output) as session:
            assert session.object_model.name == "belt"
            return session.frame(1), session.truth, session.hand_side, session.attribute("seed")

    first, truth, side, seed = recorded("first", "--seed", "5")
    again, *_ = recorded("again", "--seed", "5")
    np.testing.assert_array_equal(first.color, again.color)
    np.testing.assert_array_equal(first.depth, again.depth)
    assert (side, seed) == ("right", "5")
    _, other, side, seed = recorded("other", "--seed", "6", "--hand", "left", "--speed", "fast")
    assert (side, seed) == ("left", "6")
    assert not np.allclose(truth.camera_from_object, other.camera_from_object)


def test_fast_is_faster():
    def step(speed):
        motion = Motion.random(np.random.default_rng(0), speed)
        poses = np.stack([motion.camera_from_hand(time_s, np.zeros(3)) for time_s in np.arange(0, 8, 1 / 30)])
        return np.rad2deg(geodesic_angle(poses[1:, :3, :3], poses[:-1, :3, :3])).mean()

    assert 0.8 < step("slow") < 3.0
    assert 3.0 < step("fast") < 9.0


def test_over_takes_the_nearer_and_skips_nothing():
    def drawing(depth, label):
        depth = np.array([depth], np.float32)
        return Drawing(np.full((1, 4, 3), label, np.uint8), depth, np.full((1, 4), label, np.uint8))

    both = over(drawing([0.5, 0.9, 0.0, 0.7], 1), drawing([0.8, 0.8, 0.8, 0.0], 4))
    np.testing.assert_array_equal(both.labels, [[1, 4, 4, 1]])
    np.testing.assert_allclose(both.depth, [[0.5, 0.8, 0.8, 0.7]])
    np.testing.assert_array_equal(both.color[..., 0], both.labels)


def test_counts_are_rounded_and_what_is_too_far_is_no_measurement():
    counts = as_counts(np.array([[0.0, 0.5004, 0.5006, 70.0]]), 0.001)
    np.testing.assert_array_equal(counts, [[0, 500, 501, 0]])
    assert counts.dtype == np.uint16
