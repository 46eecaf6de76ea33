import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from recorder.sensors.simulated import CAMERA
from recorder.simulation.belt import belt, belt_distance
from recorder.simulation.forearm import camera_from_forearm, grow_forearm, reached_by
from recorder.simulation.grasp import (
    ARM_CLEARANCE,
    FIRM,
    PENETRATION,
    TOUCH,
    arm_distance,
    distance_at,
    find_grasp,
    skin_distance,
)
from recorder.simulation.scripted import chosen_motion
from recorder.simulation.skin import grow_skin, varied_shape
from recorder.simulation.world import World
from scene.distance_field import build_distance_field
from scene.drawing import open_drawer
from scene.errors import SensorError
from scene.hand_shape import average_hand
from scene.object_model import ObjectModel, load_object
from scene.transforms import inverse

DATA = Path(os.environ.get("UNOCCLUDE_DATA", Path(__file__).parents[3] / "shared" / "data"))
MESHES = DATA / "linemod-meshes"


@pytest.fixture(scope="module")
def field():
    return build_distance_field(belt())


def grasped(field, seed, side="right"):
    rng = np.random.default_rng(seed)
    skin = grow_skin(side, rng, spacing=0.004)
    return skin, find_grasp(skin, belt(), field, rng)


def solid(mesh):
    colors = np.full((len(mesh.vertices), 3), 120, np.uint8)
    return ObjectModel("solid", np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32), colors, False, "test")


def test_belt_is_closed_coloured_asymmetric_and_about_six_centimetres():
    model = belt()
    assert model.mesh.is_watertight
    assert model.mesh.volume > 0  # faces point outwards
    assert 0.055 < model.diameter < 0.075
    assert len(np.unique(model.vertex_colors, axis=0)) >= 5
    for half_turn in np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]):
        away = np.abs(belt_distance(model.vertices * half_turn))
        assert np.quantile(away, 0.9) > 0.003  # no half turn maps it onto itself


@pytest.mark.parametrize(("seed", "side"), [(0, "right"), (1, "left"), (2, "right")])
def test_fingers_touch_and_do_not_pass_through(field, seed, side):
    skin, grasp = grasped(field, seed, side)
    distance = skin_distance(skin.surface, grasp, field)
    assert distance.min() > -0.001
    assert distance.min() < TOUCH
    assert grasp.touching[0]  # the thumb
    assert grasp.touching[1:].any()
    assert grasp.quality > FIRM - 1
    finger = (skin.surface.weights.argmax(axis=1) - 1) // 3
    for one in np.flatnonzero(grasp.touching):
        assert distance[finger == one].min() < 0.002


def test_same_seed_same_grasp_other_seed_another(field):
    first, again, other = (grasped(field, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.object_from_hand, again.object_from_hand)
    np.testing.assert_array_equal(first.angles, again.angles)
    assert np.abs(first.angles - other.angles).max() > 0.01


def test_any_mesh_is_grasped():
    model = solid(trimesh.creation.icosphere(radius=0.03))
    field = build_distance_field(model, nodes=40)
    rng = np.random.default_rng(0)
    skin = grow_skin("right", rng, spacing=0.004)
    grasp = find_grasp(skin, model, field, rng)
    assert skin_distance(skin.surface, grasp, field).min() > -0.001 - field.spacing / 10
    assert grasp.touching.sum() >= 2


@pytest.mark.skipif(not MESHES.is_dir(), reason=f"LINEMOD's meshes are not at {DATA}; set UNOCCLUDE_DATA")
@pytest.mark.parametrize("number", [1, 4, 6, 8])
def test_scanned_objects_of_10_to_26_cm_are_grasped(number):
    model = load_object(MESHES / f"obj_{number:02d}.ply", "mm")
    field = build_distance_field(model, nodes=36)
    rng = np.random.default_rng(0)
    skin = grow_skin("right", rng, spacing=0.005)
    grasp = find_grasp(skin, model, field, rng)
    assert grasp.quality > FIRM - 1
    assert -0.001 < skin_distance(skin.surface, grasp, field).min() < TOUCH


def test_the_object_is_never_held_where_the_arm_may_be(field):
    skin, first = grasped(field, 0)
    inside = inverse(first.object_from_hand)[:3, 3][None]  # the belt's middle, as that grasp has it
    rng = np.random.default_rng(0)
    skin = grow_skin("right", rng, spacing=0.004)
    other = find_grasp(skin, belt(), field, rng, arm_hand=inside)
    assert arm_distance(inside, first, field) < 0 < ARM_CLEARANCE <= arm_distance(inside, other, field)
    assert np.abs(first.angles - other.angles).max() > 0.01


def test_an_arm_that_is_out_of_the_way_changes_nothing(field):
    skin, first = grasped(field, 0)
    rng = np.random.default_rng(0)
    arm_hand = reached_by(grow_forearm(skin, np.random.default_rng(5)))
    again = find_grasp(grow_skin("right", rng, spacing=0.004), belt(), field, rng, arm_hand=arm_hand)
    np.testing.assert_array_equal(first.object_from_hand, again.object_from_hand)


@pytest.mark.parametrize("name", ["random", "turn-x", "leave-and-return"])
def test_the_arm_is_known_wherever_a_motion_brings_it(name):
    rng = np.random.default_rng(3)
    arm = grow_forearm(grow_skin("right", rng, spacing=0.006), rng)
    known, motion = cKDTree(reached_by(arm)), chosen_motion(name, "slow", rng)
    for time_s in np.arange(0, 20, 1.7):
        camera_from_hand = motion.camera_from_hand(time_s, np.array([0.08, -0.06, 0.0]))
        hand_from_arm = inverse(camera_from_hand) @ camera_from_forearm(camera_from_hand, motion.arm(time_s))
        near = arm.vertices[arm.vertices[:, 0] < 0.2]  # beyond, no object that is held comes
        distance, _ = known.query(near @ hand_from_arm[:3, :3].T + hand_from_arm[:3, 3])
        assert distance.max() < 0.03


@pytest.mark.skipif(not MESHES.is_dir(), reason=f"LINEMOD's meshes are not at {DATA}; set UNOCCLUDE_DATA")
def test_the_arm_does_not_pass_through_a_can_of_20_cm():
    model = load_object(MESHES / "obj_05.ply", "mm")
    field = build_distance_field(model, nodes=50)
    with closing(open_drawer("rays")) as drawer:
        world = World.build(model, "right", "slow", CAMERA.resized(64, 48), drawer, np.random.default_rng(4))
    for time_s in np.arange(0, 8, 0.5):
        _, _, thing, arm = world._bodies(time_s)
        object_from_arm = inverse(thing.camera_from_body) @ arm.camera_from_body
        points = arm.vertices @ object_from_arm[:3, :3].T + object_from_arm[:3, 3]
        assert distance_at(field, points).min() > 0  # without looking it went 7 mm in


def test_what_cannot_be_held_is_an_error():
    model = solid(trimesh.creation.box((1.0, 1.0, 1.0)))
    field = build_distance_field(model, nodes=30)
    rng = np.random.default_rng(0)
    skin = grow_skin("right", rng, spacing=0.006)
    with pytest.raises(SensorError, match="no hold of the object solid"):
        find_grasp(skin, model, field, rng)


def test_distance_is_exact_between_nodes_of_a_linear_field(field):
    ramp = np.arange(4.0)[:, None, None] * np.ones((4, 4, 4))
    linear = type(field)(ramp * 0.01, np.zeros(3), 0.01)
    np.testing.assert_allclose(distance_at(linear, np.array([[0.013, 0.01, 0.01], [0.2, 0, 0]])), [0.013, 0.03])


def test_people_differ_in_every_bone_and_from_the_average():
    average = average_hand("right")
    first, second = (varied_shape(average, np.random.default_rng(seed)) for seed in (0, 1))
    for a, b in ((average, first), (first, second)):
        assert (np.abs(a.phalanx_lengths / b.phalanx_lengths - 1) > 0.001).all()
        assert (np.abs(a.radii / b.radii - 1) > 0.001).all()
    assert PENETRATION < TOUCH
