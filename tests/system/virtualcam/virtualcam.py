"""Lets the real picamera2 run on libcamera's virtual camera, which lacks a raw stream and buffers for its allocator.

Loaded at a start of Python by `virtualcam.pth`, in the test container alone. picamera2 itself is unchanged.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any


class Adapting:
    """Finds `picamera2.picamera2` where it is, and adapts it once it is loaded."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> Any:
        """The module's specification with a loader of ours around its own."""
        if name != "picamera2.picamera2":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                load(module)
                adapt(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def adapt(module: Any) -> None:
    """No raw modes, and libcamera's own buffers."""
    from picamera2.allocators import LibcameraAllocator

    real = module.Picamera2
    module.DmaAllocator = lambda: None

    class VirtualPicamera2(real):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.allocator = LibcameraAllocator(self.camera)

        def _get_raw_modes(self) -> list[dict[str, object]]:
            return [{"format": "NV12", "size": (1920, 1080)}]

    VirtualPicamera2.__name__ = "Picamera2"
    module.Picamera2 = VirtualPicamera2


sys.meta_path.insert(0, Adapting())
kms = sys.modules["pykms"] = types.ModuleType("pykms")
kms.PixelFormat = types.SimpleNamespace(  # type: ignore[attr-defined]
    RGB888=0, BGR888=0, YUYV=0, YVYU=0, XRGB8888=0, XBGR8888=0, NV12=0, NV21=0, YUV420=0, YVU420=0
)
