"""A camera that OpenNI2 drives, such as the Asus Xtion, as a sensor: depth registered to colour by the camera itself.

It was run only with OpenNI2's own Dummy device, not with a camera. Colour and depth are matched by their time; of the
intrinsics OpenNI2 tells the field of view alone, so that the principal point is taken as the image's middle.
"""

from __future__ import annotations

import ctypes.util
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.session import HandSide, SensorFrame
from scene.camera import Camera
from scene.errors import MissingError, SensorError, require
from scene.object_model import ObjectModel

SYSTEM = "libopenni2-0"
"""Debian package of the driver"""
TIMEOUT_S = 5.0
"""without a frame for as long, the camera counts as gone"""
MICROSECONDS = 1e-6
KEPT = 4
"""frames of one stream that wait for their partner of the other; more means that it was lost"""


class OpenNISensor:
    """Reads an OpenNI2 device without end."""

    name = "openni"
    total: int | None = None
    object_model: ObjectModel | None = None
    hand_side: HandSide | None = None
    notes = ""

    def __init__(
        self, *, uri: bytes | None = None, intrinsics: tuple[float, ...] | None = None, registered: bool = True
    ) -> None:
        """Takes the device (the first one if None), fx, fy, cx, cy if known, and whether it must register depth."""
        self._sdk = sdk()
        self._uri, self._intrinsics, self._must_register = uri, intrinsics, registered
        self._streams: list[Any] = []

    def __enter__(self) -> OpenNISensor:
        try:
            self._device = self._sdk.Device.open_file(self._uri) if self._uri else self._sdk.Device.open_any()
            self._streams = [self._device.create_color_stream(), self._device.create_depth_stream()]
            self._register()
            self._describe()
            for stream in self._streams:
                stream.start()
        except self._sdk.OpenNIError as error:
            self.__exit__()
            raise SensorError(
                f"--sensor openni needs an OpenNI2 camera with colour and depth, and it does not start ({error}); plug "
                "one into a USB 2 port and close other programs that use it"
            ) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        for stream in self._streams:
            with suppress(self._sdk.OpenNIError):  # a camera that is gone cannot be told to stop
                stream.stop()
        self._streams = []

    def frames(self) -> Iterator[SensorFrame]:
        """Pairs of the nearest times, as they arrive."""
        waiting: tuple[deque[Any], deque[Any]] = (deque(maxlen=KEPT), deque(maxlen=KEPT))
        previous: int | None = None
        while True:
            which, image, time_us, number = self._next()
            waiting[which].append((time_us, number, image))
            pair = matched(*waiting, self._period_us / 2)
            if pair is not None:
                (color_us, count, color), (_, _, depth) = pair
                dropped = 0 if previous is None else max(0, count - previous - 1)
                previous = count
                yield SensorFrame(color, depth, color_us * MICROSECONDS, time.time(), dropped)

    def _next(self) -> tuple[int, NDArray[Any], int, int]:
        """Which stream (0 colour, 1 depth), its image, microseconds on the device's clock, and number."""
        ready = self._sdk.wait_for_any_stream(self._streams, TIMEOUT_S)
        if ready is None:
            raise SensorError(
                f"OpenNI2 device {self.serial} must stay attached while it records, and gives no more frames; check "
                "cable and USB port, then record again"
            )
        which = self._streams.index(ready)
        frame = ready.read_frame()
        size = (self.camera.height, self.camera.width)
        raw = frame.get_buffer_as_uint8() if which == 0 else frame.get_buffer_as_uint16()
        image = np.array(raw, np.uint8 if which == 0 else np.uint16).reshape((*size, 3) if which == 0 else size)
        return which, image, int(frame.timestamp), int(frame.frameIndex)

    def _register(self) -> None:
        mode = self._sdk.IMAGE_REGISTRATION_DEPTH_TO_COLOR
        if self._device.is_image_registration_mode_supported(mode):
            self._device.set_image_registration_mode(mode)
            if self._device.get_image_registration_mode() == mode:
                return
        if self._must_register:
            raise SensorError(
                "depth must be registered to colour, and this OpenNI2 device does not do it; record with its own "
                "tools, register there and use --sensor folder --source FOLDER"
            )

    def _describe(self) -> None:
        color, depth = (stream.get_video_mode() for stream in self._streams)
        if (color.resolutionX, color.resolutionY) != (depth.resolutionX, depth.resolutionY):
            raise SensorError("colour and depth of an OpenNI2 device must be of one size; set its video modes alike")
        self._period_us = 1e6 / depth.fps
        self.depth_scale = 0.0001 if depth.pixelFormat == self._sdk.PIXEL_FORMAT_DEPTH_100_UM else 0.001
        info = self._device.get_device_info()
        self.serial = f"{info.vendor.decode()} {info.name.decode()} {info.uri.decode()}".strip()
        width, height = color.resolutionX, color.resolutionY
        if self._intrinsics is None:
            self._intrinsics = self._from_field_of_view(width, height)
        self.camera = Camera(width, height, *self._intrinsics)

    def _from_field_of_view(self, width: int, height: int) -> tuple[float, ...]:
        try:
            angles = self._streams[0].get_horizontal_fov(), self._streams[0].get_vertical_fov()
        except self._sdk.OpenNIError as error:
            raise SensorError(
                f"this OpenNI2 device tells no field of view ({error}); calibrate it and give --intrinsics FX FY CX CY"
            ) from error
        fx, fy = (size / 2 / np.tan(angle / 2) for size, angle in zip((width, height), angles, strict=True))
        return float(fx), float(fy), (width - 1) / 2, (height - 1) / 2


def matched(colors: deque[Any], depths: deque[Any], tolerance_us: float) -> tuple[Any, Any] | None:
    """Takes the newest colour and depth whose times differ by less out of the queues, and what came before them."""
    for color in reversed(colors):
        for depth in reversed(depths):
            if abs(color[0] - depth[0]) < tolerance_us:
                for queue, chosen in ((colors, color), (depths, depth)):
                    while queue.popleft() is not chosen:
                        pass
                return color, depth
    return None


def sdk() -> Any:
    """OpenNI2, ready for use."""
    openni2: Any = require("openni.openni2", extra="openni")
    bindings: Any = require("openni._openni2", extra="openni")
    if not openni2.is_initialized():
        library = ctypes.util.find_library("OpenNI2")
        if library is None:
            raise MissingError(f"the library libOpenNI2 is needed here and is not found; run: apt-get install {SYSTEM}")
        bindings.load_dll(library)
        openni2.loaded_dll_directory = library  # its own search wants a name that Debian does not install
        openni2.initialize()
    return openni2


def why_absent() -> str | None:
    """Why no OpenNI2 camera can be opened, in words that end a clause; None where one is attached."""
    try:
        attached = sdk().Device.enumerate_uris()
    except MissingError as error:
        return str(error)
    return None if attached else "OpenNI2 finds none"
