"""A session as a TUM RGB-D sequence: lists of times and files, depth in 1/5000 m, the camera's poses in the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recorder.export.pictures import frames, rescaled, write_png
from recorder.session import Session
from scene.rotations import quaternion_from_matrix

DEPTH_SCALE = 1 / 5000


def write_tum(session: Session, folder: Path) -> None:
    """`rgb.txt`, `depth.txt`, the images, `cam_K.txt`, and `groundtruth.txt` where the camera's pose is known."""
    np.savetxt(folder / "cam_K.txt", session.camera.matrix)
    lists = {"rgb": ["# timestamp filename"], "depth": ["# timestamp filename"]}
    for frame in frames(session):
        counts = rescaled(session.depth_counts(frame.index), session.depth_scale, DEPTH_SCALE)
        for kind, image in (("rgb", frame.color), ("depth", counts)):
            write_png(folder / f"{kind}/{frame.index:06d}.png", image)
            lists[kind].append(f"{frame.timestamp_s:.9f} {kind}/{frame.index:06d}.png")
    for kind, lines in lists.items():
        (folder / f"{kind}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if session.world_from_camera is not None:
        (folder / "groundtruth.txt").write_text("\n".join(_trajectory(session)) + "\n", encoding="utf-8")


def _trajectory(session: Session) -> list[str]:
    lines = ["# timestamp tx ty tz qx qy qz qw"]
    assert session.world_from_camera is not None
    for time_s, pose in zip(session.timestamps_s, session.world_from_camera, strict=True):
        if np.isfinite(pose).all():
            w, x, y, z = quaternion_from_matrix(pose[:3, :3])
            lines.append(" ".join(f"{value:.9f}" for value in (time_s, *pose[:3, 3], x, y, z, w)))
    return lines
