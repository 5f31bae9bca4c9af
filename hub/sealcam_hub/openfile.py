"""`sealcam-hub open`: one envelope in a file, opened with the hub's keys and told as JSON.

For a look at a single message, from a backup or a broker's log: changes nothing in the ledger. Every refusal is the
same, as everywhere.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator

from sqlalchemy import select

from sealcam.wire import schema
from sealcam.wire.bodies import (
    AnswerBody,
    BeatBody,
    ClipBody,
    CoverBody,
    EpochBody,
    EventType,
    FarewellBody,
    HealthBody,
    IncidentBody,
    LossBody,
    PieceBody,
    PrivacyBody,
    WillBody,
)
from sealcam.wire.envelope import Opened, open_envelope, open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id
from sealcam.wire.sealed import envelope_hash
from sealcam_hub import registry, tables
from sealcam_hub.keys import HubKeys
from sealcam_hub.store import Store

_BODIES: dict[int, type] = {
    EventType.INCIDENT: IncidentBody,
    EventType.LOSS: LossBody,
    EventType.HEALTH: HealthBody,
    EventType.EPOCH: EpochBody,
    EventType.ANSWER: AnswerBody,
    EventType.PIECE: PieceBody,
    EventType.CLIP: ClipBody,
    EventType.FAREWELL: FarewellBody,
    EventType.PRIVACY: PrivacyBody,
    EventType.BEAT: BeatBody,
    EventType.COVER: CoverBody,
    EventType.WILL: WillBody,
}
_PICTURES = ("thumbnail", "data")  # told by their size alone
_SECRETS = ("content_key",)  # told to nobody


def open_file(store: Store, keys: HubKeys, envelope: bytes, signer: bytes | None = None) -> dict[str, object]:
    """What an envelope says, ready for JSON; `signer` is its camera's public key if the ledger shall not say.

    Raises:
        EnvelopeError: no camera of this hub signed it, or no key of this hub opens it.
        StorageError: the ledger can't be read.
    """
    opened, camera = _opened(store, keys, envelope, signer)
    header = opened.header
    return {
        "camera": camera,
        "kid": header.kid.hex(),
        "epoch": header.epoch,
        "recipient_set": header.recipient_set,
        "type": _type(opened.kind),
        "seq": opened.seq,
        "prev": opened.prev.hex(),
        "hash": envelope_hash(envelope).hex(),
        "body": _body(opened),
    }


def _opened(store: Store, keys: HubKeys, envelope: bytes, signer: bytes | None) -> tuple[Opened, str | None]:
    kept = select(tables.content_keys.c.wrapped).where(tables.content_keys.c.hash == envelope_hash(envelope))
    with store.reading() as connection:
        wrapped = connection.execute(kept).scalar()
        loaded = registry.load_all(connection, keys.table, list(registry.revisions(connection)))
        cameras = [one.camera for one in loaded.values()]
    for public, camera in _signers(cameras, envelope, signer):
        name = None if camera is None else camera.name
        if wrapped is not None:
            return open_with_content_key(envelope, public, keys.table.unwrap(wrapped)), name
        mine = [camera] if camera is not None else cameras
        prekeys = [key for one in mine for key in one.prekeys]
        return open_envelope(envelope, public, prekeys, slot=keys.slot), name
    raise EnvelopeError


def _signers(
    cameras: list[registry.Camera], envelope: bytes, signer: bytes | None
) -> Iterator[tuple[bytes, registry.Camera | None]]:
    """Who may have signed it: the one that was named, else the camera of whose keys one's id stands in the clear."""
    if signer is not None:
        yield signer, next((one for one in cameras if one.signer(key_id(signer)) is not None), None)
        return
    found = ((one.signer(envelope[5:13]), one) for one in cameras)
    yield from ((epoch.public, one) for epoch, one in found if epoch is not None)


def _type(kind: int) -> str:
    return EventType(kind).name.lower() if kind in EventType._value2member_map_ else f"0x{kind:02x}"


def _body(opened: Opened) -> object:
    """What the body says; of one that this version can't read its size, since a key or a picture may be in it."""
    unread = {"unreadable_bytes": len(opened.body)}
    form = _BODIES.get(opened.kind)
    try:
        return unread if form is None else _plain(schema.decode(opened.body, form))
    except EnvelopeError:
        return unread


def _plain(value: object) -> object:
    """A body as JSON knows it: words for enumerations, hex digits for bytes, a picture by its size, no key."""
    if dataclasses.is_dataclass(value):
        names = [one.name for one in dataclasses.fields(value)]
        found = {name: _plain(getattr(value, name)) for name in names if name not in (*_PICTURES, *_SECRETS)}
        sizes = {f"{name}_bytes": len(getattr(value, name) or b"") for name in names if name in _PICTURES}
        return found | sizes
    if isinstance(value, enum.IntEnum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
