"""What this hub knows of a clip in a file: whose it is, who may have signed it, and its content key.

The key comes from the event that announced the clip; from the header's slots where that event never came. Of a copy
that was made to be shared it is this hub's own. What was deleted stays closed, even while a prekey lives that would
open a slot. Reading and verifying are `wire.clip`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sealcam.wire.clip import CHECKPOINT_BYTES, Header, Source, check_content_key, content_key, read_header
from sealcam.wire.clip_format import checkpoint_kid
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam.wire.keys import BoxKey, key_id
from sealcam_hub import tables
from sealcam_hub.keys import HubKeys
from sealcam_hub.share_tables import copies
from sealcam_hub.tables import cameras, clips

_KID = slice(5, 13)  # of a header: whose it says that it is
TRIALS = 32  # the newest prekeys that are tried, as `registry` does


@dataclass(frozen=True, slots=True, repr=False)
class KnownClip:
    """A clip of a camera of this hub: its verified header, its key, and the keys that signed it.

    `signers` are the header's signer and, where a later epoch key of that camera signed the end, that one.
    """

    camera: str
    header: Header
    content_key: bytes
    signers: tuple[bytes, ...]


def known_clip(connection: Connection, keys: HubKeys, source: Source) -> KnownClip:
    """The clip in `source`.

    Raises:
        EnvelopeError: no camera of this hub signed its header, or no key of this hub opens it.
        SealcamError: it was deleted.
    """
    owners = _owners(connection)
    header = read_header(source, [*owners, keys.operating.public])
    camera, name = owners.get(header.signer, (None, _source(connection, header.clip)))
    end = source.read(max(0, source.size - CHECKPOINT_BYTES), CHECKPOINT_BYTES)
    later = [one for one, (owner, _) in owners.items() if owner == camera and key_id(one) == checkpoint_kid(end)]
    signers = (header.signer, *(one for one in later if one != header.signer))
    return KnownClip(name, header, _content_key(connection, keys, header, camera), signers)


def known_signers(connection: Connection, source: Source, hub: bytes) -> tuple[bytes, ...]:
    """The keys that may have signed the clip in `source`: all epoch keys of the camera it names, or `hub`'s own.

    Raises:
        EnvelopeError: it names no camera of this hub.
    """
    kid = source.read(0, _KID.stop)[_KID]
    if kid == key_id(hub):
        return (hub,)
    return known_camera(connection, source)[1]


def known_camera(connection: Connection, source: Source) -> tuple[int, tuple[bytes, ...]]:
    """The camera (row) that the clip in `source` names, and all epoch keys that may have signed it.

    Raises:
        EnvelopeError: it names no camera of this hub.
    """
    kid = source.read(0, _KID.stop)[_KID]
    owners = {public: owner for public, (owner, _) in _owners(connection).items()}
    camera = next((owner for public, owner in owners.items() if key_id(public) == kid), None)
    if camera is None:
        raise EnvelopeError
    return camera, tuple(public for public, owner in owners.items() if owner == camera)


def check_still_opens(connection: Connection, keys: HubKeys, clip: KnownClip) -> None:
    """Return if `known_clip` would still find the key of a clip that it has found before.

    Raises:
        EnvelopeError: no key of this hub opens it any more.
        SealcamError: it was deleted.
    """
    camera, _ = _owners(connection).get(clip.header.signer, (None, ""))
    _content_key(connection, keys, clip.header, camera)


def _owners(connection: Connection) -> dict[bytes, tuple[int | None, str]]:
    """Row and name of the camera that each epoch key belongs to."""
    newest = select(cameras.c.public, cameras.c.id, cameras.c.name)
    former = select(tables.epochs.c.public, cameras.c.id, cameras.c.name).join(cameras)
    return {row.public: (row.id, row.name) for row in connection.execute(newest.union(former))}


def _source(connection: Connection, copy: bytes) -> str:
    """The name of the camera of the clip that this hub has made a copy of."""
    of = select(cameras.c.name).join(clips).join(copies, copies.c.source == clips.c.clip)
    return connection.execute(of.where(copies.c.clip == copy)).scalar() or "this hub"


def _content_key(connection: Connection, keys: HubKeys, header: Header, camera: int | None) -> bytes:
    query = select(clips.c.wrapped, clips.c.event).where(clips.c.clip == header.clip)
    row = connection.execute(query).one_or_none()
    if row is not None and row.wrapped is not None:
        found = keys.table.unwrap(row.wrapped)
        check_content_key(header, found)
        return found
    copy = connection.execute(select(copies.c.wrapped).where(copies.c.clip == header.clip)).one_or_none()
    if copy is not None and copy.wrapped is not None:
        found = keys.table.unwrap(copy.wrapped)
        check_content_key(header, found)
        return found
    if copy is not None or (row is not None and row.event is not None):
        raise SealcamError("this clip was deleted", "what was deleted opens for nobody any more")
    held = tables.prekeys
    of_it = select(held.c.wrapped).where(held.c.camera == camera).order_by(held.c.number.desc()).limit(TRIALS)
    mine = [BoxKey(keys.table.unwrap(wrapped)) for wrapped in connection.execute(of_it).scalars()]
    return content_key(header, mine if keys.recovery is None else [*mine, keys.recovery])
