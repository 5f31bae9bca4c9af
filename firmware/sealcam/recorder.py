"""Decides which pictures become clips: from the pre-roll to calm and the post-roll, as long as an incident lasts.

Frames and reports in, sealed clips out. Everything is written out of the ring, so that the pre-roll, what goes on, and
what a failed disk missed are one way. How GOPs come about is `filming`'s, how they get into a file `openclip`'s; what
is kept on the disk, and for how long, `clips`'. One thread. design/clips.md, recorder and bad input.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sealcam.board.protocols import Encoder, Frame
from sealcam.clip_settings import ClipSettings
from sealcam.clips import ClipFolder, Fate
from sealcam.filming import NO_TAP, Filming, Tap
from sealcam.openclip import OpenClip, Press, Recorded
from sealcam.ring import Gop, Ring
from sealcam.sealing import Seal
from sealcam.sight.types import Report, Stage
from sealcam.wire.bodies import ClipKey, Stamp
from sealcam.wire.errors import StorageError

_log = logging.getLogger(__name__)

# A source whose time goes back by more than this has begun anew (as sight takes it).
BACK_S = 1.0
# How long a disk that failed is left alone.
DISK_RETRY_S = 10.0


class Voice(Protocol):
    """Who tells the owner: `sealer.Sealer`."""

    def report(self, report: Report, clip: ClipKey | None = None) -> None:
        """Queue what sight says of an incident, and a clip's key with it."""
        ...

    def clip(self, fate: Fate) -> None:
        """Queue what became of a clip."""
        ...

    def health(self, code: str, detail: str) -> None:
        """Queue something about the camera itself."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a recorder is made of. `encoder` opens one; `recover` closes and tells what a failed disk left open,
    `room` makes room for one more clip, `tap` is shown each picture as it is encoded."""

    settings: ClipSettings
    encoder: Callable[[], Encoder]
    folder: ClipFolder
    seal: Callable[[], Seal]
    stamp: Callable[[int], Stamp]
    voice: Voice
    recover: Callable[[], None]
    name: str | None = None
    room: Callable[[], None] = lambda: None
    tap: Tap = NO_TAP


@dataclass(slots=True)
class _Running:
    """The incident that is recorded. `next_ns`: from when on the ring's pictures aren't written yet. `told_ns`: when it
    was told first. `trigger_ns`: what its clips say that it began with."""

    report: Report
    next_ns: int
    told_ns: int
    trigger_ns: int
    part: int = 0
    clip: OpenClip | None = None
    calm_ns: int | None = None
    until_ns: int | None = None

    def calm_at(self, t_ns: int) -> bool:
        """Whether the incident is over then: what comes is post-roll."""
        return self.calm_ns is not None and t_ns >= self.calm_ns


class Recorder:
    """Records one source. Reports are told to the owner before they come here: an alarm waits for no clip."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._settings, self._voice, self._recover = settings, parts.voice, parts.recover
        self._tap = parts.tap
        self._filming = Filming(parts.encoder, settings.fps, settings.ring_bytes, parts.voice.health, parts.tap)
        self._press = Press(parts.folder, parts.seal, parts.stamp, parts.name, parts.room, parts.voice.report)
        self._ring = Ring(settings.ring_s, settings.ring_bytes)
        self._running: _Running | None = None
        self._recorded: list[Recorded] = []
        self._last_ns = 0
        self._broken_ns: int | None = None  # when the disk failed, until it is tried again
        self._broken_told = False

    def take(self, frame: Frame, reports: Sequence[Report] = ()) -> tuple[Recorded, ...]:
        """Take the next frame, its masks painted, and what was said of it; the clips that have ended.

        Raises:
            EnvelopeError: there is nobody to seal to.
            StorageError: the owner can't be told any more.
        """
        if frame.t_ns < self._last_ns - BACK_S * 1e9:
            self._rest()
        self._last_ns = frame.t_ns
        self._add(self._filming.take(frame))
        self._hear(reports)
        return self._ended()

    def hear(self, reports: Sequence[Report]) -> tuple[Recorded, ...]:
        """What was said of a frame that isn't recorded; as `take`."""
        self._hear(reports)
        return self._ended()

    def forget(self) -> tuple[Recorded, ...]:
        """What was seen up to now may be in no clip that begins later: other masks count from the next frame on.

        A clip that runs goes on. Raises as `take`.
        """
        self._add(self._filming.stop())
        self._ring.clear()
        self._tap.revealed()
        return self._ended()

    def stop(self, reports: Sequence[Report] = ()) -> tuple[Recorded, ...]:
        """The source has ended or rests, and these were the last reports: the running clip ends, the ring is emptied.

        Raises:
            EnvelopeError, StorageError: as `take`.
        """
        self._hear(reports)
        self._rest()
        return self._ended()

    def _rest(self) -> None:
        self._broken_ns = None if self._broken_ns is None else self._last_ns - round(DISK_RETRY_S * 1e9)
        self._add(self._filming.stop())
        self._part_with_running()
        self._ring.clear()

    def _ended(self) -> tuple[Recorded, ...]:
        ended, self._recorded = tuple(self._recorded), []
        return ended

    def _add(self, gops: Sequence[Gop]) -> None:
        for gop in gops:
            self._ring.add(gop)
            self._write()
        running = self._running
        if running is not None and running.clip is not None and running.clip.over:
            self._filming.hurry()

    def _hear(self, reports: Sequence[Report]) -> None:
        for report in reports:
            if report.stage is Stage.NEW:
                self._part_with_running()
                before_ns = report.started_ns - round(self._settings.pre_roll_s * 1e9)
                self._running = _Running(report, before_ns, report.t_ns, report.started_ns)
            running = self._running
            if running is None or running.report.incident != report.incident:
                continue
            running.report = report
            if running.clip is not None:
                running.clip.counts(report.verdict)
            if report.stage is Stage.END:
                running.calm_ns = report.t_ns
                running.until_ns = report.t_ns + round(self._settings.post_roll_s * 1e9)
            self._write()

    def _write(self) -> None:
        """Write what the ring has and the running clip doesn't; a disk that failed is tried again after a while."""
        running = self._running
        if running is None or not self._disk_may_work():
            return
        try:
            for gop in self._ring.since(running.next_ns):
                if not self._write_one(running, gop):
                    self._running = None
                    return
        except StorageError as error:
            self._disk_failed(running, error)

    def _write_one(self, running: _Running, gop: Gop) -> bool:
        """Write the next GOP, into a follow-on where one is due; false when this incident's recording is over."""
        if running.until_ns is not None and gop.start_ns >= running.until_ns:
            self._finish(running)
            return False
        if running.clip is not None and self._must_end(running.clip, running, gop):
            self._finish(running)
            if running.calm_at(gop.start_ns):
                return False
        if running.clip is None:
            if running.part == 0 and gop.start_ns > running.trigger_ns:  # it was told later than pictures are kept
                running.trigger_ns = max(running.told_ns, gop.start_ns)
            report = _again(running.report, max(self._last_ns, running.report.t_ns))
            running.clip = self._press.begin(report, running.part, running.trigger_ns, gop)
            running.clip.counts(report.verdict)
        running.clip.write(gop)
        running.next_ns = gop.end_ns
        if running.until_ns is not None and gop.end_ns >= running.until_ns:
            self._finish(running)
            return False
        return True

    def _must_end(self, clip: OpenClip, running: _Running, gop: Gop) -> bool:
        too_long = gop.end_ns - clip.start_ns > self._settings.longest_s * 1e9
        return clip.over or clip.look != gop.look or (too_long and not running.calm_at(gop.start_ns))

    def _part_with_running(self) -> None:
        """End the recording of the incident that runs, with what is written of it."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            self._finish(running)
        except StorageError as error:
            self._disk_failed(running, error)

    def _finish(self, running: _Running) -> None:
        """End its clip in order, if it has one."""
        if running.clip is not None:
            self._recorded.append(running.clip.finish(running.report, self._voice.clip))
            running.clip = None
            running.part += 1
            self._broken_told = False

    def _disk_failed(self, running: _Running, error: StorageError) -> None:
        """Leave the clip as a power cut would, and say so once until a clip ends in order again.

        What isn't in a whole chunk of it is written again, into a follow-on.
        """
        clip, running.clip = running.clip, None
        if clip is not None:
            clip.abandon()
            running.next_ns = clip.kept_ns
            running.part += 1
        _log.warning("%s", error.message)
        self._broken_ns = self._last_ns
        if not self._broken_told:
            self._broken_told = True
            self._voice.health("clip-broken", error.message)

    def _disk_may_work(self) -> bool:
        """Whether the disk can be written; where it failed a while ago, what it left open is closed and told first."""
        if self._broken_ns is None:
            return True
        if self._last_ns - self._broken_ns < DISK_RETRY_S * 1e9:
            return False
        try:
            self._recover()
        except StorageError as error:
            _log.warning("%s", error.message)
            self._broken_ns = self._last_ns
            return False
        self._broken_ns = None
        return True


def _again(report: Report, now_ns: int) -> Report:
    """The last report once more, said now, so that it carries a clip's key: no second `new`, and no picture twice."""
    stage = Stage.UPDATE if report.stage is Stage.NEW else report.stage
    return replace(report, stage=stage, t_ns=now_ns, picture=None)
