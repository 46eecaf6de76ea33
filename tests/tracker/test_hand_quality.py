"""Which hands are vouched for: fingers seen where they are, nothing hand-coloured left over, views that show it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.tracker.samples import LOST, TRACKED, drawn
from tests.tracker.test_following import estimate, known
from tracker import hand_tracking
from tracker.config import RunConfig
from tracker.explanation import view_fingers
from tracker.hand_quality import BIAS, COEFFICIENTS, FEATURES, SIGNS, HandQuality, hand_quality
from tracker.hand_tracking import vouches_for_hand
from tracker.hypothesis import HAND_ANGLES, HAND_TRANSLATION
from tracker.sequence import SequenceTracker

GOOD = HandQuality(0.002, 0.9, 0.02, seen=0.6, seen_through=0.0, unexplained=0.0, seen_in_views=1.5)
BAD = HandQuality(0.002, 0.9, 0.02, seen=0.0, seen_through=0.3, unexplained=0.3, seen_in_views=0.0)
DOUBTFUL = replace(GOOD, seen=(np.log(0.6 / 0.4) - BIAS) / COEFFICIENTS[0], seen_in_views=0.0)
"""right with a chance of 0.6"""


def quality(vector, seen_in_views=0.0):
    scene = drawn()
    terms = scene.problem.residuals(vector)[1]
    return hand_quality(scene.observation, scene.problem, vector, terms, seen_in_views, np.random.default_rng(0))


def test_a_true_hand_is_seen_and_explains_all():
    found = quality(drawn().truth, seen_in_views=0.9)
    assert found.seen > 0.4
    assert found.seen_through < 0.02
    assert found.unexplained < 0.02
    assert found.explained > 0.9
    assert found.residual < 0.003
    assert found.seen_in_views == 0.9


@pytest.mark.parametrize(("towards", "before"), [(-0.04, True), (0.04, False)])
def test_a_hand_before_what_was_measured_was_seen_through_and_one_behind_is_hidden(towards, before):
    scene, moved = drawn(), drawn().truth.copy()
    moved[HAND_TRANSLATION.start + 2] += towards
    seen, through = view_fingers(moved, scene.problem.layout, scene.problem.evidence, scene.problem.models)
    at_truth, _ = view_fingers(scene.truth, scene.problem.layout, scene.problem.evidence, scene.problem.models)
    assert seen < 0.5 * at_truth
    assert through > 0.8 if before else through < 0.3


def test_points_of_a_finger_that_is_bent_away_are_nobodys():
    curled = drawn().truth.copy()
    curled[HAND_ANGLES].reshape(5, 4)[1:3, 1:] = np.deg2rad([80, 100, 80])
    assert quality(curled).unexplained > quality(drawn().truth).unexplained + 0.03


def test_a_forearms_points_are_not_missed():
    ahead = drawn().truth.copy()
    ahead[HAND_TRANSLATION.start] += 0.22  # the way it points, so that all points are behind its wrist
    assert quality(ahead).explained < 0.5
    assert quality(ahead).unexplained < 0.05


def test_too_few_points_say_nothing():
    away = drawn().truth.copy()
    away[HAND_TRANSLATION] += 2.0
    assert quality(away) is None


def test_every_coefficient_keeps_to_its_sign():
    assert len(FEATURES) == len(SIGNS) == len(COEFFICIENTS) == len(GOOD.features())
    assert (np.sign(COEFFICIENTS) * SIGNS >= 0).all()


def test_certainty_rises_and_falls_with_what_speaks_for_and_against_a_hand():
    assert BAD.certainty < 0.1 < 0.9 < GOOD.certainty
    for name, sign in zip(FEATURES, SIGNS, strict=True):
        more = replace(GOOD, **{name: getattr(GOOD, name) + 0.1})
        assert (more.certainty - GOOD.certainty) * sign >= 0, name


def test_fit_falls_with_each_fault():
    assert GOOD.fit > 0.8
    for fault in ({"residual": 0.012}, {"explained": 0.2}, {"before_depth": 0.6}):
        assert 0 <= replace(GOOD, **fault).fit < GOOD.fit


@pytest.mark.parametrize("fit", [0.9, 0.1])
@pytest.mark.parametrize(("here", "status"), [(GOOD, TRACKED), (DOUBTFUL, LOST), (BAD, LOST)])
def test_a_hand_is_called_tracked_if_it_is_certain_however_well_it_fits(monkeypatch, tmp_path, here, status, fit):
    scene = drawn()
    judged = replace(estimate(), pose=scene.pose, confidence=0.99, told=1.0, hand_confidence=fit, hand_quality=here)
    config = RunConfig((tmp_path / "s.h5",))
    tracker = SequenceTracker(known(scene), config)
    monkeypatch.setattr(hand_tracking, "hand_seen", lambda now, _, memory: (memory, now.knowledge))
    monkeypatch.setattr(hand_tracking, "with_hand", lambda _, estimate, __, memory: (estimate, memory))
    monkeypatch.setattr(tracker, "_learn", lambda *_: None)
    monkeypatch.setattr(tracker, "_reviewed", lambda _, followed, __: followed)
    monkeypatch.setattr(tracker, "_followed", lambda _: judged)
    answer = tracker.track(scene.frame)
    assert answer.hand_status == status
    assert answer.hand_confidence == here.certainty
    assert (here.certainty > 0.5) == (here is not BAD)
    assert tracker.state.last.estimate.hand_confidence == fit
    assert vouches_for_hand(judged, config) == (fit == 0.9), "it is followed if it fits, however certain"
