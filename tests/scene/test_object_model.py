import os

import h5py
import numpy as np
import pytest
import trimesh

from scene.errors import InputError
from scene.object_model import ObjectModel, farthest_points, load_object, read_object, write_object

SIDES = (0.05, 0.06, 0.07)
DIAMETER = float(np.linalg.norm(SIDES))


def box(factor=1.0, colors=True):
    mesh = trimesh.creation.box(np.array(SIDES) * factor)
    if colors:
        mesh.visual.vertex_colors = np.random.default_rng(0).integers(0, 256, (len(mesh.vertices), 4), np.uint8)
    return mesh


def model_of(mesh, **changed):
    colors = np.full(mesh.vertices.shape, 90, np.uint8)
    fields = {
        "name": "box",
        "vertices": np.asarray(mesh.vertices, float),
        "faces": np.asarray(mesh.faces, np.int32),
        "vertex_colors": colors,
        "colored": True,
        "source": "box.ply",
    }
    return ObjectModel(**{**fields, **changed})


@pytest.mark.parametrize("kind", ["ply", "obj", "stl", "glb"])
def test_each_kind_of_mesh_file_is_read(tmp_path, kind):
    path = tmp_path / f"box.{kind}"
    box().export(path)
    model = load_object(path, "m")
    assert model.name == "box"
    assert model.diameter == pytest.approx(DIAMETER, rel=1e-5)
    assert model.mesh.area == pytest.approx(box().area, rel=1e-5)
    assert model.colored == (kind != "stl")
    assert path.name in model.source
    assert "sha256" in model.source


def test_vertex_colours_are_kept(tmp_path):
    mesh = box()
    mesh.export(tmp_path / "box.ply")
    model = load_object(tmp_path / "box.ply", "m")
    np.testing.assert_array_equal(model.vertex_colors, mesh.visual.vertex_colors[:, :3])


def test_a_mesh_without_colours_is_grey_and_says_so(tmp_path):
    box(colors=False).export(tmp_path / "box.ply")
    model = load_object(tmp_path / "box.ply", "m")
    assert not model.colored
    assert (model.vertex_colors == 170).all()


@pytest.mark.parametrize(("units", "per_metre"), [("m", 1), ("cm", 100), ("mm", 1000), ("in", 1 / 0.0254)])
def test_units_become_metres(tmp_path, units, per_metre):
    box(per_metre).export(tmp_path / "box.ply")
    assert load_object(tmp_path / "box.ply", units).diameter == pytest.approx(DIAMETER, rel=1e-4)


QUADS_AND_TRIANGLES = """ply
format ascii 1.0
element vertex 5
property float x
property float y
property float z
element face 5
property list uchar uint vertex_indices
end_header
0 0 0
0.1 0 0
0.1 0.1 0
0 0.1 0
0.05 0.05 0.1
4 3 2 1 0
3 0 1 4
3 1 2 4
3 2 3 4
3 3 0 4
"""


def test_quads_and_triangles_in_one_file(tmp_path):
    (tmp_path / "pyramid.ply").write_text(QUADS_AND_TRIANGLES)
    model = load_object(tmp_path / "pyramid.ply", "m")
    assert len(model.faces) == 6
    assert model.mesh.area == pytest.approx(0.01 + 4 * 0.5 * 0.1 * np.hypot(0.05, 0.1), rel=1e-5)
    assert not model.colored


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.ply does not exist; give a PLY, OBJ, STL or GLB file"):
        load_object(tmp_path / "none.ply", "m")


def test_an_unknown_unit_is_named(tmp_path):
    with pytest.raises(InputError, match="--object-units must be one of m, cm, mm, in, got 'km'"):
        load_object(tmp_path / "none.ply", "km")


@pytest.mark.parametrize(
    "text",
    ["", "no mesh at all\n", QUADS_AND_TRIANGLES[:200], QUADS_AND_TRIANGLES.split("4 3 2 1 0")[0]],
    ids=["empty", "words", "cut in its header", "cut in its body"],
)
def test_what_is_no_mesh_is_refused_in_one_sentence(tmp_path, text, capfd):
    (tmp_path / "bad.ply").write_text(text)
    with pytest.raises(InputError, match="mesh"):
        load_object(tmp_path / "bad.ply", "m")
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"  # the reader, written in C, has not printed its own


def test_points_without_triangles_are_refused(tmp_path):
    head = QUADS_AND_TRIANGLES.split("element face")[0]
    points = "0 0 0\n0.1 0 0\n0.1 0.1 0\n0 0.1 0\n0.05 0.05 0.1\n"
    (tmp_path / "points.ply").write_text(head + "end_header\n" + points)
    with pytest.raises(InputError, match=r"points\.ply"):
        load_object(tmp_path / "points.ply", "m")


def test_nan_vertices_are_refused(tmp_path):
    (tmp_path / "nan.ply").write_text(QUADS_AND_TRIANGLES.replace("0.05 0.05 0.1", "nan 0.05 0.1"))
    with pytest.raises(InputError, match="every vertex must be a finite number"):
        load_object(tmp_path / "nan.ply", "m")


@pytest.mark.parametrize(
    ("factor", "units", "size"), [(1000, "m", "104.9 m"), (1, "mm", "0.0001049 m"), (100, "m", "10.49 m")]
)
def test_an_implausible_size_names_the_option(tmp_path, factor, units, size):
    box(factor).export(tmp_path / "box.ply")
    with pytest.raises(InputError) as error:
        load_object(tmp_path / "box.ply", units)
    assert "between 5 mm and 2 m across" in str(error.value)
    assert f"read in {units} is {size}; give its unit with --object-units" in str(error.value)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"faces": np.zeros((0, 3), np.int32)}, "a mesh must have triangles, box.ply has none; export it with faces"),
        ({"faces": np.array([[0, 1, 8]])}, "every triangle must point to vertices that exist"),
        ({"faces": np.array([[0, 1, -1]])}, "every triangle must point to vertices that exist"),
        ({"vertex_colors": np.zeros((3, 3), np.uint8)}, r"vertices and colours must be \(V, 3\) alike"),
    ],
)
def test_an_impossible_model_is_refused(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        model_of(box(), **changed)


def test_the_diameter_is_that_of_the_vertices_however_many():
    """Also of a flat mesh, which has no convex hull in three dimensions."""
    assert model_of(trimesh.creation.icosphere(subdivisions=4, radius=0.05)).diameter == pytest.approx(0.1, rel=1e-3)
    flat = np.array([[0, 0, 0], [0.3, 0, 0], [0.3, 0.4, 0], [0, 0.4, 0]])
    square = trimesh.Trimesh(flat, [[0, 1, 2], [0, 2, 3]], process=False)
    assert model_of(square).diameter == pytest.approx(0.5)


def test_samples_lie_on_the_surface_and_normals_point_outwards():
    points, normals, colors = model_of(box()).surface_samples(200, np.random.default_rng(0))
    assert points.shape == normals.shape == colors.shape == (200, 3)
    assert colors.dtype == np.uint8
    share = points / (np.array(SIDES) / 2)  # of a box about the origin: 1 on the side that a point lies on
    np.testing.assert_allclose(np.abs(share).max(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    np.testing.assert_allclose((share * normals).sum(axis=1), 1, atol=1e-9)
    assert (colors == 90).all()


def test_samples_are_spread_evenly():
    """200 points on 0.0214 m2: a hexagonal grid would have them 11 mm apart."""
    points, _, _ = model_of(box()).surface_samples(200, np.random.default_rng(0))
    apart = np.linalg.norm(points[:, None] - points, axis=2) + np.eye(200)
    assert apart.min() > 0.005


def test_samples_take_the_colour_of_their_place():
    mesh = box()
    red_above = np.where(mesh.vertices[:, 2:] > 0, [[255, 0, 0]], [[0, 0, 255]]).astype(np.uint8)
    points, _, colors = model_of(mesh, vertex_colors=red_above).surface_samples(100, np.random.default_rng(0))
    height = points[:, 2] / SIDES[2] + 0.5
    np.testing.assert_allclose(colors[:, 0], 255 * height, atol=1)
    np.testing.assert_allclose(colors[:, 2], 255 * (1 - height), atol=1)


def test_samples_are_the_same_for_a_seed():
    model = model_of(box())
    first, again, other = (model.surface_samples(20, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_farthest_points_by_hand():
    line = np.array([[0.0], [1], [9], [10], [5]])
    np.testing.assert_array_equal(farthest_points(line, 3), [0, 3, 4])
    assert sorted(farthest_points(line, 99)) == [0, 1, 2, 3, 4]


def test_an_object_goes_through_a_file(tmp_path):
    model = model_of(box(), colored=False)
    with h5py.File(tmp_path / "o.h5", "w") as file:
        write_object(file.create_group("object"), model)
        back = read_object(file["object"])
    np.testing.assert_array_equal(back.vertices, model.vertices)
    np.testing.assert_array_equal(back.faces, model.faces)
    np.testing.assert_array_equal(back.vertex_colors, model.vertex_colors)
    assert (back.name, back.source, back.colored) == ("box", "box.ply", False)
