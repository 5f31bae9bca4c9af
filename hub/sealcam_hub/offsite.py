"""What an object of the off-site copy is: its name, which tells nothing, and its bytes, which the words alone open.

An object is the hub's certificate (its length as u16, then the statement) and a sealed clip `SCL1` whose one recipient
is the recovery recipient, signed with the hub's operating key. So whoever has the store learns no camera's key id, no
type and no length but in steps of 64 KiB, and whoever can write there brings nothing in that counts. Pure; what goes
into the objects is `offsite_copier`'s. design/hub.md, "Off-site sealed copy".
"""

from __future__ import annotations

import io
import secrets
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from sealcam.wire import clip, statement
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import BytesSource, ClipInfo, ClipWriter, State
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey
from sealcam.wire.labels import blake2b
from sealcam.wire.statement_kinds import HubCertificate, RecipientKind
from sealcam_hub.keys import HubKeys

PART_BYTES = 1 << 22  # of a clip, in one object
MOST_BYTES = PART_BYTES + (1 << 21)  # of an object: its content, an envelope above that, and what sealing adds
MEDIA = "application/x-sealcam-copy"
CLIP_HEAD = struct.Struct(">16sQQ")  # clip id | offset | length of the whole file
_LABEL = "sealcam-hub/offsite-name"
_RANDOM, _TAG = 16, 8
_NOWHEN = Stamp(boot=bytes(16), boot_ns=0, wall_ns=0, quality=ClockQuality.UNKNOWN)


class Kind(IntEnum):
    """What an object holds."""

    EVENTS = 1
    CLIP = 2
    AUDIT = 3
    DIRECTORY = 4


@dataclass(frozen=True, slots=True)
class Names:
    """Names of objects, for who knows the recovery recipient's public key."""

    recovery: bytes

    def new(self, kind: Kind) -> str:
        """A name that nobody else can tell from random digits."""
        some = secrets.token_bytes(_RANDOM)
        return (some + self._tag(some, kind)).hex()

    def kind(self, name: str) -> Kind | None:
        """What the object of that name holds; none if the name isn't one of ours."""
        try:
            whole = bytes.fromhex(name)
        except ValueError:
            return None
        if len(whole) != _RANDOM + _TAG or name != whole.hex():
            return None
        return next((one for one in Kind if self._tag(whole[:_RANDOM], one) == whole[_RANDOM:]), None)

    def _tag(self, some: bytes, kind: Kind) -> bytes:
        return blake2b(_LABEL, self.recovery, some, bytes([kind]), size=_TAG)


def recovery_public(keys: HubKeys) -> bytes:
    """The recovery recipient's public key, from the recipient set in force."""
    return next(one.public for one in keys.chosen.recipients if one.kind is RecipientKind.RECOVERY)


def make(keys: HubKeys, kind: Kind, content: bytes) -> bytes:
    """The object that holds `content`."""
    file = io.BytesIO()
    writer = seal_into(file, keys, int(kind))
    writer.write(content)
    writer.finish()
    return file.getvalue()


def seal_into(file: BinaryIO, keys: HubKeys, kind: int) -> ClipWriter:
    """Begin an object in `file`; what is written to it then is sealed to the words."""
    file.write(struct.pack(">H", len(keys.certificate)) + keys.certificate)
    info = ClipInfo(incident=bytes(8), at=_NOWHEN, media=MEDIA, part=kind)
    recipients = [recovery_public(keys)]
    number = keys.set_number
    return ClipWriter(
        file, keys.operating, recipients, clip=secrets.token_bytes(16), info=info, epoch=1, recipient_set=number
    )


def opened(source: clip.Source, root_public: bytes, recovery: BoxKey) -> tuple[int, clip.Reader]:
    """The kind of the object in `source` and what reads its content, after all of it was verified.

    Raises:
        EnvelopeError: no hub of this owner made it, it was changed or cut, or the words don't open it.
    """
    length = int.from_bytes(source.read(0, 2), "big")
    hub = statement.read(source.read(2, length), root_public, HubCertificate).hub
    inner = _Behind(source, 2 + length)
    status = clip.verify(inner, [hub])
    if status.state is not State.COMPLETE:
        raise EnvelopeError
    key = clip.content_key(status.header, [recovery])
    info = clip.read_info(status.header, key)
    if info.media != MEDIA:
        raise EnvelopeError
    return info.part, clip.Reader(inner, status.header, key)


def read(data: bytes, root_public: bytes, recovery: BoxKey) -> tuple[Kind, bytes]:
    """What an object holds.

    Raises:
        EnvelopeError: as `opened`.
    """
    kind, reader = opened(BytesSource(data), root_public, recovery)
    try:
        return Kind(kind), b"".join(reader)
    except ValueError as error:
        raise EnvelopeError from error


@dataclass(frozen=True, slots=True)
class _Behind:
    """A source without its first bytes."""

    source: clip.Source
    skipped: int

    @property
    def size(self) -> int:
        return max(0, self.source.size - self.skipped)

    def read(self, offset: int, length: int) -> bytes:
        return self.source.read(offset + self.skipped, length)
