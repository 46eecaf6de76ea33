"""A recording of the RealSense SDK, `.bag` or `.db3`, as a sensor: played once, no faster than it is written.

Depth is registered to colour here, as with a device. The host's clock at the recording is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from recorder.sensors.realsense import RealSenseSensor
from recorder.session import SensorFrame
from scene.errors import InputError, SensorError
from scene.muted import standard_error_muted

WAIT_MS = 1000
"""after as long without a frame the SDK is asked whether the recording is at its end"""
HALTED_WAITS = 30
"""without a frame in as many waits in a row, and without an end, the SDK counts as halted"""
LONGEST_TAIL_S = 0.5
"""seconds after the last pair in which a whole recording may have other streams; the SDK ends damaged ones early"""


class RealSenseFile(RealSenseSensor):
    """Plays a recording from its beginning to its end."""

    def __init__(self, recording: Path) -> None:
        """Takes the file; every frame of it counts, as exposure has settled before whoever recorded began."""
        if not recording.is_file():
            raise InputError(f"{recording} does not exist; give a .bag or .db3 file of the RealSense SDK")
        super().__init__(warm_up_frames=0, recording=recording)

    def __enter__(self) -> RealSenseFile:
        try:
            super().__enter__()
        except SensorError as error:
            raise InputError(
                f"{self._recording} must be a recording of the RealSense SDK with colour (rgb8) and depth (z16), and "
                f"cannot be played ({error.__cause__}); record those two streams"
            ) from error
        return self

    def frames(self) -> Iterator[SensorFrame]:
        """Those in the file, with the time on the device's clock alone."""
        return (replace(frame, host_time_s=float("nan")) for frame in super().frames())

    def _framesets(self) -> Iterator[Any]:
        waits, reached_s = 0, 0.0
        while waits < HALTED_WAITS:
            arrived, frameset = self._pipeline.try_wait_for_frames(WAIT_MS)
            waits = 0 if arrived else waits + 1
            if arrived:
                reached_s = max(reached_s, self._playback.get_position() / 1e9)
            if arrived and frameset.get_color_frame() and frameset.get_depth_frame():
                yield frameset
            elif not arrived and self._playback.current_status() == self._rs.playback_status.stopped:
                return self._refuse_early_end(reached_s)
        raise SensorError(
            f"the RealSense SDK must play {self._recording} to its end, and gives no more frames before it; "
            "import it again"
        )

    def _refuse_early_end(self, reached_s: float) -> None:
        """At damage the SDK stops as at the end, and says so only by the place in the file, which is 0 afterwards."""
        length_s = self._playback.get_duration().total_seconds()
        if length_s - reached_s > LONGEST_TAIL_S:
            raise SensorError(
                f"{self._recording} must play to its end at {length_s:.2f} s, and the RealSense SDK stops at "
                f"{reached_s:.2f} s: it is damaged there; what came before is kept"
            )

    def _start(self) -> Any:
        with standard_error_muted():  # its reader of .bag prints each damage, with lines of its own source
            return self._pipeline.start(self._request())

    def _request(self) -> Any:
        config = self._rs.config()
        config.enable_device_from_file(str(self._recording), repeat_playback=False)
        return config

    def _describe(self, profile: Any) -> None:
        self._playback = profile.get_device().as_playback()
        self._playback.set_real_time(False)  # no frame is dropped for want of time
        stream = self._rs.stream
        formats = {one.stream_type(): one.format() for one in profile.get_streams()}
        if (formats.get(stream.color), formats.get(stream.depth)) != (self._rs.format.rgb8, self._rs.format.z16):
            raise RuntimeError(
                f"its streams are {', '.join(f'{kind.name} {kept.name}' for kind, kept in formats.items())}"
            )
        super()._describe(profile)
