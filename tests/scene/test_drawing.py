"""The back-ends: where pixels lie, what light does, and that all of them draw the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scene.camera import Camera
from scene.drawing import HAND, OBJECT, Body, Light, open_drawer, over, painted, rigid_body, vertex_normals
from scene.errors import InputError, RenderingError
from scene.transforms import rigid

CAMERA = Camera(width=120, height=90, fx=150.0, fy=140.0, cx=50.25, cy=47.75)

SUBPROCESS = """
import sys
import numpy as np
from tests.scene.test_drawing import CAMERA, two_bodies
from scene.drawing import open_drawer
drawer = open_drawer(sys.argv[1])
drawing = drawer.draw(two_bodies(), CAMERA)
empty = drawer.draw([], CAMERA)
assert not empty.depth.any() and not empty.labels.any() and not empty.color.any()
try:
    open_drawer({"egl": "osmesa", "osmesa": "egl"}.get(sys.argv[1], "rays"))
    second = ""
except Exception as error:
    second = f"{type(error).__name__}: {error}"
np.savez(sys.argv[2], color=drawing.color, depth=drawing.depth, labels=drawing.labels, name=drawer.name, second=second)
"""


def ellipsoid(rows: int = 40, columns: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A lumpy closed surface without symmetry, about 8 cm long."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns, endpoint=False), indexing="ij"
    )
    radius = 0.03 * (1 + 0.2 * np.sin(3 * around + 1) * np.sin(polar) ** 2)
    points = radius[..., None] * np.stack(
        [1.4 * np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), 0.8 * np.cos(polar)], axis=-1
    )
    index = np.arange(rows * columns).reshape(rows, columns)
    right, below = np.roll(index, -1, axis=1), np.roll(index, -1, axis=0)
    diagonal = np.roll(right, -1, axis=0)
    faces = np.stack([index, below, diagonal, index, diagonal, right], axis=-1)[:-1].reshape(-1, 3)
    return points.reshape(-1, 3), faces.astype(np.int32)


def two_bodies() -> list[Body]:
    """An object, and a plate before its right half."""
    vertices, faces = ellipsoid()
    colors = (128 + vertices / 0.05 * 100).clip(0, 255).astype(np.uint8)
    turned = rigid(np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]]), np.array([0.01, -0.01, 0.4]))
    plate = np.array([[0.02, -0.03, 0.3], [0.05, -0.03, 0.32], [0.05, 0.02, 0.31], [0.02, 0.03, 0.3]])
    return [
        rigid_body(vertices, faces, colors, OBJECT).placed(turned),
        painted(plate, np.array([[0, 1, 2], [0, 2, 3]], np.int32), (200, 150, 120), HAND),
    ]


def slab(left: float, top: float, right: float, bottom: float, z: float = 1.0, label: int = OBJECT) -> Body:
    """A rectangle parallel to the image whose corners lie at these pixel positions of CAMERA."""
    x = (np.array([left, right, right, left]) - CAMERA.cx) / CAMERA.fx * z
    y = (np.array([top, top, bottom, bottom]) - CAMERA.cy) / CAMERA.fy * z
    corners = np.stack([x, y, np.full(4, z)], axis=1)
    return painted(corners, np.array([[0, 2, 1], [0, 3, 2]], np.int32), (100, 100, 100), label)


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """What each back-end that loads here draws of two_bodies(), each from a process of its own."""
    folder, root = tmp_path_factory.mktemp("drawings"), Path(__file__).parents[2]
    found = {}
    for name in ("egl", "osmesa", "rays", "raster"):
        target = folder / f"{name}.npz"
        done = subprocess.run(
            [sys.executable, "-c", SUBPROCESS, name, str(target)], cwd=root, capture_output=True, text=True, check=False
        )
        found[name] = dict(np.load(target)) if done.returncode == 0 else {"refused": np.array(done.stderr)}
    return found


def of(drawings: dict[str, dict[str, np.ndarray]], name: str) -> dict[str, np.ndarray]:
    """One of the drawings, or skips where its back-end does not load."""
    if "refused" in drawings[name]:
        reason = str(drawings[name]["refused"]).strip().splitlines()[-1]
        assert "RenderingError" in reason, drawings[name]["refused"]
        pytest.skip(reason)
    return drawings[name]


@pytest.mark.parametrize("name", ["egl", "osmesa", "raster"])
def test_back_ends_agree(drawings: dict[str, dict[str, np.ndarray]], name: str) -> None:
    drawn, rays = of(drawings, name), of(drawings, "rays")
    assert drawn["name"] == name
    same = drawn["labels"] == rays["labels"]
    # silhouettes may differ at pixels whose centre lies on an edge
    assert (~same).sum() <= 0.01 * (rays["labels"] > 0).sum()
    seen = same & (rays["labels"] > 0)
    assert np.percentile(np.abs(drawn["depth"] - rays["depth"])[seen], 99) < 0.0005
    assert np.percentile(np.abs(drawn["color"].astype(int) - rays["color"])[seen], 99) <= 3
    assert set(np.unique(drawn["labels"])) == {0, HAND, OBJECT}
    assert ((drawn["depth"] > 0) == (drawn["labels"] > 0)).all()


@pytest.mark.parametrize(("name", "other"), [("egl", "osmesa"), ("osmesa", "egl")])
def test_second_platform_in_a_process_is_refused(
    drawings: dict[str, dict[str, np.ndarray]], name: str, other: str
) -> None:
    second = str(of(drawings, name)["second"])
    assert second.startswith("RenderingError: OpenGL can speak to one platform in a process")
    assert f"this one uses {name}" in second
    assert f"another process for {other}" in second


def test_auto_goes_on_where_a_platform_fails(tmp_path: Path) -> None:
    target, root = tmp_path / "auto.npz", Path(__file__).parents[2]
    environment = {**os.environ, "EGL_DEVICE_ID": "99"}
    command = [sys.executable, "-c", SUBPROCESS, "auto", str(target)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(np.load(target)["name"]) in ("osmesa", "rays")


def test_platform_that_fails_says_what_to_install(tmp_path: Path) -> None:
    environment = {**os.environ, "EGL_DEVICE_ID": "99"}
    command = [sys.executable, "-c", SUBPROCESS, "egl", str(tmp_path / "none.npz")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert "pyrender cannot draw on egl here" in done.stderr
    assert "apt-get install libegl1 libgl1, or give the drawer rays" in done.stderr


def test_pixel_centres_are_whole_numbers(drawings: dict[str, dict[str, np.ndarray]]) -> None:
    # from 9.6 to 20.4 covers the centres of the pixels 10..20, from 29.6 to 35.4 of 30..35
    drawing = open_drawer("rays").draw([slab(9.6, 29.6, 20.4, 35.4)], CAMERA)
    rows, columns = np.nonzero(drawing.labels)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (10, 20, 30, 35)
    assert drawing.labels[30:36, 10:21].all()


def asymmetric() -> Body:
    """An L on its side, one arm thicker than the other: no mirror image or turn of it looks the same."""
    outline = np.array([[20.0, 15], [70, 15], [70, 30], [32, 30], [32, 60], [20, 60]]) - 0.5
    x, y = ((outline - (CAMERA.cx, CAMERA.cy)) / (CAMERA.fx, CAMERA.fy)).T * 0.8
    corners = np.stack([x, y, np.full(6, 0.8)], axis=1)
    return painted(corners, np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]], np.int32), (90, 90, 90), OBJECT)


@pytest.mark.parametrize("name", ["egl", "rays", "raster"])
def test_known_shape_lies_within_half_a_pixel(name: str) -> None:
    """Its borders lie between pixels, so that a shift by half a pixel, a mirror image or a scale changes the count."""
    try:
        labels = open_drawer(name).draw([asymmetric()], CAMERA).labels  # type: ignore[arg-type]
    except RenderingError as error:
        pytest.skip(str(error))
    v, u = np.nonzero(labels)
    # two rectangles of whole pixels, borders between them: columns 20..69 x rows 15..29 and 20..31 x 30..59
    assert [u.min(), u.max(), v.min(), v.max(), u[v >= 30].max(), v[u > 31].max()] == [20, 69, 15, 59, 31, 29]
    assert len(u) == 50 * 15 + 12 * 30


def test_depth_is_z_not_ray_length() -> None:
    drawing = open_drawer("rays").draw([slab(-10, -10, 200, 200, z=0.7)], CAMERA)
    np.testing.assert_allclose(drawing.depth, 0.7, atol=1e-6)
    assert drawing.depth.dtype == np.float32


def test_nearest_body_wins_in_any_order() -> None:
    far, near = slab(10, 10, 50, 50, z=1.0), slab(30, 10, 70, 50, z=0.8, label=HAND)
    for bodies in ([far, near], [near, far]):
        labels = open_drawer("rays").draw(bodies, CAMERA).labels
        assert (labels[30, 20], labels[30, 40], labels[30, 60], labels[80, 80]) == (OBJECT, HAND, HAND, 0)


def test_drawings_laid_over_each_other_are_one_drawing() -> None:
    far, near, drawer = slab(10, 10, 50, 50, z=1.0), slab(30, 10, 70, 50, z=0.8, label=HAND), open_drawer("rays")
    both = drawer.draw([far, near], CAMERA)
    for first, second in ((far, near), (near, far)):
        joined = over(drawer.draw([first], CAMERA), drawer.draw([second], CAMERA))
        np.testing.assert_array_equal(joined.labels, both.labels)
        np.testing.assert_array_equal(joined.depth, both.depth)
        np.testing.assert_array_equal(joined.color, both.color)


def test_light_by_hand() -> None:
    # the slab faces the camera: its normal is (0, 0, -1)
    facing = Light(np.array([0.0, 0.0, -1.0]), ambient=0.3, diffuse=0.5, color=np.array([1.0, 0.5, 1.0]))
    color = open_drawer("rays").draw([slab(10, 10, 50, 50)], CAMERA, facing).color[30, 30]
    np.testing.assert_array_equal(color, [80, 40, 80])
    behind = Light(np.array([0.0, 0.0, 1.0]), ambient=0.3, diffuse=0.5, color=np.ones(3))
    assert (open_drawer("rays").draw([slab(10, 10, 50, 50)], CAMERA, behind).color[30, 30] == 30).all()
    oblique = Light(np.array([0.0, -0.6, -0.8]), ambient=0.0, diffuse=1.0, color=np.ones(3))
    assert (open_drawer("rays").draw([slab(10, 10, 50, 50)], CAMERA, oblique).color[30, 30] == 80).all()


def test_default_light_comes_from_above_and_from_the_camera() -> None:
    direction = Light.default().direction_camera
    assert direction[1] < 0
    assert direction[2] < 0
    assert np.linalg.norm(direction) == pytest.approx(1)


def test_body_behind_the_camera_is_not_drawn_and_one_around_it_is() -> None:
    vertices, faces = ellipsoid()
    body = rigid_body(vertices, faces, np.full(vertices.shape, 90, np.uint8), OBJECT)
    drawer = open_drawer("rays")
    assert not drawer.draw([body.placed(rigid(np.eye(3), np.array([0, 0, -0.5])))], CAMERA).labels.any()
    assert drawer.draw([body], CAMERA).labels.all()
    assert not drawer.draw([body.placed(rigid(np.eye(3), np.array([5.0, 0, 0.5])))], CAMERA).labels.any()


def test_compiled_back_end_leaves_out_what_passes_the_camera_plane() -> None:
    corners = np.array([[-0.1, 0.1, -0.1], [0.1, 0.1, -0.1], [0, 0.1, 0.5]])
    crossing = painted(corners, np.array([[0, 1, 2]], np.int32), (90, 90, 90), OBJECT)
    assert not open_drawer("raster").draw([crossing], CAMERA).labels.any()


def test_rigid_body_moves_and_bent_body_is_rebuilt() -> None:
    vertices, faces = ellipsoid()
    colors = np.full(vertices.shape, 90, np.uint8)
    drawer = open_drawer("rays")
    body = rigid_body(vertices, faces, colors, OBJECT)
    near = drawer.draw([body.placed(rigid(np.eye(3), np.array([0, 0, 0.4])))], CAMERA)
    far = drawer.draw([body.placed(rigid(np.eye(3), np.array([0, 0, 0.8])))], CAMERA)
    assert near.labels.any()
    assert far.depth.max() - near.depth.max() == pytest.approx(0.4, abs=0.01)
    bent = painted(vertices * [2, 1, 1] + [0, 0, 0.4], faces, (90, 90, 90), OBJECT)
    assert np.count_nonzero(drawer.draw([bent], CAMERA).labels) > 1.5 * np.count_nonzero(near.labels)
    drawer.close()


def test_vertex_normals_point_outwards() -> None:
    vertices, faces = ellipsoid()
    normals = vertex_normals(vertices, faces)
    inner = normals[60:-60]  # the poles' vertices coincide and their triangles are degenerate
    np.testing.assert_allclose(np.linalg.norm(inner, axis=1), 1, atol=1e-9)
    assert ((inner * vertices[60:-60]).sum(axis=1) > 0).all()
    lonely = vertex_normals(np.eye(4)[:, :3], np.array([[0, 1, 2]]))
    np.testing.assert_array_equal(lonely[3], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 0}, r"label must be 1..255, got 0"),
        ({"vertex_colors": np.zeros((3, 3), np.uint8)}, r"must be \(V, 3\) alike, got \(4, 3\) and \(3, 3\)"),
        ({"camera_from_body": np.full((4, 4), np.nan)}, "must be finite; leave out what is LOST or ABSENT"),
    ],
)
def test_bodies_that_cannot_be_drawn(change: dict[str, object], message: str) -> None:
    body = slab(0, 0, 9, 9)
    fields = {name: getattr(body, name) for name in ("vertices", "faces", "vertex_colors", "label", "camera_from_body")}
    with pytest.raises(InputError, match=message):
        Body(**{**fields, **change})


def test_unknown_back_end() -> None:
    with pytest.raises(RenderingError, match="--drawer must be one of auto, egl, osmesa, rays, raster, got 'vulkan'"):
        open_drawer("vulkan")  # type: ignore[arg-type]
