"""What `sealcam replay` prints: incident lines and a summary, for programs or for people, and how far a clip is.

The names and the order of the fields are a contract that tools outside the project rely on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TextIO

from sealcam.sight.panel import Trouble
from sealcam.sight.types import Tampering
from sealcam.sight.watch import WatchStats

PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One ended incident of a clip (its file's name without the folder); times in seconds from the first frame."""

    clip: str
    incident: str
    trigger: str
    started_s: float
    ended_s: float
    subject: str
    confidence: float
    verdict: str
    threat: float
    reasons: tuple[str, ...]
    detector_runs: int


@dataclass(slots=True)
class TamperLine:
    """Somebody's work on the camera in one clip, in seconds from the first frame to its end or the clip's."""

    clip: str
    kind: str
    began_s: float
    ended_s: float
    detail: str


@dataclass(frozen=True, slots=True)
class TroubleLine:
    """Something is wrong with a model since this clip: a code for machines, words for people."""

    clip: str
    code: str
    words: str


@dataclass(slots=True)
class Tally:
    """What all clips together took."""

    model: str
    clips: int = 0
    frames: int = 0
    incidents: int = 0
    dropped: int = 0
    footage_s: float = 0.0
    elapsed_s: float = 0.0
    gated: int = 0
    detector_runs: int = 0
    gate_ns: int = 0
    step_ns: int = 0
    invoke_ns: list[int] = field(default_factory=list)
    tampering: list[TamperLine] = field(default_factory=list)
    troubles: list[TroubleLine] = field(default_factory=list)

    def add(self, stats: WatchStats, footage_s: float, dropped: int) -> None:
        """Count one clip that was watched to its end."""
        self.clips += 1
        self.frames += stats.frames
        self.gated += stats.gated
        self.detector_runs += stats.detector_runs
        self.gate_ns += stats.gate_ns
        self.step_ns += stats.step_ns
        self.footage_s += footage_s
        self.dropped += dropped

    def troubled(self, clip: str, trouble: Trouble) -> bool:
        """Note it; false if another clip has told of it."""
        news = all((line.code, line.words) != (trouble.code, trouble.words) for line in self.troubles)
        if news:
            self.troubles.append(TroubleLine(clip, trouble.code, trouble.words))
        return news

    def tampered(self, clip: str, said: Sequence[Tampering], first_ns: int) -> None:
        """Note what began or ended."""
        for one in said:
            at_s = round((one.t_ns - first_ns) / 1e9, 3)
            if one.on:
                self.tampering.append(TamperLine(clip, str(one.kind), at_s, at_s, one.detail))
            else:
                [line for line in self.tampering if (line.clip, line.kind) == (clip, str(one.kind))][-1].ended_s = at_s


class JsonLines:
    """For programs: the fields of an incident in their order, then the summary."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def incident(self, line: IncidentLine) -> None:
        """Write one incident."""
        fields = {name: getattr(line, name) for name in IncidentLine.__dataclass_fields__}
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()

    def summary(self, tally: Tally) -> None:
        """Write what all clips together took."""
        self._out.write(json.dumps({"summary": _summary(tally)}) + "\n")


class PlainLines:
    """For people: one line an incident, with the time of day where it is known when the recording began."""

    def __init__(self, out: TextIO, at: datetime | None) -> None:
        self._out = out
        self._at = at

    def incident(self, line: IncidentLine) -> None:
        """Write one incident."""
        span = f"{self._when(line.started_s)} to {self._when(line.ended_s)}"
        subject = "nothing known" if line.subject == "none" else f"{line.subject} {line.confidence:.2f}"
        verdict = f"{line.verdict.replace('_', ' ')} {line.threat:.2f}"
        self._out.write(f"{line.clip}: {span}  {subject:<14} {verdict:<16} {'; '.join(line.reasons)}\n")
        self._out.flush()

    def summary(self, tally: Tally) -> None:
        """Write what was done to the camera, and what all clips together took."""
        for line in tally.tampering:
            span = f"{self._when(line.began_s)} to {self._when(line.ended_s)}"
            self._out.write(f"{line.clip}: {span}  camera {line.kind}: {line.detail}\n")
        told = _summary(tally)
        plural = "" if tally.incidents == 1 else "s"
        self._out.write(
            f"{tally.incidents} incident{plural} in {tally.frames} frames, {tally.footage_s:.1f} s of footage; "
            f"{told['fps']} frames/s, detector {told['invoke_ms']} ms, gate {told['gate_ms']} ms"
            + (f"; {tally.dropped} dropped" if tally.dropped else "")
            + "\n"
        )

    def _when(self, seconds: float) -> str:
        if self._at is None:
            return f"{seconds:.1f} s"
        return (self._at + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _summary(tally: Tally) -> dict[str, object]:
    """Figures of this run; they differ from run to run, incident lines do not."""
    frames = max(1, tally.frames)
    return {
        "clips": tally.clips,
        "incidents": tally.incidents,
        "frames": tally.frames,
        "dropped": tally.dropped,
        "seconds": round(tally.footage_s, 3),
        "elapsed_s": round(tally.elapsed_s, 3),
        "fps": round(tally.frames / tally.elapsed_s, 1) if tally.elapsed_s > 0 else 0.0,
        "gated": tally.gated,
        "detector_runs": tally.detector_runs,
        "invoke_ms": round(median(tally.invoke_ns) / 1e6, 3) if tally.invoke_ns else 0.0,
        "gate_ms": round(tally.gate_ns / frames / 1e6, 3),
        "sight_ms": round(tally.step_ns / frames / 1e6, 3),
        "model": tally.model,
        "tampering": [asdict(line) for line in tally.tampering],
        "troubles": [asdict(line) for line in tally.troubles],
    }


class Progress:
    """How far a clip is, on a terminal's line of its own; nothing where nobody looks."""

    def __init__(self, out: TextIO, clip: str, clock: Callable[[], float]) -> None:
        self._out, self._clip, self._clock = out, clip, clock
        self._begun = self._shown = clock()
        self._on = out.isatty()

    def show(self, frames: int, footage_s: float) -> None:
        """Tell it, twice a second."""
        now = self._clock()
        if not self._on or now - self._shown < PROGRESS_EVERY_S:
            return
        self._shown = now
        rate = frames / (now - self._begun)
        self._out.write(f"\r\033[K{self._clip}: {footage_s:.0f} s of footage, {rate:.0f} frames/s")
        self._out.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._on:
            self._out.write("\r\033[K")
            self._out.flush()
