import json
import subprocess
import sys
from pathlib import Path

import h5py
import imageio.v3 as imageio
import numpy as np
import pytest
import trimesh

import recorder.capture
from recorder.cli import main, run
from recorder.session import SensorFrame, open_session
from scene.camera import Camera


class StubSensor:
    """Delivers small frames; raises what it is told to after `ends_after`."""

    name, serial, depth_scale, total = "stub", "1", 0.001, None
    object_model = hand_side = None
    notes = ""
    camera = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)

    def __init__(self, ends_after, error=None):
        self.ends_after, self.error = ends_after, error

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        pass

    def frames(self):
        for index in range(self.ends_after):
            yield SensorFrame(np.zeros((6, 8, 3), np.uint8), np.full((6, 8), index, np.uint16), float(index))
        if self.error:
            raise self.error


@pytest.fixture
def use(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda sensor: monkeypatch.setattr(recorder.capture, "open_sensor", lambda config, model: sensor)


@pytest.fixture
def folder(tmp_path):
    for kind, image in (("rgb", np.zeros((12, 16, 3), np.uint8)), ("depth", np.full((12, 16), 900, np.uint16))):
        (tmp_path / "in" / kind).mkdir(parents=True)
        for index in range(4):
            imageio.imwrite(tmp_path / "in" / kind / f"{index}.png", image)
    np.savetxt(tmp_path / "in/cam_K.txt", [[20, 0, 7.5], [0, 21, 5.5], [0, 0, 1]])
    return tmp_path / "in"


def frames_in(path="session.h5"):
    with h5py.File(path) as file:
        return len(file["depth"])


def test_without_a_camera_one_sentence_offers_the_simulation(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("recorder.sensors.realsense.why_absent", lambda: "none there")
    monkeypatch.setattr("recorder.sensors.openni.why_absent", lambda: "nor there")
    assert run(["capture"]) == 2
    said = capsys.readouterr().err
    assert "looked for an Intel RealSense (none there) and an OpenNI2 camera (nor there)" in said
    assert "--sensor simulated" in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_control_c_ends_like_any_end(use, capsys):
    use(StubSensor(5, KeyboardInterrupt()))
    assert run(["capture"]) == 0
    assert "stopped; 5 frames in session.h5" in capsys.readouterr().out
    assert frames_in() == 5


def test_frames_is_a_limit(use):
    use(StubSensor(50))
    assert run(["capture", "--frames", "7"]) == 0
    assert frames_in() == 7


def test_sensor_without_a_frame_is_an_error(use, tmp_path, capsys):
    use(StubSensor(0))
    assert run(["capture"]) == 2
    assert "gave no frame" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_output_hand_and_overwrite(use, capsys):
    use(StubSensor(2))
    assert run(["capture", "--output", "a.h5", "--hand", "left"]) == 0
    assert run(["capture", "--output", "a.h5"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    with h5py.File("a.h5") as file:
        assert file.attrs["hand_side"] == "left"
        assert file.attrs["seed"] == "none"
    assert run(["capture", "--output", "a.h5", "--overwrite"]) == 0
    with open_session(Path("a.h5")) as session:
        assert session.hand_side == "unknown"  # nobody said which


def test_folder_options_reach_the_file(folder, tmp_path, capsys):
    mesh = tmp_path / "box.ply"
    trimesh.creation.box((60.0, 40.0, 20.0)).export(mesh)
    output = tmp_path / "s.h5"
    options = f"--source {folder} --object {mesh} --object-units mm --depth-scale 0.0005 --fps 10 --output {output}"
    assert run(["capture", "--sensor", "folder", *options.split()]) == 0
    assert "object box: 74.8 mm across" in capsys.readouterr().out
    with open_session(output) as session:
        assert session.frame(0).depth[0, 0] == pytest.approx(0.45)
        np.testing.assert_allclose(session.timestamps_s, [0, 0.1, 0.2, 0.3])
        assert session.object_model.diameter == pytest.approx(0.0748, abs=1e-4)
        sources = json.loads(session.attribute("sources"))
    assert sources["object"]["name"] == "box.ply"


def test_the_built_in_object_goes_with_a_folder_too(folder, tmp_path):
    output = tmp_path / "s.h5"
    assert run(f"capture --sensor folder --source {folder} --object belt --output {output}".split()) == 0
    with open_session(output) as session:
        assert session.object_model.name == "belt"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--sensor folder", "belong together"),
        ("--source x", "the layout of x is none that is known"),
        ("--sensor openni --source x.oni", "x.oni does not exist; give an .oni file"),
        ("--sensor simulated --source x", "reads no files"),
        ("--frames 0", "--frames must be at least 1"),
        ("--seed -1", "--seed must be 0 or more"),
        ("--fps 0", "--fps must be above 0"),
        ("--fps nan", "--fps must be above 0"),
        ("--fps inf", "--fps must be above 0"),
        ("--depth-scale -1", "--depth-scale must be metres a count, 1e-05 to 0.01, got -1; give 0.001"),
        ("--depth-scale 0", "--depth-scale must be metres a count"),
        ("--depth-scale nan", "--depth-scale must be metres a count"),
        ("--depth-scale 1e-9", "--depth-scale must be metres a count"),
        ("--depth-scale 1", "--depth-scale must be metres a count"),
        ("--output . --overwrite", "is a folder, and a file is to be written"),
        ("--speed fast", "of --sensor simulated alone"),
        ("--noise none", "of --sensor simulated alone"),
        ("--occlusion heavy", "of --sensor simulated alone"),
        ("--motion shake", "of --sensor simulated alone"),
        ("--sensor simulated --motion shake --occlusion light", "--occlusion goes with --motion random alone"),
        ("--object none.ply", "does not exist"),
        ("--output none/s.h5", "folder of none"),
        ("--sensor folder --source nowhere", "--source must be a folder"),
    ],
)
def test_wrong_options_end_with_a_sentence(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["capture", *options.split()]) == 2
    assert message in capsys.readouterr().err


def test_info_says_what_a_session_holds(use, capsys):
    use(StubSensor(3))
    assert run(["capture", "--object", "belt"]) == 0
    assert run(["info"]) == 0
    said = capsys.readouterr().out
    for words in ("stub", "3 in 2.00 s, 1.0 a second, 0 dropped", "8x6", "1 mm", "unknown", "belt, 69.6 mm"):
        assert words in said


def test_what_comes_next_depends_on_the_object(use, capsys):
    use(StubSensor(1))
    assert run(["capture"]) == 0
    said = capsys.readouterr().out
    assert "1 frames in session.h5; next: tracker run session.h5, which follows the hand alone" in said
    assert "to track an object too, capture with its mesh: --object" in said
    assert run(["capture", "--object", "belt", "--overwrite"]) == 0
    assert "next: tracker run session.h5\n" in capsys.readouterr().out


def test_an_output_that_is_taken_is_told_before_the_mesh_is_read(use, capsys):
    use(StubSensor(1))
    assert run(["capture"]) == 0
    assert run(["capture", "--object", "none.ply"]) == 2
    assert "session.h5 exists already" in capsys.readouterr().err


def test_info_of_a_missing_session(tmp_path, capsys):
    assert run(["info", str(tmp_path / "none.h5")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_main_ends_the_process_with_the_code(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["recorder", "info"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_import_loads_neither_torch_nor_graphics():
    program = (
        "import sys, recorder.cli; print([m for m in ('torch', 'OpenGL', 'pyrender', 'open3d') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program]) == b"[]\n"
