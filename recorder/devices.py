"""`recorder devices`: which back-ends are installed and what is attached to each."""

from __future__ import annotations

from recorder.sensors import openni, realsense


def devices() -> dict[str, str]:
    """A line for each live back-end: what is attached, or why nothing is."""
    return {"realsense": realsense.why_absent() or "attached", "openni": openni.why_absent() or "attached"}
