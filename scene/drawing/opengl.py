"""Drawing with pyrender on EGL or on OSMesa, without a screen.

Which of the two libraries OpenGL speaks to is decided once in a process, when `OpenGL` is imported: so it is imported
here, late, and a second platform is refused.

Faults of pyrender 0.1.45 that are worked around: it uses `np.infty`, which numpy 2 no longer has; it samples each pixel
four times, which blurs labels and halves the speed; it wants functions of OSMesa that PyOpenGL 3.1.0, to which it is
pinned, does not declare; it never draws into a frame buffer on OSMesa.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from scene.camera import Camera
from scene.drawing.body import Body, Drawing, Light, LitBody, lit
from scene.errors import RenderingError
from scene.transforms import OPENGL_FROM_OPENCV

Platform = Literal["egl", "osmesa"]
SYSTEM_PACKAGES: dict[Platform, str] = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}
OSMESA_CONSTANTS = {
    "OSMESA_DEPTH_BITS": 0x30,
    "OSMESA_PROFILE": 0x33,
    "OSMESA_CORE_PROFILE": 0x34,
    "OSMESA_CONTEXT_MAJOR_VERSION": 0x36,
    "OSMESA_CONTEXT_MINOR_VERSION": 0x37,
}
"""of GL/osmesa.h"""
NEAREST, CLEARANCE = 0.01, 0.05
"""metres of the nearest clipping plane, and the fraction by which the planes stand off the bodies: a tight range makes
the 24 bits of the depth buffer finer than a micrometre"""

_loaded: dict[str, Platform] = {}


class OpenGLDrawer:
    """Draws bodies unlit, their light being in their colours already; the label travels in the alpha channel."""

    def __init__(self, platform: Platform) -> None:
        if _loaded.get("platform", platform) != platform:
            raise RenderingError(
                f"OpenGL can speak to one platform in a process, this one uses {_loaded['platform']}; "
                f"start another process for {platform}, or give the drawer rays"
            )
        self.name: str = platform
        self._renderer: Any = None
        try:
            self._pyrender = _load_pyrender(platform)
            self._renderer = self._pyrender.OffscreenRenderer(64, 64)
        except (
            Exception
        ) as error:  # each platform fails in its own way: ImportError, AttributeError, GLError, AssertionError
            if not _loaded:
                _unload()
            raise RenderingError(
                f"pyrender cannot draw on {platform} here ({type(error).__name__}: {error}); "
                f"run apt-get install {SYSTEM_PACKAGES[platform]}, or give the drawer rays"
            ) from error
        _loaded["platform"] = platform

    def draw(self, bodies: Sequence[Body], camera: Camera, light: Light | None = None) -> Drawing:
        """As Drawer.draw."""
        if self._renderer is None:
            raise RenderingError("a drawer that is closed cannot draw; open another")
        self._renderer.viewport_width, self._renderer.viewport_height = camera.width, camera.height
        flags = self._pyrender.RenderFlags
        scene = self._scene([lit(body, light) for body in bodies], camera)
        values, depth = self._renderer.render(scene, flags.FLAT | flags.RGBA | flags.SKIP_CULL_FACES)
        labels = np.ascontiguousarray(values[..., 3])
        return Drawing(np.ascontiguousarray(values[..., :3]), np.ascontiguousarray(depth), labels)

    def close(self) -> None:
        """Frees the context."""
        if self._renderer is not None:
            self._renderer.delete()
            self._renderer = None

    def _scene(self, bodies: Sequence[LitBody], camera: Camera) -> Any:
        scene = self._pyrender.Scene(bg_color=np.zeros(4))
        for body in bodies:
            mesh = self._pyrender.Primitive(body.vertices_camera, color_0=body.colors, indices=body.body.faces)
            scene.add(self._pyrender.Mesh([mesh]))
        # OpenGL counts pixels from their corner, this project from the first one's centre
        lens = self._pyrender.IntrinsicsCamera(
            camera.fx, camera.fy, camera.cx + 0.5, camera.cy + 0.5, *_depth_range(bodies)
        )
        scene.add(lens, pose=OPENGL_FROM_OPENCV)
        return scene


def _depth_range(bodies: Sequence[LitBody]) -> tuple[float, float]:
    z = np.concatenate([np.array([1.0]), *(body.vertices_camera[:, 2] for body in bodies)])[1 if bodies else 0 :]
    nearest = max(NEAREST, float(z.min()) * (1 - CLEARANCE))
    return nearest, max(nearest * 2, float(z.max()) * (1 + CLEARANCE))


def _load_pyrender(platform: Platform) -> Any:
    os.environ["PYOPENGL_PLATFORM"] = platform
    os.environ["PYGLET_HEADLESS"] = "true"
    vars(np).setdefault("infty", np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if platform == "osmesa":
            _declare_osmesa()
        import pyrender.renderer

        pyrender.renderer.glRenderbufferStorageMultisample = _single_sample(pyrender.renderer)
    return pyrender


def _single_sample(module: Any) -> Any:
    """A stand-in for pyrender's request for four samples a pixel."""
    storage = module.glRenderbufferStorage

    def single(target: int, samples: int, form: int, width: int, height: int) -> None:
        del samples
        storage(target, form, width, height)

    return single


def _declare_osmesa() -> None:
    """Adds to OpenGL.osmesa what pyrender asks of it, and lets pyrender draw into frame buffers there."""
    import OpenGL.osmesa
    import OpenGL.platform
    from pyrender.platforms.osmesa import OSMesaPlatform

    OSMesaPlatform.supports_framebuffers = lambda self: True
    if hasattr(OpenGL.osmesa, "OSMesaCreateContextAttribs"):  # newer PyOpenGL declares it itself
        return
    # PyOpenGL keeps its records by context, and a pointer is not hashable: an address is
    OpenGL.platform.PLATFORM.GetCurrentContext.restype = ctypes.c_void_p
    create = OpenGL.platform.PLATFORM.OSMesa.OSMesaCreateContextAttribs
    create.argtypes, create.restype = [ctypes.POINTER(ctypes.c_int), ctypes.c_void_p], ctypes.c_void_p

    def create_context(attributes: Any, shared: Any) -> Any:
        numbers = (ctypes.c_int * len(attributes))(*(int(number) for number in attributes))
        return ctypes.cast(create(numbers, shared), OpenGL.osmesa.OSMesaContext)

    OpenGL.osmesa.OSMesaCreateContextAttribs = create_context
    for name, value in OSMESA_CONSTANTS.items():
        setattr(OpenGL.osmesa, name, value)


def _unload() -> None:
    """Forgets a platform that failed, so that another may be tried in the same process."""
    for module in [name for name in sys.modules if name.split(".")[0] in ("OpenGL", "pyrender", "pyglet")]:
        del sys.modules[module]
    os.environ.pop("PYOPENGL_PLATFORM", None)
