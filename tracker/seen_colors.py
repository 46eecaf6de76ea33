"""What colours an object has whose mesh has none: those that are seen on it where it is found most surely.

It may be found because a hand looks like skin and it does not; or, if it does, by its shape alone, whatever anything
looks like. Either way some frames are believed, and of what they say about its colours that counts by which the object
is found most surely in all of them. In: frames spread over the recording, and a tracker of whatever is known. Out: what
is known, colours included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scene.arrays import Floats
from scene.frame import RgbdFrame
from scene.progress import track as shown
from tracker.judgement import Estimate
from tracker.objective import OBJECT, POINTS
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import SequenceTracker

BELIEVED = 2
"""frames of either search"""


@dataclass(frozen=True)
class Sight:
    """What was found in a frame."""

    frame: RgbdFrame
    estimate: Estimate
    taught: SceneKnowledge
    """with the colours seen on it there"""


def with_seen_colors(
    frames: Sequence[RgbdFrame], knowledge: SceneKnowledge, tracker_of: Callable[[SceneKnowledge], SequenceTracker]
) -> SceneKnowledge:
    """The knowledge with colours of the object, or as it was where by none of them it is found more surely.

    Args:
        frames: in some of which the object is.
        knowledge: of an object whose mesh has no colours.
        tracker_of: knowledge, a tracker that has nothing else.
    """
    blind = tracker_of(knowledge.without_colors())
    unlike_skin = _sights(frames, knowledge, tracker_of(knowledge), "looking for what is no hand", _doubt)
    by_shape = _sights(frames, knowledge, blind, "looking for the shape", _misfit)
    believed = unlike_skin[:BELIEVED] + by_shape[:BELIEVED]
    seen = {sight.frame.index: sight.frame for sight in believed}
    best = knowledge
    most = sum(max(sight.estimate.evidence, 0.0) for sight in unlike_skin if sight.frame.index in seen)
    for sight in believed:
        evidence = tracker_of(sight.taught).look_ahead(list(seen.values()), "looking for its colours").evidence
        if evidence > most:
            best, most = sight.taught, evidence
    return best


def with_colors_at(
    frame: RgbdFrame,
    camera_from_object: Floats,
    knowledge: SceneKnowledge,
    tracker_of: Callable[[SceneKnowledge], SequenceTracker],
) -> SceneKnowledge:
    """The same by a frame in which the object's pose (4, 4) is known, though not exactly."""
    observation, estimate = tracker_of(knowledge.without_colors()).search_near(frame, camera_from_object)
    return knowledge.with_colors_on(observation, estimate.pose)


def _sights(
    frames: Sequence[RgbdFrame],
    knowledge: SceneKnowledge,
    tracker: SequenceTracker,
    what: str,
    badness: Callable[[Estimate], float],
) -> list[Sight]:
    """What the tracker finds in the frames, the best of each, the best of all first; and what that teaches."""
    sights = []
    for frame in shown(frames, what):
        observation, found = tracker.search(frame)
        if found:
            best = min(found, key=badness)
            sights.append(Sight(frame, best, knowledge.with_colors_on(observation, best.pose)))
    return sorted(sights, key=lambda sight: badness(sight.estimate))


def _misfit(estimate: Estimate) -> float:
    """How badly the shape fits, whatever the colours."""
    return float(estimate.terms[POINTS] + estimate.terms[OBJECT])


def _doubt(estimate: Estimate) -> float:
    """Log odds against it."""
    return -estimate.evidence
