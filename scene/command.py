"""The frame of the five console commands: frozen dataclasses in, exit code out, one sentence for every user error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import tyro

from scene.errors import UnoccludeError

Verb = Callable[[Any], None]


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
        chosen = tyro.extras.subcommand_cli_from_dict(
            configurations, prog=program, description=description, args=arguments
        )
        verbs[type(chosen)](chosen)
    except UnoccludeError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing half-written is left, run the command again", file=sys.stderr)
        return 2
    return 0
