"""The losses, one term a function, per sample; weights are applied in `total` alone.

Quaternions are wxyz. q and -q are one rotation, so the distance of two poses is that of the nearer two signs
(`pose_distance`): there is no border at which two neighbouring rotations would be far apart. Stored quaternions lie on
one hemisphere (w >= 0), and at its border the nearer sign still makes q and its neighbour on the other side close.
Equation 2 alone can be asked for one sign of each true quaternion (`regression_term`).

Gradients go where table 1 sends them without further care: equations 3 and 5 see features only, so the pose layer
gets gradients of the regression term alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.config import Difference, LossConfig

TRIPLET_MARGIN = 0.01
"""m of Wohlhart and Lepetit's equation 2"""
NEAR = 0.1
"""of rotation matrices' distance, four degrees: errors beyond it count ever less in `logarithmic`"""
SMALL = 1e-9
"""keeps the gradient of a root finite at zero"""


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


def regression_term(predicted: Tensor, true: Tensor, direction: Tensor | None = None) -> Tensor:
    """Equation 2: squared distance of predicted and true quaternions.

    With the nearer sign each region of poses settles on the one that it was nearer to at the start, and where two of
    them meet the output has to jump. Of unit norm it cannot pass through zero, so such seams hardly move.

    Args:
        predicted: (B, 4), of any norm.
        true: (B, 4) unit.
        direction: (4,) of the hemisphere whose sign is the true one, as the equation is printed; None: the nearer sign.

    Returns:
        (B,) one value an image.
    """
    if direction is None:
        return pose_distance(predicted, true)
    return (predicted - on_hemisphere(true, direction)).square().sum(dim=1)


def on_hemisphere(quaternions: Tensor, direction: Tensor) -> Tensor:
    """(B, 4), (4,) -> (B, 4): of q and -q the one on the side of `direction`."""
    return torch.where((quaternions @ direction)[:, None] < 0, -quaternions, quaternions)


def principal_direction(quaternions: Tensor) -> Tensor:
    """(N, 4) unit -> (4,) unit: the q nearest to all of them, by the mean squared cosine; its largest number positive.

    An object that is seen from all round turns q into -q on the way, so some neighbours lie across the border of any
    hemisphere; of this one few do.
    """
    direction: Tensor = torch.linalg.eigh(quaternions.T @ quaternions).eigenvectors[:, -1]
    return direction * direction[direction.abs().argmax()].sign()


def matrix_term(predicted: Tensor, true_quaternions: Tensor) -> Tensor:
    """Distance of rotation matrices: (B, 3, 3), (B, 4) wxyz -> (B,) Frobenius norm, 2 sqrt(2) sin(half the angle).

    Not squared: the sum of a norm is the rotation's median rather than its mean, and flips do not outweigh the rest.
    """
    return ((predicted - matrix_of(true_quaternions)).square().sum(dim=(1, 2)) + SMALL).sqrt()


def logarithmic(distances: Tensor) -> Tensor:
    """(B,) -> (B,) log(1 + d / NEAR), whose slope falls with the distance.

    An image in which the hand hides what tells two sides apart is off by half a turn as often as not, whatever is
    learnt from it; so it may not pull more than one whose last degrees can be learnt.
    """
    return torch.log1p(distances / NEAR)


def matrix_of(quaternion_wxyz: Tensor) -> Tensor:
    """(B, 4) unit, wxyz -> (B, 3, 3)."""
    w, x, y, z = quaternion_wxyz.unbind(dim=1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=1).view(-1, 3, 3)


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


def all_pairs_term(features: Tensor, poses: Tensor, difference: Difference) -> Tensor:
    """Equation 3 on every pair that a batch holds: (B, D), (B, 4) -> (B * B,).

    Costs next to nothing beside the network, and leaves no pair of neighbours unseen.
    """
    pose_distances = (2 - 2 * (poses @ poses.T).abs()).clamp(min=0)
    # of unit norm, as pose_distances are: so a product replaces a difference
    feature_distances = (2 - 2 * features @ features.T).clamp(min=0)
    gap = (feature_distances - pose_distances).flatten()
    return gap.square() if difference == "squared" else gap.abs()


def triplet_term(anchors: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """Wohlhart and Lepetit 2015, equation 2: max(0, 1 - |a - far|^2 / (|a - near|^2 + m)); (B, D) each -> (B,)."""
    ratio = feature_distance(anchors, far) / (feature_distance(anchors, near) + TRIPLET_MARGIN)
    return (1 - ratio).clamp(min=0)


def same_pose_term(features: Tensor, others: Tensor) -> Tensor:
    """Wohlhart and Lepetit 2015, equation 3: squared distance of two images at one pose; (B, D), (B, D) -> (B,)."""
    return feature_distance(features, others)


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
        "same_pose": config.feature_weight,
        "occlusion": config.occlusion_weight,
    }
    parts = [weights[name] * values.mean() for name, values in terms.items()]
    return sum(parts[1:], start=parts[0])
