import numpy as np
import pytest
import trimesh

from scene.distance_field import build_distance_field
from scene.object_model import ObjectModel

RADIUS = 0.03


def sphere(centre=(0, 0, 0)):
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=RADIUS)
    vertices = np.asarray(mesh.vertices) + centre
    return ObjectModel("ball", vertices, np.asarray(mesh.faces), np.zeros(vertices.shape, np.uint8), False, "test")


def nodes_of(field):
    axes = [field.origin[axis] + field.spacing * np.arange(field.values.shape[axis]) for axis in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def test_distance_to_a_sphere_is_known_and_negative_inside():
    centre = np.array([0.1, -0.02, 0.3])
    field = build_distance_field(sphere(centre), nodes=24)
    known = np.linalg.norm(nodes_of(field) - centre, axis=-1) - RADIUS
    np.testing.assert_allclose(field.values, known, atol=3e-4)
    assert field.values.min() == pytest.approx(-RADIUS, abs=2 * field.spacing)
    assert field.values.dtype == np.float32


def test_the_box_exceeds_the_mesh_by_the_margin():
    model = sphere()
    field = build_distance_field(model, nodes=20, margin=0.015)
    corners = nodes_of(field)
    assert (corners[0, 0, 0] <= model.vertices.min(axis=0) - 0.015 + 1e-9).all()
    assert (corners[-1, -1, -1] >= model.vertices.max(axis=0) + 0.015 - 1e-9).all()


def test_nodes_are_counted_along_the_longest_side():
    mesh = trimesh.creation.box((0.10, 0.05, 0.02))
    model = ObjectModel("box", mesh.vertices, mesh.faces, np.zeros((8, 3), np.uint8), False, "test")
    field = build_distance_field(model, nodes=29, margin=0.02)
    assert field.spacing == pytest.approx(0.14 / 28)
    assert field.values.shape[0] >= 29
    assert field.values.shape[1] == pytest.approx(0.09 / 0.005 + 1, abs=1)
    assert field.values.shape[2] == pytest.approx(0.06 / 0.005 + 1, abs=1)


def test_a_small_hole_does_not_turn_the_object_inside_out():
    model = sphere()
    holed = ObjectModel("ball", model.vertices, model.faces[1:], model.vertex_colors, False, "test")
    field = build_distance_field(holed, nodes=16)
    known = np.linalg.norm(nodes_of(field), axis=-1) - RADIUS
    clear = np.abs(known) > 0.003
    np.testing.assert_array_equal((field.values < 0)[clear], (known < 0)[clear])
