"""GStreamer with an encoder in software, where the system has it; tests that need it are skipped elsewhere."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from sealcam.board.gst_encoder import load_gst
from sealcam.wire.errors import HardwareError

# Where Debian puts `gi`, for the interpreter that comes with it; an environment of its own doesn't see it.
_SYSTEM = "/usr/lib/python3/dist-packages"


def gstreamer() -> Any:
    """The libraries; skips where they, or the encoder x264enc, aren't installed."""
    sys.path.append(_SYSTEM)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # gi's own importer
            loaded = load_gst()
    except HardwareError as error:
        pytest.skip(error.message)
    finally:
        sys.path.remove(_SYSTEM)
    if loaded.Gst.ElementFactory.find("x264enc") is None:
        pytest.skip("GStreamer is here without x264enc: apt-get install gstreamer1.0-plugins-ugly")
    return loaded


def x264(fps: float, bytes_per_s: int) -> str:
    """libx264 in the place of a board's encoder: only its element and properties differ."""
    rate = 8 * bytes_per_s // 1000
    return (
        f"x264enc name=encoder tune=zerolatency speed-preset=ultrafast threads=1 bitrate={rate}"
        f" vbv-buf-capacity=1000 bframes=0 key-int-max={round(1000 * fps)}"
    )
