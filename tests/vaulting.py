"""A stand-in for the hub's vault in tests of the camera: takes pieces as design/wire.md section 14 says, in memory.

It knows from the test how long a clip's header is and where its segments end; the product's own vault verifies them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from sealcam.wire import piece
from sealcam.wire.clip_format import SCL1
from sealcam.wire.statement_kinds import ClipHeld
from tests.scl1 import content, sealed

CAMERA = b"camera!!"
HEADER_BYTES = 726


def clip_bytes(clip: bytes, plain_bytes: int) -> bytes:
    """A sealed clip of the product's own geometry."""
    return sealed(content(plain_bytes), SCL1, clip=clip)


@dataclass
class _Shelf:
    kept: bytearray = field(default_factory=bytearray)
    held: int = 0
    whole: bool = False


class Vault:
    """What a hub keeps of clips, and what it says when a piece comes; the statements are the caller's to sign."""

    def __init__(self, camera: bytes = CAMERA) -> None:
        self.camera = camera
        self.clips: dict[bytes, _Shelf] = {}
        self.stopped: set[bytes] = set()
        self.pieces: list[tuple[bytes, int, int]] = []  # clip, offset, bytes: as they came
        self.silent = False

    def take(self, clip: bytes, message: bytes) -> ClipHeld | None:
        """A piece; what there is to say of it."""
        came = piece.decode(message)
        self.pieces.append((clip, came.offset, len(came.data)))
        if self.silent:
            return None
        if clip in self.stopped:
            return ClipHeld(camera=self.camera, clip=clip, held=0, whole=False, stop=True)
        shelf = self.clips.setdefault(clip, _Shelf())
        if shelf.whole:
            return self.says(clip)
        if came.offset == shelf.held:
            del shelf.kept[shelf.held :]
        elif came.offset != len(shelf.kept):
            return self.says(clip)
        shelf.kept += came.data
        before, shelf.held = shelf.held, self._verified(bytes(shelf.kept), came.size)
        shelf.whole = shelf.held == came.size
        return self.says(clip) if shelf.held != before else None

    def says(self, clip: bytes) -> ClipHeld:
        """What it holds of a clip."""
        shelf = self.clips[clip]
        return ClipHeld(camera=self.camera, clip=clip, held=shelf.held, whole=shelf.whole)

    def content(self, clip: bytes) -> bytes:
        """The file as it came."""
        return bytes(self.clips[clip].kept)

    def forget(self) -> None:
        """A start of the hub: what isn't verified is gone."""
        for shelf in self.clips.values():
            del shelf.kept[shelf.held :]

    def _verified(self, kept: bytes, size: int) -> int:
        if len(kept) == size:
            return size
        if len(kept) < HEADER_BYTES:
            return 0
        segments = (len(kept) - HEADER_BYTES) // SCL1.segment_bytes
        return HEADER_BYTES + segments * SCL1.segment_bytes


def prefix(message: bytes) -> tuple[int, int]:
    """Offset and size of a piece, read without the product."""
    assert message[:4] == b"SPC1"
    offset, size = struct.unpack_from(">QQ", message, 4)
    return offset, size
