"""What an event's body does at the hub beyond its place in the chain: keys, clips, answers, privacy, farewell.

Reads bodies and says what follows; `batch` does it. A body that lacks what the specification says does nothing: its
event is kept and shown as unreadable. Implements the hub's half of design/wire.md 5.1 and 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sealcam.wire import labels, schema
from sealcam.wire.bodies import (
    AnswerBody,
    ClipBody,
    ClipKey,
    EpochBody,
    EventType,
    FarewellBody,
    LossBody,
    PrivacyBody,
)
from sealcam.wire.envelope import Opened
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import check_epoch_proof, check_sealable, epoch_proof
from sealcam_hub.chain import Bridge
from sealcam_hub.keys import HubKeys
from sealcam_hub.registry import Camera
from sealcam_hub.tables import MAX_INT

_NONCE = "sealcam-hub/rotation-nonce"  # of this hub alone: nobody else derives what is hashed under it
_INCIDENT, _CLIP = 1, 14  # keys of an incident's body
Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class HandOver:
    """A hand-over; `holds` is false where the camera's keys stay as they are and the owner is told."""

    epoch: int
    public: bytes
    command: bytes
    holds: bool


@dataclass(frozen=True, slots=True)
class NewClip:
    """A clip's key, before the clip's first chunk is written, and the incident it belongs to."""

    incident: bytes
    key: ClipKey


Said = HandOver | NewClip | ClipBody | AnswerBody | FarewellBody | PrivacyBody


def rotation_nonce(keys: HubKeys, camera: bytes, epoch: int) -> bytes:
    """The nonce that this hub gives a camera (key id) for an epoch: derived, so that a restored hub knows it again."""
    return labels.blake2b(_NONCE, keys.operating.seed, camera, epoch.to_bytes(4, "big"))


def incident_of(opened: Opened) -> bytes | None:
    """The incident that an event belongs to by its own body."""
    if opened.kind not in (EventType.INCIDENT, EventType.PIECE):
        return None
    name = opened.fields.get(_INCIDENT)
    return name if isinstance(name, bytes) and len(name) == 8 else None


def bridges_of(opened: Opened) -> tuple[Bridge, ...]:
    """The tombstones that a loss event carries; none where one of them can't be."""
    body = _read(opened, LossBody) if opened.kind == EventType.LOSS else None
    found = (
        tuple(Bridge(one.first, one.last, one.last_hash, opened.header.epoch) for one in body.tombstones)
        if body
        else ()
    )
    return found if all(0 < one.first <= one.last < opened.seq for one in found) else ()


def said(opened: Opened, camera: Camera, keys: HubKeys) -> Said | None:
    """What follows from an event of `camera`; none where nothing does."""
    match opened.kind:
        case EventType.INCIDENT:
            return _new_clip(opened)
        case EventType.EPOCH:
            return _hand_over(opened, camera, keys)
        case EventType.CLIP:
            clip = _read(opened, ClipBody)
            return clip if clip is not None and max(clip.chunks, clip.size) <= MAX_INT else None
        case EventType.ANSWER:
            answer = _read(opened, AnswerBody)
            return answer if answer is not None and answer.number <= MAX_INT else None
        case EventType.FAREWELL:
            return _read(opened, FarewellBody)
        case EventType.PRIVACY:
            return _read(opened, PrivacyBody)
        case _:
            return None


def _read(opened: Opened, cls: type[Body]) -> Body | None:
    try:
        return schema.from_map(opened.fields, cls)
    except EnvelopeError:
        return None


def _new_clip(opened: Opened) -> NewClip | None:
    incident, given = incident_of(opened), opened.fields.get(_CLIP)
    if incident is None or given is None:
        return None
    try:
        key = schema.from_map(given, ClipKey)
    except EnvelopeError:
        return None
    return NewClip(incident, key) if max(key.part, key.started_ns) <= MAX_INT else None


def _hand_over(opened: Opened, camera: Camera, keys: HubKeys) -> HandOver | None:
    body = _read(opened, EpochBody)
    if body is None:
        return None
    message = epoch_proof(camera.kid, body.nonce, body.epoch, body.command, opened.seq, opened.prev)
    try:
        check_epoch_proof(body.public, body.proof, message)
        check_sealable(body.command)
    except EnvelopeError:
        return HandOver(body.epoch, body.public, body.command, False)
    # Only the home hub knows its nonces: another one, or one that takes a lost hub's place, takes the old key's word.
    fresh = not keys.is_home or bool(keys.spare) or body.nonce == rotation_nonce(keys, camera.kid, body.epoch)
    known = any(body.public == one.public for one in camera.epochs)
    holds = fresh and not known and body.epoch == opened.header.epoch + 1
    return HandOver(body.epoch, body.public, body.command, holds)
