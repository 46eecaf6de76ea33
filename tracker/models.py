"""Object and hand made ready for the objective's kernel, once for a session."""

from __future__ import annotations

from typing import Any

import numpy as np

from scene.arrays import Floats
from scene.distance_field import DistanceField
from scene.hand_shape import HandShape
from scene.object_model import ObjectModel
from tracker.colors import color_features
from tracker.objective import Models

OBJECT_SAMPLES = 400
"""points of the object's surface that each hypothesis is compared at"""
NOWHERE = 10.0
"""metres to an object that is not there"""


def prepare_models(model: ObjectModel, field: DistanceField, shape: HandShape, rng: np.random.Generator) -> Models:
    """Samples the object's surface evenly and lays everything out as arrays."""
    samples, normals, colors = model.surface_samples(OBJECT_SAMPLES, rng)
    return Models(
        samples=samples,
        normals=normals,
        sample_features=color_features(colors).astype(float),
        field=np.ascontiguousarray(field.values, np.float32),
        field_origin=field.origin,
        field_spacing=field.spacing,
        **_hand(shape),
        object_reach=float(np.linalg.norm(model.vertices, axis=1).max()),
    )


def models_of_hand_alone(shape: HandShape) -> Models:
    """Where there is no object: one sample that faces nobody, and a surface ten metres from everything."""
    return Models(
        samples=np.zeros((1, 3)),
        normals=np.zeros((1, 3)),
        sample_features=np.zeros((1, 3)),
        field=np.full((2, 2, 2), NOWHERE, np.float32),
        field_origin=np.zeros(3),
        field_spacing=1.0,
        **_hand(shape),
        object_reach=0.0,
    )


def with_hand_shape(models: Models, shape: HandShape) -> Models:
    """The same models with another hand."""
    return models._replace(**_hand(shape))


def lit(models: Models, gain: Floats) -> Models:
    """The same models under another light: (3,) shift of the colour features."""
    return models._replace(sample_features=models.sample_features + gain)


def thinned(models: Models, share: float) -> Models:
    """The same models with a share of the samples, which are still spread evenly, for a first look."""
    kept = round(share * len(models.samples))
    return models._replace(
        samples=models.samples[:kept], normals=models.normals[:kept], sample_features=models.sample_features[:kept]
    )


def _hand(shape: HandShape) -> dict[str, Any]:
    """The hand's fields of Models."""
    return {
        "base_offsets": shape.base_offsets,
        "base_rotations": np.ascontiguousarray(shape.base_rotations),
        "phalanx_lengths": shape.phalanx_lengths,
        "radii": shape.radii,
        "palm_segments": np.ascontiguousarray(shape.palm_segments),
        "palm_radii": np.ascontiguousarray(shape.palm_radii),
        "abduction_sign": shape.abduction_sign,
    }
