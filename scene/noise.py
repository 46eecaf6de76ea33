"""What a depth camera makes of a scene: noise, levels, holes and shadows of depth; noise of colour.

Pure functions of an ideal image and a random generator. The order is that of the camera: what its projector or second
imager does not reach gives no measurement, the rest is seen a little beside its place, a little off, and in steps of
disparity.

Sources: Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise for Improved 3D Reconstruction and Tracking",
3DIMPVT 2012 (axial, lateral); Barron and Malik, "Intrinsic Scene Properties from a Single RGB-D Image", CVPR 2013
(35130 / floor(35130 / z + noise + 1/2), z in cm, which is 8 f b of the Kinect); Intel, "Best-Known-Methods for Tuning
Intel RealSense D400 Depth Cameras" (sd = z^2 s / (f b), s in pixels) and "Subpixel Linearity Improvement" (levels of
1/32 px); BlenderProc's Azure Kinect (0.5 mm and 1 mm a metre beyond 0.5 m, places off by 1/4 px), after Tolgyessy et
al., "Evaluation of the Azure Kinect", Sensors 21(2) 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtri

from scene.arrays import Booleans, Bytes, Floats
from scene.camera import Camera

NoiseName = Literal["none", "structured-light", "disparity", "stereo", "time-of-flight"]


@dataclass(frozen=True)
class DepthNoise:
    """Constants of one model."""

    axial: tuple[float, float, float]
    """(floor in m, growth in 1/m, depth in m where growth starts): sd = floor + growth (z - start)^2"""
    axial_tilt: float
    """m^(3/2): sd grows by this / sqrt(z) * theta^2 / (pi/2 - theta)^2 beyond TILT_START"""
    lateral_px: float
    """sd of the place that a pixel measures"""
    lateral_tilt_px: float
    """its growth by theta / (pi/2 - theta)"""
    disparity_sd: float
    """sd in levels of disparity, before they are rounded"""
    levels_per_px: float
    """levels of disparity in one pixel of it; 0 = depth does not come from disparity and has no levels"""
    baseline: float
    """metres to the projector or second imager, to the camera's left; negative = right, 0 = no shadows"""
    steepest: float
    """radians between normal and ray beyond which nothing comes back"""
    axial_linear: float = 0.0
    """sd grows also by this for each metre beyond the depth where growth starts"""
    grain_px: float = 0.0
    """sd of the window over which neighbours have their error of disparity in common; 0 = each its own"""


STEEPEST = np.deg2rad(82)
MODELS: dict[NoiseName, DepthNoise | None] = {
    "none": None,
    "structured-light": DepthNoise((0.0012, 0.0019, 0.4), 0.0001, 0.8, 0.035, 0.0, 8.0, 0.075, STEEPEST),
    "disparity": DepthNoise((0.0, 0.0, 0.0), 0.0, 0.5, 0.0, 1 / 6, 8.0, 0.075, STEEPEST),
    "stereo": DepthNoise((0.0, 0.0, 0.0), 0.0, 0.5, 0.0, 0.08 * 32, 32.0, -0.05, STEEPEST, grain_px=1.5),
    "time-of-flight": DepthNoise((0.0005, 0.0, 0.5), 0.0, 0.25, 0.0, 0.0, 0.0, 0.0, STEEPEST, axial_linear=0.001),
}
"""structured-light: Nguyen's; disparity: Barron and Malik's, 2 to 8 times less noise at 0.4 to 0.8 m; both with levels
of 1/8 px and shadows of the Kinect's projector. stereo: a RealSense D435, whose second imager stands to the right; its
0.08 px is what is commonly given for a wall with texture, its grain is a guess. time-of-flight: an Azure Kinect,
without what light does that comes by several ways. All leave holes at edges."""
READ_SD, SHOT_SD_AT_WHITE = 1.5, 4.0
"""of colour, in steps of 1/255: of the constant part, and of the part that grows with the root of the light, at 255"""
TILT_START = np.deg2rad(60)
"""up to here Nguyen found the axial noise independent of the tilt"""
SHADOW_TOLERANCE_PX = 1.5
"""disparity by which something must be nearer to shade what lies behind it"""


def noisy_depth(depth: Floats, camera: Camera, rng: np.random.Generator, model: NoiseName) -> Floats:
    """An ideal depth image as the named model measures it.

    Args:
        depth: (height, width) metres, 0 = nothing there.
        camera: of the image.
        rng: source of all randomness.
        model: a key of MODELS.

    Returns:
        (height, width) float32 metres, 0 = no measurement.
    """
    constants = MODELS[model]
    return depth if constants is None else measured_depth(depth, camera, rng, constants)


def measured_depth(depth: Floats, camera: Camera, rng: np.random.Generator, noise: DepthNoise) -> Floats:
    """As noisy_depth, by the constants themselves."""
    depth = np.asarray(depth, np.float32)
    tilt = tilt_to_ray(depth, camera)
    hidden = (depth <= 0) | (tilt > noise.steepest) | shadowed(depth, camera, noise.baseline)
    measured = _beside(np.where(hidden, np.float32(0), depth), tilt, rng, noise)
    seen = measured > 0
    z = np.where(seen, measured, np.float32(1))
    z = z + axial_sd(z, tilt, noise) * normals(z.shape, rng)
    z = z if noise.levels_per_px == 0 else _in_levels(z, camera, rng, noise)
    return np.where(seen, z, np.float32(0)).astype(np.float32)


def _in_levels(z: Floats, camera: Camera, rng: np.random.Generator, noise: DepthNoise) -> Floats:
    """(height, width) metres as read from disparity, with its error and in its levels; 0 beyond the first level."""
    levels_metres = np.float32(noise.levels_per_px * camera.fx * abs(noise.baseline))
    levels = levels_metres / z
    levels += np.float32(noise.disparity_sd) * _grained(normals(z.shape, rng), noise.grain_px)
    levels = np.floor(levels + np.float32(0.5))  # to the nearest, so that no half level of bias remains
    read: Floats = np.where(levels >= 1, levels_metres / np.maximum(levels, np.float32(1)), np.float32(0))
    return read


def _grained(deviates: Floats, grain_px: float) -> Floats:
    """Independent normal deviates of unit sd as ones that neighbours have in common, of unit sd again."""
    if grain_px == 0:
        return deviates
    # The squares of a Gaussian window's weights sum to 1 / (4 pi sd^2).
    common: Floats = gaussian_filter(deviates, grain_px, mode="wrap") * np.float32(2 * np.sqrt(np.pi) * grain_px)
    return common


def axial_sd(z: Floats, tilt: Floats, noise: DepthNoise) -> Floats:
    """(...) metres and (...) radians -> (...) standard deviation of z in metres."""
    floor, growth, start = noise.axial
    beyond = np.minimum(tilt, noise.steepest)
    steep = np.where(tilt > TILT_START, (beyond / (np.pi / 2 - beyond)) ** 2, 0)
    linear = noise.axial_linear * np.maximum(z - start, 0)
    sd: Floats = floor + growth * (z - start) ** 2 + linear + noise.axial_tilt / np.sqrt(z) * steep
    return sd.astype(np.float32)


def tilt_to_ray(depth: Floats, camera: Camera) -> Floats:
    """(height, width) angle in radians between the surface's normal and the ray; near pi/2 across a depth edge."""
    du, dv = _slope(depth, 1), _slope(depth, 0)
    x = ((np.arange(camera.width) - camera.cx) / camera.fx).astype(np.float32)[None, :]
    y = ((np.arange(camera.height) - camera.cy) / camera.fy).astype(np.float32)[:, None]
    across_x, across_y = np.float32(camera.fx) * du, np.float32(camera.fy) * dv
    # The surface (x z, y z, z) has the normal (fx z_u, fy z_v, -(z + x fx z_u + y fy z_v)); its product with the ray
    # (x, y, 1) is -z.
    along = depth + x * across_x + y * across_y
    length = np.sqrt((across_x**2 + across_y**2 + along**2) * (x**2 + y**2 + 1))
    cosine = np.divide(depth, length, out=np.ones_like(depth), where=length > 0)
    tilt: Floats = np.arccos(np.clip(cosine, 0, 1))
    return tilt


def _slope(depth: Floats, axis: int) -> Floats:
    """Change of depth to a neighbour along an axis, the larger of both sides: an edge tilts the pixels on both.

    Next to nothing (depth 0) the slope is the whole depth, which counts as an edge.
    """
    step = np.diff(depth, axis=axis)
    ends = [(0, 0), (0, 0)]
    ends[axis] = (1, 0)
    before = np.pad(step, ends, mode="edge")
    ends[axis] = (0, 1)
    after = np.pad(step, ends, mode="edge")
    larger: Floats = np.where(np.abs(before) > np.abs(after), before, after)
    return larger


def shadowed(depth: Floats, camera: Camera, baseline: float) -> Booleans:
    """(height, width) True where something nearer stands between the projector, left of the camera, and the surface.

    A negative baseline is one to the right.

    A row of the camera is a row of the projector, where a point lies further right by its disparity; of all points
    that fall on one column the nearest, of the largest disparity, gets the light.
    """
    if baseline < 0:
        return shadowed(depth[:, ::-1], camera, -baseline)[:, ::-1]
    rows, columns = depth.shape
    seen = depth > 0
    disparity = np.where(seen, np.float32(camera.fx * baseline) / np.where(seen, depth, np.float32(1)), np.float32(0))
    column = np.rint(np.arange(columns, dtype=np.float32) + disparity).astype(np.int64)
    width = int(column.max()) + 3
    bins = (column + 1 + np.arange(rows)[:, None] * width).ravel()
    nearest = np.zeros(rows * width, np.float32)
    np.maximum.at(nearest, bins, disparity.ravel())
    # A surface that turns to the projector leaves gaps between its pixels' columns.
    nearest[1:-1] = np.maximum(nearest[1:-1], np.minimum(nearest[:-2], nearest[2:]))
    dark: Booleans = seen & (nearest[bins].reshape(depth.shape) > disparity + SHADOW_TOLERANCE_PX)
    return dark


def _beside(depth: Floats, tilt: Floats, rng: np.random.Generator, noise: DepthNoise) -> Floats:
    """Every pixel reads a neighbour drawn by the lateral noise: whole pixels, as between two lies no surface."""
    rows, columns = depth.shape
    beyond = np.minimum(tilt, noise.steepest)
    sd = (noise.lateral_px + noise.lateral_tilt_px * beyond / (np.pi / 2 - beyond)).astype(np.float32)
    shift = np.rint(sd * normals((2, rows, columns), rng)).astype(np.int32)
    v = np.clip(np.arange(rows, dtype=np.int32)[:, None] + shift[0], 0, rows - 1)
    u = np.clip(np.arange(columns, dtype=np.int32) + shift[1], 0, columns - 1)
    measured: Floats = depth[v, u]
    return measured


def noisy_color(
    color: Bytes, rng: np.random.Generator, *, read_sd: float = READ_SD, shot_sd_at_white: float = SHOT_SD_AT_WHITE
) -> Bytes:
    """(height, width, 3) RGB with noise of the sensor: a constant part and one that grows with the root of the light.

    Args:
        color: ideal image.
        rng: source of all randomness.
        read_sd: of the constant part, in steps of 1/255.
        shot_sd_at_white: of the growing part at 255.
    """
    light = np.arange(256, dtype=np.float32)
    sd = np.sqrt(np.float32(read_sd**2) + light * np.float32(shot_sd_at_white**2 / 255))
    noisy = sd[color] * normals(color.shape, rng)
    noisy += color
    np.rint(noisy, out=noisy)
    stored: Bytes = np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
    return stored


def normals(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Float32 normal deviates, drawn from 65536 quantiles: twice as fast as exact ones."""
    drawn: Floats = _quantiles()[rng.integers(0, 1 << 16, shape, np.uint16)]
    return drawn


@cache
def _quantiles() -> Floats:
    middles = (np.arange(1 << 16) + 0.5) / (1 << 16)
    quantiles: Floats = ndtri(middles).astype(np.float32)
    return quantiles
