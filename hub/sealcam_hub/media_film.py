"""The parts of the media process that need pixels' libraries: frames out of a film, people in them, a film again.

Decoding, the detector and the encoder are the camera's own (`sealcam.board`, `sealcam.sight`); the file is written as
the camera writes its (`sealcam.fmp4`), so that one player plays both. Loaded by `media_worker` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from sealcam import models
from sealcam.board.encoder import X264Encoder
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.board.replay import ReplayCamera
from sealcam.fmp4 import Movie
from sealcam.ring import Gop, Gops
from sealcam.sight.detect import Detector
from sealcam.sight.types import Subject
from sealcam.wire.errors import ModelError
from sealcam_hub.media_messages import Area
from sealcam_hub.media_paint import Planes, blacken, blur, contiguous, full, held, outside, shares

__all__ = ["ALL", "SOME", "Film", "Looks", "contiguous", "frames", "grey", "held", "hidden", "looked"]

ALL, SOME = Area(0, 0, 1, 1), Area(0.1, 0.1, 0.9, 0.9)
_PEOPLE = {"person": Subject.PERSON}


def frames(source: BinaryIO) -> Iterator[Frame]:
    """The film's pictures, with times from its first one on.

    Raises:
        ClipError: it can't be decoded, or not all of it.
    """
    with ReplayCamera(source) as camera:
        yield from camera.frames()


def looked(source: BinaryIO, looks: Looks | None) -> Iterator[tuple[Frame, list[Area]]]:
    """Every picture of the film, and who is in it: also before and behind the part that is wanted, since who comes in
    just behind it is near its last picture."""
    for frame in frames(source):
        yield frame, [] if looks is None else looks.people(frame)


class Looks:
    """Who is in a picture: the default model each time, the second one, where it is here, every so often."""

    def __init__(self, every: int, share: float) -> None:
        """Load them.

        Raises:
            ModelError: the default model isn't here, or no runtime is installed.
        """
        known, runtime = models.manifest(), runtime_name()
        names = [known.default]
        if known.second is not None and models.is_here(known.second, runtime):
            names.append(known.second)
        self._detectors = [(_detector(name, runtime), share * known.entry(name).spec.threshold) for name in names]
        self._every, self._count = every, 0

    def people(self, frame: Frame) -> list[Area]:
        """Where people are, each with a margin.

        Raises:
            ModelError: a model says what no working one does.
        """
        due = self._detectors if self._count % self._every == 0 else self._detectors[:1]
        self._count += 1
        found = []
        for detector, threshold in due:
            found += [shares(one.box, frame) for one in detector.detect(frame, threshold)]
            if detector.broken:
                raise ModelError("the detector is broken")
        return found


def _detector(name: str, runtime: str) -> Detector:
    loaded = models.load(name, runtime)
    return Detector(LiteRtNetwork(loaded.content), loaded.spec, _PEOPLE)


def hidden(frame: Frame, areas: Sequence[Area], inside: Area | None) -> Planes:
    """The frame's planes at full size, these areas blurred, and black outside `inside` if there is one."""
    planes = full(frame)
    blur(planes, areas)
    if inside is not None:
        blacken(frame, planes, outside(inside))
    return planes


class Film:
    """Frames in, an MP4 file out, piece by piece."""

    def __init__(self, fps: float, bytes_per_s: int, most_gop_bytes: int) -> None:
        self._encoder = X264Encoder(fps=fps, bytes_per_s=bytes_per_s)
        self._gops = Gops(most_gop_bytes)
        self._movie: Movie | None = None

    def add(self, frame: Frame) -> Iterator[bytes]:
        """The next picture, and what is whole by it.

        Raises:
            HardwareError: the encoder failed.
        """
        yield from self._gather(self._encoder.encode(frame))

    def end(self) -> Iterator[bytes]:
        """No more pictures: what is left, and the index."""
        yield from self._gather(self._encoder.finish())
        last = self._gops.flush()
        if last is not None:
            yield from self._written(last)
        if self._movie is not None:
            yield self._movie.index()

    def _gather(self, units: Sequence[AccessUnit]) -> Iterator[bytes]:
        for unit in units:
            whole = self._gops.add(unit)
            if whole is not None:
                yield from self._written(whole)

    def _written(self, gop: Gop) -> Iterator[bytes]:
        if self._movie is None:
            self._movie = Movie(gop.look, gop.start_ns)
            yield self._movie.beginning
        yield self._movie.fragment(gop)


def grey(number: int) -> Frame:
    """A made picture."""
    y = np.full((96, 128), 60 + number, np.uint8)
    half = np.full((48, 64), 128, np.uint8)
    return Frame(number * 100_000_000, number, y, half, half.copy())
