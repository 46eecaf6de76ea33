"""Sessions broken on purpose, and what `recorder check` says of them."""

import re
from dataclasses import replace

import h5py
import numpy as np
import pytest
import trimesh

from recorder.check import check
from recorder.cli import run
from recorder.session import SensorFrame, SessionHeader, SessionWriter, Truth
from scene.camera import Camera
from scene.object_model import ObjectModel

CAMERA = Camera(64, 48, 60.0, 61.0, 31.5, 23.5)


def cube(size=0.12):
    mesh = trimesh.creation.box((size, size, 1.1 * size))
    faces, colors = np.asarray(mesh.faces, np.int32), np.full((8, 3), 90, np.uint8)
    return ObjectModel("cube", mesh.vertices, faces, colors, True, "made here")


def frames(truth=None):
    for index in range(5):
        rng = np.random.default_rng(index)
        depth = rng.integers(500, 900, (48, 64), np.uint16)
        color = rng.integers(0, 256, (48, 64, 3), np.uint8)
        yield SensorFrame(color, depth, 5 + index / 30, truth=truth)


@pytest.fixture
def sound(tmp_path):
    return write(tmp_path / "s.h5", frames())


def write(path, made, header=None):
    with SessionWriter(path, header or SessionHeader(CAMERA, 0.001, "test", object_model=cube())) as writer:
        for frame in made:
            writer.append(frame)
    return path


def replaced(file, name, values):
    del file[name]
    file[name] = values


def set_to(name, values):
    def change(file):
        file[name][...] = values

    return change


def scaled(name, factor):
    def change(file):
        file[name][...] = file[name][...] * factor

    return change


def frozen(file):
    for name in ("color", "depth"):
        file[name][3] = file[name][2]


def stretched_8_bit(file):
    file["depth"][:] = (file["depth"][:] // 16).astype(np.uint16) * 257


def zero_at(name, index):
    def change(file):
        file[name][index] = 0

    return change


def external(file):
    del file["host_time_s"]
    file["host_time_s"] = h5py.ExternalLink("elsewhere.h5", "secret")


BROKEN = {
    "identity": (set_to("camera/matrix", np.eye(3)), "the intrinsics are the identity matrix"),
    "nan focal": (set_to("camera/matrix", np.diag([np.nan, 60, 1])), "focal lengths must be positive and finite"),
    "normalised": (set_to("camera/matrix", [[0.9, 0, 0.5], [0, 1.2, 0.5], [0, 0, 1]]), "do not fit an image 64 wide"),
    "other size": (set_to("camera/matrix", [[120, 0, 63], [0, 122, 47], [0, 0, 1]]), "far from the middle"),
    "distorted": (set_to("camera/distortion", [0.1, 0, 0, 0, 0]), "lens distortion is not 0"),
    "millimetres": (lambda file: replaced(file, "depth_scale", 1.0), "depth_scale 1 is not metres a count"),
    "no scale": (lambda file: replaced(file, "depth_scale", 0.0), "depth_scale must be positive"),
    "8 bit": (lambda file: replaced(file, "depth", (file["depth"][:] // 4).astype("u1")), "'depth' must be uint16"),
    "8 bit in 16": (stretched_8_bit, "depth was 8 bit once"),
    "empty depth": (scaled("depth", 0), "depth is empty in every frame looked at"),
    "empty frame": (zero_at("depth", 2), "depth is empty in frame 2;"),
    "other depth": (lambda file: replaced(file, "depth", np.full((5, 24, 32), 700, "u2")), "with height = 48"),
    "black frames": (zero_at("color", slice(1, 5)), "at every pixel of frames 1, 2, 3 and 1 more"),
    "frozen": (frozen, "the frame before once more in frame 3"),
    "repeated time": (set_to("device_time_s", [0, 0.1, 0.1, 0.3, 0.2]), "stands still or goes back in frames 2, 4"),
    "milliseconds": (set_to("device_time_s", np.arange(5) * 33.3 + 5e5), "33.3 s pass between frames"),
    "nan time": (set_to("device_time_s", [0, 1, np.nan, 3, 4]), "must be a number in every frame, is not in frame 2"),
    "dropped": (set_to("dropped_before", [0, 3, 0, 2, 0]), "5 of 10 frames were dropped"),
    "mesh in mm": (scaled("object/vertices", 1000), "the mesh, 21[45][0-9]{3} mm across, is not what a hand turns"),
    "mesh in cm": (scaled("object/vertices", 8), "would be .* pixels wide at the nearest depth seen"),
    "mesh of holes": (scaled("object/vertices", np.nan), "every vertex must be a finite number"),
    "bad mesh": (scaled("object/faces", 100), "points outside them"),
    "link": (external, "'host_time_s' is a link to elsewhere"),
    "version": (lambda file: file.attrs.modify("format_version", 9), "attribute format_version must be 1, is 9"),
    "part": (lambda file: file.__delitem__("color"), "'color' is missing"),
}


def test_a_sound_session_has_no_fault(sound, capsys):
    assert check(sound) == []
    assert run(["check", str(sound)]) == 0
    assert "no fault found" in capsys.readouterr().out


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_a_sentence_of_its_own(sound, name):
    change, message = BROKEN[name]
    with h5py.File(sound, "r+") as file:
        change(file)
    found = check(sound)
    assert len(found) == (2 if name == "8 bit" else 1), found  # such depth holds no more than 255 either
    assert re.search(message, found[0])
    assert all("; " in fault for fault in found)


def test_all_faults_are_told_at_once(sound, capsys):
    with h5py.File(sound, "r+") as file:
        for name in ("identity", "8 bit", "repeated time", "mesh in mm", "link", "black frames"):
            BROKEN[name][0](file)
    assert run(["check", str(sound)]) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 7  # what was made 8 bit holds no more than 255 either
    assert "has 7 faults, listed above" in said.err


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (np.array([[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0.7], [0, 0, 0, 1]]), "mirrored or stretched"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 700.0], [0, 0, 0, 1]]), "must be in metres"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -0.7], [0, 0, 0, 1]]), "OpenGL"),
    ],
)
def test_truth_of_other_conventions(tmp_path, pose, message):
    path = write(tmp_path / "s.h5", frames(replace(Truth.unknown(), camera_from_object=pose)))
    assert any(message in fault for fault in check(path))


def test_what_is_no_session_at_all(tmp_path, capsys):
    (tmp_path / "text.h5").write_text("not HDF5")
    assert run(["check", str(tmp_path / "text.h5")]) == 2
    assert "must be an HDF5 file" in capsys.readouterr().err
    assert run(["check", str(tmp_path / "none.h5")]) == 2
    assert "does not exist" in capsys.readouterr().err
    with SessionWriter(tmp_path / "s.h5", SessionHeader(CAMERA, 0.001, "test")) as writer:
        writer.append(next(frames()))
        assert "recorder repair" in check(writer.partial)[0]
