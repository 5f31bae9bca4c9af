"""Pieces of clips on their way: their bytes are fixed, and what isn't one is refused before anything is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire import piece
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.piece import MAX_DATA_BYTES, MAX_PIECE_BYTES, PREFIX_BYTES, Piece

FIRST = "53504331 0000000000000000 0000000000000003 616263"
RUNNING = "53504331 0000000000010164 0000000000000000 00"


@pytest.mark.parametrize(
    ("item", "hexed"),
    [(Piece(0, 3, b"abc"), FIRST), (Piece(65_892, 0, b"\0"), RUNNING)],
)
def test_the_bytes_of_a_piece_are_fixed(item: Piece, hexed: str) -> None:
    assert piece.encode(item) == bytes.fromhex(hexed)
    assert piece.decode(bytes.fromhex(hexed)) == item


def test_a_piece_holds_a_chunk_and_the_checkpoint_behind_it() -> None:
    assert (PREFIX_BYTES, MAX_DATA_BYTES) == (20, 65_536 + 16 + 113)
    whole = Piece(0, MAX_DATA_BYTES, bytes(MAX_DATA_BYTES))
    assert len(piece.encode(whole)) == MAX_PIECE_BYTES
    assert piece.decode(piece.encode(whole)) == whole


@given(st.integers(0, 1 << 62), st.binary(min_size=1, max_size=300), st.integers(0, 1 << 62))
def test_what_is_encoded_is_read_as_it_was(offset: int, data: bytes, beyond: int) -> None:
    for size in (0, min(offset + len(data) + beyond, (1 << 64) - 1)):
        item = Piece(offset, size, data)
        assert piece.decode(piece.encode(item)) == item
        assert item.end == offset + len(data)


@pytest.mark.parametrize(
    "item", [Piece(0, 0, b""), Piece(0, 0, bytes(MAX_DATA_BYTES + 1)), Piece(1, 3, b"abc"), Piece(9, 3, b"a")]
)
def test_a_piece_that_is_none_is_not_made(item: Piece) -> None:
    with pytest.raises(ValueError, match="none"):
        piece.encode(item)


BAD = {
    "nothing": "",
    "no data": "53504331 0000000000000000 0000000000000003",
    "another magic": "53504332 0000000000000000 0000000000000003 616263",
    "a clip": "53434c31 0000000000000000 0000000000000003 616263",
    "beyond its size": "53504331 0000000000000001 0000000000000003 616263",
    "an offset beyond its size": "53504331 ffffffffffffff00 0000000000000003 616263",
    "an end that no file has": "53504331 7ffffffffffffffe 0000000000000000 616263",
    "an end that wraps": "53504331 fffffffffffffffe 0000000000000000 616263",
    "too much": "53504331 0000000000000000 0000000000000000" + "00" * (MAX_DATA_BYTES + 1),
}


@pytest.mark.parametrize("hexed", BAD.values(), ids=BAD.keys())
def test_what_is_no_piece_is_refused(hexed: str) -> None:
    with pytest.raises(EnvelopeError):
        piece.decode(bytes.fromhex(hexed))


@given(st.binary(max_size=400), st.booleans())
def test_whatever_comes_is_refused_or_is_exactly_what_encodes_to_it(data: bytes, begins_well: bool) -> None:
    message = b"SPC1" + data if begins_well else data
    try:
        found = piece.decode(message)
    except EnvelopeError:
        return
    assert piece.encode(found) == message
