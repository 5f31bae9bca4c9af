"""What an opened event says, in words and numbers, without its picture.

Types that this hub doesn't know are told as such: a newer camera's event is kept and has its place in the chain.
Opening is left to `opening`; what follows from an event at the hub is `contents`'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealcam.wire import schema
from sealcam.wire.bodies import (
    AnswerBody,
    Cause,
    ClipBody,
    ClipState,
    ClockQuality,
    EpochBody,
    EventType,
    FarewellBody,
    HealthBody,
    IncidentBody,
    LossBody,
    Outcome,
    PieceBody,
    PrivacyBody,
    Stage,
    Stamp,
)
from sealcam.wire.envelope import Opened
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.wishes import CommandType
from sealcam_hub.pictures import Piece
from sealcam_hub.views import EventType as Shown
from sealcam_hub.views import ReportView

LAST_NS = 253_402_300_799_000_000_000  # the year 9999, so that every time can be printed
_BY = {
    Cause.COMMAND: "as its owner asked",
    Cause.BUTTON: "at the camera",
    Cause.SCHEDULE: "by its schedule",
    Cause.SERVICE: "at the camera's command line",
}
_CLIPS = {
    ClipState.COMPLETE: "a clip is complete",
    ClipState.INTERRUPTED: "a clip ends early, with the camera's power",
    ClipState.EVICTED: "a clip was dropped on the camera to make room",
}
_OUTCOMES = {
    Outcome.DONE: "done",
    Outcome.STALE: "it came too late",
    Outcome.REPEATED: "it was taken before",
    Outcome.UNSUPPORTED: "this camera can't do that",
    Outcome.UNREADABLE: "this camera can't read it",
    Outcome.ARMED: "not while armed",
    Outcome.FAILED: "it failed",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says, without its picture. Times are wall time in ns; `boot` is the camera's boot.

    `camera_ns` is what the camera's own clock said, whatever that is worth.
    """

    type: Shown
    occurred_ns: int
    boot: bytes = b""
    started_ns: int | None = None
    ended_ns: int | None = None
    report: ReportView | None = None
    ends: bool = False
    text: tuple[str, ...] = ()
    thumbnail_bytes: int = 0
    camera_ns: int | None = None
    piece: Piece | None = None
    clip: bytes | None = None  # that it tells of


def wall_ns(stamp: Stamp, boot_ns: int, arrived_ns: int) -> int:
    """Wall time of `boot_ns` on the camera's clock: by its wall time if that was synchronised, else by arrival."""
    base = stamp.wall_ns if stamp.quality is ClockQuality.SYNCHRONISED else arrived_ns
    return min(max(base + boot_ns - stamp.boot_ns, 0), LAST_NS)


def _incident(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, IncidentBody)
    occurred = wall_ns(body.at, body.at.boot_ns, arrived_ns)
    report = ReportView(
        seq=opened.seq,
        stage=body.stage.name.lower(),
        occurred_ns=occurred,
        subject=body.subject.name.lower(),
        confidence=body.confidence_permille / 1000,
        verdict=body.verdict.name.lower(),
        threat=body.threat_permille / 1000,
        reasons=body.reasons,
        trigger=body.trigger.name.lower(),
        mode=body.mode.name.lower(),
        pending=False,
        has_thumbnail=bool(body.thumbnail),
        boot=body.at.boot,
        boot_ns=body.at.boot_ns,
    )
    return Facts(
        type="incident",
        occurred_ns=occurred,
        boot=body.at.boot,
        started_ns=wall_ns(body.at, body.started_ns, arrived_ns),
        ended_ns=wall_ns(body.at, body.ended_ns, arrived_ns),
        report=report,
        ends=body.stage is Stage.END,
        thumbnail_bytes=len(body.thumbnail or b""),
        camera_ns=min(body.at.wall_ns, LAST_NS),
        clip=body.clip.clip if body.clip is not None else None,
    )


def _told(kind: Shown, at: Stamp, arrived_ns: int, *text: str) -> Facts:
    """The facts of an event that is told in a sentence, and perhaps a word for programs."""
    occurred = wall_ns(at, at.boot_ns, arrived_ns)
    return Facts(kind, occurred, at.boot, text=text, camera_ns=min(at.wall_ns, LAST_NS))


def _loss(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, LossBody)
    lost = sum(one.last - one.first + 1 for one in body.tombstones)
    runs = ", ".join(f"{one.first} to {one.last}" for one in body.tombstones)
    return _told("loss", body.at, arrived_ns, f"{lost} events were dropped on the camera to make room: {runs}")


def _health(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, HealthBody)
    return _told("health", body.at, arrived_ns, *((body.detail, body.code) if body.detail else (body.code,)))


def _hand_over(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, EpochBody)
    return _told("hand-over", body.at, arrived_ns, f"the camera signs with new keys (number {body.epoch})")


def _answer(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, AnswerBody)
    known = body.command in CommandType._value2member_map_
    asked = CommandType(body.command).name.lower() if known else f"type {body.command}"
    said = body.detail or _OUTCOMES[body.outcome]
    text = f"command {body.number} ({asked}): {said}"
    return _told("answer", body.at, arrived_ns, text, body.outcome.name.lower())


def _piece(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, PieceBody)
    text = f"piece {body.index + 1} of {body.count} of a picture"
    piece = Piece(body.picture, body.index, body.count, len(body.data))
    return Facts("picture", arrived_ns, text=(text,), piece=piece)


def _clip(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, ClipBody)
    text = _CLIPS[body.state]
    if body.state is not ClipState.EVICTED:
        text += f": {body.size / 1e6:.1f} MB"
    return replace(_told("clip", body.at, arrived_ns, text, body.state.name.lower()), clip=body.clip)


def _farewell(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, FarewellBody)
    text = f"the camera was reset ({_BY[body.cause]}): its keys and what it kept are destroyed"
    return _told("farewell", body.at, arrived_ns, text, body.cause.name.lower())


def _privacy(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.from_map(opened.fields, PrivacyBody)
    text = "capture was stopped" if body.on else "capture began again"
    return _told("privacy", body.at, arrived_ns, f"{text} ({_BY[body.cause]})", "on" if body.on else "off")


_READERS = {
    EventType.INCIDENT: _incident,
    EventType.LOSS: _loss,
    EventType.HEALTH: _health,
    EventType.EPOCH: _hand_over,
    EventType.ANSWER: _answer,
    EventType.PIECE: _piece,
    EventType.CLIP: _clip,
    EventType.FAREWELL: _farewell,
    EventType.PRIVACY: _privacy,
}


def facts_of(opened: Opened, arrived_ns: int) -> Facts:
    """What an opened event says; never raises, since what a camera signed has its place in the ledger."""
    reader = _READERS.get(EventType(opened.kind)) if opened.kind in EventType._value2member_map_ else None
    if reader is None:
        return Facts("unknown", arrived_ns, text=(f"an event of type {opened.kind}, which this hub doesn't know",))
    try:
        return reader(opened, arrived_ns)
    except EnvelopeError:
        return Facts("unknown", arrived_ns, text=(f"an event of type {opened.kind} that this hub can't read",))
