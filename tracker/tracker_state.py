"""All that the next frame's answer depends on, beside the frame, the configuration and the seed."""

from __future__ import annotations

from dataclasses import dataclass

from scene.arrays import Floats
from tracker.following import Last
from tracker.grasp_views import GraspViews
from tracker.grasps import Grasps
from tracker.hand_size import HandSizes
from tracker.hold import Hold
from tracker.judgement import Estimate
from tracker.let_go import LetGo
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
    grasps: Grasps
    grasp: GraspViews
    """of the hand as it holds the object now"""
    sizes: HandSizes
    hold: Hold | None
    """of the object by the hand; None before both were seen well"""
    let_go: LetGo
    """of the object by the hand, as far as it is seen"""
    reviews: Reviews
    """of the whole view"""
    seen_area: float
    """square metres that looked like the object in the last of them"""
    hand_reviews: Reviews
    """of the hand"""
