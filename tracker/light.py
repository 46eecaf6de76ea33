"""Under which light a recording was made, as far as that matters to find anything in it.

At first the object has the colours of its mesh, and a hand those of skin, as daylight shows both. Under lamps that the
camera takes for daylight a grey object is as yellow as skin, and is taken for a hand. In: some frames, and a tracker
that expects one light or another. Out: the light under which what is found fits best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scene.arrays import Floats
from scene.frame import RgbdFrame
from tracker.colors import LIGHTS
from tracker.sequence import SequenceTracker

CLEARLY = 1.0
"""log odds by which another light than daylight must fit better"""


def light_of(frames: Sequence[RgbdFrame], tracker_under: Callable[[Floats], SequenceTracker]) -> Floats:
    """(3,) shift of the colour features, one of LIGHTS, the first of which is daylight.

    Args:
        frames: in some of which the object is.
        tracker_under: a light, a tracker that knows nothing of the scene but that.
    """
    evidence = [tracker_under(light).look_ahead(frames, "looking for the light").evidence for light in LIGHTS]
    best = max(range(len(LIGHTS)), key=evidence.__getitem__)
    return LIGHTS[best] if evidence[best] > evidence[0] + CLEARLY else LIGHTS[0]
