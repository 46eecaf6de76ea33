"""Damages a session in a thousand ways and reads it in every way there is; a program, as HDF5 may end the process.

Usage: damage_sessions.py SESSION TIMES FIRST_SEED. Prints what raised anything but the product's own errors, and then
ends with 1; what the decoders themselves print of a damaged image does not count.
"""

import random
import sys
import tempfile
import traceback
from pathlib import Path

import h5py

from recorder.check import check
from recorder.config import RepairConfig
from recorder.repair import repair
from recorder.session import open_session
from scene.errors import UnoccludeError

CHECKSUM_BYTES = 4


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Some bytes replaced, a block zeroed or moved, or the end cut off."""
    changed = bytearray(content)
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.randrange(1, 20)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    elif kind == 1:
        at, size = rng.randrange(len(changed)), rng.randrange(1, 600)
        changed[at : at + size] = bytes(len(changed[at : at + size]))
    elif kind == 2:
        source, at, size = rng.randrange(len(changed)), rng.randrange(len(changed)), rng.randrange(1, 300)
        block = changed[source : source + size]
        changed[at : at + len(block)] = block
    else:
        del changed[rng.randrange(len(changed)) :]
    return bytes(changed)


def damage_image(path: Path, rng: random.Random) -> None:
    """Damages a packed image and takes its checksum away, so that the decoder gets to see it, as a stranger would."""
    with h5py.File(path, "r+") as file:
        images = file[rng.choice(("color", "depth", "labels"))]
        at = (rng.randrange(len(images)), *(0,) * (images.ndim - 1))
        _, packed = images.id.read_direct_chunk(at)
        last_filter = images.id.get_create_plist().get_nfilters() - 1
        images.id.write_direct_chunk(at, damaged(packed[:-CHECKSUM_BYTES], rng), 1 << last_filter)


def read_all(path: Path) -> None:
    with open_session(path) as session:
        for index in range(len(session)):
            session.frame(index)
            session.labels(index)
        _ = session.truth, session.object_model, session.dropped_before, session.world_from_camera
        session.attribute("command")


def main() -> None:
    source, times, first = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    content, found = source.read_bytes(), 0
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "damaged.h5", Path(folder) / "repaired.h5"
        for seed in range(first, first + times):
            rng = random.Random(seed)
            if seed % 2:
                path.write_bytes(content)
                damage_image(path, rng)
            else:
                path.write_bytes(damaged(content, rng))
            for use in (read_all, check, lambda path: repair(RepairConfig(path, output, overwrite=True))):
                print(seed, end="\r", file=sys.stderr, flush=True)
                try:
                    use(path)
                except UnoccludeError:
                    pass
                except BaseException:
                    print(f"seed {seed}", traceback.format_exc())
                    found = 1
    sys.exit(found)


if __name__ == "__main__":
    main()
