"""A coarse hand for all tests of the renderer: they are about pairs, and the fine one takes a second to make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scene.hand_shape import HandShape
from scene.hand_surface import HandSurface

BUILD = HandSurface.build


@pytest.fixture(autouse=True, scope="module")
def coarse_hand() -> Iterator[None]:
    """HandSurface.build with 6 mm between its vertices."""

    def build(shape: HandShape, *, spacing: float = 0.006) -> HandSurface:
        del spacing
        return BUILD(shape, spacing=0.006)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HandSurface, "build", staticmethod(build))
        yield
