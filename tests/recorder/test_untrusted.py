"""What a stranger's file could do: each reader refuses it with a sentence, follows nothing and does not crash."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from recorder.cli import run
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth, open_session
from scene.camera import Camera
from scene.errors import SchemaError

PROGRAM = Path(__file__).with_name("damage_sessions.py")


@pytest.fixture
def session(tmp_path):
    with SessionWriter(tmp_path / "s.h5", SessionHeader(Camera(16, 12, 20.0, 20.0, 7.5, 5.5), 0.001, "t")) as writer:
        for index in range(4):
            rng = np.random.default_rng(index)
            color, depth = rng.integers(0, 256, (12, 16, 3), np.uint8), rng.integers(500, 900, (12, 16), np.uint16)
            frame = SensorFrame(color, depth, index / 30, truth=Truth.unknown(), world_from_camera=np.eye(4))
            writer.append(replace(frame, labels=color[..., 0]))
    return tmp_path / "s.h5"


def test_damage_of_any_kind_is_told_in_a_sentence(session):
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])}
    command = [sys.executable, PROGRAM, session, "40", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("verb", ["info", "check", "repair"])
@pytest.mark.parametrize("name", ["truth/hand_angles", "depth", "/"])
def test_a_damaged_header_is_told_by_every_verb(session, verb, name, capsys):
    with h5py.File(session) as file:
        where = h5py.h5o.get_info(file[name].id).addr
    content = bytearray(session.read_bytes())
    content[where + 6 : where + 30] = bytes(24)  # found by damage_sessions.py
    session.write_bytes(content)
    assert run([verb, str(session)]) == 2
    said = capsys.readouterr()
    assert "damaged" in said.err + said.out
    assert "Traceback" not in said.err


def test_one_flipped_bit_in_an_image_is_known_by_its_checksum(session, capsys):
    with h5py.File(session) as file:
        chunk = file["depth"].id.get_chunk_info(2)
    content = bytearray(session.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    session.write_bytes(content)
    assert run(["check", str(session)]) == 2
    assert "damaged inside" in capsys.readouterr().out
    assert run(["repair", str(session)]) == 0
    assert "3 frames over 0.10 s kept, 1 that had begun not whole and left out" in capsys.readouterr().out


def fletcher32(content):
    """As HDF5 adds it: the sums of big-endian words, in little-endian order."""
    first = second = 0
    for high, low in zip(content[::2], [*content[1::2], 0], strict=False):
        first = (first + (high << 8 | low)) % 65535
        second = (second + first) % 65535
    return (second << 16 | first).to_bytes(4, "little")


@pytest.mark.parametrize("claimed", [(60000, 60000), (17, 12), (4, 4)])
def test_a_picture_that_claims_another_size_is_refused(session, claimed, capsys):
    with h5py.File(session, "r+") as file:
        _, packed = file["color"].id.read_direct_chunk((1, 0, 0, 0))
        stream = bytearray(packed[:-4])
        assert fletcher32(stream) == packed[-4:]  # so that the change below gets as far as the decoder
        for at in (8, 24):  # the sizes of image and tile behind the marker SIZ
            stream[at : at + 8] = b"".join(length.to_bytes(4, "big") for length in claimed)
        file["color"].id.write_direct_chunk((1, 0, 0, 0), bytes(stream) + fletcher32(stream))
    assert run(["check", str(session)]) == 2
    assert "damaged inside" in capsys.readouterr().out
    with open_session(session) as opened, pytest.raises(SchemaError, match=r"color.*damaged"):
        opened.frame(1)
