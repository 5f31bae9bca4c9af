"""Made frames and reports for what records, an ear for what it says, and a way to see what is in its clips."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from sealcam.board.protocols import Frame
from sealcam.clips import Fate
from sealcam.openclip import Recorded
from sealcam.recorder import Recorder
from sealcam.sight.types import ArmMode, Report, Stage, Subject, Trigger, Verdict
from sealcam.wire.bodies import ClipKey
from sealcam.wire.clip import FileSource, Reader, State, content_key, verify
from tests.scl1 import RECIPIENTS, SIGNER

SECOND_NS = 1_000_000_000
INCIDENT = "00112233445566aa"


def ns(seconds: float) -> int:
    """Seconds in nanoseconds."""
    return round(seconds * SECOND_NS)


def frame(t_s: float, size: tuple[int, int] = (64, 48), index: int = 0) -> Frame:
    """A small picture that differs from those of other times."""
    width_px, height_px = size
    rows, columns = np.mgrid[:height_px, :width_px]
    y = ((rows * 3 + columns * 2 + round(t_s * 40)) % 200 + 20).astype(np.uint8)
    half = np.full(((height_px + 1) // 2, (width_px + 1) // 2), 128, np.uint8)
    return Frame(ns(t_s), index, y, half, half.copy())


def frames(
    seconds: float, *, fps: float = 10.0, start_s: float = 0.0, size: tuple[int, int] = (64, 48)
) -> Iterator[Frame]:
    """So many seconds of them."""
    for index in range(round(seconds * fps)):
        yield frame(start_s + index / fps, size, index)


def report(stage: Stage, t_s: float, started_s: float, *, incident: str = INCIDENT, **changes: object) -> Report:
    """What sight would say of an incident."""
    said: dict[str, object] = {
        "stage": stage,
        "incident": incident,
        "trigger": Trigger.MOTION,
        "t_ns": ns(t_s),
        "started_ns": ns(started_s),
        "ended_ns": ns(t_s),
        "subject": Subject.PERSON,
        "confidence": 0.8,
        "verdict": Verdict.THREAT,
        "threat": 0.9,
        "reasons": ("a person was seen",),
        "mode": ArmMode.AWAY,
        "detector_runs": 1,
        "picture": None,
    }
    return Report(**(said | changes))  # type: ignore[arg-type]


@dataclass
class Ear:
    """Hears what a recorder says, in its order."""

    said: list[Report | ClipKey | Fate | str] = field(default_factory=list)

    def report(self, report: Report, clip: ClipKey | None = None) -> None:
        self.said.append(report)
        if clip is not None:
            self.said.append(clip)

    def clip(self, fate: Fate) -> None:
        self.said.append(fate)

    def health(self, code: str, detail: str) -> None:
        assert detail
        self.said.append(code)

    @property
    def keys(self) -> list[ClipKey]:
        return [one for one in self.said if isinstance(one, ClipKey)]

    @property
    def fates(self) -> list[Fate]:
        return [one for one in self.said if isinstance(one, Fate)]

    @property
    def health_codes(self) -> list[str]:
        return [one for one in self.said if isinstance(one, str)]


def film(
    recorder: Recorder, source: Iterable[Frame], reports: Mapping[float, Sequence[Report]] | None = None
) -> list[Recorded]:
    """Give the recorder these frames, and each report with the first frame at its time or later."""
    waiting = sorted((reports or {}).items())
    ended: list[Recorded] = []
    for one in source:
        now: list[Report] = []
        while waiting and ns(waiting[0][0]) <= one.t_ns:
            now += waiting.pop(0)[1]
        ended += recorder.take(one, now)
    return ended


def video(path: Path, state: State = State.COMPLETE) -> bytes:
    """What a sealed clip holds, once its signatures are checked."""
    with path.open("rb") as file:
        source = FileSource(file)
        status = verify(source, [SIGNER.public])
        assert status.state is state
        reader = Reader(source, status.header, content_key(status.header, RECIPIENTS))
        return b"".join(reader)


def whole_fragments(mp4: bytes) -> bytes:
    """What is left of a torn file when its last, torn box goes, and the head of the fragment that it belonged to."""
    at = end = 0
    while at + 8 <= len(mp4):
        size, kind = struct.unpack_from(">I4s", mp4, at)
        at += size
        if at <= len(mp4) and kind != b"moof":
            end = at
    return mp4[:end]


@dataclass(frozen=True)
class Shown:
    """What a player finds: the time of each picture and of each keyframe in microseconds, how long it all is."""

    times_us: list[int]
    keys_us: list[int]
    duration_us: int
    size: tuple[int, int]


def shown(mp4: bytes) -> Shown:
    """Play it: every picture is decoded."""
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        pictures = list(container.decode(video=0))
        times = [round(one.pts * one.time_base * 1_000_000) for one in pictures]
        keys = [time for time, one in zip(times, pictures, strict=True) if one.key_frame]
        assert container.duration is not None
        return Shown(times, keys, container.duration, (pictures[0].width, pictures[0].height))
