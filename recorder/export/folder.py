"""A session in the layout of FoundationPose, BundleSDF and YCBInEOAT: metres, OpenCV's axes, depth in millimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recorder.export.pictures import frames, known_poses, masks, rescaled, write_mesh, write_png
from recorder.session import HAND_LABEL, OBJECT_LABEL, Session

DEPTH_SCALE = 0.001


def write_folder(session: Session, folder: Path) -> None:
    """`depth/`, `cam_K.txt`, and where known `rgb/`, `masks/`, `masks_hand/`, `annotated_poses/` and `mesh/`."""
    np.savetxt(folder / "cam_K.txt", session.camera.matrix)
    poses = known_poses(session)
    for frame in frames(session):
        name = f"{frame.index:06d}"
        if frame.colored:
            write_png(folder / f"rgb/{name}.png", frame.color)
        counts = rescaled(session.depth_counts(frame.index), session.depth_scale, DEPTH_SCALE)
        write_png(folder / f"depth/{name}.png", counts)
        for kind, label in (("masks", OBJECT_LABEL), ("masks_hand", HAND_LABEL)):
            mask = masks(session, frame.index, label)
            if mask is not None:
                write_png(folder / f"{kind}/{name}.png", mask)
        if frame.index in poses:
            (folder / "annotated_poses").mkdir(exist_ok=True)
            np.savetxt(folder / f"annotated_poses/{name}.txt", poses[frame.index])
    if session.object_model is not None:
        write_mesh(folder / "mesh/model.ply", session.object_model, 1.0)
