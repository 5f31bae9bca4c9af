"""Copies of clips without some of their segments (design/wire.md 7.4, Blanked)."""

from __future__ import annotations

import io
import itertools

import pytest

from sealcam.wire.clip import (
    BytesSource,
    Checkpoint,
    CheckpointKind,
    Reader,
    State,
    blanked,
    recover,
    segment_keys,
    verify,
    verify_segment,
)
from sealcam.wire.errors import EnvelopeError
from tests.scl1 import BOTH, CONTENT_KEY, SIGNER, SMALL, chunks_of, content, header_of, sealed

PLAIN = content(5 * 128 + 50)
WHOLE = sealed(PLAIN)
CHUNKS = chunks_of(PLAIN)
SHORT = sealed(content(4 * 128 + 50))  # its last segment has one chunk
EVERY = [set(kept) for n in range(4) for kept in itertools.combinations(range(3), n)]


def copy(data: bytes, kept: set[int]) -> bytes:
    return b"".join(blanked(BytesSource(data), header_of(data), kept, geometry=SMALL))


def stopped(data: bytes) -> bytes:
    """The same after a power cut that took its end."""
    file = io.BytesIO(data[:-1])
    recover(file, BOTH, SIGNER, 3, geometry=SMALL)
    return file.getvalue()


@pytest.mark.parametrize("kept", EVERY, ids=str)
@pytest.mark.parametrize(
    "data", [WHOLE, SHORT, stopped(WHOLE), stopped(SHORT)], ids=["full", "short", "cut", "cut short"]
)
def test_what_is_kept_verifies_and_what_is_not_is_zeros(data: bytes, kept: set[int]) -> None:
    made = copy(data, kept)
    source, header = BytesSource(made), header_of(made)
    assert len(made) == len(data)
    assert header == header_of(data)
    status = verify(source, BOTH, blanked=True, geometry=SMALL)
    assert status.state is verify(BytesSource(data), BOTH, geometry=SMALL).state
    assert set(status.blanked) == {0, 1, 2} - kept
    for number in range(3):
        assert verify_segment(source, header, BOTH, number, geometry=SMALL).blanked is (number not in kept)
    if kept != {0, 1, 2}:
        with pytest.raises(EnvelopeError):
            verify(source, BOTH, geometry=SMALL)


def test_keys_of_what_was_kept_open_it() -> None:
    made = copy(WHOLE, {1})
    header = header_of(made)
    keys = dict(zip([1], segment_keys(header, CONTENT_KEY, [1]), strict=True))
    assert list(Reader(BytesSource(made), header, keys, geometry=SMALL)) == CHUNKS[2:4]
    whole = Reader(BytesSource(made), header, CONTENT_KEY, geometry=SMALL)
    assert [whole.chunk(n) for n in (2, 3)] == CHUNKS[2:4]
    for number in (0, 1, 4, 5):
        with pytest.raises(EnvelopeError):
            whole.chunk(number)


def test_a_damaged_segment_is_not_a_blanked_one() -> None:
    made = bytearray(copy(WHOLE, {1}))
    made[800] ^= 1
    with pytest.raises(EnvelopeError):
        verify(BytesSource(bytes(made)), BOTH, blanked=True, geometry=SMALL)
    with pytest.raises(EnvelopeError):
        verify_segment(BytesSource(bytes(made)), header_of(WHOLE), BOTH, 0, geometry=SMALL)


def test_a_blanked_segment_needs_the_checkpoint_before_it_in_its_place() -> None:
    made = bytearray(copy(WHOLE, set()))
    first, second = (726 + n * SMALL.segment_bytes - 113 for n in (1, 2))
    made[second : second + 113] = made[first : first + 113]
    header = header_of(WHOLE)
    assert verify_segment(BytesSource(bytes(made)), header, BOTH, 0, geometry=SMALL).blanked
    for number in (1, 2):
        with pytest.raises(EnvelopeError):
            verify_segment(BytesSource(bytes(made)), header, BOTH, number, geometry=SMALL)


def test_a_segment_without_chunks_is_not_a_blanked_one() -> None:
    cut = WHOLE[: 726 + SMALL.segment_bytes]
    mark = Checkpoint(CheckpointKind.RECOVERED, SIGNER.kid, 3, 2, bytes(32)).sign(SIGNER, header_of(cut).hash)
    with pytest.raises(EnvelopeError):
        verify(BytesSource(cut + mark), BOTH, blanked=True, geometry=SMALL)


def test_nobody_blanks_more_chunks_than_there_were() -> None:
    made = copy(SHORT, {0, 1})
    longer = made[:-113] + bytes(SMALL.sealed_bytes) + made[-113:]
    for data in (longer, made[: -113 - SMALL.sealed_bytes] + made[-113:]):
        with pytest.raises(EnvelopeError):
            verify(BytesSource(data), BOTH, blanked=True, geometry=SMALL)


def test_what_nobody_signed_for_is_left_out_unless_it_is_kept() -> None:
    for length in range(726, len(WHOLE)):
        cut = WHOLE[:length]
        segments = (length - 726) // SMALL.segment_bytes
        kept = copy(cut, {0, 1, 2})
        assert kept == cut
        made = copy(cut, set())
        assert len(made) == 726 + segments * SMALL.segment_bytes
        assert verify(BytesSource(made), BOTH, blanked=True, geometry=SMALL).state is State.CUT


def test_what_only_looks_like_an_end_is_left_out() -> None:
    torn = WHOLE[: 726 + SMALL.segment_bytes + SMALL.sealed_bytes] + b"\x01" + bytes(112)
    assert len(copy(torn, set())) == 726 + SMALL.segment_bytes
