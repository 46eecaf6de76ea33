"""Every frame is kept or left out for one reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from renderer.selection import Selection, SelectionConfig, select_frames
from scene.errors import InputError
from scene.splits import SplitConfig
from tests.renderer.fakes import ABSENT, FRAMES, LOST, TRACKED, a_track

NO_SPLIT = SplitConfig(validation=0, test=0, cycles=1)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "session.h5"
    path.write_bytes(b"only hashed")
    return path


def select(session: Path, config: SelectionConfig | None = None, inside: float = 1.0, **changed: object) -> Selection:
    track = a_track(session, **changed)
    return select_frames(track, np.full(len(track), inside), config or SelectionConfig(), NO_SPLIT)


def one_at(index: int, value: float, others: float) -> np.ndarray:
    values = np.full(FRAMES, others)
    values[index] = value
    return values


def test_all_frames_of_a_good_track_are_kept(session: Path) -> None:
    selection = select(session)
    assert selection.frames.tolist() == list(range(FRAMES))
    assert selection.left_out == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": one_at(3, LOST, TRACKED)}, "the object is LOST"),
        ({"status": one_at(3, ABSENT, TRACKED)}, "the object is ABSENT"),
        ({"confidence": one_at(3, 0.29, 0.31)}, "confidence below 0.3"),
        ({"visibility": one_at(3, 0.09, 0.11)}, "visibility below 0.1"),
    ],
)
def test_reasons(session: Path, changed: dict[str, np.ndarray], reason: str) -> None:
    selection = select(session, **changed)
    assert selection.left_out == ((3, reason),)
    assert selection.reasons == {reason: 1}
    assert 3 not in selection.frames
    assert len(selection.frames) == FRAMES - 1


def test_options_count(session: Path) -> None:
    assert len(select(session, SelectionConfig(confidence=0.95)).frames) == 0
    assert len(select(session, SelectionConfig(visibility=0.65)).frames) == 0
    assert len(select(session, SelectionConfig(inside=0.8), inside=0.79).frames) == 0
    assert len(select(session, SelectionConfig(inside=0.78), inside=0.79).frames) == FRAMES


def test_unknown_visibility_is_kept_and_lost_hand_too(session: Path) -> None:
    unknown = select(session, visibility=np.full(FRAMES, np.nan), hand_status=np.full(FRAMES, LOST))
    assert len(unknown.frames) == FRAMES


def test_gaps_between_splits_are_a_reason(session: Path) -> None:
    track = a_track(session)
    splits = SplitConfig(validation=0, test=0.5, cycles=1, gap_s=0.2)
    selection = select_frames(track, np.ones(FRAMES), SelectionConfig(), splits)
    assert selection.reasons == {"within 0.1 s of another split": 2}
    assert len(selection.split) == len(selection.frames) == FRAMES - 2


@pytest.mark.parametrize("name", ["confidence", "visibility", "inside"])
def test_parts_must_be_parts(name: str) -> None:
    with pytest.raises(InputError, match=rf"the least {name} of a frame must lie in 0\.\.1, got 1.5"):
        SelectionConfig(**{name: 1.5})
