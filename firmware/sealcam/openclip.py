"""One clip while it is written: fragments of MP4 on their way into a sealed file.

When it begins and ends is the `recorder`'s, how it is kept on the disk `clips`'. design/clips.md, fragmented MP4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sealcam.clips import ClipFolder, Fate, Recording
from sealcam.fmp4 import Movie
from sealcam.kept import Rank
from sealcam.ring import Gop
from sealcam.sealing import Seal
from sealcam.sight.types import Report, Verdict
from sealcam.wire.bodies import ClipKey, Stamp
from sealcam.wire.clip import SCL1, ClipInfo
from sealcam.wire.errors import EnvelopeError, StorageError

MEDIA = "video/mp4"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A clip that has ended. Times are the source's, in ns; `trigger_ns` is when its incident began, none where that
    isn't in this part of it. `size_bytes` are those of the video."""

    clip: bytes
    incident: str
    part: int
    start_ns: int
    end_ns: int
    trigger_ns: int | None
    size_bytes: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Press:
    """What a clip is made with: where files go, the keys in force, and what stands in the clip's sealed info.

    `room` sees to it that there is room for a clip of any length. `say` queues the event of an incident that carries a
    clip's key; nothing is written before.
    """

    folder: ClipFolder
    seal: Callable[[], Seal]
    stamp: Callable[[int], Stamp]
    name: str | None
    room: Callable[[], None]
    say: Callable[[Report, ClipKey], None]

    def begin(self, report: Report, part: int, trigger_ns: int, first: Gop) -> OpenClip:
        """A clip of this incident, which began at `trigger_ns`; its first GOP is `first`, and isn't written yet.

        Raises:
            EnvelopeError: there is nobody to seal to.
            StorageError: the disk is full or broken.
        """
        self.room()
        at = self.stamp(first.start_ns)
        incident = bytes.fromhex(report.incident)
        info = ClipInfo(incident=incident, at=at, media=MEDIA, part=part, camera=self.name, trigger_ns=trigger_ns)
        prepared = self.folder.prepare(self.seal(), info)
        try:
            self.say(report, prepared.key)
        except (StorageError, EnvelopeError):
            prepared.drop()
            raise
        return OpenClip(prepared.queued(), prepared.key, trigger_ns, first, at.wall_ns)


class OpenClip:
    """A clip that is being written."""

    def __init__(self, recording: Recording, key: ClipKey, trigger_ns: int, first: Gop, wall_ns: int) -> None:
        self._recording, self._key, self._trigger_ns = recording, key, trigger_ns
        self._movie = Movie(first.look, first.start_ns, wall_ns)
        self._pending = deque([(0, first.start_ns)])  # content so far, and until when it shows
        self._size_bytes = 0
        self.look = first.look
        self.start_ns = self.end_ns = first.start_ns

    @property
    def over(self) -> bool:
        """Whether keys or recipients change: it should end at the next keyframe."""
        return self._recording.over

    def counts(self, verdict: Verdict) -> None:
        """What its incident is called now."""
        self._recording.counts(Rank[verdict.name])

    def write(self, gop: Gop) -> None:
        """Add a GOP of this clip's look.

        Raises:
            StorageError: the disk is full or broken: the clip has ended.
        """
        if not self._size_bytes:
            self._write(self._movie.beginning)
        self._write(self._movie.fragment(gop))
        self.end_ns = gop.end_ns
        self._pending.append((self._size_bytes, gop.end_ns))

    def finish(self, report: Report, say: Callable[[Fate], None]) -> Recorded:
        """End it in order, and `say` what became of it.

        Raises:
            StorageError: as `write`.
        """
        self._write(self._movie.index())
        fate = self._recording.finish()
        say(fate)
        self._recording.told()
        trigger_ns = self._trigger_ns if self.start_ns <= self._trigger_ns < self.end_ns else None
        part, incident = self._key.part, report.incident
        return Recorded(fate.clip, incident, part, self.start_ns, self.end_ns, trigger_ns, fate.size, report.verdict)

    @property
    def kept_ns(self) -> int:
        """Until when its pictures stay whatever happens now: those after it are, in part, in no whole chunk yet."""
        whole_bytes = self._size_bytes - self._size_bytes % SCL1.chunk_bytes
        while len(self._pending) > 1 and self._pending[1][0] <= whole_bytes:
            self._pending.popleft()
        return self._pending[0][1]

    def _write(self, data: bytes) -> None:
        self._recording.write(data)
        self._size_bytes += len(data)

    def abandon(self) -> None:
        """Leave it as a power cut would."""
        self._recording.abandon()
