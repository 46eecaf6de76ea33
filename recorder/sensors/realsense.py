"""An Intel RealSense as a sensor: colour and depth at 640x480 and 30 frames a second, depth registered to colour.

It was run only through the SDK's own simulation (a software device, recorded and played back), not with a device.
Lens distortion of the colour image is not corrected; a camera that reports any is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from recorder.session import HandSide, SensorFrame
from scene.camera import Camera
from scene.errors import MissingError, SensorError, require
from scene.object_model import ObjectModel

WIDTH, HEIGHT, FRAMES_PER_S = 640, 480, 30
WARM_UP_FRAMES = FRAMES_PER_S
"""skipped at the start, while exposure and white balance settle"""
WAITING_FRAMES = 2 * FRAMES_PER_S
"""pairs that wait in the SDK while the disk or another program keeps the recorder waiting"""
TIMEOUT_MS = 5000
"""without a frame for as long, the camera counts as gone"""


class RealSenseSensor:
    """Reads the first RealSense that is attached, without end."""

    name = "realsense"
    total: int | None = None
    object_model: ObjectModel | None = None
    hand_side: HandSide | None = None
    notes = ""

    def __init__(self, *, warm_up_frames: int = WARM_UP_FRAMES, recording: Path | None = None) -> None:
        """Takes how many frames to skip first, and a file of the SDK to play in place of a device."""
        self._rs = _sdk()
        self._warm_up_frames, self._recording = warm_up_frames, recording
        self._running = False

    def __enter__(self) -> RealSenseSensor:
        self._pipeline = self._rs.pipeline()
        try:
            profile = self._start()
            self._running = True
            self._describe(profile)
        except BaseException as error:
            self.__exit__()
            if not isinstance(error, RuntimeError):  # the SDK raises nothing else
                raise
            raise SensorError(
                f"--sensor realsense needs a RealSense that gives colour and depth at {WIDTH}x{HEIGHT} and "
                f"{FRAMES_PER_S} frames a second, and it does not start ({error}); plug one into a USB 3 port "
                "and close other programs that use it"
            ) from error
        return self

    def __exit__(self, *raised: object) -> None:
        if self._running:
            self._running = False
            with suppress(RuntimeError):  # a camera that is gone cannot be told to stop
                self._pipeline.stop()

    def frames(self) -> Iterator[SensorFrame]:
        """Frames as they arrive, after the warm-up."""
        align = self._rs.align(self._rs.stream.color)
        previous: int | None = None
        arrived = 0
        for frameset in self._framesets():
            number = frameset.get_color_frame().get_frame_number()
            if number == previous:  # the SDK may pair one colour image with two depth images
                continue
            dropped = 0 if previous is None else max(0, number - previous - 1)
            previous = number
            arrived += 1
            if arrived > self._warm_up_frames:
                first = arrived == self._warm_up_frames + 1
                yield as_sensor_frame(align.process(frameset), time.time(), 0 if first else dropped)

    def _framesets(self) -> Iterator[Any]:
        """Pairs of colour and depth, each as the SDK hands it out."""
        while True:
            try:
                frameset = self._queue.wait_for_frame(TIMEOUT_MS).as_frameset()
            except RuntimeError as error:
                raise SensorError(
                    f"RealSense {self.serial} must stay attached while it records, and it gives no more frames "
                    f"({error}); check cable and USB port, then record again"
                ) from error
            if frameset.get_color_frame() and frameset.get_depth_frame():
                yield frameset

    def _start(self) -> Any:
        self._queue = self._rs.frame_queue(WAITING_FRAMES, keep_frames=True)  # the pipeline's own keeps one pair
        return self._pipeline.start(self._request(), self._queue)

    def _request(self) -> Any:
        rs, config = self._rs, self._rs.config()
        if self._recording is not None:
            config.enable_device_from_file(str(self._recording), repeat_playback=False)
        config.enable_stream(rs.stream.color, WIDTH, HEIGHT, rs.format.rgb8, FRAMES_PER_S)
        config.enable_stream(rs.stream.depth, WIDTH, HEIGHT, rs.format.z16, FRAMES_PER_S)
        return config

    def _describe(self, profile: Any) -> None:
        device = profile.get_device()
        serial = self._rs.camera_info.serial_number
        self.serial: str = device.get_info(serial) if device.supports(serial) else ""  # a software device may have none
        scale = np.float32(device.first_depth_sensor().get_depth_scale())
        self.depth_scale = float(str(scale))  # 0.001 rather than 0.0010000000474974513
        stream = profile.get_stream(self._rs.stream.color).as_video_stream_profile()
        self.camera = as_camera(stream.get_intrinsics(), self.serial)


def as_camera(intrinsics: Any, serial: str) -> Camera:
    """Of the SDK's intrinsics, whose first pixel centre is (0, 0) as ours."""
    if any(intrinsics.coeffs):
        raise SensorError(
            f"the colour image must be free of lens distortion, RealSense {serial} reports {list(intrinsics.coeffs)}; "
            "export rectified images and use --sensor folder --source FOLDER"
        )
    numbers = (intrinsics.fx, intrinsics.fy, intrinsics.ppx, intrinsics.ppy)
    return Camera(intrinsics.width, intrinsics.height, *map(float, numbers))


def as_sensor_frame(frameset: Any, host_time_s: float, dropped_before: int) -> SensorFrame:
    """Copy of an aligned pair of the SDK, which takes its memory back."""
    color, depth = frameset.get_color_frame(), frameset.get_depth_frame()
    return SensorFrame(
        np.array(color.get_data()),
        np.array(depth.get_data()),
        color.get_timestamp() / 1000,
        host_time_s,
        dropped_before,
    )


def why_absent() -> str | None:
    """Why no RealSense can be opened, in words that end a clause; None where one is attached."""
    try:
        attached = _sdk().context().query_devices()
    except (MissingError, RuntimeError) as error:
        return str(error)
    return None if len(attached) else "pyrealsense2 finds none"


def _sdk() -> Any:
    return require("pyrealsense2", extra="realsense")
