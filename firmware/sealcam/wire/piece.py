"""A piece of a clip's file on its way to the hub (design/wire.md section 14).

Nothing here is secret or signed: a clip proves itself by its header and checkpoints. What the home hub says of the
clips that it holds is a statement of kind `CLIP_HELD`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sealcam.wire.clip_format import CHECKPOINT_BYTES, SCL1, TAG_BYTES
from sealcam.wire.errors import EnvelopeError

MAGIC = b"SPC1"
_PREFIX = struct.Struct(">4sQQ")
PREFIX_BYTES = _PREFIX.size
# A chunk and the checkpoint behind it.
MAX_DATA_BYTES = SCL1.chunk_bytes + TAG_BYTES + CHECKPOINT_BYTES
MAX_PIECE_BYTES = PREFIX_BYTES + MAX_DATA_BYTES


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `offset` to `offset + len(data)` of a clip's file, which has `size` bytes; 0 while it is being written."""

    offset: int
    size: int
    data: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.data)


def encode(piece: Piece) -> bytes:
    """The message.

    Raises:
        ValueError: a caller's mistake: no data, too much of it, or numbers out of range.
    """
    if not 0 < len(piece.data) <= MAX_DATA_BYTES or not (piece.size == 0 or piece.end <= piece.size):
        raise ValueError("a piece that is none")
    return _PREFIX.pack(MAGIC, piece.offset, piece.size) + piece.data


def decode(message: bytes) -> Piece:
    """The piece in `message`.

    Raises:
        EnvelopeError: it isn't one.
    """
    if not PREFIX_BYTES < len(message) <= MAX_PIECE_BYTES:
        raise EnvelopeError
    magic, offset, size = _PREFIX.unpack_from(message)
    piece = Piece(offset, size, message[PREFIX_BYTES:])
    if magic != MAGIC or piece.end >= 1 << 63 or (size and piece.end > size):
        raise EnvelopeError
    return piece
