"""What each copy of a Raspberry Pi camera's picture costs: out of the camera's buffers, and into planes for sight.

Buffers as picamera2 maps them, as many as it has, copied as its `CompletedRequest.make_buffer` does; no camera is
needed. How soon a real one gives its first picture is the doctor's to say (`first_picture_ms`).
"""

from __future__ import annotations

import itertools
import mmap
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sealcam.bench import Figure
from sealcam.board.layouts import Stream

_BUFFERS, _TURNS = 6, 120  # picamera2's video configuration has six: more than a processor's cache holds
_MAIN, _LORES = Stream(1920, 1080, 1920, "YUV420"), Stream(640, 360, 640, "YUV420")


def figures(_footage: Path | None = None, turns: int = _TURNS) -> Iterator[Figure]:
    """CPU time of one picture's copies, one thread; a budget has none of them."""
    how = f"CPU time, median of {turns}, {_BUFFERS} buffers in turn, one thread"
    for name, stream in (("main", _MAIN), ("lores", _LORES)):
        size = stream.stride * stream.height_px * 3 // 2
        buffers = [_mapped(size) for _ in range(_BUFFERS)]
        spent = _median_ms([partial(np.array, buffer, np.uint8) for buffer in buffers], turns)
        told = f"{stream.width_px} x {stream.height_px} YUV420 out of the camera's buffer, {size} bytes; {how}"
        yield Figure(f"Pi camera: {name} copied", round(spent, 3), "ms", told)
    copies = [np.array(buffer, np.uint8) for buffer in buffers]
    spent = _median_ms([partial(_LORES.planes, copy) for copy in copies], turns)
    yield Figure("Pi camera: lores in planes", round(spent, 3), "ms", f"without the padding of their lines; {how}")


def _mapped(size: int) -> NDArray[np.uint8]:
    """A buffer of its own pages, each of them written."""
    mapped = np.frombuffer(mmap.mmap(-1, size), np.uint8)
    mapped[:] = np.arange(size, dtype=np.uint32).astype(np.uint8)
    return mapped


def _median_ms(copies: list[Callable[[], object]], turns: int) -> float:
    spent = []
    for copy in itertools.islice(itertools.cycle(copies), turns):
        begun = time.thread_time()
        copy()
        spent.append(time.thread_time() - begun)
    return 1000 * statistics.median(spent)
