"""Symmetries declared in words and in BOP's JSON, and those found in meshes."""

import json

import numpy as np
import pytest
import trimesh

from recorder.simulation.objects import built_in
from scene.errors import InputError
from scene.object_model import ObjectModel
from scene.rotations import geodesic_angle, matrix_from_rotation_vector
from scene.symmetry import Symmetries, declared_symmetries, read_bop_symmetries
from scene.symmetry_detection import detect_symmetries
from scene.transforms import apply, rigid

TILT = rigid(matrix_from_rotation_vector(np.array([0.3, -0.5, 0.2])), np.array([0.01, 0.02, 0.03]))


def model_of(mesh, colors=None):
    """Tilted and away from the origin, so that nothing is found by accident."""
    mesh.apply_transform(TILT)
    grey = np.full((len(mesh.vertices), 3), 170, np.uint8)
    colored = colors is not None
    return ObjectModel(
        "m", np.array(mesh.vertices), np.array(mesh.faces, np.int32), colors if colored else grey, colored, "m"
    )


def test_words_by_hand():
    found = declared_symmetries(("z2", "x2"))
    assert len(found.discrete) == 4
    np.testing.assert_allclose(found.discrete[0], np.eye(4))
    assert declared_symmetries(("z6", "z3")).discrete.shape == (6, 4, 4)  # z3 is among z6
    turning = declared_symmetries(("yinf", "x2"))
    np.testing.assert_allclose(turning.axes, [[0, 1, 0]])
    assert len(turning.transforms) == 2 * 315
    assert not declared_symmetries(("none",)).any
    assert str(declared_symmetries(("none",))) == "no symmetry"
    assert str(turning) == "any turn about (0.00, 1.00, 0.00) and 2 poses that look alike"


@pytest.mark.parametrize("word", ["w2", "z", "z1", "z0", "detect", "infz"])
def test_words_that_are_none_are_refused(word):
    with pytest.raises(InputError, match="--symmetry must be an axis and a number of positions"):
        declared_symmetries((word,))


def test_bops_json_is_in_millimetres(tmp_path):
    half = rigid(matrix_from_rotation_vector(np.array([0, 0, np.pi])), np.array([20.0, 0, 0]))
    content = {
        "diameter": 100.0,
        "symmetries_discrete": [half.ravel().tolist()],
        "symmetries_continuous": [{"axis": [0, 0, 2], "offset": [10.0, 0, 0]}],
    }
    path = tmp_path / "symmetries.json"
    for written in (content, {"7": content}):  # of one object alone, or as models_info.json has it
        path.write_text(json.dumps(written))
        found = declared_symmetries((str(path),))
        np.testing.assert_allclose(found.discrete[1][:3, 3], [0.02, 0, 0])
        np.testing.assert_allclose(found.axes, [[0, 0, 1]])
        np.testing.assert_allclose(found.offsets, [[0.01, 0, 0]])
        on_axis = np.array([[0.01, 0, 0.05]])
        np.testing.assert_allclose(apply(found.transforms[:315], on_axis[None]).std(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "must be a JSON file that can be read"),
        ('{"1": {}, "2": {}, "symmetries_discrete": [[1, 2]]}', "must have symmetries_discrete"),
        ('{"symmetries_continuous": [{"axis": [0, 0, 1]}]}', "must have symmetries_discrete"),
        ("[1]", "must have symmetries_discrete"),
        ('{"symmetries_continuous": [{"axis": [0, 0, 0], "offset": [0, 0, 0]}]}', "rotations and axes"),
        ('{"symmetries_discrete": [[2,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]]}', "rotations and axes"),
    ],
)
def test_json_of_another_form_is_refused(tmp_path, content, sentence):
    path = tmp_path / "s.json"
    path.write_text(content)
    with pytest.raises(InputError, match=sentence):
        read_bop_symmetries(path)


def test_a_missing_json_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be a JSON file that can be read"):
        declared_symmetries((str(tmp_path / "none.json"),))


@pytest.mark.parametrize(
    ("mesh", "poses", "axes"),
    [
        (trimesh.creation.box((0.1, 0.06, 0.03)), 4, 0),
        (trimesh.creation.box((0.1, 0.1, 0.03)), 8, 0),
        (trimesh.creation.cylinder(0.03, 0.1), 2, 1),
        (trimesh.creation.cone(0.03, 0.1), 1, 1),
    ],
)
def test_symmetries_of_solids_are_found(mesh, poses, axes):
    found = detect_symmetries(model_of(mesh.copy()))
    assert (len(found.discrete), len(found.axes)) == (poses, axes)
    if axes:
        assert abs(found.axes[0] @ TILT[:3, 2]) > 0.999
        np.testing.assert_allclose(found.offsets[0] @ TILT[:3, :2], TILT[:3, 3] @ TILT[:3, :2], atol=2e-3)
    for symmetry in found.discrete[1:]:
        moved = apply(symmetry, apply(TILT, np.zeros((1, 3))) if poses > 2 else found.offsets)
        np.testing.assert_allclose(moved, apply(TILT, np.zeros((1, 3))) if poses > 2 else found.offsets, atol=2e-3)


def test_color_breaks_a_symmetry():
    box = trimesh.creation.box((0.1, 0.06, 0.03)).subdivide().subdivide()
    colors = np.where(np.array(box.vertices)[:, :1] > 0, [200, 40, 40], [40, 40, 200]).astype(np.uint8)
    found = detect_symmetries(model_of(box, colors))
    assert len(found.discrete) == 2  # the half turn about the long axis is left
    assert geodesic_angle(found.discrete[1][:3, :3], np.eye(3)) == pytest.approx(np.pi, abs=0.02)
    axis = TILT[:3, 0]
    np.testing.assert_allclose(found.discrete[1][:3, :3] @ axis, axis, atol=0.02)


def test_a_mug_has_none_for_its_handle():
    assert not detect_symmetries(built_in("mug")).any


def test_no_symmetry_by_default():
    none = Symmetries.none()
    assert not none.any
    np.testing.assert_array_equal(none.transforms, np.eye(4)[None])
