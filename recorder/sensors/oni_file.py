"""OpenNI's ONI container and its codecs: bytes in, streams with the places of their images, and images, out.

The layout is that of OpenNI2's own source (github.com/OpenNI/OpenNI2): Source/Core/OniRecorder.cpp and
OniDataRecords.cpp write it, Source/Drivers/OniFile/DataRecords.h, PlayerNode.cpp and Formats/XnStreamCompression.cpp
read it. All numbers are little-endian and packed: a header ("NI10", version, largest time, largest node), then records
of a header, fields and a payload. Files are a stranger's: every size is checked before it is used.
"""

from __future__ import annotations

import io
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numba
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scene.arrays import Bytes
from scene.errors import InputError

Buffer = bytes | mmap.mmap
FILE_HEADER = struct.Struct("<4sBBHIQI")
RECORD, RECORD_BEFORE_1_0_1 = struct.Struct("<4sIIIIQ"), struct.Struct("<4sIIIII")
"""magic, type, node, bytes of header and fields, bytes of payload, place of the record before (unused here)"""
NODE_ADDED = (0x02, 0x0C, 0x0D)  # of versions 1.0.0.4, 1.0.0.5 and later; what is read here comes first in each
INTEGER, GENERAL, NEW_DATA, END = 0x03, 0x06, 0x0A, 0x0B
DEPTH, COLOR = 2, 3
"""types of nodes"""
LARGEST_FRAME_BYTES = 1600 * 1200 * 3 * 2
"""of a payload; OpenNI2 itself takes half as much"""


@dataclass(frozen=True)
class StoredFrame:
    """Where the image of a frame lies."""

    time_us: int
    number: int
    start: int
    """byte of the file at which it begins"""
    size: int


@dataclass(frozen=True)
class Stream:
    """A node of the file; its properties as the bytes of their last value."""

    kind: int
    codec: str
    properties: dict[str, bytes] = field(default_factory=dict)
    frames: list[StoredFrame] = field(default_factory=list)

    def integer(self, name: str) -> int | None:
        """A property that is one; None where the file does not tell it."""
        value = self.properties.get(name)
        return None if value is None or len(value) > 8 else int.from_bytes(value, "little")

    def numbers(self, name: str, dtype: str, count: int) -> list[float] | None:
        """A property that is `count` numbers; None where the file tells no such thing."""
        value = self.properties.get(name, b"")
        if len(value) != count * np.dtype(dtype).itemsize:
            return None
        return [float(number) for number in np.frombuffer(value, dtype)]


def read_streams(data: Buffer) -> dict[int, Stream]:
    """Streams by their node's number; of a file that is cut off, what whole records it has."""
    streams: dict[int, Stream] = {}
    for kind, node, fields, start, size in _records(data):
        if kind in NODE_ADDED:
            _, rest = _named(fields)
            streams[node] = Stream(int.from_bytes(rest[:4], "little"), rest[4:8].decode("latin-1"))
        elif kind in (INTEGER, GENERAL) and node in streams:
            name, rest = _named(fields)
            streams[node].properties[name] = rest[4 : 4 + int.from_bytes(rest[:4], "little")]
        elif kind == NEW_DATA and node in streams and len(fields) >= 12:
            time_us, number = struct.unpack_from("<QI", fields)
            streams[node].frames.append(StoredFrame(time_us, number, start, size))
    return streams


def _records(data: Buffer) -> Iterator[tuple[int, int, bytes, int, int]]:
    """(type, node, fields, place of the payload, its bytes) until the file says that it ends, or is cut off."""
    if len(data) < FILE_HEADER.size or data[:4] != b"NI10":
        raise InputError("an .oni file must begin with NI10 and its version, this one does not; copy it again")
    version = FILE_HEADER.unpack_from(data)[1:5]
    header = RECORD if version >= (1, 0, 1, 0) else RECORD_BEFORE_1_0_1
    at = FILE_HEADER.size
    while at + header.size <= len(data):
        magic, kind, node, fields_size, size, _ = header.unpack_from(data, at)
        if magic != b"NIR\0" or fields_size < header.size:
            raise InputError(f"an .oni file must be made of whole records, at byte {at} it has none; copy it again")
        start = at + fields_size
        if kind == END or start + size > len(data):
            return
        yield kind, node, bytes(data[at + header.size : start]), start, size
        at = start + size


def _named(fields: bytes) -> tuple[str, bytes]:
    """The name that fields begin with, and what follows it."""
    end = 4 + int.from_bytes(fields[:4], "little")
    return fields[4:end].rstrip(b"\0").decode("latin-1"), fields[end:]


def depth_image(data: Buffer, frame: StoredFrame, codec: str, height: int, width: int) -> NDArray[np.uint16]:
    """(height, width) counts. ValueError where the payload does not hold as many."""
    payload = _payload(data, frame)
    if codec == "NONE":
        return np.frombuffer(payload, "<u2").reshape(height, width).astype(np.uint16)
    if codec not in ("16zP", "16zT"):
        raise _unknown(codec, "depth", "NONE, 16zP or 16zT")
    table_bytes = 2 + 2 * int.from_bytes(payload[:2], "little") if codec == "16zT" else 0
    counts = np.empty(height * width, np.uint16)
    if not len(payload) >= table_bytes + 2 or not unpack_16z(np.frombuffer(payload[table_bytes:], np.uint8), counts):
        raise ValueError(f"depth image {frame.number} does not unpack to {width}x{height}")
    if table_bytes:
        counts = np.frombuffer(payload[2:table_bytes], "<u2")[counts]  # IndexError beyond the table
    return counts.reshape(height, width).astype(np.uint16)


def color_image(data: Buffer, frame: StoredFrame, codec: str, height: int, width: int) -> Bytes:
    """(height, width, 3) RGB. ValueError where the payload is not an image of this size."""
    payload = _payload(data, frame)
    if codec == "NONE":
        return np.frombuffer(payload, np.uint8).reshape(height, width, 3).copy()
    if codec != "JPEG":
        raise _unknown(codec, "colour", "NONE or JPEG")
    try:
        with Image.open(io.BytesIO(payload), formats=["JPEG"]) as image:
            if image.size != (width, height):  # told before anything is decoded
                raise ValueError(f"it is {image.size[0]}x{image.size[1]}")
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow raises many kinds over a broken image
        raise ValueError(f"colour image {frame.number} is not a JPEG of {width}x{height} ({error})") from error


def _payload(data: Buffer, frame: StoredFrame) -> bytes:
    if frame.size > LARGEST_FRAME_BYTES:
        raise ValueError(f"image {frame.number} claims {frame.size} bytes")
    return bytes(data[frame.start : frame.start + frame.size])


def _unknown(codec: str, what: str, known: str) -> InputError:
    return InputError(
        f"{what} of an .oni file must be in the codec {known}, is in {codec!r}; play it with OpenNI's own tools, save "
        "rgb/ and depth/ as PNG with a cam_K.txt, and give that folder as --source"
    )


@numba.njit(cache=True)
def unpack_16z(packed: NDArray[np.uint8], counts: NDArray[np.uint16]) -> bool:
    """Fills (N,) counts from a 16z stream (XnStreamUncompressDepth16Z); False unless it holds exactly as many.

    A first value in full, then bytes. Below 0xE0: two differences of -6 to 6 as nibbles, of which the second may be 0xD
    (there is none) or 0xF (a larger step follows). 0xE0 to 0xEF: as many pairs of the last value. 0xFF: a larger step
    follows, which is one byte (a difference, 192 being none) or two, big-endian (a value below 0x8000 in full).
    """
    value = np.int64(packed[0]) | np.int64(packed[1]) << 8
    counts[0] = value
    at, filled, size, count = 2, np.int64(1), len(packed), len(counts)
    while at < size:
        code = np.int64(packed[at])
        at += 1
        large = code == 0xFF
        if code < 0xE0:
            low = code & 0x0F
            large = low == 0x0F
            for step in range(1 if low >= 0x0D and low != 0x0E else 2):
                if filled >= count:
                    return False
                value = (value - ((code >> 4 if step == 0 else low) - 6)) & 0xFFFF
                counts[filled] = value
                filled += 1
        elif not large:
            repeats = 2 * (code - 0xE0)
            if filled + repeats > count:
                return False
            counts[filled : filled + repeats] = value
            filled += repeats
        if large:
            if at >= size or filled >= count:
                return False
            jump = np.int64(packed[at])
            at += 1
            if jump & 0x80:
                value = (value - (jump - 192)) & 0xFFFF
            elif at < size:
                value = jump << 8 | np.int64(packed[at])
                at += 1
            else:
                return False
            counts[filled] = value
            filled += 1
    return bool(filled == count)
