"""The pinhole camera: x right, y down, z forward; first pixel centre (0, 0); depth is z, 0 = no measurement."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scene.arrays import Floats, Integers
from scene.errors import InputError


@dataclass(frozen=True)
class Camera:
    """Intrinsics of an undistorted image."""

    width: int
    """pixels"""
    height: int
    """pixels"""
    fx: float
    """pixels"""
    fy: float
    """pixels"""
    cx: float
    """pixels, of the principal point"""
    cy: float
    """pixels, of the principal point"""

    def __post_init__(self) -> None:
        """Refuses what cannot be the intrinsics of an image."""
        if self.width < 1 or self.height < 1:
            raise InputError(f"an image must have pixels, got {self.width} x {self.height}")
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not np.isfinite(numbers).all() or self.fx <= 0 or self.fy <= 0:
            raise InputError(f"focal lengths must be positive and finite, got fx, fy, cx, cy = {numbers}")

    @staticmethod
    def from_matrix(matrix: Floats, width: int, height: int) -> Camera:
        """(3, 3) intrinsic matrix in pixels, without skew."""
        matrix = np.asarray(matrix, float)
        return Camera(width, height, *(float(matrix[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2))))

    @property
    def matrix(self) -> Floats:
        """(3, 3) in pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def project(self, points_camera: Floats) -> Floats:
        """(..., 3) metres -> (..., 2) pixels (u right, v down); NaN where a point is not before the camera."""
        points = np.asarray(points_camera, float)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        return np.stack([self.fx * points[..., 0] / z + self.cx, self.fy * points[..., 1] / z + self.cy], axis=-1)

    def back_project(self, depth: Floats) -> Floats:
        """(height, width) metres -> (height, width, 3) points_camera in metres; z = 0 where depth is 0."""
        v, u = np.mgrid[: self.height, : self.width]
        return self.points_at(v, u, depth)

    def points_at(self, rows: Integers, columns: Integers, depth: Floats) -> Floats:
        """Pixels (...) and their depth (...) in metres -> (..., 3) points_camera in metres."""
        x = (columns - self.cx) / self.fx * depth
        y = (rows - self.cy) / self.fy * depth
        return np.stack([x, y, depth], axis=-1)

    def heights_above(self, plane: Floats, depth: Floats) -> Floats:
        """(4,) n, d and (height, width) metres -> (height, width) n . p + d of each pixel's point p, metres."""
        across = plane[0] / self.fx * (np.arange(self.width) - self.cx)
        down = plane[1] / self.fy * (np.arange(self.height) - self.cy) + plane[2]
        above: Floats = (across + down[:, None]) * depth + plane[3]
        return above

    def cropped(self, left: float, top: float, width: int, height: int) -> Camera:
        """The camera of a window whose first pixel's centre is at (left, top) of this image."""
        return replace(self, width=width, height=height, cx=self.cx - left, cy=self.cy - top)

    def resized(self, width: int, height: int) -> Camera:
        """The camera of the same view at another size: cx' = s (cx + 1/2) - 1/2, as pixel centres are whole numbers."""
        sx, sy = width / self.width, height / self.height
        return Camera(width, height, self.fx * sx, self.fy * sy, sx * (self.cx + 0.5) - 0.5, sy * (self.cy + 0.5) - 0.5)
