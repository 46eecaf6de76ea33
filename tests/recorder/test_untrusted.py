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
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from scene.camera import Camera

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
    assert (done.returncode, done.stdout) == (0, "")


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
