"""Console command `recorder`: its verbs and what each prints."""

from __future__ import annotations

import json
import os
import sys

import numpy as np

from recorder.capture import capture, chosen_object
from recorder.check import check
from recorder.config import (
    CaptureConfig,
    CheckConfig,
    DevicesConfig,
    ExportConfig,
    InfoConfig,
    RepairConfig,
    TrimConfig,
    ViewConfig,
)
from recorder.devices import devices
from recorder.repair import repair
from recorder.session import Session, open_session
from recorder.trim import trim
from scene.arrays import Floats
from scene.command import Verb, run_program
from scene.errors import InputError
from scene.files import refuse_existing

DESCRIPTION = "Records a hand that handles an object before an RGB-D camera, into session.h5."


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    code = run(None)
    if "pyrealsense2" in sys.modules:  # its threads now and then halt a process at its end, when all is written
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str] | None) -> int:
    """Exit code of `recorder ARGUMENTS`."""
    return run_program("recorder", DESCRIPTION, VERBS, arguments)


def run_capture(config: CaptureConfig) -> None:
    """Captures and says what was written."""
    refuse_existing(config.output, overwrite=config.overwrite)  # before a mesh is read
    model = chosen_object(config)
    if model is not None:
        print(f"object {model.name}: {model.diameter * 1000:.1f} mm across")
    captured = capture(config, model)
    stopped = "stopped; " if captured.stopped else ""
    following = f"next: tracker run {config.output}"
    if not captured.has_object:
        following += ", which follows the hand alone: to track an object too, capture with its mesh: --object"
    print(f"{stopped}{captured.frames} frames in {config.output}; {following}")


def run_info(config: InfoConfig) -> None:
    """Prints what a session holds."""
    with open_session(config.session) as session:
        for name, value in described(session).items():
            print(f"{name:12} {value}")


def _visible(visibility: Floats) -> str:
    known = visibility[np.isfinite(visibility)]
    return f"yes; object {100 * known.mean():.0f}% visible on average" if len(known) else "yes"


def run_check(config: CheckConfig) -> None:
    """Prints every fault, and ends as an error where there is one."""
    found = check(config.session)
    for fault in found:
        print(f"- {fault}")
    if found:
        raise InputError(f"{config.session} has {len(found)} fault{'s' * (len(found) > 1)}, listed above")
    print(f"{config.session}: no fault found")


def run_devices(config: DevicesConfig) -> None:
    """Prints each live back-end and what is there."""
    del config
    for name, state in devices().items():
        print(f"{name:12} {state}")


def run_export(config: ExportConfig) -> None:
    """Exports and says what was written."""
    from recorder.export import export  # late: it brings a video encoder and matplotlib

    print(export(config))


def run_view(config: ViewConfig) -> None:
    """Writes what is to be looked at and says where."""
    output = config.output or config.session.with_suffix(".rrd" if config.rerun else ".html")
    with open_session(config.session) as session:
        if config.rerun:
            from recorder.view.rerun import save_rerun

            save_rerun(session, output, overwrite=config.overwrite)
        else:
            from recorder.view.page import write_page  # late: it brings matplotlib

            found = check(config.session)
            write_page(session, output, described(session), found, config.frames, overwrite=config.overwrite)
    print(output)


def run_repair(config: RepairConfig) -> None:
    """Repairs and says what was kept and what was lost."""
    done = repair(config)
    lost = f"{done.lost} that had begun not whole and left out" if done.lost else "none lost"
    print(f"{done.kept} frames over {done.seconds:.2f} s kept, {lost}; {done.output}; the source stays as it is")


def run_trim(config: TrimConfig) -> None:
    """Trims and says what was written."""
    output, count = trim(config)
    print(f"{count} frames in {output}")


def described(session: Session) -> dict[str, str]:
    """What a reader wants to know of a session, a line each."""
    camera, model, times = session.camera, session.object_model, session.timestamps_s
    visible = session.truth.object_visibility if session.truth else None
    seconds = times[-1] - times[0]
    rate = f", {(len(session) - 1) / seconds:.1f} a second" if seconds > 0 else ""
    return {
        "session": str(session.path),
        "sensor": f"{session.attribute('sensor')} {session.attribute('serial')}".strip(),
        "frames": f"{len(session)} in {seconds:.2f} s{rate}, {session.dropped_before.sum()} dropped",
        "image": f"{camera.width}x{camera.height}, fx {camera.fx:.2f}, fy {camera.fy:.2f}, "
        f"cx {camera.cx:.2f}, cy {camera.cy:.2f} px{'' if session.colored else ', depth alone'}",
        "depth count": f"{session.depth_scale * 1000:g} mm",
        "hand": session.hand_side,
        "object": "none"
        if model is None
        else f"{model.name}, {model.diameter * 1000:.1f} mm, {len(model.faces)} faces",
        "truth": "none" if visible is None else _visible(visible),
        "labels": "none" if session.labels(0) is None else "hand and object, by pixel",
        "made by": session.attribute("command"),
    } | _simulation(session.attribute("notes"))


def _simulation(notes: str) -> dict[str, str]:
    """The plan of a simulation as `--motion random, --noise stereo`; nothing where the notes tell none."""
    try:
        plan = json.loads(notes)["plan"]
        named = [f"{name} {plan[name]}" for name in ("motion", "speed", "noise", "occlusion") if plan.get(name)]
        return {"simulated": ", ".join(named)}
    except (ValueError, KeyError, TypeError, AttributeError):  # of another sensor, another release or a stranger
        return {}


VERBS: dict[type, Verb] = {
    CaptureConfig: run_capture,
    InfoConfig: run_info,
    CheckConfig: run_check,
    DevicesConfig: run_devices,
    ExportConfig: run_export,
    RepairConfig: run_repair,
    TrimConfig: run_trim,
    ViewConfig: run_view,
}


if __name__ == "__main__":
    main()
