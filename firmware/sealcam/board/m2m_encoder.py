"""The H.264 encoder of a Raspberry Pi up to 4, and of other boards that have a V4L2 memory-to-memory one, by FFmpeg.

Our own frames go in, with their masks painted, not the camera's buffers: see design/adr/0009-hardware-encoders.md.
Written against FFmpeg's `h264_v4l2m2m` and the Pi's `bcm2835-codec`: that driver takes its rate as an average, says the
parameter sets once, and keeps times in microseconds; `h264`, `budget` and `encoding` make up for it. *Not run on a
board*: design/bringup.md.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from sealcam.board.av_encoder import AvEncoder

# What the driver of a Pi up to 4 calls its encoder; a Pi 5 has none.
PI_ENCODER = "bcm2835-codec-encode"
# Of what the rate allows, what is asked for on average: the driver goes above it for a while.
_AIM = 0.8
# Quality isn't raised further where a quiet picture leaves bytes to spare.
_LEAST_QP = 20


def pi_encoder(root: Path = Path("/")) -> bool:
    """Whether this board has the Pi's encoder, by the names that its kernel gives to video devices."""
    names = sorted((root / "sys/class/video4linux").glob("video*/name"))
    return any(name.read_text().strip() == PI_ENCODER for name in names)


class M2mEncoder(AvEncoder):
    """The board's H.264, about `bytes_per_s` bytes a second; a `Budget` keeps it to that."""

    name = "the board's encoder (V4L2)"
    hint = "`v4l2-ctl --list-devices` must show an encoder that this user may open and nobody else uses"

    def __init__(self, *, fps: float, bytes_per_s: int, codec: str = "h264_v4l2m2m") -> None:
        """`codec` is FFmpeg's name of it."""
        super().__init__()
        self._fps, self._bit_rate, self._codec_name = fps, round(8 * _AIM * bytes_per_s), codec

    def _opened(self, width_px: int, height_px: int) -> Any:
        codec: Any = av.CodecContext.create(self._codec_name, "w")
        codec.width, codec.height, codec.pix_fmt = width_px, height_px, "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, 10**6), Fraction(self._fps).limit_denominator(1000)
        codec.bit_rate, codec.max_b_frames = self._bit_rate, 0
        codec.gop_size = max(1, int(self._fps))  # keyframes are asked for by time; this is for who doesn't hear
        codec.options = {"qmin": str(_LEAST_QP), "qmax": "51"}
        return codec
