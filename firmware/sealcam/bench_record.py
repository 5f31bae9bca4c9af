"""Figures of recording: what encoding 1080p at 15 pictures a second costs, at rest and while a clip is written.

The footage's own pictures, made as large, in software, on one thread, by CPU time. Leaves printing to `sealcam bench`.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from sealcam.bench import Figure
from sealcam.board.encoder import X264Encoder
from sealcam.board.fine import PackedPicture
from sealcam.board.protocols import Frame, Plane
from sealcam.board.replay import ReplayCamera
from sealcam.clip_settings import ClipSettings
from sealcam.clips import ClipFolder, Fate
from sealcam.recorder import Parts, Recorder
from sealcam.sealing import Seal
from sealcam.sight.types import ArmMode, Report, Stage, Subject, Trigger, Verdict
from sealcam.term import Term
from sealcam.wire.bodies import ClipKey, ClockQuality, Stamp
from sealcam.wire.keys import BoxKey, SigningKey

_SIZE_PX = (1920, 1080)
_FPS = 15
_PICTURES = 20  # they are shown to and fro: each takes 3 MB here
_SECONDS = 8


class _Nobody:
    """Nobody is told."""

    def report(self, report: Report, clip: ClipKey | None = None) -> None:
        """Nothing."""

    def clip(self, fate: Fate) -> None:
        """Nothing."""

    def health(self, code: str, detail: str) -> None:
        """Nothing."""


def figures(footage: Path | None) -> Iterator[Figure]:
    """CPU at rest and in an incident, what lands on the disk, and what the ring holds in memory."""
    pictures = large_frames(footage)
    on = f"{'made pictures' if footage is None else footage.name} at 1920 x 1080, {_FPS} a second, libx264, one thread"
    settings = ClipSettings(fps=_FPS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clips"
        rest_s = _record(recorder_in(settings, folder), pictures, ())
        at_rest = list(folder.iterdir())
        busy_s = _record(recorder_in(settings, folder), pictures, (new_incident(),))
        written = sum(path.stat().st_size for path in folder.iterdir())
    yield Figure("recording at rest", round(rest_s / _SECONDS, 3), "cores", f"encoding into the ring: {on}")
    yield Figure("recording a clip", round(busy_s / _SECONDS, 3), "cores", f"the same, sealed into a file: {on}")
    yield Figure("encoding a picture", round(1e3 * rest_s / (_SECONDS * _FPS), 2), "ms", f"CPU time: {on}")
    hour = f"an hour of it, budget {settings.bytes_per_s * 3600 / 1e9:.2f} GB: {on}"
    yield Figure("written in an incident", round(written / _SECONDS * 3600 / 1e9, 3), "GB/h", hour)
    yield Figure("written at rest", float(sum(path.stat().st_size for path in at_rest)), "bytes", on)
    yield Figure(
        "ring, at most", round(settings.ring_bytes / 1e6, 1), "MB", f"{settings.ring_s:g} s of pictures in RAM"
    )


def recorder_in(settings: ClipSettings, path: Path) -> Recorder:
    """A recorder that writes into this folder and tells nobody."""
    signer, recipient, boot = SigningKey.generate(), BoxKey.generate().public, secrets.token_bytes(16)

    def stamp(t_ns: int) -> Stamp:
        return Stamp(boot=boot, boot_ns=t_ns, wall_ns=0, quality=ClockQuality.UNKNOWN)

    return Recorder(
        Parts(
            settings=settings,
            encoder=partial(X264Encoder, fps=settings.fps, bytes_per_s=settings.bytes_per_s),
            folder=ClipFolder(path),
            seal=lambda: Seal(signer, 0, [recipient], 0, Term()),
            stamp=stamp,
            voice=_Nobody(),
            recover=lambda: None,
        )
    )


def _record(recorder: Recorder, pictures: list[Frame], first: tuple[Report, ...]) -> float:
    """CPU seconds that so many seconds of pictures took."""
    begun = time.process_time()
    for frame in shown(pictures, _SECONDS):
        recorder.take(frame, first if frame.index == 0 else ())
    recorder.stop()
    return time.process_time() - begun


def large_frames(footage: Path | None) -> list[Frame]:
    """Some of them in memory."""
    return [_frame(*planes) for planes in large_pictures(footage, _PICTURES)]


def shown(pictures: list[Frame], seconds: float) -> Iterator[Frame]:
    """So many seconds of them, to and fro, as a camera would give them."""
    there_and_back = [*pictures, *pictures[-2:0:-1]]
    for index in range(round(seconds * _FPS)):
        one = there_and_back[index % len(there_and_back)]
        yield Frame(index * 10**9 // _FPS, index, one.y, one.u, one.v, one.fine)


def new_incident() -> Report:
    """What sight says when one begins, at the source's first moment."""
    return Report(
        stage=Stage.NEW,
        incident=secrets.token_hex(8),
        trigger=Trigger.MOTION,
        t_ns=0,
        started_ns=0,
        ended_ns=0,
        subject=Subject.PERSON,
        confidence=1.0,
        verdict=Verdict.THREAT,
        threat=1.0,
        reasons=(),
        mode=ArmMode.AWAY,
        detector_runs=0,
        picture=None,
    )


def large_pictures(footage: Path | None, count: int) -> Iterator[tuple[Plane, Plane, Plane]]:
    """The first pictures of a recording, made large; without one, a light block that moves over a ground."""
    if footage is None:
        yield from _made(count)
        return
    for frame in islice(ReplayCamera(footage).frames(), count):
        fine = frame.fine
        planes = (frame.y, frame.u, frame.v) if fine is None else fine.crop(0, 0, fine.width & ~1, fine.height & ~1)
        yield _large(planes)


def _made(count: int) -> Iterator[tuple[Plane, Plane, Plane]]:
    rows, columns = np.mgrid[: _SIZE_PX[1], : _SIZE_PX[0]]
    ground = (110 + 50 * np.sin(rows / 17) * np.cos(columns / 23)).astype(np.uint8)
    chroma = np.full((_SIZE_PX[1] // 2, _SIZE_PX[0] // 2), 128, np.uint8)
    for number in range(count):
        y = ground.copy()
        x0 = 40 * number % (_SIZE_PX[0] - 200)
        y[300:900, x0 : x0 + 200] = 220
        yield y, chroma, chroma


def _large(planes: tuple[Plane, Plane, Plane]) -> tuple[Plane, Plane, Plane]:
    height_px, width_px = planes[0].shape
    packed = np.concatenate([plane[: height_px // (1 + (i > 0))].ravel() for i, plane in enumerate(planes)])
    small: Any = av.VideoFrame.from_ndarray(packed.reshape(height_px * 3 // 2, width_px), format="yuv420p")
    large = small.reformat(*_SIZE_PX, format="yuv420p").to_ndarray().ravel()
    luma, quarter = _SIZE_PX[0] * _SIZE_PX[1], _SIZE_PX[0] * _SIZE_PX[1] // 4
    half = (_SIZE_PX[1] // 2, _SIZE_PX[0] // 2)
    y, u, v = large[:luma], large[luma : luma + quarter], large[luma + quarter :]
    return y.reshape(_SIZE_PX[::-1]), u.reshape(half), v.reshape(half)


def _frame(y: Plane, u: Plane, v: Plane) -> Frame:
    return Frame(0, 0, y[::3, ::3], u[::3, ::3], v[::3, ::3], PackedPicture(y, u, v))
