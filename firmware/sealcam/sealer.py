"""Where pixels end: what the camera says, in the words of the wire, from reports to beats.

How it becomes an envelope is `sealing`'s. With cover traffic everything fits one size: pictures go in pieces, and
texts are cut. Bodies are specified in design/wire.md section 5, urgencies in design/pipeline.md.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from sealcam import __version__
from sealcam.brevity import fitting, shortened
from sealcam.clips import Fate
from sealcam.clocks import Clock
from sealcam.outbox import MAX_TOMBS, Tomb
from sealcam.pieces import COVER_PADDED_BYTES, COVER_PICTURE_BYTES, COVER_PICTURE_PX, pieces
from sealcam.sealing import Sealing, Standing
from sealcam.sight import judge_features
from sealcam.sight.picture import thumbnail as jpeg
from sealcam.sight.types import ArmMode, Picture, Report, Verdict
from sealcam.stamps import Stamps
from sealcam.told_path import fitted
from sealcam.told_storage import with_storage
from sealcam.wire import bodies, schema
from sealcam.wire.bodies import (
    AnswerBody,
    BeatBody,
    Cause,
    ClipBody,
    ClipKey,
    CoverBody,
    EventType,
    HealthBody,
    IncidentBody,
    Judged,
    LossBody,
    Outcome,
    PrivacyBody,
    Storage,
    Tombstone,
    Traffic,
    WillBody,
)
from sealcam.wire.sealed import Sealed

NONCE_LIFE_S = 60.0  # a command may name the nonce of a beat this old (design/wire.md 5.3)
URGENT, TOLD, USUAL, PICTURE = range(4)
_TEXT_BYTES = 4096  # one text may have so many (design/wire.md section 3)
_COVER_TEXT_BYTES = 1500  # all texts of one body together: what else is in it takes less than the other 500
_COVER_TOMBS = 30  # of 56 bytes at most
_MODES = {mode: bodies.Mode[mode.name] for mode in ArmMode}


@dataclass(frozen=True, slots=True)
class Watching:
    """What the beat says of the camera itself; with `privacy`, capture has been stopped at the source, with `scheduled`
    the schedule decides on the mode, and not the last command."""

    frames: int
    dropped: int
    newest_ns: int
    mode: ArmMode
    privacy: bool = False
    scheduled: bool = False


class Sealer:
    """Seals for one camera since one start of the eye. Thread-safe."""

    def __init__(
        self,
        sealing: Sealing,
        clock: Clock,
        watching: Callable[[], Watching],
        stamps: Stamps,
        traffic: Traffic = Traffic.INSTANT,
        storage: Callable[[], Storage | None] = lambda: None,
    ) -> None:
        """`storage` says what there is to say of the disk, and never raises."""
        self._sealing = sealing
        self._clock = clock
        self._watching = watching
        self._stamps = stamps
        self._traffic = traffic
        self._storage = storage
        self._least = COVER_PADDED_BYTES if traffic is Traffic.COVER else 0
        self._text_bytes = _COVER_TEXT_BYTES if traffic is Traffic.COVER else _TEXT_BYTES
        self._lock = threading.Lock()
        self._nonces: deque[tuple[int, bytes]] = deque(maxlen=64)
        self.incidents = 0

    def report(self, report: Report, clip: ClipKey | None = None) -> None:
        """Queue what sight says; a threat's first word goes ahead without its picture, the picture follows.

        `clip` is the key of a clip of this incident, and goes with the first event that this queues.

        Raises:
            StorageError: the disk is full.
        """
        if report.stage == "new":
            self.incidents += 1
        urgent = report.verdict is Verdict.THREAT and report.stage != "end"
        alone = report.picture is None or (urgent and report.stage == "new") or self._traffic is Traffic.COVER
        if alone:
            coming = report.picture if self._traffic is Traffic.COVER else None
            self._incident(self._body(report, coming, clip=clip), URGENT if urgent else USUAL, clip)
        if report.picture is None:
            return
        if self._traffic is Traffic.COVER:
            self._pieces(report.incident, report.picture)
            return
        stage = bodies.Stage.UPDATE if urgent and report.stage == "new" else None
        carried = None if alone else clip
        body = self._body(report, report.picture, jpeg(report.picture), stage, carried)
        self._incident(body, PICTURE, carried)

    def health(self, code: str, detail: str, *, urgent: bool = False) -> None:
        """Queue something about the camera itself that the owner should know; `urgent`: ahead of all but alarms."""
        said = HealthBody(at=self._stamps.now(), code=code, detail=shortened(detail, self._text_bytes))
        self._sealing.event(EventType.HEALTH, schema.encode(said), URGENT if urgent else TOLD)

    def answer(self, number: int, command: int, outcome: Outcome, detail: str) -> None:
        """Queue what became of the command with this number and type."""
        said = AnswerBody(
            at=self._stamps.now(),
            number=number,
            command=command,
            outcome=outcome,
            detail=shortened(detail, self._text_bytes),
        )
        self._sealing.event(EventType.ANSWER, schema.encode(said), TOLD)

    def privacy(self, *, on: bool, cause: Cause) -> None:
        """Queue that capture was stopped at the source, or began again."""
        said = PrivacyBody(at=self._stamps.now(), on=on, cause=cause)
        self._sealing.event(EventType.PRIVACY, schema.encode(said), TOLD)

    def clip(self, fate: Fate) -> None:
        """Queue what became of a clip."""
        said = ClipBody(
            at=self._stamps.now(),
            clip=fate.clip,
            state=fate.state,
            chunks=fate.chunks,
            size=fate.size,
            chain=fate.chain,
        )
        self._sealing.event(EventType.CLIP, schema.encode(said), USUAL)

    def losses(self) -> None:
        """Queue the tombstones of what was evicted, if there are any that no event carries yet."""
        at = self._stamps.now()

        def make(tombs: tuple[Tomb, ...]) -> bytes:
            stones = tuple(Tombstone(first=t.first, last=t.last, last_hash=t.last_hash) for t in tombs)
            return schema.encode(LossBody(at=at, tombstones=stones))

        self._sealing.losses(make, _COVER_TOMBS if self._traffic is Traffic.COVER else MAX_TOMBS)

    def beat(self) -> Sealed:
        """A fresh beat; its nonce is what a command must name during the next minute."""
        seen, now_ns, nonce = self._watching(), self._clock.boot_ns(), secrets.token_bytes(32)
        storage = self._storage()  # before the lock of `sealing` is held: nobody waits for the disk

        def make(standing: Standing) -> bytes:
            body = BeatBody(
                at=self._stamps.at(now_ns),
                nonce=nonce,
                newest_seq=standing.newest_seq,
                newest_hash=standing.newest_hash,
                prekey=standing.prekey,
                queued=standing.stats.queued,
                queued_bytes=standing.stats.queued_bytes,
                frames=seen.frames,
                dropped=seen.dropped,
                frame_age_ns=0 if seen.privacy else max(0, now_ns - seen.newest_ns),
                mode=_MODES[seen.mode],
                firmware=__version__,
                oldest_prekey=standing.oldest_prekey,
                recipient_set=standing.recipient_set,
                others=standing.others,
                traffic=self._traffic,
                privacy=seen.privacy,
                scheduled=seen.scheduled,
            )
            return with_storage(body, storage, self._least)

        with self._lock:
            self._nonces.append((now_ns, nonce))
        return self._sealing.outside(EventType.BEAT, make)

    def cover(self) -> Sealed:
        """An envelope that says nothing and looks like any other."""
        return self._sealing.outside(EventType.COVER, lambda _: schema.encode(CoverBody()))

    def will(self) -> Sealed:
        """What the broker shall say when this camera's connection breaks."""
        return self._sealing.outside(EventType.WILL, lambda _: schema.encode(WillBody(at=self._stamps.now())))

    def fresh(self, nonce: bytes) -> bool:
        """Whether `nonce` was in a beat of the last minute, in this camera's own time."""
        oldest_ns = self._clock.boot_ns() - round(NONCE_LIFE_S * 1e9)
        with self._lock:
            return any(known == nonce and made_ns >= oldest_ns for made_ns, known in self._nonces)

    def _incident(self, body: bytes, urgency: int, clip: ClipKey | None) -> None:
        self._sealing.event(EventType.INCIDENT, body, urgency, None if clip is None else clip.clip)

    def _pieces(self, incident: str, picture: Picture) -> None:
        small = jpeg(picture, COVER_PICTURE_PX, COVER_PICTURE_BYTES)
        for body in pieces(bytes.fromhex(incident), secrets.token_bytes(8), small):
            self._sealing.event(EventType.PIECE, body, PICTURE)

    def _body(
        self,
        report: Report,
        picture: Picture | None,
        thumbnail: bytes | None = None,
        stage: bodies.Stage | None = None,
        clip: ClipKey | None = None,
    ) -> bytes:
        """`picture` is the thumbnail's, or that of the pieces that follow."""
        body = IncidentBody(
            incident=bytes.fromhex(report.incident),
            stage=bodies.Stage[report.stage.name] if stage is None else stage,
            at=self._stamps.at(report.t_ns),
            trigger=bodies.Trigger[report.trigger.name],
            started_ns=report.started_ns,
            ended_ns=report.ended_ns,
            subject=bodies.Subject[report.subject.name],
            confidence_permille=round(1000 * report.confidence),
            verdict=bodies.Verdict[report.verdict.name],
            threat_permille=round(1000 * report.threat),
            reasons=fitting(report.reasons, self._text_bytes),
            mode=_MODES[report.mode],
            thumbnail=thumbnail,
            clip=clip,
            judged=Judged(version=judge_features.VERSION, numbers=report.judged) if report.judged else None,
        )
        return schema.encode(replace(body, path=fitted(report, body, picture, self._least)))
