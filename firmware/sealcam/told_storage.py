"""What a beat says of the camera's disk: whole MiB, and only where the beat is no larger for it (design/wire.md 5.2).

Pure; whom it asks is `clip_store`.
"""

from __future__ import annotations

from dataclasses import replace

from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, Storage
from sealcam.wire.envelope import padded_size
from sealcam.wire.filler import FRAME_BYTES

_MOST_MIB = (1 << 32) - 1


def storage_of(disk: int, free: int, clips: int, clips_most: int) -> Storage:
    """All four given in bytes."""
    return Storage(disk_mib=_mib(disk), free_mib=_mib(free), clips_mib=_mib(clips), clips_most_mib=_mib(clips_most))


def with_storage(body: BeatBody, storage: Storage | None, least: int = 0) -> bytes:
    """The beat's CBOR with `storage`, or without where padding has no room for it; it is padded to `least` or more."""
    plain, full = schema.encode(body), schema.encode(replace(body, storage=storage))
    room = max(padded_size(len(plain) + FRAME_BYTES), least)
    return full if len(full) + FRAME_BYTES <= room else plain


def _mib(count: int) -> int:
    return min(_MOST_MIB, max(0, count) >> 20)
