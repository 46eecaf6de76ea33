"""Every frame is kept or left out for one reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from renderer.selection import Selection, SelectionConfig, select_frames
from scene.errors import InputError
from scene.hand_pose import joints
from scene.hand_shape import average_hand
from scene.splits import SplitConfig
from tests.renderer.fakes import ABSENT, FRAMES, LOST, TRACKED, a_track, camera_from_object, hand_pose

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
        ({"residual": one_at(3, 0.011, 0.009)}, "residual above 10 mm"),
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


def still(frames: list[int], *, hand_too: bool = True) -> dict[str, np.ndarray]:
    """A track whose object, and hand, stand in these frames as in the frame before the first of them."""
    poses = np.stack([camera_from_object(frame) for frame in range(FRAMES)])
    hands = np.stack([joints(average_hand(), hand_pose(frame)) for frame in range(FRAMES)])
    poses[frames] = poses[frames[0] - 1]
    if hand_too:
        hands[frames] = hands[frames[0] - 1]
    return {"camera_from_object": poses, "joints_camera": hands}


def test_near_duplicates_are_left_out_once_each(session: Path) -> None:
    selection = select(session, **still([4, 5]))
    reason = "within 0.5 deg and 1 mm of a kept frame"
    assert selection.left_out == ((4, reason), (5, reason))
    assert len(select(session, SelectionConfig(duplicate_deg=0), **still([4, 5])).frames) == FRAMES
    assert len(select(session, SelectionConfig(duplicate=0), **still([4, 5])).frames) == FRAMES
    assert len(select(session, **still([4, 5], hand_too=False)).frames) == FRAMES  # the hand shows something else
    # everything is near where the limits are wide: 0.1 rad and 4 mm a frame, against the last that is kept
    wide = select(session, SelectionConfig(duplicate_deg=13, duplicate=1.0))
    assert wide.frames.tolist() == list(range(0, FRAMES, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"residual": 0.0}, "--selection.residual must be positive metres, got 0.0"),
        ({"duplicate_deg": -1.0}, "told by no negative angle and distance, got -1.0 degrees"),
    ],
)
def test_selections_that_cannot_be(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SelectionConfig(**options)


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
