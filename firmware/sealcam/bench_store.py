"""A store of ten thousand clips on the camera: what its start, its listing, keeping and evicting take.

Made files and index rows, on whatever disk temporary files lie on. Leaves printing to `sealcam bench`.
"""

from __future__ import annotations

import secrets
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sealcam.bench import Figure
from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder
from sealcam.openclip import Recorded
from sealcam.sight.types import Verdict
from sealcam.wire.clip import CLIP_ID_BYTES
from sealcam.wrapping import KEY_BYTES, Wrapping

_CLIPS, _TURNS = 10_000, 50
Answer = TypeVar("Answer")


def figures(_footage: Path | None = None, clips: int = _CLIPS) -> Iterator[Figure]:
    """Wall time, since much of it is the disk's, and the memory that the store holds."""
    how = f"{clips} clips on this disk"
    with tempfile.TemporaryDirectory() as name:
        folder = ClipFolder(Path(name) / "clips")
        wrapping = Wrapping(secrets.token_bytes(KEY_BYTES))
        for _ in range(clips):
            _made(Path(name) / "clips")
        with_index = _opened(folder, wrapping, clips)
        lost_s, _ = _timed(with_index.take_stock)
        with_index.close()
        tracemalloc.start()
        store = _started(folder, wrapping, clips)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        store.close()
        starts, begun_s = [], time.process_time()
        for _ in range(3):
            start_s, store = _timed(lambda: _started(folder, wrapping, clips))
            starts.append(start_s)
            store.close()
        cpu_s = (time.process_time() - begun_s) / len(starts)
        store = _started(folder, wrapping, clips)
        listing_s, _ = _timed(store.clips)
        keep_s, _ = _timed(lambda: _keep(store, Path(name) / "clips"))
        evict_s, _ = _timed(lambda: store.make_room(0))
        store.close()
    yield Figure(
        "store: start",
        round(min(starts), 5),
        "s",
        f"{how}, index read and compared with the folder, best of 3; budget 1",
    )
    yield Figure("store: start, CPU", round(cpu_s, 5), "s", f"{how}: the same without waiting for the disk")
    yield Figure("store: start, index lost", round(lost_s, 5), "s", f"{how}, taken up anew")
    yield Figure("store: listing", round(1e3 * listing_s, 3), "ms", how)
    yield Figure("store: keep one", round(1e3 * keep_s / _TURNS, 4), "ms", how)
    yield Figure("store: evict one", round(1e3 * evict_s / _TURNS, 4), "ms", f"{how}, deleted and forgotten")
    yield Figure("store: memory", round(held / 1e6, 2), "MB", how)


def _timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def _opened(folder: ClipFolder, wrapping: Wrapping, clips: int) -> ClipStore:
    """Full to the last byte: each clip is of one, and each that comes takes another's place."""
    return ClipStore(folder.index, folder, wrapping, max_bytes=clips, say=lambda _: None, free_bytes=lambda _: 1 << 40)


def _started(folder: ClipFolder, wrapping: Wrapping, clips: int) -> ClipStore:
    store = _opened(folder, wrapping, clips)
    store.take_stock()
    return store


def _made(folder: Path) -> bytes:
    clip = secrets.token_bytes(CLIP_ID_BYTES)
    (folder / f"{clip.hex()}.scl1").write_bytes(b"x")
    return clip


def _keep(store: ClipStore, folder: Path) -> None:
    """Some more, each of an incident of its own: over what may be kept by as many."""
    for _ in range(_TURNS):
        store.keep([Recorded(_made(folder), secrets.token_hex(8), 0, 0, 1, 0, 1, Verdict.BENIGN)])
