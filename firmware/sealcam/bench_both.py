"""What recording and sight cost together: CPU and peak memory of one process that does both at 1080p.

The footage's pictures, made as large and put into a file, are read one by one, as a camera hands out its buffers; sight
looks at the small ones, the recorder encodes the large ones in its own thread, and a clip is written from the first
third on. A process of its own, since memory is never given back whole. Leaves printing to `sealcam bench`.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np

from sealcam.bench import Figure
from sealcam.bench_record import large_pictures, new_incident, recorder_in
from sealcam.board.fine import PackedPicture
from sealcam.board.protocols import Frame
from sealcam.clip_settings import ClipSettings
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.filmqueue import MOST_FRAMES, FilmQueue
from sealcam.openclip import Recorded
from sealcam.recorder import Recorder
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Report
from sealcam.sight.watch import Watch
from sealcam.verdicts import open_judge

_WIDTH_PX, _HEIGHT_PX, _FPS = 1920, 1080, 15
_PICTURES, _SECONDS = 60, 26  # shown to and fro; the ring is full after 25
_MB = 1e6


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one process: CPU seconds, and the most memory that it had."""

    cpu_s: float
    peak_bytes: int


def figures(footage: Path | None, seconds: int = _SECONDS, pictures: int = _PICTURES) -> Iterator[Figure]:
    """CPU and memory of sight with recording, and of sight alone on the same pictures."""
    on = f"{'made pictures' if footage is None else footage.name} at 1920 x 1080, {_FPS} a second, libx264, one process"
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pictures"
        with path.open("wb") as file:
            for planes in large_pictures(footage, pictures):
                for plane in planes:
                    file.write(plane.tobytes())
        both, alone = (_apart(path, seconds, record=record) for record in (True, False))
    yield Figure("record and sight", round(both.cpu_s / seconds, 3), "cores", f"CPU time: {on}")
    yield Figure("sight alone, the same", round(alone.cpu_s / seconds, 3), "cores", f"CPU time: {on}")
    yield Figure("record and sight, memory", round(both.peak_bytes / _MB, 1), "MB", f"peak resident: {on}; budget 220")
    yield Figure("sight alone, memory", round(alone.peak_bytes / _MB, 1), "MB", f"peak resident: {on}; budget 150")


def _apart(pictures: Path, seconds: int, *, record: bool) -> _Cost:
    """What it costs, in a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, pictures, seconds, record))
    process.start()
    theirs.close()
    try:
        found: _Cost = ours.recv()
    finally:
        process.join()
    return found


def _work(answer: Connection, pictures: Path, seconds: int, record: bool) -> None:
    cv2.setNumThreads(1)
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.AWAY, judge=open_judge(lambda _: None))
    with tempfile.TemporaryDirectory() as name:
        settings = ClipSettings(fps=_FPS)
        films = _Films(recorder_in(settings, Path(name) / "clips")) if record else None
        begun_s = time.process_time()
        for frame in _frames(pictures, seconds):
            watch.step(frame)
            if films is not None and watch.evidence is not None:
                films.put(watch.evidence.frame, (new_incident(),) if frame.index == seconds * _FPS // 3 else ())
        if films is not None:
            films.end()
        answer.send(_Cost(time.process_time() - begun_s, _peak_bytes()))


class _Films:
    """A recorder behind its queue, in its thread; `put` waits where the real one would pass a frame over."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._room = recorder, threading.Semaphore(MOST_FRAMES)
        self._queue = FilmQueue(self, lambda _: None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._queue.run, args=(lambda: None, self._stop))
        self._thread.start()

    def put(self, frame: Frame, reports: Sequence[Report]) -> None:
        self._room.acquire()
        self._queue.put(frame, reports)

    def end(self) -> None:
        self._queue.end(())
        self._queue.done.wait()
        self._stop.set()
        self._thread.join()

    def take(self, frame: Frame, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        self._room.release()
        return self._recorder.take(frame, reports)

    def hear(self, reports: Sequence[Report]) -> Sequence[Recorded]:
        return self._recorder.hear(reports)

    def stop(self, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        return self._recorder.stop(reports)

    def forget(self) -> Sequence[Recorded]:
        return self._recorder.forget()


def _frames(pictures: Path, seconds: int) -> Iterator[Frame]:
    """As a camera gives them: a buffer of its own for each picture, and a small one beside it."""
    luma, half = _WIDTH_PX * _HEIGHT_PX, (_HEIGHT_PX // 2, _WIDTH_PX // 2)
    count = pictures.stat().st_size // (luma * 3 // 2)
    to_and_fro = [*range(count), *range(count - 2, 0, -1)]
    for index in range(seconds * _FPS):
        at = to_and_fro[index % len(to_and_fro)] * luma * 3 // 2
        buffer = np.fromfile(pictures, np.uint8, luma * 3 // 2, offset=at)
        y = buffer[:luma].reshape(_HEIGHT_PX, _WIDTH_PX)
        u, v = (buffer[first : first + luma // 4].reshape(half) for first in (luma, luma * 5 // 4))
        small_y, small_u, small_v = (np.ascontiguousarray(plane[::3, ::3]) for plane in (y, u, v))
        yield Frame(index * 10**9 // _FPS, index, small_y, small_u, small_v, PackedPicture(y, u, v))


def _peak_bytes() -> int:
    """The most that was resident: `VmHWM`, which begins anew with the process (`ru_maxrss` doesn't)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
