"""What looks like the object and is not, since it still stands where it was while the object is seen elsewhere.

Where no background is taken out, clutter of the object's colours may be found for the object while that is out of view.
In: where it was found in some frames, without a background and with one. Out: the frames in which it was clutter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scene.arrays import Floats
from scene.camera import Camera
from scene.transforms import apply
from tracker.background import tolerance

ON_SURFACE = 0.01
"""metres from a pose's surface within which what is seen is taken to be it"""
STILL_SHARE = 0.5
"""of the pixels of that, which must see the same in another frame"""

Found = Sequence[tuple[int, Floats]]
"""of each frame in which the object was found: its index, and camera_from_object (4, 4)"""


def left_standing(
    found: Found, elsewhere: Found, depths: Mapping[int, Floats], camera: Camera, samples: Floats, reach: float
) -> set[int]:
    """Frames of `found` in which what was found is there, too, while the object is somewhere else.

    Args:
        found: where the object may be.
        elsewhere: where it surely is.
        depths: (H, W) metres, by the frame's index; 0 = nothing measured.
        camera: of the recording, which stands still.
        samples: (M, 3) on the object's surface, object frame, metres.
        reach: metres from the object's origin within which it lies.
    """
    return {
        index
        for index, pose in found
        for other, place in elsewhere
        if np.linalg.norm(pose[:3, 3] - place[:3, 3]) > reach
        and _is_there(apply(pose, samples), depths[index], depths[other], camera)
    }


def _is_there(surface: Floats, here: Floats, there: Floats, camera: Camera) -> bool:
    """Whether what is seen on a surface (M, 3) in one depth image is seen in another."""
    surface, (height, width) = surface[surface[:, 2] > 0], here.shape
    columns, rows = np.rint(camera.project(surface)).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    before, after = (depth[rows[inside], columns[inside]] for depth in (here, there))
    seen = (before > 0) & (np.abs(before - surface[inside, 2]) < ON_SURFACE)
    return bool(seen.any() and (np.abs(after - before) < tolerance(before))[seen].mean() > STILL_SHARE)
