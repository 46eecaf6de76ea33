"""The first frames are followed once before they are tracked: by then it is known how a hand holds the object.

One frame shows half of a hand, and the hand that fits it may be a centimetre off; several views of a grasp together
(tracker/grasp_views.py) leave less to choose from, and some frames tell the hand's size (tracker/hand_size.py). Without
a rehearsal those from which tracking begins would be those that know least, and be of another hand than the track is.

In: a tracker that is ready, and the frames it will be given. Out: it is ready again, and knows hand and grasp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scene.frame import RgbdFrame
from scene.progress import track as shown
from tracker.lone_hand import LoneHandTracker
from tracker.sequence import SequenceTracker

MOST = 30
"""frames that are followed either way, where the hand's size is not known before"""


def rehearse(
    tracker: SequenceTracker | LoneHandTracker, ways: Iterable[range], frame_of: Callable[[int], RgbdFrame]
) -> None:
    """Follows the hand, and its object, until the hand's size is known, and returns to where tracking begins.

    Args:
        tracker: at its anchor.
        ways: indices of frames from there on, in the order of tracking.
        frame_of: the frame of an index.
    """
    for way in ways:
        for index in shown(way[:MOST], "getting to know the hand"):
            tracker.track(frame_of(index))
            if tracker.state.sizes.known:
                break
        tracker.return_to_anchor()
        if tracker.state.sizes.known:
            break
    tracker.keep_size()
