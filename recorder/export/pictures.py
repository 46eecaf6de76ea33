"""What the exports share: each frame's images as PNG files, and the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

from recorder.session import NOT_LABELLED, Session
from scene.arrays import Bytes, Floats
from scene.frame import RgbdFrame
from scene.object_model import ObjectModel
from scene.progress import track


def frames(session: Session) -> Iterator[RgbdFrame]:
    """All of a session, with a progress bar."""
    return (session.frame(index) for index in track(range(len(session)), "exporting", len(session)))


def write_png(path: Path, image: NDArray[np.unsignedinteger]) -> None:
    """Lossless; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, image, compress_level=1)  # three times as fast as the default, a tenth larger


def rescaled(counts: NDArray[np.uint16], scale: float, wanted: float) -> NDArray[np.uint16]:
    """Depth in counts of another size; unchanged where the sizes are alike, 0 where a count cannot hold it."""
    if np.isclose(scale, wanted, rtol=1e-9):
        return counts
    other = np.rint(counts * (scale / wanted))
    return np.where(other <= np.iinfo(np.uint16).max, other, 0).astype(np.uint16)


def masks(session: Session, index: int, label: int) -> Bytes | None:
    """(height, width) 255 where a frame shows the label; None where it is not labelled."""
    labels = session.labels(index)
    if labels is None or (labels == NOT_LABELLED).all():
        return None
    return np.where(labels == label, 255, 0).astype(np.uint8)


def known_poses(session: Session) -> dict[int, Floats]:
    """(4, 4) camera_from_object by the frames in which it is known."""
    if session.truth is None:
        return {}
    poses = session.truth.camera_from_object
    return {int(index): poses[index] for index in np.flatnonzero(np.isfinite(poses).all(axis=(1, 2)))}


def write_mesh(path: Path, model: ObjectModel, units_per_metre: float) -> None:
    """PLY with vertex colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = model.mesh
    mesh.apply_scale(units_per_metre)
    mesh.export(path)
