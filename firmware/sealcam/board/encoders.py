"""Which encoder this board records with: what the configuration names, or the best that the board has.

A board's own encoder that never gave a picture is given up for the software's, and its error says so: `filming` tells
the owner once. design/clips.md, encoder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sealcam.board.budget import Budget
from sealcam.board.encoder import X264Encoder
from sealcam.board.gst_encoder import GstEncoder, nvenc_there
from sealcam.board.m2m_encoder import M2mEncoder, pi_encoder
from sealcam.board.protocols import AccessUnit, Encoder, Frame
from sealcam.clip_settings import ClipSettings, EncoderChoice
from sealcam.wire.errors import HardwareError

_log = logging.getLogger(__name__)

_WORDS = {
    EncoderChoice.SOFTWARE: "in software, by libx264",
    EncoderChoice.V4L2M2M: "by this board's encoder (V4L2)",
    EncoderChoice.NVENC: "by this board's encoder (NVENC)",
}
_MAKERS: dict[EncoderChoice, Callable[..., Encoder]] = {
    EncoderChoice.V4L2M2M: M2mEncoder,
    EncoderChoice.NVENC: GstEncoder,
}


def best(root: Path = Path("/")) -> EncoderChoice:
    """What `auto` comes to: the encoder that this board has, by what its system shows under `root`."""
    if nvenc_there(root):
        return EncoderChoice.NVENC
    return EncoderChoice.V4L2M2M if pi_encoder(root) else EncoderChoice.SOFTWARE


class Encoders:
    """Makes encoders for a camera's settings. `chosen` is what they are now, and changes once at the most."""

    def __init__(
        self,
        settings: ClipSettings,
        *,
        root: Path = Path("/"),
        makers: dict[EncoderChoice, Callable[..., Encoder]] = _MAKERS,
    ) -> None:
        self._settings, self._makers = settings, makers
        self.chosen = best(root) if settings.encoder is EncoderChoice.AUTO else settings.encoder
        _log.info("clips are encoded %s (%s)", _WORDS[self.chosen], settings.encoder)

    def __call__(self) -> Encoder:
        """An encoder for a stretch of frames.

        Raises:
            HardwareError: the board's can't be made; the next is the software's.
        """
        fps, bytes_per_s = self._settings.fps, self._settings.bytes_per_s
        if self.chosen is EncoderChoice.SOFTWARE:
            return X264Encoder(fps=fps, bytes_per_s=bytes_per_s)
        try:
            made = self._makers[self.chosen](fps=fps, bytes_per_s=bytes_per_s)
        except HardwareError as error:
            raise self._given_up(error) from error
        return _Proving(Budget(made, bytes_per_s), self._given_up)

    def _given_up(self, error: HardwareError) -> HardwareError:
        self.chosen = EncoderChoice.SOFTWARE
        words = f"{error.message}; from now on pictures are encoded in software"
        return HardwareError(words, error.hint)


class _Proving:
    """An encoder that is given up when it fails before it has given a picture."""

    def __init__(self, encoder: Encoder, given_up: Callable[[HardwareError], HardwareError]) -> None:
        self._encoder, self._given_up = encoder, given_up
        self._proven = False

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """As `Encoder.encode`."""
        try:
            units = self._encoder.encode(frame)
        except HardwareError as error:
            if self._proven:
                raise
            raise self._given_up(error) from error
        self._proven = self._proven or bool(units)
        return units

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._encoder.force_keyframe()

    def finish(self) -> Sequence[AccessUnit]:
        """What is left."""
        return self._encoder.finish()

    def close(self) -> None:
        """Let go of the encoder."""
        self._encoder.close()
