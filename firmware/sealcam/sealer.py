"""Where pixels end: reports and health become sealed events in the outbox, and the beat is made.

One lock around "which prekey, and is it queued", so that a beat never says that an older prekey is free while an
event sealed to it is on its way into the outbox. Bytes are specified in design/wire.md sections 4 and 5, urgencies
in design/pipeline.md.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sealcam import __version__
from sealcam.clocks import Clock
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox, Tomb
from sealcam.sight.picture import thumbnail as jpeg
from sealcam.sight.types import ArmMode, Report, Verdict
from sealcam.wire import bodies, schema
from sealcam.wire.bodies import BeatBody, ClockQuality, EventType, HealthBody, IncidentBody, LossBody, Stamp, Tombstone
from sealcam.wire.envelope import seal
from sealcam.wire.sealed import GENESIS, Sealed

NONCE_LIFE_S = 60.0  # a command may name the nonce of a beat this old (design/wire.md 5.3)
URGENT, TOLD, USUAL, PICTURE = range(4)
_MODES = {mode: bodies.Mode[mode.name] for mode in ArmMode}


@dataclass(frozen=True, slots=True)
class Watching:
    """What the beat says of the camera itself."""

    frames: int
    dropped: int
    newest_ns: int
    mode: ArmMode


class Sealer:
    """Seals for one camera since one start of the eye. Thread-safe."""

    def __init__(
        self,
        keys: Keystore,
        outbox: Outbox,
        clock: Clock,
        watching: Callable[[], Watching],
        quality: Callable[[], ClockQuality],
    ) -> None:
        self._keys = keys
        self._outbox = outbox
        self._clock = clock
        self._watching = watching
        self._quality = quality
        self._lock = threading.Lock()
        self._boot = os.urandom(16)
        self._beats = 0
        self._nonces: deque[tuple[int, bytes]] = deque(maxlen=16)
        self.incidents = 0

    def report(self, report: Report) -> None:
        """Queue what sight says; a threat's first word goes ahead without its picture, the picture follows.

        Raises:
            StorageError: the disk is full.
        """
        if report.stage == "new":
            self.incidents += 1
        urgent = report.verdict is Verdict.THREAT and report.stage != "end"
        thumbnail = None if report.picture is None else jpeg(report.picture)
        if thumbnail is None or (urgent and report.stage == "new"):
            self._event(EventType.INCIDENT, self._body(report, None), URGENT if urgent else USUAL)
        if thumbnail is not None:
            stage = bodies.Stage.UPDATE if urgent and report.stage == "new" else None
            self._event(EventType.INCIDENT, self._body(report, thumbnail, stage), PICTURE)

    def health(self, code: str, detail: str) -> None:
        """Queue something about the camera itself that the owner should know."""
        at = self._stamp(self._clock.boot_ns())
        self._event(EventType.HEALTH, schema.encode(HealthBody(at=at, code=code, detail=detail)), TOLD)

    def losses(self) -> None:
        """Queue the tombstones of what was evicted, if there are any that no event carries yet."""
        at = self._stamp(self._clock.boot_ns())

        def make(seq: int, prev: bytes, tombs: tuple[Tomb, ...]) -> Sealed:
            stones = tuple(Tombstone(first=t.first, last=t.last, last_hash=t.last_hash) for t in tombs)
            return self._seal(EventType.LOSS, seq, prev, schema.encode(LossBody(at=at, tombstones=stones)))

        with self._lock:
            self._outbox.append_loss(make, self._keys.prekey.number)

    def beat(self) -> Sealed:
        """A fresh beat; its nonce is what a command must name during the next minute."""
        seen, now_ns, nonce = self._watching(), self._clock.boot_ns(), secrets.token_bytes(32)
        with self._lock:
            self._beats += 1
            self._nonces.append((now_ns, nonce))
            newest_seq, newest_hash = self._outbox.head()
            stats = self._outbox.stats()
            prekey = self._keys.prekey.number
            body = BeatBody(
                at=self._stamp(now_ns),
                nonce=nonce,
                newest_seq=newest_seq,
                newest_hash=newest_hash,
                prekey=prekey,
                queued=stats.queued,
                queued_bytes=stats.queued_bytes,
                frames=seen.frames,
                dropped=seen.dropped,
                frame_age_ns=max(0, now_ns - seen.newest_ns),
                mode=_MODES[seen.mode],
                firmware=__version__,
                oldest_prekey=prekey if stats.oldest_prekey is None else stats.oldest_prekey,
            )
            return self._seal(EventType.BEAT, self._beats, GENESIS, schema.encode(body))

    def fresh(self, nonce: bytes) -> bool:
        """Whether `nonce` was in a beat of the last minute, in this camera's own time."""
        oldest_ns = self._clock.boot_ns() - round(NONCE_LIFE_S * 1e9)
        with self._lock:
            return any(known == nonce and made_ns >= oldest_ns for made_ns, known in self._nonces)

    def take_prekey(self, message: bytes) -> bool:
        """Seal to a newer prekey from now on.

        Raises:
            EnvelopeError: not a prekey for this camera by its home hub.
        """
        with self._lock:
            return self._keys.take_prekey(message)

    def _event(self, kind: EventType, body: bytes, urgency: int) -> None:
        with self._lock:
            number = self._keys.prekey.number
            self._outbox.append(lambda seq, prev: self._seal(kind, seq, prev, body), urgency, number)

    def _seal(self, kind: EventType, seq: int, prev: bytes, body: bytes) -> Sealed:
        return seal(
            self._keys.signer,
            self._keys.recipients(),
            kind=kind,
            seq=seq,
            prev=prev,
            body=body,
            epoch=self._keys.epoch,
            recipient_set=self._keys.recipient_set.number,
        )

    def _stamp(self, boot_ns: int) -> Stamp:
        """`boot_ns` of this start with the wall time that belongs to it."""
        wall_ns = self._clock.wall_ns() - (self._clock.boot_ns() - boot_ns)
        return Stamp(boot=self._boot, boot_ns=boot_ns, wall_ns=max(0, wall_ns), quality=self._quality())

    def _body(self, report: Report, thumbnail: bytes | None, stage: bodies.Stage | None = None) -> bytes:
        return schema.encode(
            IncidentBody(
                incident=bytes.fromhex(report.incident),
                stage=bodies.Stage[report.stage.name] if stage is None else stage,
                at=self._stamp(report.t_ns),
                trigger=bodies.Trigger[report.trigger.name],
                started_ns=report.started_ns,
                ended_ns=report.ended_ns,
                subject=bodies.Subject[report.subject.name],
                confidence_permille=round(1000 * report.confidence),
                verdict=bodies.Verdict[report.verdict.name],
                threat_permille=round(1000 * report.threat),
                reasons=report.reasons,
                mode=_MODES[report.mode],
                thumbnail=thumbnail,
            )
        )
