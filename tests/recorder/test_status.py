import numpy as np
import pytest

from recorder.session import SensorFrame
from recorder.status import Status, duration, shown


def frame(holes=0, dropped=0):
    depth = np.ones((10, 10), np.uint16)
    depth.flat[:holes] = 0
    return SensorFrame(np.zeros((10, 10, 3), np.uint8), depth, 0.0, dropped_before=dropped)


def status(total=None, frames=11, **options):
    made = Status(total)
    for index in range(frames):
        made.add(frame(**options), index * 0.1)
    return made


def test_the_line_tells_frames_rate_drops_holes_disk_and_time():
    line = status(holes=25, dropped=1).line(22_000_000, 4_000_000_000)
    # 2 MB a frame, 10 frames a second: 4 GB last 200 s
    assert line == "11 frames, 10.0/s, 11 dropped, 25% holes in depth, 22 MB, 3 min of disk left"


def test_the_sooner_of_all_frames_and_a_full_disk_is_told():
    made = status(total=111)
    assert made.left_s(11, 10**9) == pytest.approx(10)
    assert made.left_s(11, 50) == pytest.approx(5)
    assert made.line(11_000_000, 10**12).startswith("11/111 frames")


def test_before_there_is_a_rate_no_time_is_told():
    assert status(frames=0).rate == 0
    assert "? of disk left" in status(frames=1).line(5, 5)


def test_rate_and_holes_are_of_late():
    made = status(frames=100, holes=100)
    for index in range(60):
        made.add(frame(), 10 + index * 0.05)
    assert made.rate == pytest.approx(20)
    assert "0% holes" in made.line(1, 1)


@pytest.mark.parametrize(("seconds", "text"), [(12.3, "12 s"), (300, "5 min"), (9000, "2.5 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_frames_pass_through_and_the_line_is_on_standard_error(tmp_path, capsys):
    (tmp_path / "f").write_bytes(bytes(2_000_000))
    given = [frame(holes=50) for _ in range(5)]
    assert list(shown(given, 5, tmp_path / "f")) == given
    said = capsys.readouterr()
    assert "5/5 frames" in said.err.replace("\n", " ")
    assert said.out == ""
