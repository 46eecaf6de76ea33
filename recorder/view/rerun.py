"""A session for the viewer of rerun (extra `viewer`): camera, images and depth as a cloud, all in metres.

The world is the camera's first place where the source tells its poses, else the camera itself: x right, y down, z
forward. The object's mesh follows its true pose where that is known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recorder.session import Session
from scene.errors import require
from scene.files import new_path
from scene.progress import track


def save_rerun(session: Session, output: Path, *, overwrite: bool) -> None:
    """Writes an .rrd file."""
    rr: Any = require("rerun", extra="viewer")
    with new_path(output, overwrite=overwrite) as partial:
        with rr.RecordingStream("unocclude") as stream:
            stream.save(str(partial))
            log_session(rr, session)
            stream.flush()
        stream.disconnect()


def log_session(rr: Any, session: Session) -> None:
    """Every frame, on the sensor's clock."""
    camera, truth, model = session.camera, session.truth, session.object_model
    focal, principal = [camera.fx, camera.fy], [camera.cx + 0.5, camera.cy + 0.5]  # rerun's pixels begin at corners
    size = [camera.width, camera.height]
    pinhole = rr.Pinhole(
        focal_length=focal, principal_point=principal, resolution=size, camera_xyz=rr.ViewCoordinates.RDF
    )
    rr.log("world", rr.ViewCoordinates.RDF, static=True)
    rr.log("world/camera", pinhole, static=True)
    if model is not None and truth is not None:
        mesh = rr.Mesh3D(
            vertex_positions=model.vertices, triangle_indices=model.faces, vertex_colors=model.vertex_colors
        )
        rr.log("world/camera/object", mesh, static=True)
    for index in track(range(len(session)), "logging"):
        frame = session.frame(index)
        rr.set_time("sensor", duration=frame.timestamp_s - float(session.timestamps_s[0]))
        if frame.colored:
            rr.log("world/camera/color", rr.Image(frame.color).compress(jpeg_quality=90))
        rr.log("world/camera/depth", rr.DepthImage(session.depth_counts(index), meter=1 / session.depth_scale))
        if session.world_from_camera is not None:
            _log_pose(rr, "world/camera", session.world_from_camera[index])
        if truth is not None:
            _log_pose(rr, "world/camera/object", truth.camera_from_object[index])


def _log_pose(rr: Any, entity: str, parent_from_child: Any) -> None:
    if np.isfinite(parent_from_child).all():
        rr.log(entity, rr.Transform3D(translation=parent_from_child[:3, 3], mat3x3=parent_from_child[:3, :3]))
