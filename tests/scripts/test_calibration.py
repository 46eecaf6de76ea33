"""The certainty of hands is fitted to right and wrong ones of recordings with truth."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scene.hand_shape import average_hand
from scene.transforms import rigid
from tests.tracker.samples import true_pose, write_session
from tracker.hand_quality import SIGNS, HandQuality

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
import calibrate_hand_confidence as calibration
from calibrate_confidence import chances, fitted

SEEN = HandQuality(0.002, 0.9, 0.02, seen=0.5, seen_through=0.0, unexplained=0.0, seen_in_views=0.5)


def test_coefficients_are_found_and_keep_to_their_signs():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 3))
    right = rng.random(4000) < chances(features, np.array([2.0, -1.0, 1.0]), 0.5)
    coefficients, bias = fitted(features, right, (1, -1, -1))
    np.testing.assert_allclose(coefficients[:2], [2.0, -1.0], atol=0.35)
    assert coefficients[2] == 0, "what may only speak against a pose is given up where it speaks for it"
    assert bias == pytest.approx(0.5, abs=0.2)


def test_a_hand_is_right_within_20_mm_and_one_that_shows_too_little_is_no_case(tmp_path, monkeypatch):
    path, shape = write_session(tmp_path / "s.h5"), average_hand()

    def hands(off):
        hand = true_pose(1).hand
        return replace(hand, camera_from_hand=rigid(np.eye(3), np.array([0, 0, off])) @ hand.camera_from_hand)

    monkeypatch.setattr(
        calibration, "followed", lambda *_: [(1, shape, hands(0.019), SEEN), (1, shape, hands(0), None)]
    )
    monkeypatch.setattr(calibration, "found", lambda *_: [(1, shape, hands(0.021), replace(SEEN, seen_in_views=0.0))])
    cases = list(calibration.judged_hands(path))
    assert [case.right for case in cases] == [True, False]
    assert [case.features.tolist() for case in cases] == [[0.5, 0, 0, 0.5], [0.5, 0, 0, 0]]
    assert len(cases[0].features) == len(SIGNS)


def test_recordings_without_truth_are_refused(tmp_path, monkeypatch):
    path = write_session(tmp_path / "s.h5", truth=False)
    with pytest.raises(SystemExit, match=r"s\.h5 holds no truth to calibrate against; give simulated recordings"):
        list(calibration.judged_hands(path))
    monkeypatch.setattr(sys, "argv", ["calibrate_hand_confidence.py"])
    with pytest.raises(SystemExit, match="give recordings with truth"):
        calibration.main()
