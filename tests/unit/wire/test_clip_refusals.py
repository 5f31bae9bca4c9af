"""Clips: whatever is changed, cut, moved or added is refused, or opens as exactly what was there before it."""

from __future__ import annotations

import io

import pytest

from sealcam.wire import labels
from sealcam.wire.clip import (
    SCL1,
    BytesSource,
    Checkpoint,
    CheckpointKind,
    Reader,
    State,
    read_header,
    recover,
    verify,
    verify_segment,
)
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SigningKey
from tests.scl1 import (
    BOTH,
    CONTENT_KEY,
    LATER,
    SIGNER,
    SMALL,
    STRANGER,
    chunks_of,
    content,
    header_of,
    opened,
    sealed,
)

PLAIN = content(5 * 128 + 50)  # two full segments, and one of two chunks with the end
WHOLE = sealed(PLAIN)
CHUNKS: list[bytes | None] = [*chunks_of(PLAIN)]
HEADER = 726
CHUNK, SEGMENT, MARK = SMALL.sealed_bytes, SMALL.segment_bytes, 113


def state_of(data: bytes) -> State | None:
    """None: refused."""
    try:
        return verify(BytesSource(data), BOTH, geometry=SMALL).state
    except EnvelopeError:
        return None


def opens(data: bytes) -> list[bytes | None]:
    """What each chunk says, with nothing said at all when the header is refused."""
    try:
        return opened(data)
    except EnvelopeError:
        return []


def interrupted(chunks: int) -> bytes:
    """The clip as recovery leaves it."""
    file = io.BytesIO(sealed(PLAIN, finish=False)[: SMALL.chunk_at(HEADER, chunks)])
    recover(file, BOTH, LATER, 4, geometry=SMALL)
    return file.getvalue()


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def resigned(data: bytes, at: int, signer: SigningKey = SIGNER, **changes: int | bytes) -> bytes:
    """The clip with another checkpoint at `at`, well signed."""
    fields: dict[str, object] = {
        "kind": data[at],
        "kid": signer.kid,
        "epoch": 3,
        "chunks": int.from_bytes(data[at + 13 : at + 17], "big"),
        "chain": data[at + 17 : at + 49],
    } | changes
    fields["kind"] = CheckpointKind(fields["kind"])  # type: ignore[arg-type]
    mark = Checkpoint(**fields).sign(signer, header_of(data).hash)  # type: ignore[arg-type]
    return data[:at] + mark + data[at + MARK :]


@pytest.mark.parametrize(
    ("data", "full"),
    [(WHOLE, True), (sealed(content(3 * 128 - 70)), False), (interrupted(3), False), (interrupted(4), False)],
    ids=["complete", "complete, its last segment not full", "interrupted", "interrupted between segments"],
)
def test_no_flipped_bit_of_a_signed_clip_goes_unseen(data: bytes, full: bool) -> None:
    last = len(data) - MARK
    for bit in range(8 * HEADER if data[last] == 2 else 0, 8 * len(data)):  # the header is the same in all of them
        # where a chunk might stand too, a checkpoint that names no signer is none, and the clip has no end
        nameless = not full and last < bit // 8 < last + 9
        assert state_of(flipped(data, bit)) is (State.CUT if nameless else None)


def test_a_flipped_bit_spoils_the_chunk_it_is_in_and_no_other() -> None:
    for bit in range(8 * HEADER, 8 * len(WHOLE)):
        place, rest = divmod(bit // 8 - HEADER, SEGMENT)
        damaged = place * 2 + rest // CHUNK if rest < 2 * CHUNK else None
        if bit % 8 == 0 or damaged is not None:
            assert opened(flipped(WHOLE, bit)) == [None if n == damaged else CHUNKS[n] for n in range(6)]


@pytest.mark.parametrize("data", [WHOLE, interrupted(3), interrupted(4)], ids=["complete", "interrupted", "between"])
def test_every_truncation_keeps_the_whole_chunks_and_is_called_cut(data: bytes) -> None:
    for length in range(len(data)):
        short = data[:length]
        if length < HEADER:
            assert state_of(short) is None
            assert opens(short) == []
            continue
        status = verify(BytesSource(short), BOTH, geometry=SMALL)
        whole = sum(SMALL.chunk_at(HEADER, n) + CHUNK <= length for n in range(6))
        assert status.state is State.CUT
        assert status.chunks == whole
        assert status.signed_chunks == 2 * ((length - HEADER) // SEGMENT)
        assert opened(short) == CHUNKS[:whole]


def test_a_sample_of_flips_and_truncations_at_full_size() -> None:
    plain = content(17 * 65_536 + 1000)
    data, chunks = sealed(plain, SCL1), chunks_of(plain, SCL1)
    for at in range(0, len(data), 65_537):
        with pytest.raises(EnvelopeError):
            verify(BytesSource(flipped(data, 8 * at + at % 8)), BOTH)
        if at >= HEADER:
            short = BytesSource(data[:at])
            status = verify(short, BOTH)
            assert status.state is State.CUT
            assert list(Reader(short, status.header, CONTENT_KEY)) == chunks[: status.chunks]


def piece(kind: str, number: int, data: bytes = WHOLE) -> bytes:
    """One chunk, checkpoint or segment of a clip."""
    if kind == "chunk":
        at = SMALL.chunk_at(HEADER, number)
        return data[at : at + CHUNK]
    at = HEADER + number * SEGMENT
    if kind == "segment":
        return data[at : at + SEGMENT]
    return data[at + 2 * CHUNK : at + SEGMENT]


@pytest.mark.parametrize("kind", ["chunk", "segment", "checkpoint"])
def test_nothing_can_be_swapped_dropped_or_repeated(kind: str) -> None:
    pieces = [piece(kind, n) for n in range(6 if kind == "chunk" else 3)]
    for n, one in enumerate(pieces):
        at = WHOLE.index(one)
        for changed in [WHOLE[:at] + other + WHOLE[at + len(one) :] for other in pieces if other != one] + [
            WHOLE[:at] + WHOLE[at + len(one) :],
            WHOLE[: at + len(one)] + one + WHOLE[at + len(one) :],
        ]:
            last = n == len(pieces) - 1 and changed == WHOLE[:at]
            assert state_of(changed) is (State.CUT if last else None)
            assert all(found in (None, CHUNKS[m]) for m, found in enumerate(opened(changed)[:6]))


def test_pieces_of_another_clip_under_the_same_key_are_refused() -> None:
    other = sealed(PLAIN, clip=b"another clip, 16")
    for kind, count in (("chunk", 6), ("segment", 3), ("checkpoint", 3)):
        for n in range(count):
            at = WHOLE.index(piece(kind, n))
            theirs = piece(kind, n, other)
            changed = WHOLE[:at] + theirs + WHOLE[at + len(theirs) :]
            assert state_of(changed) is None
            assert all(found in (None, CHUNKS[m]) for m, found in enumerate(opened(changed)))


def test_bytes_after_the_end_are_refused() -> None:
    for data in (WHOLE, interrupted(3), interrupted(4)):
        for extra in (b"\0", bytes(113), data[-113:], bytes(CHUNK), bytes(SEGMENT)):
            assert state_of(data + extra) is None


@pytest.mark.parametrize(
    ("segment", "changes"),
    [
        (0, {"kind": 1}),  # the end, in the middle
        (0, {"kind": 2}),
        (0, {"chunks": 0}),
        (0, {"chunks": 1}),
        (0, {"chunks": 4}),
        (0, {"chunks": 2**32 - 1}),
        (0, {"chain": bytes(32)}),
        (1, {"chunks": 2}),
        (2, {"kind": 0, "chunks": 5}),
        (2, {"chunks": 7}),
        (2, {"chain": WHOLE[HEADER + 2 * CHUNK + 17 : HEADER + 2 * CHUNK + 49]}),
    ],
)
def test_a_signed_checkpoint_that_does_not_fit_is_refused(segment: int, changes: dict[str, int | bytes]) -> None:
    assert state_of(resigned(WHOLE, HEADER + segment * SEGMENT + 2 * CHUNK, **changes)) is None


def test_a_checkpoint_of_kind_more_behind_a_part_of_a_segment_is_refused() -> None:
    data = interrupted(3)
    assert state_of(resigned(data, len(data) - MARK, LATER, kind=2)) is State.INTERRUPTED
    assert state_of(resigned(data, len(data) - MARK, SIGNER, kind=0)) is None


def test_an_end_behind_no_chunk_is_refused() -> None:
    data = interrupted(4)
    assert state_of(resigned(data, len(data) - MARK, SIGNER, kind=2)) is State.INTERRUPTED
    assert state_of(resigned(data, len(data) - MARK, SIGNER, kind=1)) is None


def test_a_kind_that_does_not_exist_is_refused_though_it_is_signed() -> None:
    at = len(WHOLE) - MARK
    clear = b"\x03" + WHOLE[at + 1 : at + 49]
    mark = clear + SIGNER.sign(labels.CLIP_CHECKPOINT, header_of(WHOLE).hash, clear)
    assert state_of(WHOLE[:at] + mark) is None


def test_only_a_recovery_may_be_signed_by_a_later_epoch() -> None:
    assert state_of(interrupted(3)) is State.INTERRUPTED
    for segment, state in ((0, None), (2, None)):
        assert state_of(resigned(WHOLE, HEADER + segment * SEGMENT + 2 * CHUNK, LATER)) is state
    stranger = resigned(interrupted(3), len(interrupted(3)) - MARK, STRANGER)
    assert state_of(stranger) is State.CUT  # nobody whose word counts has signed its end


def test_a_checkpoint_signed_for_another_purpose_is_refused() -> None:
    at = len(WHOLE) - MARK
    clear = WHOLE[at : at + 49]
    mark = clear + SIGNER.sign(labels.CLIP_HEADER, header_of(WHOLE).hash, clear)
    assert state_of(WHOLE[:at] + mark) is None


def test_no_chunk_but_the_last_may_be_a_final_one() -> None:
    longer = sealed(PLAIN + content(100))  # the same key and header slots differ: only the place counts here
    file = io.BytesIO(longer)
    header = read_header(BytesSource(longer), BOTH)
    reader = Reader(BytesSource(file.getvalue()), header, CONTENT_KEY, geometry=SMALL)
    assert len(reader.chunk(reader.chunks - 1)) < 128
    appended = longer[:-MARK] + bytes(SEGMENT)  # the final chunk isn't the last one any more
    moved = Reader(BytesSource(appended), header, CONTENT_KEY, geometry=SMALL)
    with pytest.raises(EnvelopeError):
        moved.chunk(reader.chunks - 1)


def test_a_segment_verifies_alone_by_the_checkpoint_before_it() -> None:
    header = header_of(WHOLE)
    for number in range(3):
        assert verify_segment(BytesSource(WHOLE), header, BOTH, number, geometry=SMALL).chunks == 2
    for number in (-1, 3, 4, 1 << 40):
        with pytest.raises(EnvelopeError):
            verify_segment(BytesSource(WHOLE), header, BOTH, number, geometry=SMALL)
    for n in range(8 * HEADER, 8 * len(WHOLE), 5):
        changed, at = flipped(WHOLE, n), n // 8 - HEADER
        for number in range(3):
            holds = at < number * SEGMENT - MARK or at >= (number + 1) * SEGMENT
            try:
                verify_segment(BytesSource(changed), header, BOTH, number, geometry=SMALL)
                verified = True
            except EnvelopeError:
                verified = False
            assert verified is holds


def test_no_segment_verifies_behind_an_end() -> None:
    """Not even one that the camera signed: the one before must say that more follows."""
    piece, header = bytes(CHUNK - 1) + b"x", header_of(WHOLE)
    chain = labels.blake2b(labels.CLIP_CHAIN, WHOLE[-MARK + 17 : -MARK + 49], piece)
    mark = Checkpoint(CheckpointKind.RECOVERED, SIGNER.kid, 3, 7, chain).sign(SIGNER, header.hash)
    with pytest.raises(EnvelopeError):
        verify_segment(BytesSource(WHOLE + piece + mark), header, BOTH, 3, geometry=SMALL)
    following = resigned(WHOLE, len(WHOLE) - MARK, kind=0)
    assert verify_segment(BytesSource(following + piece + mark), header, BOTH, 3, geometry=SMALL).chunks == 1


def test_a_segment_without_its_checkpoint_does_not_verify() -> None:
    cut = WHOLE[: len(WHOLE) - 1]
    with pytest.raises(EnvelopeError):
        verify_segment(BytesSource(cut), header_of(cut), BOTH, 2, geometry=SMALL)
    assert verify_segment(BytesSource(cut), header_of(cut), BOTH, 1, geometry=SMALL).chunks == 2
