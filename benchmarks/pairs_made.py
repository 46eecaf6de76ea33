"""Pairs made a second, against a plain pyrender loop that does the same job; how the rate grows with processes.

The plain loop is what one writes first: for each pair a pyrender scene of mesh, hand and lamp, rendered with the hand
and without, in colour and depth, in a window as large as ours; the same sensor noise on both; cut to 96 pixels; six PNG
files. It keeps the object's mesh between pairs and runs on the first of EGL and OSMesa that works.

The recording is the simulated one; its truth stands in for a track. `pairs_made.py [ROWS]`, 2,000 by default. Given are
the rate by the clock, with start and end, and the processor's seconds a pair, which a busy machine changes less. Memory
is the largest resident size of one process. Size is that of the file against its own images as PNG.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from pairs.format import open_pairs
from recorder.session import Session, Truth, open_session
from scene.files import sha256, stamp_provenance
from scene.hand_shape import average_hand
from tracker.track import Track, TrackStatus, new_track, track_path_of

FRAMES = 60
PLAIN_PAIRS = 200
"""of the plain loop: its rate does not change with their number"""


def track_of_truth(session: Session) -> Track:
    """What a tracker without error would write."""
    truth = session.truth
    assert truth is not None
    seen = truth.object_visibility > 0
    return Track(
        status=np.where(seen, TrackStatus.TRACKED, TrackStatus.ABSENT),
        hand_status=np.where(truth.hand_visibility > 0, TrackStatus.TRACKED, TrackStatus.ABSENT),
        timestamp_s=session.timestamps_s,
        **_poses(truth),  # type: ignore[arg-type]
        hand_shape=average_hand(),
        terms=("none",),
        session_name=session.path.name,
        session_sha256=sha256(session.path),
    )


def _poses(truth: Truth) -> dict[str, np.ndarray]:
    zeros = np.zeros(len(truth.object_visibility))
    names = ("residual", "hand_residual", "objective", "spread_translation", "spread_rotation")
    copied = ("camera_from_object", "camera_from_hand", "hand_angles", "joints_camera")
    poses = {name: getattr(truth, name) for name in copied} | dict.fromkeys(names, zeros)
    ones = {"confidence": zeros + 1, "hand_confidence": zeros + 1, "objective_terms": zeros[:, None]}
    return poses | ones | {"visibility": truth.object_visibility}


@dataclass(frozen=True)
class Run:
    """What one command took."""

    pairs: int
    seconds: float
    processor_seconds: float

    @property
    def text(self) -> str:
        """Rate and cost."""
        cost = 1000 * self.processor_seconds / self.pairs
        return f"{self.pairs / self.seconds:.1f} pairs/s by the clock, {cost:.0f} ms of processor a pair"


def timed(command: Sequence[object], pairs: int) -> Run:
    """Runs a command; raises CalledProcessError where it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(pairs, seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def make(folder: Path, rows: int, workers: int) -> Run:
    """Of `renderer make-pairs`."""
    output, views = folder / "pairs.h5", rows // FRAMES
    command = ["renderer", "make-pairs", folder / "session.h5", "--output", output, "--overwrite"]
    options = ["--workers", str(workers), "--views-per-frame", str(views), "--selection.duplicate-deg", "0"]
    run = timed([*command, *options], rows)
    with open_pairs(output) as pairs:
        return replace(run, pairs=len(pairs))


PLAIN = """
import os, sys, time
os.environ["PYOPENGL_PLATFORM"], os.environ["PYGLET_HEADLESS"] = sys.argv[1], "true"
import numpy as np
np.infty = np.inf
import imageio.v3 as imageio
import pyrender
import trimesh
from pathlib import Path
from recorder.session import open_session
from scene.crop import crop_about, cut_color, cut_nearest
from scene.hand_pose import HandPose
from scene.hand_surface import HandSurface
from scene.noise import noisy_color, noisy_depth
from scene.transforms import OPENGL_FROM_OPENCV
from tracker.track import open_track, track_path_of

path, folder, count = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
track = open_track(track_path_of(path))
with open_session(path) as session:
    model, camera = session.object_model, session.camera
surface = HandSurface.build(track.hand_shape)
thing = pyrender.Mesh.from_trimesh(model.mesh)
scene = pyrender.Scene(bg_color=np.zeros(4), ambient_light=[0.4] * 3)
node = scene.add(thing)
scene.add(pyrender.DirectionalLight(intensity=3.0), pose=OPENGL_FROM_OPENCV)
renderer = pyrender.OffscreenRenderer(96, 96)
frames = [frame for frame in range(len(track)) if track.status[frame] == 2 and track.hand_status[frame] == 2]
for at in range(count):
    frame, rng = frames[at % len(frames)], np.random.default_rng(at)
    pose = track.camera_from_object[frame]
    crop = crop_about(camera, pose[:3, 3], model.diameter, 96)
    window = crop.window
    renderer.viewport_width, renderer.viewport_height = window.width, window.height
    vertices = surface.posed(HandPose(track.camera_from_hand[frame], track.hand_angles[frame]))
    colors = np.tile(np.uint8([205, 160, 135]), (len(vertices), 1))
    hand_mesh = trimesh.Trimesh(vertices, surface.faces, vertex_colors=colors, process=False)
    scene.set_pose(node, pose)
    lens = pyrender.IntrinsicsCamera(window.fx, window.fy, window.cx + 0.5, window.cy + 0.5)
    lens = scene.add(lens, pose=OPENGL_FROM_OPENCV)
    hand = scene.add(pyrender.Mesh.from_trimesh(hand_mesh))
    images = [renderer.render(scene)]
    scene.remove_node(hand)
    images.append(renderer.render(scene))
    scene.remove_node(lens)
    for name, (color, depth) in zip(("rendered", "clean"), images):
        depth = noisy_depth(depth, window, rng, "structured-light")
        color = noisy_color(np.ascontiguousarray(color), rng)
        imageio.imwrite(folder / f"{at}-{name}.png", cut_color(color, window, crop))
        counts = (cut_nearest(depth, window, crop) * 10000).astype(np.uint16)
        imageio.imwrite(folder / f"{at}-{name}-depth.png", counts)
    imageio.imwrite(folder / f"{at}-occluded.png", cut_color(np.ascontiguousarray(images[0][0]), window, crop))
    imageio.imwrite(folder / f"{at}-occluded-depth.png", counts)
"""


def plain(folder: Path) -> tuple[str, Run]:
    """Platform and cost of the plain loop.

    Raises:
        RuntimeError: neither platform works here.
    """
    images = folder / "images"
    images.mkdir()
    for platform in ("egl", "osmesa"):
        command = [sys.executable, "-W", "ignore", "-c", PLAIN, platform, folder / "session.h5", images, PLAIN_PAIRS]
        try:
            return platform, timed(command, PLAIN_PAIRS)
        except subprocess.CalledProcessError:
            continue
    raise RuntimeError("pyrender works neither on EGL nor on OSMesa here: there is nothing to compare with")


def bytes_as_png(path: Path, count: int = 200) -> tuple[float, float]:
    """Bytes a pair of the file, and of its six images as PNG (the mean of `count` rows)."""
    total = 0
    with open_pairs(path) as pairs:
        rows = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int)
        for kind in ("occluded", "rendered", "clean"):
            for part in ("color", "depth"):
                for image in pairs.read_rows(f"{kind}/{part}", rows):
                    total += len(imageio.imwrite("<bytes>", image, extension=".png"))
        return path.stat().st_size / len(pairs), total / len(rows)


def main() -> None:
    """Prints a line for each number of processes."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        capture = ["recorder", "capture", "--sensor", "simulated", "--frames", str(FRAMES)]
        subprocess.run([*capture, "--output", folder / "session.h5"], check=True, stderr=subprocess.DEVNULL)
        with open_session(folder / "session.h5") as session:
            track = track_of_truth(session)
        with new_track(track_path_of(folder / "session.h5"), track, overwrite=True) as file:
            stamp_provenance(file, configuration={}, seed=None)
        platform, loop = plain(folder)
        print(f"plain pyrender loop on {platform}: {loop.text}")
        for workers in sorted({1, 2, os.cpu_count() or 1}):
            run = make(folder, rows, workers)
            times = run.pairs / run.seconds / (loop.pairs / loop.seconds)
            print(
                f"renderer make-pairs, {workers} processes, {run.pairs} pairs: {run.text}; {times:.1f} times the loop"
            )
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"at most {memory:.0f} MB in one process")
        stored, png = bytes_as_png(folder / "pairs.h5")
        print(f"{stored / 1000:.1f} kB a pair, {stored / png:.2f} times its images as PNG")


if __name__ == "__main__":
    main()
