"""The objective: how badly a hypothesis explains a frame. Lower is better; 0 is a perfect explanation.

It is a sum of squares of bounded residuals in five named terms, so that a swarm can minimise the sum and damped least
squares can refine the residuals. With rho(x) = x / sqrt(1 + x^2), which is linear near 0 and never above 1:

- points  every observed surface point should lie on the object or on the hand (Qian et al. 2014, eq. 3; Schmidt et al.
          2014, "DART", observation to model). d = min(d_object, d_hand), each lengthened by how little the point's
          colour speaks for that body:  rho(d / 12 mm), weighted by the chance that the point is neither. Behind the
          wrist, and from it to where the arm comes from, there is a forearm, of which nothing is known: there a point
          is never farther than 4 mm, unless it is of the arm's last centimetres, which are a hand's.
- object  every camera-facing sample of the object's surface should be seen where it is, or be hidden (Schmidt et al.
          2014, model to observation; Oikonomidis et al. 2011 model occlusion in the same way, by the nearer of the two
          renderings). Behind the observed surface: hidden, at a small price, smaller under something hand-coloured.
          Before it: the sensor saw through the hypothesis, which cannot be:  rho(gap / 8 mm).
- color   where such a sample is seen, its colour should be the pixel's, up to the light's gain and paleness, and it
          should be likelier on the object than on hand or background.
- hand    the same as `object` for points on the camera's side of the hand's flesh.
- contact hand and object share no space (Oikonomidis et al. 2011, eq. 8):  penetration depth / 6 mm;  nor do two
          fingers (ibid., there by their angles alone):  the deepest overlap of each two, above 3 mm, / 6 mm.
- prior   the hand's angles stay near those predicted, weakly: what is hidden has to be somewhere plausible; finger tips
          that are hidden are rather on the object than away from it, as those that are seen are where they are; and the
          wrist does not bend more than about 80 degrees from the way the arm comes.

Terms are means over their residuals, times their weights (tracker/weights.py). Occlusion is thus handled by
construction: no pixel is assigned to a body beforehand, and no label from the image is trusted more than its colour's
likelihood.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scene.arrays import Booleans, Floats
from tracker.kernel_geometry import (
    bounded,
    capsules_distance,
    compiled,
    object_distance,
    pixel_of,
    place_capsules,
    place_samples,
    rotation_of,
)

TERMS = ("points", "object", "color", "hand", "contact", "prior")
POINTS, OBJECT, COLOR, HAND, CONTACT, PRIOR = range(6)

FOREARM = 0.30
"""metres behind the wrist that may be forearm"""
FINGER_STATIONS = 7
"""places along each finger at which fingers are compared, from half of its first bone on, whose flesh is the palm's"""
FINGER_PAIRS = 10
WHOLE_HAND = -1
"""in place of a finger's number, 0 to 4"""
HAND_STATIONS = 3
"""places along each capsule at which the hand's surface is compared with the depth, each with three points across"""
FLANK, FLANK_FRONT = 0.75, float(np.sqrt(1 - 0.75**2))
"""radii that the outer two are aside of the axis, and before it"""


class Evidence(NamedTuple):
    """What one frame shows, ready for the kernel."""

    depth: Floats
    """(H, W) float32 metres, 0 = no measurement"""
    features: Floats
    """(H, W, 3) float32 colour features, tracker/colors.py"""
    object_chance: Floats
    """(H, W) float32, chance that the pixel's colour is the object's rather than the hand's or the background's"""
    hand_chance: Floats
    """(H, W) float32, the same for the hand"""
    intrinsics: Floats
    """(4,) fx, fy, cx, cy in pixels"""
    points: Floats
    """(K, 3) points_camera, metres"""
    point_object_chance: Floats
    """(K,)"""
    point_hand_chance: Floats
    """(K,)"""
    point_weight: Floats
    """(K,) 1 minus the chance that the point is neither object nor hand"""
    point_may_be_forearm: Booleans
    """(K,) False for those so near the arm's end that they are the hand's"""
    arm: Floats
    """(3,) unit, camera frame: the way the arm comes; zero where unknown"""
    table: Floats
    """(4,) n, d with n . p + d = metres above the table; (0, 0, 0, 1), a metre above everywhere, where there is none"""


class Models(NamedTuple):
    """What may stand before the camera, ready for the kernel."""

    samples: Floats
    """(M, 3) on the object's surface, metres, object frame"""
    normals: Floats
    """(M, 3) outward, object frame"""
    sample_features: Floats
    """(M, 3) colour features, the light's gain included"""
    field: Floats
    """(nx, ny, nz) signed distance, metres"""
    field_origin: Floats
    """(3,)"""
    field_spacing: float
    base_offsets: Floats
    base_rotations: Floats
    phalanx_lengths: Floats
    radii: Floats
    palm_segments: Floats
    palm_radii: Floats
    abduction_sign: float
    object_reach: float
    """metres from the object's origin within which it lies"""


@compiled
def gap_price(gap, hand_chance, weights):  # type: ignore[no-untyped-def]
    """Price of a model point whose pixel's depth is `gap`, in weights.gap_scale, behind it (negative: it is hidden)."""
    return max(bounded(gap), -weights.hidden * (1.0 - weights.under_hand * hand_chance))


@compiled
def residuals(  # type: ignore[no-untyped-def]
    vector,
    object_reference,
    to_object,
    finger,
    to_rest,
    hand_reference,
    prediction,
    use_object,
    use_hand,
    evidence,
    models,
    weights,
    out,
    counts,
):
    """Writes all residuals of one hypothesis, or those that one finger's angles change; the others are 0 then.

    Args:
        vector: (32,) as tracker/hypothesis.py lays it out.
        object_reference: (3, 3) see Layout.
        to_object: (K,) squared distances of the points to the object, as object_squares has them.
        finger: WHOLE_HAND, or the only one that is asked about.
        to_rest: (K,) float32 distances of the points to what of the hand is not asked about; infinite if nothing.
        hand_reference: (3, 3) see Layout.
        prediction: (20,) joint angles that the prior holds the hand to.
        use_object: False leaves out the terms `object` and `color`, and their residuals, which are the same while the
            object is held still.
        use_hand: False leaves every term of the hand out.
        evidence: of the frame.
        models: of object and hand.
        weights: of the terms.
        out: (residual_count(evidence, models, use_object),) receives the residuals, already weighted: their squares add
            up to the objective.
        counts: (6,) receives each term's share of the objective.
    """
    counts[:] = 0.0
    out[:] = 0.0
    pose, hand = np.empty((3, 3)), np.empty((3, 3))
    rotation_of(vector[3], vector[4], vector[5], object_reference, pose)
    capsules = np.empty((models.palm_segments.shape[0] + 15, 9))
    first, last = capsules_of(finger, models)
    if use_hand:
        rotation_of(vector[9], vector[10], vector[11], hand_reference, hand)
        place_capsules(vector, hand, models, capsules)
        to_hand = to_rest.copy()
        capsules_distance(evidence.points, capsules[first:last], to_hand)
        at = points_beside_hand(vector, hand, to_hand, to_object, evidence, weights, out, counts)
    else:
        at = points_of_object(to_object, evidence, weights, out, counts)
    if use_object:
        if finger == WHOLE_HAND:
            object_residuals(pose, vector, evidence, models, weights, out, counts, at)
        at += 2 * models.samples.shape[0]
    if use_hand:
        at = hand_residuals(capsules, first, last, evidence, weights, out, counts, at)
        at = contact_residuals(pose, vector, capsules, first, last, models, weights, out, counts, at)
        at = finger_residuals(capsules, weights, out, counts, at)
        prior_residuals(pose, vector, hand, capsules, prediction, evidence, models, weights, out, counts, at)


@compiled
def capsules_of(finger, models):  # type: ignore[no-untyped-def]
    """The first capsule of a finger, or of the whole hand, and the one after the last."""
    palm = models.palm_segments.shape[0]
    if finger == WHOLE_HAND:
        return 0, palm + 15
    return palm + 3 * finger, palm + 3 * finger + 3


@compiled
def distances_beside_fingers(vector, hand_reference, points, models, out):  # type: ignore[no-untyped-def]
    """Distance of each point to all of the hand but one finger, for each finger, into out (5, K) float32."""
    hand, capsules, to_finger = np.empty((3, 3)), np.empty((models.palm_segments.shape[0] + 15, 9)), np.empty_like(out)
    rotation_of(vector[9], vector[10], vector[11], hand_reference, hand)
    place_capsules(vector, hand, models, capsules)
    out[:], to_finger[:] = np.inf, np.inf
    capsules_distance(points, capsules[: models.palm_segments.shape[0]], out[0])
    for finger in range(5):
        first, last = capsules_of(finger, models)
        out[finger] = out[0]
        capsules_distance(points, capsules[first:last], to_finger[finger])
    for finger in range(5):
        for other in range(5):
            if other != finger:
                out[finger] = np.minimum(out[finger], to_finger[other])


@compiled
def object_squares(vector, object_reference, use_hand, evidence, models, weights, out):  # type: ignore[no-untyped-def]
    """Squared distance of each point to the object, into out (K,): the same for all hands beside one that stands still.

    Without a hand to explain them only points near the object are asked about: the others' are infinite.
    """
    pose, points, reach = np.empty((3, 3)), evidence.points, models.object_reach * weights.around
    rotation_of(vector[3], vector[4], vector[5], object_reference, pose)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - vector[0], points[i, 1] - vector[1], points[i, 2] - vector[2]
        if use_hand or x * x + y * y + z * z < reach * reach:
            out[i] = object_distance(pose, x, y, z, models) ** 2
        else:
            out[i] = np.inf


@compiled
def points_beside_hand(vector, hand, to_hand, to_object, evidence, weights, out, counts):  # type: ignore[no-untyped-def]
    """Term `points`, of object and hand. Without branches, so that several points are taken at once."""
    points, on_object, on_hand = evidence.points, evidence.point_object_chance, evidence.point_hand_chance
    count, weight, may_be_forearm = points.shape[0], evidence.point_weight, evidence.point_may_be_forearm
    cut, square_scale, label_cost = np.empty(count), weights.points_scale**2, weights.label_cost
    for i in range(count):
        forearm = may_be_forearm[i] & behind_wrist(points[i, 0], points[i, 1], points[i, 2], vector, hand, evidence.arm)
        cut[i] = weights.forearm_cost if forearm else np.inf
    for i in range(count):
        distance = min(np.float64(abs(to_hand[i])), cut[i])
        preference = label_cost * (on_hand[i] - on_object[i])
        aside, towards = max(preference, 0.0), min(preference, 0.0)
        best = min(to_object[i] + aside * aside, distance * distance + towards * towards)
        out[i] = weight[i] * best / (square_scale + best)  # rho squared; the root is taken below
    total = 1e-9
    for i in range(count):
        total += weight[i]
    return weighted_points(total, count, weights, out, counts)


@compiled
def behind_wrist(x, y, z, vector, hand, arm):  # type: ignore[no-untyped-def]
    """Whether a camera point may be the forearm's: within 30 cm of the wrist, and 60 degrees of a way back from it.

    That is straight behind it, or else where the arm comes from, opposite to (3,) `arm`, as wrists bend.
    """
    x, y, z = x - vector[6], y - vector[7], z - vector[8]
    behind, square = -(hand[0, 0] * x + hand[1, 0] * y + hand[2, 0] * z), x * x + y * y + z * z
    back = max(behind, -(arm[0] * x + arm[1] * y + arm[2] * z))
    return (square < FOREARM**2) & (back > 0) & (back * back > 0.25 * square)


@compiled
def points_of_object(to_object, evidence, weights, out, counts):  # type: ignore[no-untyped-def]
    """Term `points`, of the object alone: hand-coloured points hardly count."""
    on_object, on_hand = evidence.point_object_chance, evidence.point_hand_chance
    total, square_scale, count = 1e-9, weights.points_scale**2, to_object.shape[0]
    for i in range(count):
        if to_object[i] == np.inf:
            continue
        # squared, because a hand that holds a small object has many more points than the object
        weight = (0.02 + on_object[i] / (on_object[i] + on_hand[i] + 0.1)) ** 2
        total += weight
        out[i] = weight * to_object[i] / (square_scale + to_object[i])
    return weighted_points(total, count, weights, out, counts)


@compiled
def weighted_points(total, count, weights, out, counts):  # type: ignore[no-untyped-def]
    """Makes residuals of the squares in the first `count` places, whose weights sum to `total`; the next place."""
    # a hypothesis away from all points must not win by having nothing to explain
    unsupported = max(0.0, 1.0 - total / weights.support)
    scale = weights.points / max(total, weights.support)
    for i in range(count):
        out[i] *= scale
    for i in range(count):
        counts[POINTS] += out[i]
    for i in range(count):
        out[i] = np.sqrt(out[i])
    counts[POINTS] += weights.points * unsupported
    out[count] = np.sqrt(weights.points * unsupported)
    return count + 1


@compiled
def own_surface(pose, vector, row, column, seen, intrinsics, models, weights):  # type: ignore[no-untyped-def]
    """Whether what is seen at a pixel is the hypothesis' own surface: then a sample behind it is rightly hidden."""
    x = (column - intrinsics[2]) / intrinsics[0] * seen - vector[0]
    y = (row - intrinsics[3]) / intrinsics[1] * seen - vector[1]
    z = seen - vector[2]
    if x * x + y * y + z * z > models.object_reach**2:
        return False
    distance = object_distance(pose, x, y, z, models)
    return abs(distance) < 0.5 * weights.gap_scale


@compiled
def object_residuals(pose, vector, evidence, models, weights, out, counts, at):  # type: ignore[no-untyped-def]
    """Terms `object`, in the first M places, and `color`, in the next M."""
    count, depth, intrinsics, table = models.samples.shape[0], evidence.depth, evidence.intrinsics, evidence.table
    height, width, features = depth.shape[0], depth.shape[1], evidence.features
    object_chance, hand_chance = evidence.object_chance, evidence.hand_chance
    placed, seen_colors, whose = np.empty((4, count)), np.empty((count, 5)), np.empty(count, np.int64)
    place_samples(pose, vector, models.samples, models.normals, placed)
    facing, seen_count = 1e-9, 0
    for i in range(count):
        # weight falls smoothly to nothing at grazing views, so that the objective has no steps there
        x, y, z, weight = placed[0, i], placed[1, i], placed[2, i], min(1.0, 3.0 * placed[3, i])
        if weight <= 0.0:
            continue
        facing += weight
        row, column = pixel_of(x, y, z, intrinsics, height, width)
        if row < 0:
            out[at + i] = np.sqrt(weight) * weights.hidden
            continue
        seen = depth[row, column]
        if seen <= 0:
            out[at + i] = np.sqrt(weight) * weights.unmeasured
            continue
        gap = seen - z
        if gap < -weights.gap_scale and own_surface(pose, vector, row, column, seen, intrinsics, models, weights):
            continue
        on_object, on_hand = object_chance[row, column], hand_chance[row, column]
        price = gap_price(gap / weights.gap_scale, on_hand, weights)
        above = table[0] * x + table[1] * y + table[2] * z + table[3]
        if above < 0:  # inside the table: as impossible as being seen through
            price = max(abs(price), bounded(-above / weights.gap_scale))
        out[at + i] = np.sqrt(weight) * price
        for channel in range(3):
            seen_colors[seen_count, channel] = features[row, column, channel]
        seen_colors[seen_count, 3] = weight / (1.0 + (gap / (1.25 * weights.gap_scale)) ** 4)
        seen_colors[seen_count, 4] = max(0.0, max(on_hand, 1.0 - on_hand - on_object) - on_object)
        whose[seen_count] = i
        seen_count += 1
    color_residuals(seen_colors[:seen_count], whose, models.sample_features, weights, out[at + count :])
    object_scale, color_scale = np.sqrt(weights.object / facing), np.sqrt(weights.color / facing)
    for i in range(at, at + count):
        out[i] *= object_scale
        out[count + i] *= color_scale
        counts[OBJECT] += out[i] ** 2
        counts[COLOR] += out[count + i] ** 2


@compiled
def color_residuals(seen, whose, sample_features, weights, out):  # type: ignore[no-untyped-def]
    """How much what is seen where samples are differs from them in colour.

    Args:
        seen: (V, 5) at the pixel of each sample that is in view: three colour features, the sample's weight, and by how
            much likelier the colour is on hand or background than on the object. The features are changed.
        whose: (M,) the first V are the samples' indices.
        sample_features: (M, 3)
        weights: of the terms.
        out: (M,) receives the residuals, not yet divided by all that faces the camera.
    """
    total, paled, full, mean = 1e-9, 0.0, 1e-9, np.zeros(3)
    for k in range(seen.shape[0]):
        i, visible = whose[k], seen[k, 3]
        total += visible
        for channel in range(2):
            paled += visible * seen[k, channel] * sample_features[i, channel]
            full += visible * sample_features[i, channel] ** 2
    # cameras, haze and glare make colours paler than a scan shows them, and a coloured light shifts them all alike:
    # both are fitted to each hypothesis, within reason
    saturation = min(max(paled / full, weights.palest), 1.0)
    for k in range(seen.shape[0]):
        for channel in range(3):
            share = saturation if channel < 2 else 1.0
            seen[k, channel] -= share * sample_features[whose[k], channel]
            mean[channel] += seen[k, 3] * seen[k, channel]
    for channel in range(3):
        mean[channel] = min(max(mean[channel] / total, -weights.gain_reach), weights.gain_reach)
    for k in range(seen.shape[0]):
        square = (seen[k, 0] - mean[0]) ** 2 + (seen[k, 1] - mean[1]) ** 2 + (seen[k, 2] - mean[2]) ** 2
        mismatch = square / (square + weights.color_scale**2)
        out[whose[k]] = np.sqrt(seen[k, 3] * 0.5 * (mismatch + seen[k, 4] ** 2))


@compiled
def hand_residuals(capsules, first, last, evidence, weights, out, counts, at):  # type: ignore[no-untyped-def]
    """Term `hand`: for each capsule some stations along it, at each the middle and both flanks as the camera sees.

    Of the capsules from `first` to before `last`, as contact_residuals.
    """
    each, mine = 3 * HAND_STATIONS, last - first
    count, start = each * mine, at + each * first
    scale, depth, intrinsics = np.sqrt(weights.hand / (each * capsules.shape[0])), evidence.depth, evidence.intrinsics
    places, gaps, by_gap = np.empty((3, count)), np.empty(count), 1.0 / weights.gap_scale
    place_flesh(capsules[first:last], places)
    height, width = depth.shape
    for k in range(count):
        place = k % each * mine + k // each  # they lie station after station, and residuals capsule after capsule
        x, y, z = places[0, place], places[1, place], places[2, place]
        row, column = pixel_of(x, y, z, intrinsics, height, width)
        if row < 0:
            gaps[k] = 0.0  # outside the image nothing is said
        else:
            seen = depth[row, column]
            gaps[k] = (seen - z) * by_gap if seen > 0 else np.inf
    for k in range(count):
        price = gap_price(gaps[k], 0.5, weights)
        out[start + k] = scale * (weights.hidden if gaps[k] == np.inf else price)
    for k in range(count):
        counts[HAND] += out[start + k] ** 2
    return at + each * capsules.shape[0]


@compiled
def place_flesh(capsules, places):  # type: ignore[no-untyped-def]
    """Points of the hand's surface on the camera's side, three across at each station, into (3, 9 S).

    The inner loops run over the capsules, so that several are taken at once.
    """
    count = capsules.shape[0]
    stations = HAND_STATIONS * count
    axes, across, by_distance = np.empty((3, stations)), np.empty((3, stations)), np.empty(stations)
    for station in range(HAND_STATIONS):
        along, first = (station + 0.5) / HAND_STATIONS, station * count
        for s in range(count):
            ax, ay, az = capsules[s, 3], capsules[s, 4], capsules[s, 5]
            x, y, z = capsules[s, 0] + along * ax, capsules[s, 1] + along * ay, capsules[s, 2] + along * az
            radius = capsules[s, 6] + along * capsules[s, 7]
            # across: perpendicular to the axis and to the line of sight
            cx, cy, cz = ay * z - az * y, az * x - ax * z, ax * y - ay * x
            by_length = FLANK * radius / (np.sqrt(cx * cx + cy * cy + cz * cz) + 1e-12)
            k = first + s
            axes[0, k], axes[1, k], axes[2, k] = x, y, z
            across[0, k], across[1, k], across[2, k] = by_length * cx, by_length * cy, by_length * cz
            by_distance[k] = radius / np.sqrt(x * x + y * y + z * z)
    for station in range(HAND_STATIONS):
        for flank in range(3):
            aside, front, first = flank - 1, 1.0 if flank == 1 else FLANK_FRONT, (3 * station + flank) * count
            for s in range(count):
                k, to = station * count + s, first + s
                towards = 1.0 - by_distance[k] * front
                places[0, to] = axes[0, k] * towards + aside * across[0, k]
                places[1, to] = axes[1, k] * towards + aside * across[1, k]
                places[2, to] = axes[2, k] * towards + aside * across[2, k]


@compiled
def contact_residuals(pose, vector, capsules, first, last, models, weights, out, counts, at):  # type: ignore[no-untyped-def]
    """Term `contact`: at three places along each capsule, how deep the flesh is inside the object."""
    scale = np.sqrt(weights.contact / capsules.shape[0])
    reach, start = (models.object_reach + 0.02) ** 2, at + 3 * first
    for s in range(first, last):
        for station in range(3):
            along = station / 2.0
            x = capsules[s, 0] + along * capsules[s, 3] - vector[0]
            y = capsules[s, 1] + along * capsules[s, 4] - vector[1]
            z = capsules[s, 2] + along * capsules[s, 5] - vector[2]
            if x * x + y * y + z * z < reach:
                radius = capsules[s, 6] + along * capsules[s, 7]
                depth = radius - object_distance(pose, x, y, z, models)
                if depth > 0:
                    out[start] = scale * bounded(depth / weights.contact_scale / 3.0) * 3.0
                    counts[CONTACT] += out[start] ** 2
            start += 1
    return at + 3 * capsules.shape[0]


@compiled
def finger_residuals(capsules, weights, out, counts, at):  # type: ignore[no-untyped-def]
    """Term `contact`: how deep each two fingers are in each other."""
    count, scale = 5 * FINGER_STATIONS, np.sqrt(weights.fingers)
    spheres, overlaps = np.empty((4, count)), np.empty((FINGER_STATIONS, count))
    place_stations(capsules, spheres)
    for one in range(4):
        rest = (one + 1) * FINGER_STATIONS
        for i in range(FINGER_STATIONS):
            k = one * FINGER_STATIONS + i
            x, y, z, radius = spheres[0, k], spheres[1, k], spheres[2, k], spheres[3, k]
            for j in range(rest, count):  # over the other fingers' stations, so that several are taken at once
                dx, dy, dz = x - spheres[0, j], y - spheres[1, j], z - spheres[2, j]
                overlaps[i, j] = radius + spheres[3, j] - np.sqrt(dx * dx + dy * dy + dz * dz)
        for other in range(one + 1, 5):
            deepest = weights.flesh_yields
            for i in range(FINGER_STATIONS):
                for j in range(FINGER_STATIONS):
                    deepest = max(deepest, overlaps[i, other * FINGER_STATIONS + j])
            out[at] = scale * bounded((deepest - weights.flesh_yields) / weights.contact_scale / 3.0) * 3.0
            counts[CONTACT] += out[at] ** 2
            at += 1
    return at


@compiled
def place_stations(capsules, spheres):  # type: ignore[no-untyped-def]
    """Centre and radius of the flesh at each finger's stations, finger after finger, into (4, 5 * FINGER_STATIONS)."""
    first = capsules.shape[0] - 15
    for finger in range(5):
        for station in range(FINGER_STATIONS):
            bones, k = 0.5 + (station + 0.5) * 2.5 / FINGER_STATIONS, finger * FINGER_STATIONS + station
            s, along = first + 3 * finger + int(bones), bones - int(bones)
            for i in range(3):
                spheres[i, k] = capsules[s, i] + along * capsules[s, 3 + i]
            spheres[3, k] = capsules[s, 6] + along * capsules[s, 7]


@compiled
def prior_residuals(pose, vector, hand, capsules, prediction, evidence, models, weights, out, counts, at):  # type: ignore[no-untyped-def]
    """Term `prior`: 20 angles, five finger tips, the wrist."""
    scale = np.sqrt(weights.prior / 20.0) / weights.prior_scale
    for i in range(20):
        out[at + i] = scale * (vector[12 + i] - prediction[i])
    scale = np.sqrt(weights.grasp / 5.0)
    for finger in range(5):
        tip = capsules.shape[0] - 13 + 3 * finger
        x = capsules[tip, 0] + capsules[tip, 3] - vector[0]
        y = capsules[tip, 1] + capsules[tip, 4] - vector[1]
        z = capsules[tip, 2] + capsules[tip, 5] - vector[2]
        distance = object_distance(pose, x, y, z, models) - capsules[tip, 6] - capsules[tip, 7]
        hidden = hidden_share(capsules[tip], evidence, weights)
        out[at + 20 + finger] = hidden * scale * bounded(max(distance, 0.0) / weights.grasp_scale)
    arm = evidence.arm
    along = hand[0, 0] * arm[0] + hand[1, 0] * arm[1] + hand[2, 0] * arm[2]
    if arm[0] ** 2 + arm[1] ** 2 + arm[2] ** 2 > 0 and along < weights.least_along:
        out[at + 25] = np.sqrt(weights.arm) * (weights.least_along - along)
    for i in range(at, at + 26):
        counts[PRIOR] += out[i] ** 2


@compiled
def hidden_share(capsule, evidence, weights):  # type: ignore[no-untyped-def]
    """How much of a capsule (9,) of the hand is hidden: 0 where all along its middle line is seen, 1 where nothing is.

    What is not measured is not seen.
    """
    hidden, depth, height, width = 0.0, evidence.depth, evidence.depth.shape[0], evidence.depth.shape[1]
    for station in range(HAND_STATIONS):
        along = station / (HAND_STATIONS - 1)
        x, y, z = capsule[0] + along * capsule[3], capsule[1] + along * capsule[4], capsule[2] + along * capsule[5]
        row, column = pixel_of(x, y, z, evidence.intrinsics, height, width)
        seen = depth[row, column] if row >= 0 else np.float32(0)
        behind = z - capsule[6] - along * capsule[7] - seen
        hidden += min(max(behind / weights.gap_scale, 0.0), 1.0) if seen > 0 else 1.0
    return hidden / HAND_STATIONS
