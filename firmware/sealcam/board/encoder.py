"""libx264 by PyAV: the encoder that runs anywhere, and the one file where pictures are encoded in software.

One thread, no picture held back, no sound. What it promises is `protocols.Encoder`'s; why it is set as it is stands in
design/clips.md, encoder.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from sealcam.board.av_encoder import AvEncoder

# Of the budget, what is aimed at on average. At a target x264 shares it out between keyframes and what follows them;
# under a limit alone each picture takes what the ones before have left, and keyframes get nearly nothing.
_AIM = 0.85
# Finer than this no picture is made, so that a quiet one takes less.
_LEAST_QP = 22
# So many seconds of the budget may be spent at once.
BURST_S = 2
_PRESET = {
    "preset": "ultrafast",  # it runs all the time: on a small board heat and sight's share count more than bytes
    "tune": "zerolatency",  # a picture comes out as its frame goes in
    "forced-idr": "1",  # a keyframe that was asked for needs nothing from before it
    "x264-params": "keyint=infinite:scenecut=0:bframes=0:sliced-threads=0",  # keyframes are our own business
}


class X264Encoder(AvEncoder):
    """Software H.264, at most `fps` pictures and `bytes_per_s` bytes a second, and two seconds' bytes at once."""

    name = "the software encoder"
    hint = "is PyAV built with libx264?"

    def __init__(self, *, fps: float, bytes_per_s: int) -> None:
        super().__init__()
        self._fps = fps
        self._bit_rate = 8 * bytes_per_s

    def _opened(self, width_px: int, height_px: int) -> Any:
        codec: Any = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = width_px, height_px, "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, 10**9), Fraction(self._fps).limit_denominator(1000)
        codec.thread_count = 1
        codec.bit_rate = round(_AIM * self._bit_rate)
        limits = {"maxrate": self._bit_rate, "bufsize": BURST_S * self._bit_rate, "qmin": _LEAST_QP}
        codec.options = {**_PRESET, **{name: str(value) for name, value in limits.items()}}
        return codec
