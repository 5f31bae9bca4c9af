"""From the bytes of one message to what it is: a repeat, a refusal, a beat, or an event with its place in the chain.

Reads nothing and writes nothing. Implements design/pipeline.md, "Hub", steps 1 and 2: the signature is checked over
the bytes as they came before anything is parsed, and only after a refusal is it asked why, for the owner's counters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, EventType, WillBody
from sealcam.wire.envelope import SEV1, Opened, open_envelope, verified
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES, OUTSIDE_CHAIN
from sealcam_hub.chain import Bridge, Link
from sealcam_hub.contents import HandOver, Said, bridges_of, incident_of, said
from sealcam_hub.keys import HubKeys
from sealcam_hub.notices import Refusal
from sealcam_hub.registry import Camera, Epoch
from sealcam_hub.tables import MAX_INT


@dataclass(frozen=True, slots=True)
class Message:
    """What came: the alias its topic names, the bytes, and the wall time of its arrival in ns."""

    alias: str
    payload: bytes
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class Event:
    """An opened event: its place, its signer's epoch, its type, its incident, and what follows from it."""

    link: Link
    epoch: int
    kind: int
    incident: bytes | None
    bridges: tuple[Bridge, ...]
    content_key: bytes = field(repr=False)
    said: Said | None = field(repr=False)  # it may hold a clip's key


@dataclass(frozen=True, slots=True)
class Beat:
    """An opened beat, its number since the camera's boot, and its signer's epoch."""

    counter: int
    epoch: int
    body: BeatBody


@dataclass(frozen=True, slots=True)
class Will:
    """An opened last will, its number since the camera's boot, and its signer's epoch."""

    counter: int
    epoch: int
    body: WillBody


@dataclass(frozen=True, slots=True)
class Cover:
    """An opened cover envelope: it says nothing."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Signed and opened, but of a type outside the chain that this hub doesn't know."""


Mail = Event | Beat | Will | Cover | Outside | Refusal

_BEAT_NUMBERS = tuple(one.name for one in fields(BeatBody) if one.type == "int")
SMALLEST_BYTES = 966  # of an envelope (design/wire.md section 12)
_KID = slice(5, 13)  # where an envelope names its signer, and its epoch, before anything is verified
_EPOCH = slice(13, 17)


def open_mail(
    payload: bytes, name: bytes, camera: Camera, keys: HubKeys, others: Callable[[], Iterable[Camera]]
) -> Mail:
    """What `payload`, whose hash is `name`, is when it comes on `camera`'s topic.

    The key id in it only chooses which of the camera's keys must have signed it. `others` are the cameras that might
    have signed it instead.
    """
    signer = camera.signer(payload[_KID]) or camera.epochs[0]
    try:
        opened = open_envelope(payload, signer.public, (*camera.prekeys, *keys.spare), slot=keys.slot)
    except EnvelopeError:
        return _why(payload, camera, signer, others)
    if opened.header.epoch != signer.number or not 0 < opened.seq <= MAX_INT:
        return Refusal.MALFORMED
    if opened.kind < OUTSIDE_CHAIN:
        # An event has its place even where its body can't be read: a strange one must not hold up the rest.
        return _event(opened, name, camera, keys)
    match opened.kind:
        case EventType.BEAT:
            return _beat(opened)
        case EventType.WILL:
            return _will(opened)
        case EventType.COVER:
            return Cover()
        case _:
            return Outside()


def _why(payload: bytes, camera: Camera, signer: Epoch, others: Callable[[], Iterable[Camera]]) -> Refusal:
    if len(payload) > MAX_ENVELOPE_BYTES:
        return Refusal.FORGED
    if _signed(payload, signer):
        return Refusal.UNOPENABLE
    candidates = (one for other in others() if (one := other.signer(payload[_KID])) is not None)
    if any(_signed(payload, one) for one in candidates):
        return Refusal.CROSSED
    # Nobody can say yet who signed it: perhaps the camera's next key, before its hand-over has come.
    if len(payload) < SMALLEST_BYTES or not payload.startswith(SEV1.magic):
        return Refusal.FORGED
    ahead = payload[_KID] != signer.kid and int.from_bytes(payload[_EPOCH], "big") == camera.epochs[0].number + 1
    return Refusal.EARLY if ahead else Refusal.FORGED


def _signed(payload: bytes, signer: Epoch) -> bool:
    try:
        verified(payload, signer.public)
    except EnvelopeError:
        return False
    return True


def _beat(opened: Opened) -> Mail:
    try:
        body = schema.from_map(opened.fields, BeatBody)
    except EnvelopeError:
        return Refusal.MALFORMED
    numbers = [getattr(body, number) for number in _BEAT_NUMBERS]
    numbers += [number for one in body.others or () for number in (one.prekey, one.oldest_prekey)]
    if max(*numbers, body.recipient_set or 0) > MAX_INT:
        return Refusal.MALFORMED
    return Beat(opened.seq, opened.header.epoch, body)


def _will(opened: Opened) -> Mail:
    try:
        return Will(opened.seq, opened.header.epoch, schema.from_map(opened.fields, WillBody))
    except EnvelopeError:
        return Refusal.MALFORMED


def _event(opened: Opened, name: bytes, camera: Camera, keys: HubKeys) -> Event:
    follows = said(opened, camera, keys)
    ends = isinstance(follows, HandOver) and follows.holds
    return Event(
        link=Link(opened.seq, name, opened.prev, ends, opened.header.epoch, opened.kind == EventType.FAREWELL),
        epoch=opened.header.epoch,
        kind=opened.kind,
        incident=incident_of(opened),
        bridges=bridges_of(opened),
        content_key=opened.content_key,
        said=follows,
    )
