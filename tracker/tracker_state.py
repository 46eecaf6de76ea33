"""All that the next frame's answer depends on, beside the frame, the configuration and the seed."""

from __future__ import annotations

from dataclasses import dataclass

from scene.arrays import Floats
from tracker.following import Last
from tracker.hand_size import HandSizes
from tracker.hand_tracking import HandMemory
from tracker.judgement import Estimate
from tracker.reviews import Reviews
from tracker.scene_knowledge import SceneKnowledge


@dataclass(frozen=True)
class TrackerState:
    """Of a SequenceTracker between two frames; each field is its attribute of that name with an underscore."""

    knowledge: SceneKnowledge
    """bodies, learned colours, light and surroundings"""
    last: Last | None
    last_seen: Floats | None
    anchor: Estimate | None
    hand: HandMemory
    reviews: Reviews
    """of the whole view"""
    seen_area: float
    """square metres that looked like the object in the last of them"""

    @property
    def sizes(self) -> HandSizes:
        """What is known of the hand's size."""
        return self.hand.sizes
