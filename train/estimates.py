"""Crops -> poses with a confidence, as JSON and as pictures with the object's axes drawn in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from scene.arrays import Bytes, Floats
from scene.errors import InputError
from scene.rotations import geodesic_angle, matrix_from_quaternion, quaternion_from_matrix
from train.evaluate import read_outs
from train.model import IMAGES_AT_ONCE, Model
from train.query import Query

DISAGREEMENT = np.radians(20.0)
"""angle between the two read-outs at which confidence has fallen to 1/e"""
FEATURE_SCALE = 0.5
"""distance of features, where there is one read-out alone, at which confidence has fallen to 1/e"""
ZOOM = 4
"""of the pictures"""
AXIS_COLORS = ((230, 60, 60), (60, 200, 60), (80, 120, 255))


@dataclass(frozen=True)
class PoseEstimate:
    """What is said about one crop."""

    name: str
    camera_from_object: Floats
    """(3, 3) rotation"""
    view_from_object: Floats
    """(3, 3) the same against the ray to the object's centre: what the crop shows"""
    nearest_neighbour: Floats
    """(3, 3) camera_from_object by the other read-out"""
    confidence: float
    """0..1: how well both read-outs agree; an order, not a probability"""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {
            "image": self.name,
            "quaternion_wxyz": quaternion_from_matrix(self.camera_from_object).tolist(),
            "camera_from_object": self.camera_from_object.tolist(),
            "nearest_neighbour_quaternion_wxyz": quaternion_from_matrix(self.nearest_neighbour).tolist(),
            "confidence": round(self.confidence, 4),
        }


def estimated(model: Model, queries: list[Query]) -> list[PoseEstimate]:
    """The network's regression where it was trained, else the nearest neighbour, and how sure it is."""
    predicted = model.predict(_batches(model, queries))
    found = read_outs(model, predicted)
    nearest = matrix_from_quaternion(found["nearest_neighbour"])
    if "regression" in found:
        views = matrix_from_quaternion(found["regression"])
        confidence = np.exp(-geodesic_angle(views, nearest) / DISAGREEMENT)
    else:
        assert model.templates is not None, "a finished run has templates"
        views = nearest
        confidence = np.exp(-model.templates.nearest(predicted.features)[1].numpy() / FEATURE_SCALE)
    return [
        PoseEstimate(
            query.name, query.camera_from_view @ view, view, query.camera_from_view @ neighbour, float(sure)
        )
        for query, view, neighbour, sure in zip(queries, views, nearest, confidence, strict=True)
    ]  # fmt: skip


def write_overlays(folder: Path, queries: list[Query], poses: list[PoseEstimate], *, overwrite: bool) -> None:
    """One picture for each crop, named by its number and name."""
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise InputError(f"{folder} must be empty and is not; give another --overlay, or --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (query, pose) in enumerate(zip(queries, poses, strict=True)):
            imageio.imwrite(folder / f"{number:05d}-{_file_name(query.name)}.png", overlay(query, pose))
    except OSError as error:
        raise InputError(f"{folder} must be a folder that can be written ({error}); give another --overlay") from error


def overlay(query: Query, estimate: PoseEstimate) -> Bytes:
    """The crop, enlarged, with the object's axes from its centre: x red, y green, z blue, nearer ones over others."""
    side = query.color.shape[0] * ZOOM
    picture = Image.fromarray(query.color).resize((side, side), Image.Resampling.NEAREST)
    draw, middle = ImageDraw.Draw(picture), side / 2
    for axis in np.argsort(-estimate.view_from_object[2]):
        x, y, _ = estimate.view_from_object[:, axis] * side * 0.4
        draw.line([(middle, middle), (middle + x, middle + y)], fill=AXIS_COLORS[axis], width=3)
    draw.text((4, 4), f"confidence {estimate.confidence:.2f}", fill=(255, 255, 255))
    return np.asarray(picture)


def _file_name(name: str) -> str:
    """Without blanks and commas."""
    return re.sub(r"[^\w.]+", "-", name.removesuffix(Path(name).suffix))


def _batches(model: Model, queries: list[Query]) -> Iterator[Tensor]:
    for start in range(0, len(queries), IMAGES_AT_ONCE):
        part = queries[start : start + IMAGES_AT_ONCE]
        color = torch.from_numpy(np.stack([query.color for query in part]))
        depths = [query.depth for query in part if query.depth is not None]
        yield model.inputs(color, torch.from_numpy(np.stack(depths).astype(np.int32)) if depths else None)
