"""A track's hand as parameters of MANO. In: a track, a model, betas or none. Out: arrays by name, NaN unless TRACKED.

- `global_orient` (N, 3), `hand_pose` (N, 45) rotation vectors in radians and `transl` (N, 3) metres, camera frame: what
  MANO layers take with `flat_hand_mean=True` and `use_pca=False`. The hand turns about its wrist.
- `betas` (10,), the same in every frame.
- `joints_camera` (N, 21, 3) metres, as JOINT_NAMES: of the MANO hand so posed, tips on the skin at `tip_vertices` (5,).
- `fit_error_mm` (N,) mean distance of these to the track's joints, tips drawn in to where the track has them.
- `hand_status`, `hand_confidence`, `timestamp_s` (N,) as in the track; `side`, `flat_hand_mean`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene.arrays import Floats
from scene.mano.hand import drawn_in, fitted_betas
from scene.mano.model import TIP_VERTICES, ManoModel, joints
from scene.mano.pose import mano_poses
from tracker.track import Track, TrackStatus

MM = 1000.0


def mano_arrays(track: Track, model: ManoModel, betas: Floats | None) -> dict[str, Any]:
    """The arrays above.

    Args:
        track: whose hand.
        model: of the same side.
        betas: (10,) of the hand; fitted to the track's where None.
    """
    shape, tracked = track.hand_shape, track.hand_status == TrackStatus.TRACKED
    betas = fitted_betas(model, shape) if betas is None else betas
    poses = mano_poses(model, betas, shape, track.camera_from_hand[tracked], track.hand_angles[tracked])
    found = joints(model, betas, poses)
    error = np.linalg.norm(drawn_in(found, shape.radii[:, 3]) - track.joints_camera[tracked], axis=2).mean(axis=1)
    by_frame = {
        "global_orient": poses.global_orient,
        "hand_pose": poses.hand_pose,
        "transl": poses.transl,
        "joints_camera": found,
        "fit_error_mm": error * MM,
    }
    return {
        **{name: _at(tracked, values) for name, values in by_frame.items()},
        "betas": betas,
        "tip_vertices": np.array(TIP_VERTICES),
        "hand_status": track.hand_status,
        "hand_confidence": track.hand_confidence,
        "timestamp_s": track.timestamp_s,
        "side": np.array(shape.side),
        "flat_hand_mean": np.array(True),
    }


def _at(rows: NDArray[Any], values: Floats) -> Floats:
    """Values of some rows -> of all, NaN in the others."""
    everywhere = np.full((len(rows), *values.shape[1:]), np.nan)
    everywhere[rows] = values
    return everywhere
