"""A session as a video, to look at: colour, where there is any, and depth beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np

from recorder.depth_span import depth_span
from recorder.export.pictures import frames
from recorder.session import Session
from scene.depth_picture import depth_picture
from scene.files import new_path

FRAMES_PER_S = 30.0


def write_video(session: Session, output: Path, frames_per_s: float | None, *, overwrite: bool) -> None:
    """MP4; plays as fast as it was recorded where no rate is given."""
    steps = np.diff(session.timestamps_s)
    recorded = 1 / float(np.median(steps)) if len(steps) and np.median(steps) > 0 else FRAMES_PER_S
    limits = depth_span(session)
    with new_path(output, overwrite=overwrite) as partial:
        writer: Any = imageio.get_writer(partial, format="FFMPEG", fps=frames_per_s or recorded, macro_block_size=2)
        with writer as video:
            for frame in frames(session):
                depth = depth_picture(frame.depth, limits)
                video.append_data(np.hstack([frame.color, depth]) if frame.colored else depth)
