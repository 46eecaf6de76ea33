"""The losses of Siamese Regression Networks, one term a function, per sample; weights are applied in `total` alone.

Quaternions are wxyz. q and -q are one rotation, so a distance is always the nearer of the two (`pose_distance`): there
is no border at which two neighbouring rotations would be far apart. Stored quaternions lie on one hemisphere (w >= 0),
and at its border the nearer sign still makes q and its neighbour on the other side close.

Gradients go where table 1 sends them without further care: equations 3 and 5 see features only, so the pose layer
gets gradients of the regression term alone.
"""

from __future__ import annotations

from torch import Tensor

from train.config import Difference, LossConfig


def pose_distance(quaternion_a: Tensor, quaternion_b: Tensor) -> Tensor:
    """(B, 4), (B, 4) wxyz -> (B,) squared distance min(|a - b|^2, |a + b|^2); in [0, 2] for unit quaternions.

    Where both are equally near (rotations 180 degrees apart) either may be taken; torch halves the gradient.
    """
    same = (quaternion_a - quaternion_b).square().sum(dim=1)
    opposite = (quaternion_a + quaternion_b).square().sum(dim=1)
    return same.minimum(opposite)


def feature_distance(features_a: Tensor, features_b: Tensor) -> Tensor:
    """(B, D), (B, D) -> (B,) squared distance."""
    return (features_a - features_b).square().sum(dim=1)


def regression_term(predicted: Tensor, true: Tensor) -> Tensor:
    """Equation 2: (B, 4) predicted and true quaternions -> (B,) squared distance, of the nearer sign."""
    return pose_distance(predicted, true)


def feature_term(features: tuple[Tensor, Tensor], poses: tuple[Tensor, Tensor], difference: Difference) -> Tensor:
    """Equation 3: the distance of a pair's features should equal the distance of its poses.

    As printed, the equation is the plain difference of the two squared distances, which has no minimum: features could
    collapse for ever. Ours is the square of that difference, or its absolute value.

    Args:
        features: (B, D) of the first and of the second image of each pair.
        poses: (B, 4) true quaternions of the first and of the second image.
        difference: "squared" or "absolute".

    Returns:
        (B,) one value a pair.
    """
    gap = feature_distance(*features) - pose_distance(*poses)
    return gap.square() if difference == "squared" else gap.abs()


def occlusion_term(occluded: Tensor, clean: Tensor) -> Tensor:
    """Equation 5 between an occluded image and the clean render of the same pose.

    As printed: the pose distance of such a pair is zero, so what remains is the squared feature distance, which has its
    minimum where the features agree. Squared once more, as equation 3 is, it would hardly pull where they nearly do.

    Args:
        occluded: (B, D) features of the occluded images.
        clean: (B, D) features of the clean images at the same poses.

    Returns:
        (B,) one value a pair.
    """
    return feature_distance(occluded, clean)


def total(terms: dict[str, Tensor], config: LossConfig) -> Tensor:
    """Equation 4 without its weight decay, which the optimiser applies: the weighted sum of the terms' means.

    Means, where the paper writes sums over the batch: the learning rate then does not depend on the batch's size.
    """
    weights = {
        "regression": config.regression_weight,
        "feature": config.feature_weight,
        "occlusion": config.occlusion_weight,
    }
    parts = [weights[name] * values.mean() for name, values in terms.items()]
    return sum(parts[1:], start=parts[0])
