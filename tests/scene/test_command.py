"""The frame of the console commands."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import tyro

from scene.command import run_program
from scene.errors import (
    InputError,
    MissingError,
    RenderingError,
    SchemaError,
    SensorError,
    TrackingError,
    TrainingError,
    UnoccludeError,
    require,
)


@dataclass(frozen=True)
class Cook:
    """Cook something."""

    VERB: ClassVar[str] = "cook"

    dish: tyro.conf.Positional[Path] = Path("soup.h5")
    """what to cook"""
    minutes: int = 5
    """how long"""

    def __post_init__(self):
        if self.minutes < 0:
            raise InputError(f"--minutes must not be negative, got {self.minutes}")


@dataclass(frozen=True)
class Eat:
    """Eat it."""

    VERB: ClassVar[str] = "eat"


def run(*arguments, cook=lambda _: None, eat=lambda _: None):
    return run_program("kitchen", "For tests.", {Cook: cook, Eat: eat}, list(arguments))


def test_the_verb_gets_its_configuration():
    seen = []
    assert run("cook", "stew.h5", "--minutes", "7", cook=seen.append) == 0
    assert run("cook", cook=seen.append) == 0
    assert run("eat", eat=seen.append) == 0
    assert seen == [Cook(Path("stew.h5"), 7), Cook(), Eat()]


FAMILY = (UnoccludeError, InputError, SchemaError, MissingError, SensorError, TrackingError, RenderingError)


@pytest.mark.parametrize("kind", [*FAMILY, TrainingError])
def test_a_users_error_is_one_sentence_and_exit_code_2(kind, capsys):
    def fail(_):
        raise kind("the pot must be full, it is empty; fill it")

    assert run("cook", cook=fail) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "kitchen: the pot must be full, it is empty; fill it\n"


def test_an_impossible_configuration_is_a_users_error_too(capsys):
    assert run("cook", "--minutes", "-1") == 2
    assert capsys.readouterr().err == "kitchen: --minutes must not be negative, got -1\n"


def test_an_interrupt_is_told_without_a_traceback(capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    assert run("cook", cook=interrupted) == 2
    assert capsys.readouterr().err.startswith("kitchen: interrupted; ")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
def test_what_a_cluster_sends_ends_a_command_as_ctrl_c_does(stop, capsys):
    before = signal.signal(stop, signal.SIG_DFL)  # the tests may run under nohup themselves
    try:
        assert run("cook", cook=lambda _: os.kill(os.getpid(), stop)) == 2
        assert signal.getsignal(stop) == signal.SIG_DFL
    finally:
        signal.signal(stop, before)
    assert capsys.readouterr().err.startswith("kitchen: interrupted; ")


@pytest.mark.parametrize("environment", [None, {}], ids=["own", "bare"])
def test_a_reader_that_has_enough_is_no_traceback(environment):
    command = [sys.executable, "-c", "from pairs.cli import main; main()", "--help"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_closed_terminal_that_is_to_be_ignored_stays_so():
    seen = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert run("cook", cook=lambda _: seen.append(os.kill(os.getpid(), signal.SIGHUP))) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert seen == [None]


def test_what_is_no_users_error_keeps_its_traceback():
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("cook", cook=broken)


@pytest.mark.parametrize(
    "arguments", [("bake",), ("cook", "--salt", "1"), ("cook", "--minutes", "long"), ()], ids=" ".join
)
def test_a_wrong_command_line_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        run(*arguments)
    assert end.value.code == 2
    assert "kitchen" in capsys.readouterr().err


def test_help_tells_verbs_options_and_defaults(capsys):
    for arguments, words in ((("--help",), ("cook", "eat", "For tests.")), (("cook", "--help"), ("how long", "5"))):
        with pytest.raises(SystemExit) as end:
            run(*arguments)
        assert end.value.code == 0
        out = capsys.readouterr().out
        assert all(word in out for word in words)


def test_a_package_that_is_there_is_imported():
    assert require("json").loads("1") == 1


def test_a_package_that_is_not_there_names_the_line_to_run():
    with pytest.raises(MissingError, match=r"no_such_thing is needed here .*; run: pip install no_such_thing"):
        require("no_such_thing")
    with pytest.raises(MissingError, match=r"run: pip install 'unocclude\[camera\]'"):
        require("no_such_thing.inner", extra="camera")
    with pytest.raises(MissingError, match="pip install no_such_thing"):
        require("no_such_thing", system="libnothing")


def test_a_system_library_that_is_not_there_names_its_package(tmp_path, monkeypatch):
    (tmp_path / "needs_library.py").write_text("raise OSError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingError, match=r"libGL\.so\.1.*; run: apt-get install libgl1"):
        require("needs_library", system="libgl1")
