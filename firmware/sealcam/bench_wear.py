"""What the camera writes on its card: bytes an hour while an incident of half a minute comes every five minutes.

The writers are the real ones: the outbox with envelopes of real sizes, the recorder with its sealed files, the index.
Counted by the kernel for a process of its own (`/proc/self/io`): the bytes that were written, or the pages that this
made dirty, whichever is more; what the file system adds for itself isn't in it. Leaves printing to `sealcam bench`.
"""

from __future__ import annotations

import multiprocessing
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from sealcam.bench import Figure
from sealcam.bench_record import large_frames, new_incident, recorder_in, shown
from sealcam.board.protocols import Frame
from sealcam.clip_settings import ClipSettings
from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.memoryfile import SAVE_EVERY_S, MemoryFile
from sealcam.openclip import Recorded
from sealcam.outbox import Outbox
from sealcam.remembering import remember
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Verdict
from sealcam.sight.watch import Watch
from sealcam.wire.clip import CLIP_ID_BYTES
from sealcam.wire.sealed import Sealed, envelope_hash
from sealcam.wrapping import KEY_BYTES, Wrapping

_INCIDENTS_AN_HOUR, _INCIDENT_S = 12, 30
# An incident in envelopes: its first word, its picture, a clip's key, updates, its end, and the clip's fate.
_ENVELOPES = (1024, 20_000, 1024, *(1024,) * 6, 1024, 1024)
_ROUNDS, _CLIP_S, _REST_S = 10, 6, 10


@dataclass(frozen=True, slots=True)
class _Written:
    """Bytes on the card: one incident's envelopes, a second of clip, a clip's place in the index, an hour of rest."""

    envelopes: float
    clip_s: float
    index: float
    rest: float


def figures(footage: Path | None) -> Iterator[Figure]:
    """Bytes an hour under load, split by what writes them, and at rest."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, footage))
    process.start()
    theirs.close()
    try:
        found: _Written = ours.recv()
    finally:
        process.join()
    settings = ClipSettings()
    seconds = _INCIDENT_S + settings.pre_roll_s + settings.post_roll_s
    load = f"{_INCIDENTS_AN_HOUR} incidents of {_INCIDENT_S} s an hour"
    on = "made pictures" if footage is None else footage.name
    hour_mb = _INCIDENTS_AN_HOUR / 1e6
    events = f"{load}, {len(_ENVELOPES)} envelopes each, queued and delivered"
    yield Figure("card: events", round(hour_mb * found.envelopes, 3), "MB/h", events)
    clips = f"{load}, {seconds:g} s of clip each: {on} at 1920 x 1080"
    yield Figure("card: clips", round(hour_mb * seconds * found.clip_s, 1), "MB/h", clips)
    yield Figure("card: index of clips", round(hour_mb * found.index, 3), "MB/h", f"{load}, each evicts another")
    rest = f"{on}, recording into the ring: what sight learns of the scene, and nothing else"
    yield Figure("card: at rest", round(found.rest / 1e6, 3), "MB/h", rest)


def _work(answer: Connection, footage: Path | None) -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = large_frames(footage)
        written = _of_envelopes(folder), _of_clips(folder, pictures), _of_index(folder), _of_rest(folder, pictures)
        answer.send(_Written(*written))


def _of_envelopes(folder: Path) -> float:
    outbox = Outbox(folder / "outbox.db", max_bytes=64 << 20)
    before = _written()
    for _ in range(_ROUNDS):
        for size in _ENVELOPES:
            envelope = Sealed(secrets.token_bytes(size))
            outbox.append(lambda _seq, _hash, one=envelope: one, 1, 1)  # type: ignore[misc]
            outbox.acknowledge(envelope_hash(envelope))
    outbox.close()
    return _since(before) / _ROUNDS


def _of_clips(folder: Path, pictures: list[Frame]) -> float:
    recorder = recorder_in(ClipSettings(), folder / "clips")
    before = _written()
    for frame in shown(pictures, _CLIP_S):
        recorder.take(frame, (new_incident(),) if frame.index == 0 else ())
    recorder.stop()
    return _since(before) / _CLIP_S


def _of_index(folder: Path) -> float:
    clips = ClipFolder(folder / "kept")
    wrapping = Wrapping(secrets.token_bytes(KEY_BYTES))
    store = ClipStore(clips.index, clips, wrapping, max_bytes=_ROUNDS, say=lambda _: None, free_bytes=lambda _: 1 << 40)
    before = _written()
    for number in range(2 * _ROUNDS):
        if number == _ROUNDS:
            before = _written()  # from here on each new one takes the place of another
        store.make_room(1)
        clip = secrets.token_bytes(CLIP_ID_BYTES)
        (folder / "kept" / f"{clip.hex()}.scl1").write_bytes(b"x")
        store.keep([Recorded(clip, secrets.token_hex(8), 0, 0, 1, 0, 1, Verdict.BENIGN)])
    store.close()
    return _since(before) / _ROUNDS


def _of_rest(folder: Path, pictures: list[Frame]) -> float:
    """An hour of it, from some seconds in which nothing is told and things go on moving."""
    memory = MemoryFile(folder / "memory", Wrapping(secrets.token_bytes(KEY_BYTES)), ModelSettings().name)
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.OFF, memory=memory.memory)
    recorder = recorder_in(ClipSettings(), folder / "rest")
    before = _written()
    for frame in shown(pictures, _REST_S):
        watch.step(frame)
        recorder.take(frame)
        remember(watch, memory, frame.t_ns)
    recorder.stop()
    return _since(before) * 3600 / max(_REST_S, SAVE_EVERY_S)


def _written() -> tuple[int, int]:
    """What this process has written so far: bytes, and bytes of pages that this made dirty."""
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(said["wchar"]), int(said["write_bytes"])


def _since(before: tuple[int, int]) -> int:
    return max(now - then for now, then in zip(_written(), before, strict=True))
