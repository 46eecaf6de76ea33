"""scripts/belt.sh: every session is made once, side by side and in any order, and a stopped run is gone on with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "belt.sh"
LOGGED = '#!/bin/sh\necho "${0##*/} $*" >> "$CALLS"\n'
# each writes what the command of that name would; of the session of seed 3 the hand hides all of the object
COMMANDS = {
    "recorder": 'for word; do case "$word" in *.h5) touch "$word";; esac; done; [ -z "$FULL" ]',
    "python": 'touch "${3%.h5}.track.h5"',
    "renderer": '[ "$2" != s03.h5 ] && echo "$2" > "$4"',
    "pairs": '[ "$1" = split ] && { cat "$2" > belt.h5; exit; }; cat s*.pairs.h5 > merged.h5',
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """In which the four commands only tell that they were called."""
    for name, text in COMMANDS.items():
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(LOGGED + text + "\n")
        command.chmod(0o755)
    return {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "JOBS": "3", "FULL": ""}


def belt(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(SCRIPT), str(folder / "belt"), "5", "40", "24"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_sessions_are_made_side_by_side_and_joined_in_order(tmp_path: Path, environment: dict[str, str]) -> None:
    done = belt(tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert "s03 gives no pairs and is left out" in done.stdout
    assert (tmp_path / "belt" / "belt.h5").read_text().split() == ["s01.h5", "s02.h5", "s04.h5", "s05.h5"]
    assert [path.name for path in (tmp_path / "belt").iterdir()] == ["belt.h5"]
    calls = (tmp_path / "calls").read_text()
    for seed, hides in enumerate(("light", "medium", "heavy"), 1):
        assert f"--frames 40 --seed {seed} --occlusion {hides} --output s0{seed}.h5" in calls
    assert "--frames 40 --seed 4 --output s04.h5" in calls
    assert "belt.h5 is there" in belt(tmp_path, environment).stdout
    assert (tmp_path / "calls").read_text() == calls


def test_a_stopped_run_is_gone_on_with(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "belt"
    folder.mkdir()
    (folder / "s01.done").touch()
    (folder / "s01.pairs.h5").write_text("made before\n")
    (folder / "s02.pairs.h5").write_text("half of it\n")  # no s02.done: it was stopped there
    assert belt(tmp_path, environment).returncode == 0
    assert (folder / "belt.h5").read_text().split("\n")[:2] == ["made before", "s02.h5"]
    assert "--seed 1 " not in (tmp_path / "calls").read_text()


def test_a_session_that_fails_fails_the_whole(tmp_path: Path, environment: dict[str, str]) -> None:
    assert belt(tmp_path, environment | {"FULL": "disk"}).returncode != 0
    assert not (tmp_path / "belt" / "belt.h5").exists()
