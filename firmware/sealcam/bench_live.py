"""Figures of live view inside the camera: from a frame to its sealed message, and what looking costs beside recording.

The footage's own pictures at 1080p, encoded in software on one thread; with and without a session in turns. How old a
picture is at the hub, and what looking costs an alarm, is measured in a whole home. Leaves printing to `sealcam bench`.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sealcam.bench import Figure
from sealcam.bench_record import large_pictures
from sealcam.board.encoder import X264Encoder
from sealcam.board.fine import PackedPicture
from sealcam.board.protocols import Frame, Plane
from sealcam.clip_settings import ClipSettings
from sealcam.clocks import SystemClock
from sealcam.filming import NO_TAP, Filming
from sealcam.live import Live
from sealcam.livetap import LiveTap
from sealcam.sealing import Seal
from sealcam.term import Term
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.wishes import LiveWish

_FPS = 15
_PICTURES = 20  # shown to and fro
_ROUNDS, _ROUND = 6, 30  # pictures of each round, with and without a session
_RECIPIENTS = 3


@dataclass
class _Camera:
    """A camera that somebody looks at; `left_ns` is when each picture was sealed, and ready to leave."""

    left_ns: list[int] = field(default_factory=list)
    sent_bytes: int = 0

    def __post_init__(self) -> None:
        clock, signer, boot = SystemClock(), SigningKey.generate(), secrets.token_bytes(16)
        recipients = [BoxKey.generate().public for _ in range(_RECIPIENTS)]
        self._clock = clock
        self.live = Live(clock, private=lambda: False, tell=lambda _code, _detail: None, wake=self._woken)
        self.live.wish(LiveWish(session=secrets.token_bytes(16), seconds=3600))
        self.tap = LiveTap(
            self.live,
            clock,
            lambda: Seal(signer, 0, recipients, 0, Term()),
            lambda t_ns: Stamp(boot=boot, boot_ns=t_ns, wall_ns=0, quality=ClockQuality.UNKNOWN),
        )

    def _woken(self) -> None:
        self.left_ns.append(time.perf_counter_ns())

    def drain(self) -> None:
        """All of it leaves."""
        while (load := self.live.next(self._clock.boot_ns())) is not None:
            self.sent_bytes += len(load.payload)


def figures(footage: Path | None, rounds: int = _ROUNDS) -> Iterator[Figure]:
    """From a frame to its sealed message; CPU with a session over without; bytes a second."""
    pictures = [_frame(*planes) for planes in large_pictures(footage, _PICTURES)]
    on = f"{'made pictures' if footage is None else footage.name} at 1920 x 1080, {_FPS} a second, libx264, one thread"
    settings, camera = ClipSettings(fps=_FPS), _Camera()
    make = partial(X264Encoder, fps=_FPS, bytes_per_s=settings.bytes_per_s)
    shown, alone = (
        Filming(make, _FPS, settings.ring_bytes, lambda _code, _detail: None, tap) for tap in (camera.tap, NO_TAP)
    )
    waited_ms: list[float] = []
    ratios: list[float] = []
    for number in range(rounds):
        alone_s = _round(alone, pictures, number)
        begun_ns: list[int] = []
        shown_s = _round(shown, pictures, number, begun_ns, camera)
        ratios.append(shown_s / alone_s)
        waited_ms += [(left - begun) / 1e6 for begun, left in zip(begun_ns, camera.left_ns, strict=True)]
        camera.left_ns.clear()
    seconds = rounds * _ROUND / _FPS
    rate = camera.sent_bytes / seconds
    took = f"p50, encoded and sealed: {on}"
    yield Figure("live view, frame to sealed", round(statistics.median(waited_ms), 2), "ms", took)
    over = f"CPU of encoding with a session over without, in turns, median of {rounds}: {on}"
    yield Figure("live view over recording alone", round(statistics.median(ratios), 3), "x", over)
    yield Figure("live view, sent", round(rate / 1000), "kB/s", f"sealed, {_RECIPIENTS} recipients: {on}")


def _round(
    filming: Filming,
    pictures: list[Frame],
    number: int,
    begun_ns: list[int] | None = None,
    camera: _Camera | None = None,
) -> float:
    """CPU seconds of some pictures."""
    there_and_back = [*pictures, *pictures[-2:0:-1]]
    cpu_s = time.process_time()
    for index in range(number * _ROUND, (number + 1) * _ROUND):
        one = there_and_back[index % len(there_and_back)]
        if begun_ns is not None:
            begun_ns.append(time.perf_counter_ns())
        filming.take(Frame(index * 10**9 // _FPS, index, one.y, one.u, one.v, one.fine))
        if camera is not None:
            camera.drain()
    return time.process_time() - cpu_s


def _frame(y: Plane, u: Plane, v: Plane) -> Frame:
    return Frame(0, 0, y[::3, ::3], u[::3, ::3], v[::3, ::3], PackedPicture(y, u, v))
