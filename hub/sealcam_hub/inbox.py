"""From the bytes of one message to what it is: a repeat, a refusal, a beat, or an event with its place in the chain.

Reads nothing and writes nothing. Implements design/pipeline.md, "Hub", steps 1 and 2: the signature is checked over
the bytes as they came before anything is parsed, and only after a refusal is it asked why, for the owner's counters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, EventType, LossBody
from sealcam.wire.envelope import Opened, open_envelope, verified
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES, OUTSIDE_CHAIN
from sealcam_hub.chain import Bridge, Link
from sealcam_hub.notices import Refusal
from sealcam_hub.registry import Camera
from sealcam_hub.tables import MAX_INT


@dataclass(frozen=True, slots=True)
class Message:
    """What came: the alias its topic names, the bytes, and the wall time of its arrival in ns."""

    alias: str
    payload: bytes
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class Event:
    """An opened event: its place, its type, the incident it tells of, the tombstones it carries."""

    link: Link
    kind: int
    incident: bytes | None
    bridges: tuple[Bridge, ...]
    content_key: bytes


@dataclass(frozen=True, slots=True)
class Beat:
    """An opened beat and its number since the camera's boot."""

    counter: int
    body: BeatBody


@dataclass(frozen=True, slots=True)
class Outside:
    """Signed and opened, but of a type outside the chain that this hub doesn't know."""


_LONG_MAP = 0xB8  # from here on the count of a map's entries is a byte of its own
_INCIDENT_KEY = b"\x01\x48"  # key 1, then a byte string of eight

Mail = Event | Beat | Outside | Refusal

_BEAT_NUMBERS = tuple(one.name for one in fields(BeatBody) if one.type == "int")


def open_mail(payload: bytes, name: bytes, camera: Camera, slot: int, others: Callable[[], Iterable[Camera]]) -> Mail:
    """What `payload`, whose hash is `name`, is when it comes on `camera`'s topic.

    `slot` is where this hub stands in the recipient set; `others` are the cameras that might have signed it instead.
    """
    try:
        opened = open_envelope(payload, camera.public, camera.prekeys, slot=slot)
    except EnvelopeError:
        return _why(payload, camera, others)
    if opened.header.epoch != camera.epoch or not 0 < opened.seq <= MAX_INT:
        return Refusal.MALFORMED
    if opened.kind == EventType.BEAT:
        return _beat(opened)
    return Outside() if opened.kind >= OUTSIDE_CHAIN else _event(opened, name)


def _why(payload: bytes, camera: Camera, others: Callable[[], Iterable[Camera]]) -> Refusal:
    if len(payload) > MAX_ENVELOPE_BYTES:
        return Refusal.FORGED
    if _signed(payload, camera):
        return Refusal.UNOPENABLE
    crossed = any(_signed(payload, other) for other in others() if other.kid == payload[5:13])
    return Refusal.CROSSED if crossed else Refusal.FORGED


def _signed(payload: bytes, camera: Camera) -> bool:
    try:
        verified(payload, camera.public)
    except EnvelopeError:
        return False
    return True


def _beat(opened: Opened) -> Mail:
    try:
        body = schema.decode(opened.body, BeatBody)
    except EnvelopeError:
        return Refusal.MALFORMED
    if any(getattr(body, number) > MAX_INT for number in _BEAT_NUMBERS):
        return Refusal.MALFORMED
    return Beat(opened.seq, body)


def _incident_id(body: bytes) -> bytes | None:
    """The incident that a body tells of; the rest of it is read when it is shown.

    `open_envelope` has checked that it is deterministic CBOR, so its lowest key, 1, comes first (design/wire.md 3).
    """
    start = 1 if body[0] < _LONG_MAP else 2
    return body[start + 2 : start + 10] if body[start : start + 2] == _INCIDENT_KEY else None


def _event(opened: Opened, name: bytes) -> Event:
    """An event has its place even where its body can't be read: one strange event must not hold up the rest."""
    incident: bytes | None = None
    bridges: tuple[Bridge, ...] = ()
    try:
        if opened.kind == EventType.INCIDENT:
            incident = _incident_id(opened.body)
        elif opened.kind == EventType.LOSS:
            stones = schema.decode(opened.body, LossBody).tombstones
            bridges = tuple(Bridge(one.first, one.last, one.last_hash) for one in stones)
    except EnvelopeError:
        pass
    if not all(0 < one.first <= one.last < opened.seq for one in bridges):
        bridges = ()
    link = Link(opened.seq, name, opened.prev)
    return Event(link, opened.kind, incident, bridges, opened.content_key)
