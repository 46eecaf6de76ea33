"""`recorder trim`: a session of some of another's frames, packed as they were."""

from __future__ import annotations

from pathlib import Path

import h5py

from recorder.config import TrimConfig
from recorder.excerpt import write_excerpt
from recorder.session import DAMAGE, SESSION, open_session
from scene.errors import InputError, SchemaError
from scene.files import new_file


def trim(config: TrimConfig) -> tuple[Path, int]:
    """Writes the output; its path and how many frames it has."""
    with open_session(config.session) as session:  # refuses what is no session
        total = len(session)
    kept = range(config.start, min(total, config.stop or total), config.every)
    if not kept:
        raise InputError(f"--start must be below {total}, the frames of {config.session}, is {config.start}")
    output = config.output or config.session.with_name(f"{config.session.stem}.trimmed.h5")
    try:
        with (
            h5py.File(config.session) as source,
            new_file(output, SESSION, overwrite=config.overwrite) as target,
        ):
            write_excerpt(source, target, kept, config.session)
    except DAMAGE as error:
        raise SchemaError(
            f"{config.session} is damaged in the frames asked for ({error}); keep what is whole with: "
            f"recorder repair {config.session}"
        ) from error
    return output, len(kept)
