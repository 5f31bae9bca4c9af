"""A picture in pieces, each small enough for an envelope of cover traffic (design/wire.md 5.1, type 06). Pure."""

from __future__ import annotations

from sealcam.wire import schema
from sealcam.wire.bodies import PieceBody

COVER_PADDED_BYTES = 2048  # every body of cover traffic is padded to this (design/wire.md section 11)
COVER_BODY_BYTES = COVER_PADDED_BYTES - 42  # type, sequence, predecessor and the end of padding take the rest
PIECE_BYTES = COVER_BODY_BYTES - 31  # the piece's other fields take at most that
COVER_PICTURE_BYTES = 4 * PIECE_BYTES  # a picture in cover traffic takes eight seconds
COVER_PICTURE_PX = 320
_MOST = 255


def pieces(incident: bytes, picture: bytes, jpeg: bytes) -> tuple[bytes, ...]:
    """The bodies that carry `jpeg` of `incident` (8 bytes) under the name `picture` (8 bytes), in order.

    Raises:
        ValueError: it is empty, or too big for 255 pieces.
    """
    data = [jpeg[at : at + PIECE_BYTES] for at in range(0, len(jpeg), PIECE_BYTES)]
    if not 0 < len(data) <= _MOST:
        raise ValueError(f"{len(jpeg)} bytes don't go into 1 to {_MOST} pieces")
    return tuple(
        schema.encode(PieceBody(incident=incident, picture=picture, index=index, count=len(data), data=one))
        for index, one in enumerate(data)
    )
