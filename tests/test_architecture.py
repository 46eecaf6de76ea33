"""The import arrows of docs/architecture.md, what an import may load, and what must not stand in a tracked file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = ("recorder", "tracker", "renderer", "pairs", "train")
PACKAGES = ("scene", *STAGES)
FORMATS = {"recorder.session", "tracker.track", "pairs.format"}
READERS = {
    "recorder": set[str](),
    "tracker": {"recorder.session"},
    "renderer": {"recorder.session", "tracker.track"},
    "pairs": {"recorder.session", "tracker.track"},
    "train": {"pairs.format", "recorder.session", "tracker.track"},
}
"""stage -> format modules of other stages that it may import"""
MAKERS = {"renderer": {"pairs.format"}}
"""stage -> format module of the file that it writes for another stage to own"""
LIVE = {"train/live.py": {"recorder.capture", "recorder.config", "recorder.sensors", "recorder.sensors.base"}}
"""the exception: prediction while a sensor runs, which no file stands between"""
TORCH_OR_DRAWING = ("torch", "OpenGL", "pyrender", "open3d", "pyglet")
MACHINE_PATHS = re.compile(r"/(?:home|root|Users|work|tmp|mnt|media)/\w")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, at its top or inside a function; `from a.b import c` counts as a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            # `from pairs import format` names a module too
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name for name in deeper if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()} or {
                str(node.module)
            }
    return names


def strangers(package: str) -> dict[str, set[str]]:
    """Of each module of a package, what it imports from the product's other packages."""
    found = {}
    for path in modules(package):
        ours = {name for name in imported(path) if name.split(".")[0] in PACKAGES and name.split(".")[0] != package}
        found[str(path.relative_to(ROOT))] = {name for name in ours if name.split(".")[0] != "scene"}
    return found


def test_scene_imports_no_stage() -> None:
    assert {path: names for path, names in strangers("scene").items() if names} == {}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_of_others_only_the_formats_it_reads(stage: str) -> None:
    allowed = READERS[stage] | MAKERS.get(stage, set())
    assert READERS[stage] <= FORMATS
    others = {path: names - allowed - LIVE.get(path, set()) for path, names in strangers(stage).items()}
    assert {path: names for path, names in others.items() if names} == {}


def test_training_sees_pairs_and_only_prediction_sessions_and_sensors() -> None:
    readers = {path for path, names in strangers("train").items() if names - {"pairs.format"}}
    assert readers == {"train/session_queries.py", *LIVE}


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_imports_the_tests(stage: str) -> None:
    assert not any(name.split(".")[0] == "tests" for path in modules(stage) for name in imported(path))


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has after a statement."""
    script = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_import_recorder_loads_neither_torch_nor_drawing() -> None:
    everything = "; ".join(f"import {name}" for name in ("recorder", "recorder.session", "recorder.cli"))
    assert loaded_by(everything).isdisjoint(TORCH_OR_DRAWING)


@pytest.mark.parametrize("stage", ["tracker", "renderer", "pairs"])
def test_only_train_loads_torch(stage: str) -> None:
    assert "torch" not in loaded_by(f"import {stage}")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [path.name for path in modules(package) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing is tracked")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_machine_path_in_a_tracked_file() -> None:
    found = []
    for path in tracked_files():
        if path == Path(__file__) or not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", errors="ignore").splitlines(), 1):
            if MACHINE_PATHS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_machine_paths_are_recognised() -> None:
    assert MACHINE_PATHS.search('open("/home/somebody/file")')
    assert not MACHINE_PATHS.search("../shared/data/hand-mug")
