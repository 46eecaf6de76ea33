"""The frame of the five console commands: frozen dataclasses in, exit code out, one sentence for every user error."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tyro

from scene.errors import UnoccludeError

Verb = Callable[[Any], None]
STOPPING = (signal.SIGTERM, signal.SIGHUP)
"""what a cluster, `kill` or a closed terminal sends, beside Ctrl-C's SIGINT"""


def run_program(program: str, description: str, verbs: Mapping[type, Verb], arguments: list[str] | None = None) -> int:
    """Parses `program VERB --option ...` into a verb's dataclass and runs it.

    Args:
        program: the console command's name.
        description: for `--help`.
        verbs: configuration dataclass -> function that takes it; the dataclass' attribute `VERB` names it on the
            command line and its docstring and field docstrings are the help.
        arguments: in place of sys.argv[1:].

    Returns:
        0, or 2 after one sentence on standard error.
    """
    configurations: dict[str, Callable[..., Any]] = {
        vars(configuration)["VERB"]: configuration for configuration in verbs
    }
    try:
        try:
            chosen = tyro.extras.subcommand_cli_from_dict(
                configurations, prog=program, description=description, args=arguments
            )
            with stopped_like_ctrl_c():
                verbs[type(chosen)](chosen)
        finally:
            sys.stdout.flush()  # while a reader that is gone can still be dealt with
    except UnoccludeError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing half-written is left, run the command again", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads what is printed, as `head`, has enough
        # what Python flushes at its end goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return 0


@contextmanager
def stopped_like_ctrl_c() -> Iterator[None]:
    """In the body the signals of STOPPING raise KeyboardInterrupt, as Ctrl-C does; what is ignored (nohup) stays so."""
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield
        return
    taken = [number for number in STOPPING if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
