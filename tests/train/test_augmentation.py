"""Augmentation: what varies and what must not, and that an image's turn is the pose's turn."""

from __future__ import annotations

import numpy as np
import torch

from scene.camera import Camera
from scene.drawing import OBJECT, open_drawer, rigid_body
from scene.rotations import geodesic_angle, matrix_from_quaternion, matrix_from_rotation_vector, quaternion_from_matrix
from tests.pairs.samples import wedge
from train.augmentation import boxed, turned, turning_grid, varied


def some_images(count: int = 6) -> torch.Tensor:
    images = torch.full((count, 4, 24, 24), 0.1)
    images[:, 3] = 1.0
    images[:, 3, 8:14, 8:14] = -0.4
    return images


def test_colour_place_and_depth_vary_and_the_background_stays_far() -> None:
    images = some_images()
    after = varied(images, np.zeros(6), np.random.default_rng(0))
    assert after.shape == images.shape
    assert after[:, :3].abs().max() <= 0.5
    depths = after[:, 3, 10, 10]  # of the object, wherever it was moved to
    assert depths.std() > 0.01  # the object's centre is not known exactly
    assert abs(depths.mean() + 0.4) < 0.1
    assert (after[:, 3, 0] == 1).all()  # the background has no place that could be wrong
    assert len({tuple(np.argwhere(image.numpy() < 1)[0]) for image in after[:, 3]}) > 1
    torch.testing.assert_close(after, varied(images, np.zeros(6), np.random.default_rng(0)))


def test_a_turned_image_shows_the_turned_pose() -> None:
    model, drawer = wedge(), open_drawer("raster")
    body = rigid_body(model.vertices, model.faces, model.vertex_colors, OBJECT)
    rotation = matrix_from_rotation_vector(np.array([0.4, -0.3, 0.2]))
    turn = np.radians(30)
    after = matrix_from_quaternion(turned(quaternion_from_matrix(rotation)[None], np.array([turn])))[0]
    assert geodesic_angle(after, matrix_from_rotation_vector(np.array([0, 0, turn])) @ rotation) < 1e-9

    def drawn(of: np.ndarray) -> torch.Tensor:
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = of, -of @ model.vertices.mean(axis=0)
        pose[2, 3] += 0.5
        shown = drawer.draw([body.placed(pose)], Camera(64, 64, 250, 250, 31.5, 31.5)).labels == OBJECT
        return torch.from_numpy(shown.astype(np.float32))

    grid = turning_grid(np.array([turn]), np.ones(1), np.zeros((1, 2)), 64)
    moved = torch.nn.functional.grid_sample(drawn(rotation)[None, None], grid, align_corners=False)[0, 0] > 0.5
    right, wrong = ((moved != (drawn(of) > 0)).float().sum() / moved.sum() for of in (after, rotation))
    assert right < 0.06
    assert wrong > 3 * right


def test_a_turned_quaternion_keeps_to_its_hemisphere() -> None:
    quaternions = np.array([[0.1, 0.0, 0.0, 0.99498744]])
    after = turned(quaternions, np.array([np.pi / 2]))
    assert after[0, 0] >= 0
    np.testing.assert_allclose(np.linalg.norm(after), 1)


def test_a_box_covers_a_part_of_every_image() -> None:
    images = some_images()
    covered = (boxed(images, np.random.default_rng(1)) != images).any(dim=1).float().mean(dim=(1, 2))
    assert (covered > 0.02).all()
    assert (covered < 0.4).all()
    assert len(set(covered.tolist())) > 1
