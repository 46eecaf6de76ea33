"""What makes two training runs the same: options, the recipe's numbers, the content of what they learn from.

In: a configuration. Out: the record that config.json keeps, and in words what differs between two of them. Where files
lie is no difference, so that a folder of runs may be moved or named otherwise.
"""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from scene.files import as_json, installed_versions, sha256
from train.config import Fit
from train.linemod.patches import mesh_path

NOT_PART_OF_A_RUN = ("output", "overwrite", "steps", "pairs", "patches", "meshes")
"""options that may differ between two runs of one identity: --steps only proposes the number of epochs, and of files it
is the content that counts"""


def run_record(config: Fit, epochs: int) -> dict[str, Any]:
    """What config.json says; two runs of one `identity` do the same steps."""
    options = json.loads(as_json(config))
    identity = {name: value for name, value in options.items() if name not in NOT_PART_OF_A_RUN}
    identity |= {"epochs": epochs, "recipe_numbers": dataclasses.asdict(config.chosen), **_sources(config)}
    return {"configuration": options, "identity": identity, "versions": installed_versions()}


def before_planning(record: dict[str, Any]) -> dict[str, Any]:
    """The identity with the length that was asked for in place of the epochs, which only a look at the images tells."""
    options, identity = record["configuration"], record["identity"]
    usual = identity["recipe_numbers"]["steps" if options["patches"] is None else "patch_steps"]
    asked = options["epochs"] or f"of {options['steps'] or usual} steps"
    return {**identity, "epochs": asked}


def different_parts(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    """What two identities differ in, a few words each: `seed (0 there, 5 now)`."""
    old, new = _flat(before), _flat(now)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return tuple(f"{name} ({_short(old.get(name))} there, {_short(new.get(name))} now)" for name in names)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Groups of options by one name each: loss.difference."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _short(value: Any) -> str:
    """Of a hash, the first digits."""
    return str(value)[:8] if isinstance(value, str) and len(value) == 64 else str(value)


def _sources(config: Fit) -> dict[str, str]:
    """Hashes of what is trained on; of patches, of their rotations and split, and of the mesh."""
    if config.patches is None:
        return {"pairs_sha256": _hash(config.pairs)}
    assert config.meshes is not None
    name = str(config.object)
    listed = {
        "training_split": config.patches / "real" / "training_split.txt",
        "poses": config.patches / "real" / name / "poses.txt",
        "mesh": mesh_path(config.meshes, name),
    }
    return {f"{what}_sha256": _hash(path) for what, path in listed.items()}


def _hash(path: Path) -> str:
    """Of a file's content, computed once as long as the file does not change: many cells are of one file."""
    state = path.stat()
    return _hash_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _hash_of(path: Path, _changed_ns: int, _size: int) -> str:
    return sha256(path)
