"""Every error that a user can cause, each a sentence: what must hold, what was given, what to do.

UnoccludeError          exit code 2 and its sentence, never a traceback
  InputError            an argument, a file or a mesh that cannot be used
    SchemaError         an HDF5 file that does not keep to its format
  MissingError          an optional package or a system library is not installed
  SensorError           a camera that is absent, refuses or stops
  TrackingError         a tracker that cannot start
  RenderingError        no off-screen back-end, or one that fails
  TrainingError         a training run that cannot start or go on
"""

from __future__ import annotations

import importlib
from types import ModuleType


class UnoccludeError(Exception):
    """Base of the family: the command line prints its text and ends with exit code 2."""


class InputError(UnoccludeError):
    """An argument, a file or a mesh that cannot be used."""


class SchemaError(InputError):
    """An HDF5 file that does not keep to its format."""


class MissingError(UnoccludeError):
    """An optional package or a system library is not installed."""


class SensorError(UnoccludeError):
    """A camera that is absent, refuses or stops."""


class TrackingError(UnoccludeError):
    """A tracker that cannot start."""


class RenderingError(UnoccludeError):
    """No off-screen back-end, or one that fails."""


class TrainingError(UnoccludeError):
    """A training run that cannot start or go on."""


def require(module: str, *, extra: str | None = None, system: str = "") -> ModuleType:
    """Imports `module`, or raises a MissingError that names the one line to run.

    Args:
        module: dotted name to import.
        extra: the extra of this distribution that brings it; None where it is a plain dependency.
        system: Debian packages, separated by spaces, whose absence makes the import fail.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        remedy = f"pip install 'unocclude[{extra}]'" if extra else f"pip install {module.split('.')[0]}"
        if system and not isinstance(error, ModuleNotFoundError):
            remedy = f"apt-get install {system}"
        raise MissingError(f"{module} is needed here and does not import ({error}); run: {remedy}") from error
