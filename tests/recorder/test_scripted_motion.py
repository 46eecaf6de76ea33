"""Scripted motions: each does what its name says, at every seed, and is told in the file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recorder.cli import run
from recorder.sensors.simulated import CAMERA
from recorder.session import open_session
from recorder.simulation.belt import belt
from recorder.simulation.motion import MIDDLE_DEPTH, PACE
from recorder.simulation.scripted import CYCLE_S, SCRIPTS, TURN_S, chosen_motion
from recorder.simulation.world import World
from scene.drawing import HAND, OBJECT, Drawing, open_drawer
from scene.rotations import rotation_vector_from_matrix

HELD = np.array([0.08, -0.06, 0.01])


def scripted(name, speed="slow", seed=0):
    return chosen_motion(name, speed, np.random.default_rng(seed))


def held_camera(motion, time_s):
    return (motion.camera_from_hand(time_s, HELD) @ np.append(HELD, 1))[:3]


@pytest.mark.parametrize("speed", ["slow", "fast"])
@pytest.mark.parametrize(("name", "axis"), [("turn-x", 0), ("turn-y", 1), ("turn-z", 2)])
def test_turns_are_about_one_axis_of_the_camera_and_steady(name, axis, speed):
    motion = scripted(name, speed)
    before, after = (motion.camera_from_hand(time_s, HELD) for time_s in (1.0, 1.1))
    turned = rotation_vector_from_matrix(after[:3, :3] @ before[:3, :3].T)
    np.testing.assert_allclose(turned, 2 * np.pi * 0.1 / TURN_S * PACE[speed] * np.eye(3)[axis], atol=1e-9)
    np.testing.assert_allclose(held_camera(motion, 3.3), [0, 0, MIDDLE_DEPTH], atol=1e-12)
    once_about = motion.camera_from_hand(1.0 + TURN_S / PACE[speed], HELD)
    np.testing.assert_allclose(once_about, before, atol=1e-9)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_arm_turns_with_the_hand_and_the_seed_changes_nothing(name):
    motion, other = scripted(name), scripted(name, seed=1)
    for time_s in (0.0, 0.7, 5.2):
        pose = motion.camera_from_hand(time_s, HELD)
        np.testing.assert_allclose(pose[:3, 0], -motion.arm(time_s), atol=1e-12)
        np.testing.assert_array_equal(pose, other.camera_from_hand(time_s, HELD))
    palm = motion.camera_from_hand(0.0, HELD)[:3, :3] @ (0, -1, 0)
    assert palm[2] < -0.9  # the hand frame's -y leaves the palm: towards the camera


def test_shaking_is_quick_and_stays_in_place():
    motion = scripted("shake")
    path = np.stack([held_camera(motion, time_s) for time_s in np.arange(0, 3, 1 / 30)])
    assert np.abs(path - (0, 0, MIDDLE_DEPTH)).max() < 0.035
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() > 0.010  # metres between frames


def test_what_leaves_is_gone_and_returns_with_another_side():
    drawer = open_drawer("rays")
    world = World.build(belt(), "right", "slow", CAMERA, drawer, np.random.default_rng(0), motion="leave-and-return")
    nothing = Drawing(
        np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160), np.float32), np.zeros((120, 160), np.uint8)
    )
    small = replace(world, camera=CAMERA.resized(160, 120), background=nothing)
    seen = [small.at(time_s) for time_s in (0.0, (CYCLE_S[1] + CYCLE_S[2]) / 2, CYCLE_S[3])]
    drawer.close()
    assert [{HAND, OBJECT} & set(np.unique(drawing.labels)) for drawing, _ in seen] == [
        {HAND, OBJECT},
        set(),
        {HAND, OBJECT},
    ]
    assert seen[1][1].object_visibility == 0
    assert seen[2][1].object_visibility > 0
    first, last = (truth.camera_from_object[:3, :3] for _, truth in (seen[0], seen[2]))
    assert np.linalg.norm(rotation_vector_from_matrix(last @ first.T)) > 1


def test_the_motion_and_constants_of_all_noise_are_in_the_file(tmp_path, capsys):
    output = tmp_path / "s.h5"
    options = "--motion turn-y --noise stereo --frames 1 --drawer rays --object carton"
    assert run(["capture", "--sensor", "simulated", *options.split(), "--output", str(output)]) == 0
    assert run(["info", str(output)]) == 0
    assert "motion turn-y, speed slow, noise stereo\n" in capsys.readouterr().out
    with open_session(output) as session:
        notes = json.loads(session.attribute("notes"))
        pose = session.truth.camera_from_object[0]
    assert (notes["plan"]["motion"], notes["plan"]["noise"]) == ("turn-y", "stereo")
    assert (notes["depth_noise"]["baseline"], notes["depth_noise"]["grain_px"]) == (-0.05, 1.5)
    assert notes["color_noise"] == {"read_sd": 1.5, "shot_sd_at_white": 4.0}
    assert pose[2, 3] == pytest.approx(MIDDLE_DEPTH, abs=0.01)  # the carton's middle is its origin
