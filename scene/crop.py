"""The square about the object that becomes a pair's crop: where it lies, its intrinsics, and how images are cut.

Everything drawn is drawn at the recording's own resolution in a window about the crop (`CropView.window`), gets its
noise there, and is then sampled exactly as the recorded frame is: so both went through the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera

CROP_DIAMETERS = 1.4
"""side of the crop at the object's depth, in diameters: the whole object at any rotation, and some of the hand"""
WINDOW_MARGIN = 8
"""pixels drawn around the crop: room for the shadow that the projector's light leaves beside what is nearer"""


@dataclass(frozen=True)
class CropView:
    """A square of a camera's image, taken at `size` x `size` pixels."""

    camera: Camera
    """of the whole image"""
    left: float
    """pixels, of the square's edge; may lie outside of the image"""
    top: float
    """pixels, of the square's edge"""
    side: float
    """pixels of the image"""
    size: int
    """pixels of the crop"""

    @property
    def box(self) -> Floats:
        """(4,) left, top, right, bottom edge in pixels of the image."""
        return np.array([self.left, self.top, self.left + self.side, self.top + self.side])

    @property
    def crop_camera(self) -> Camera:
        """The camera whose whole image is the crop. The edge of a pixel lies half a pixel before its centre."""
        scale = self.size / self.side
        camera = self.camera
        cx, cy = scale * (camera.cx - self.left) - 0.5, scale * (camera.cy - self.top) - 0.5
        return Camera(self.size, self.size, camera.fx * scale, camera.fy * scale, cx, cy)

    @property
    def window(self) -> Camera:
        """The camera of whole pixels of the image that hold the crop and a margin."""
        left, top = (int(np.floor(edge)) - WINDOW_MARGIN for edge in (self.left, self.top))
        width = int(np.ceil(self.side)) + 1 + 2 * WINDOW_MARGIN
        return self.camera.cropped(left, top, width, width)

    @property
    def inside(self) -> Booleans:
        """(size, size) True where the crop lies in the image."""
        u, v = _positions(self.crop_camera, self.camera)
        across = (u >= -0.5) & (u < self.camera.width - 0.5)
        down = (v >= -0.5) & (v < self.camera.height - 0.5)
        return down[:, None] & across


def crop_about(camera: Camera, center_camera: Floats, diameter: float, size: int) -> CropView:
    """The crop of an object.

    Args:
        camera: of the image.
        center_camera: (3,) metres, the object's centre.
        diameter: metres, of the object.
        size: pixels of the crop.
    """
    u, v = camera.project(center_camera)
    side = CROP_DIAMETERS * diameter * np.sqrt(camera.fx * camera.fy) / center_camera[2]
    # the centre of a pixel is a whole number, so a square about it has its edges at half the side from it
    return CropView(camera, float(u - side / 2), float(v - side / 2), float(side), size)


def camera_from_view(center_camera: Floats) -> Floats:
    """(3,) -> (3, 3) the least rotation that turns the camera's axis to the object's centre.

    What a crop shows depends on the rotation of the object against the ray through its centre:
    `camera_from_view(center).T @ camera_from_object[:3, :3]`.
    """
    forward = center_camera / np.linalg.norm(center_camera)
    axis = np.array([-forward[1], forward[0], 0.0])  # z cross forward
    skew = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation: Floats = np.eye(3) + skew + skew @ skew / (1 + forward[2])
    return rotation


def cut_color(color: Bytes, camera: Camera, crop: CropView) -> Bytes:
    """(height, width, 3) of `camera` -> (size, size, 3), linear between pixels, black outside."""
    u, v = _positions(crop.crop_camera, camera)
    columns, across = _between(u, camera.width)
    rows, down = _between(v, camera.height)
    image = color.astype(np.float32)
    lines = image[rows[0]] * down[0][:, None, None] + image[rows[1]] * down[1][:, None, None]
    cut = lines[:, columns[0]] * across[0][:, None] + lines[:, columns[1]] * across[1][:, None]
    sampled: Bytes = np.rint(cut).astype(np.uint8)
    return sampled


def cut_nearest(image: NDArray[Any], camera: Camera, crop: CropView) -> NDArray[Any]:
    """(height, width) of `camera` -> (size, size) of the nearest pixels (depth, labels), 0 outside."""
    u, v = (np.rint(positions).astype(int) for positions in _positions(crop.crop_camera, camera))
    inside = ((v >= 0) & (v < camera.height))[:, None] & ((u >= 0) & (u < camera.width))
    nearest = image[np.clip(v, 0, camera.height - 1)[:, None], np.clip(u, 0, camera.width - 1)]
    cut: NDArray[Any] = np.where(inside, nearest, image.dtype.type(0))
    return cut


def _positions(crop: Camera, image: Camera) -> tuple[Floats, Floats]:
    """Columns and rows of `image` at the centres of the pixels of `crop`: the same rays in both."""
    u = (np.arange(crop.width) - crop.cx) / crop.fx * image.fx + image.cx
    v = (np.arange(crop.height) - crop.cy) / crop.fy * image.fy + image.cy
    return u, v


def _between(positions: Floats, length: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """(N,) -> (2, N) the pixels on both sides and their weights, which are 0 outside of the image."""
    low = np.floor(positions).astype(np.intp)
    indices = np.stack([low, low + 1])
    weights = np.stack([1 - (positions - low), positions - low])
    inside = (indices >= 0) & (indices < length)
    return np.clip(indices, 0, length - 1), np.where(inside, weights, 0).astype(np.float32)
