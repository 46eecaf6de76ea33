"""What colours an object has whose mesh has none: those that are seen on it where its shape fits best.

Without them everything that is a little like skin is taken for the hand's. So frames spread over the recording are
searched by shape alone; the one that it fits best says what colours the object has there. In: those frames, and a
tracker of whatever is known. Out: what is known, colours included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scene.arrays import Floats
from scene.frame import RgbdFrame
from scene.progress import track as shown
from tracker.judgement import Estimate
from tracker.objective import OBJECT, POINTS
from tracker.observation import Observation
from tracker.scene_knowledge import SceneKnowledge
from tracker.sequence import SequenceTracker

BELIEVED = 3
"""frames that the shape fits best: of each it is tried whether with its colours the object is found in all of them"""


def with_seen_colors(
    frames: Sequence[RgbdFrame], knowledge: SceneKnowledge, tracker_of: Callable[[SceneKnowledge], SequenceTracker]
) -> SceneKnowledge:
    """The knowledge with colours of the object, or as it was where with none of them the object is found.

    Args:
        frames: in some of which the object is.
        knowledge: of an object whose mesh has no colours.
        tracker_of: knowledge, a tracker that has nothing else.
    """
    blind = tracker_of(knowledge.without_colors())
    fits: list[tuple[Estimate, Observation, RgbdFrame]] = []
    for frame in shown(frames, "looking for the shape"):
        observation, found = blind.search(frame)
        if found:
            fits.append((min(found, key=_misfit), observation, frame))
    fits = sorted(fits, key=lambda fit: _misfit(fit[0]))[:BELIEVED]
    seen_best = [frame for *_, frame in fits]
    taught = [knowledge.with_colors_on(observation, estimate.pose) for estimate, observation, _ in fits]
    evidence = [tracker_of(known).look_ahead(seen_best, "looking for its colours").evidence for known in taught]
    best = max(range(len(taught)), key=evidence.__getitem__, default=None)
    return knowledge if best is None or evidence[best] <= 0 else taught[best]


def with_colors_at(
    frame: RgbdFrame,
    camera_from_object: Floats,
    knowledge: SceneKnowledge,
    tracker_of: Callable[[SceneKnowledge], SequenceTracker],
) -> SceneKnowledge:
    """The same by a frame in which the object's pose (4, 4) is known, though not exactly."""
    observation, estimate = tracker_of(knowledge.without_colors()).search_near(frame, camera_from_object)
    return knowledge.with_colors_on(observation, estimate.pose)


def _misfit(estimate: Estimate) -> float:
    """How badly the shape fits, whatever the colours."""
    return float(estimate.terms[POINTS] + estimate.terms[OBJECT])
