"""Messages of a live view: each one proves itself, opens once, and says nothing where a bit of it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import ClipInfo, content_key, read_info
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SIGNATURE_BYTES, BoxKey, SigningKey
from sealcam.wire.live import MAX_CONTENT_BYTES, NO_INCIDENT, Content, LiveReader, LiveWriter, Part, read_start
from tests.vectors import independent_live

SIGNER, OTHER = SigningKey(b"s" * 32), SigningKey(b"o" * 32)
HUB, SECOND, STRANGER = (BoxKey(bytes([n]) * 32) for n in (1, 2, 3))
SESSION = b"live session id!"
INFO = ClipInfo(
    incident=NO_INCIDENT,
    at=Stamp(boot=b"b" * 16, boot_ns=7, wall_ns=9, quality=ClockQuality.SYNCHRONISED),
    media='video/mp4; codecs="avc1.42C01F"',
    part=0,
    camera="yard",
)
_PREFIX_BYTES, _LEAST_BYTES = 5, 5 + 8 + 17 + 16 + SIGNATURE_BYTES


@dataclass
class Session:
    """One header's writer and the reader of a hub."""

    writer: LiveWriter
    reader: LiveReader

    def again(self) -> LiveReader:
        """Another reader that has heard nothing yet."""
        header = read_start(self.writer.start, SESSION, [SIGNER.public])
        assert header is not None
        return LiveReader(header, content_key(header, [HUB]))


def begin() -> Session:
    writer = LiveWriter(SIGNER, [HUB.public, None, SECOND.public], session=SESSION, info=INFO, epoch=3, recipient_set=2)
    header = read_start(writer.start, SESSION, [OTHER.public, SIGNER.public])
    assert header is not None
    return Session(writer, LiveReader(header, content_key(header, [HUB])))


@pytest.fixture
def session() -> Session:
    return begin()


def test_every_recipient_reads_what_the_start_says(session: Session) -> None:
    for recipient in (HUB, SECOND):
        header = read_start(session.writer.start, SESSION, [SIGNER.public])
        assert header is not None
        assert read_info(header, content_key(header, [recipient])) == INFO
        assert (header.epoch, header.recipient_set, header.signer) == (3, 2, SIGNER.public)
        with pytest.raises(EnvelopeError):
            content_key(header, [STRANGER])


@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(Content), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=300)
        ),
        max_size=6,
    )
)
def test_what_goes_in_comes_out_in_its_order(parts: list[tuple[Content, int, int, bytes]]) -> None:
    session = begin()
    for number, (content, seen_ns, sealed_ns, data) in enumerate(parts):
        message = session.writer.seal(content, seen_ns, sealed_ns, data)
        assert len(message) == _LEAST_BYTES + len(data)
        assert read_start(message, SESSION, [SIGNER.public]) is None
        assert session.reader.open(message) == Part(number, content, seen_ns, sealed_ns, data)


def test_the_independent_reader_takes_what_ours_writes(session: Session) -> None:
    reader = independent_live.Reader(SESSION, [SIGNER.public], b"\x01" * 32)
    reader.hear(session.writer.start)
    for content in (Content.BEGINNING, Content.KEYFRAME, Content.PICTURES, Content.END):
        reader.hear(session.writer.seal(content, 1, 2, b"data"))
    assert [one["content"] for one in reader.taken] == [0, 1, 2, 3]
    assert len(reader.infos) == 1


def test_a_part_of_the_largest_size_opens_and_a_larger_one_is_never_made(session: Session) -> None:
    data = bytes(MAX_CONTENT_BYTES)
    assert session.reader.open(session.writer.seal(Content.PICTURES, 1, 2, data)).data == data
    with pytest.raises(ValueError, match="too much"):
        session.writer.seal(Content.PICTURES, 1, 2, data + b"\0")


def test_every_single_bit_of_a_part_counts(session: Session) -> None:
    message = session.writer.seal(Content.KEYFRAME, 5, 6, b"a picture")
    for bit in range(8 * len(message)):
        bad = bytearray(message)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeError):
            session.reader.open(bytes(bad))
    assert session.reader.open(message).data == b"a picture", "and the right one still opens"


def test_every_single_bit_of_a_start_counts(session: Session) -> None:
    start = session.writer.start
    for bit in range(8 * len(start)):
        bad = bytearray(start)
        bad[bit // 8] ^= 1 << bit % 8
        if bit == 8 * (_PREFIX_BYTES - 1):  # it says now that it is a part, and is none
            assert read_start(bytes(bad), SESSION, [SIGNER.public]) is None
            with pytest.raises(EnvelopeError):
                session.reader.open(bytes(bad))
            continue
        with pytest.raises(EnvelopeError):
            read_start(bytes(bad), SESSION, [SIGNER.public])


def test_nothing_that_is_cut_or_longer_counts(session: Session) -> None:
    part = session.writer.seal(Content.KEYFRAME, 5, 6, b"a picture")
    for cut in (*(part[:size] for size in range(len(part))), part + b"\0"):
        with pytest.raises(EnvelopeError):
            session.reader.open(cut)
    start = session.writer.start
    for cut in (*(start[:size] for size in range(len(start))), start + b"\0"):
        with pytest.raises(EnvelopeError):
            read_start(cut, SESSION, [SIGNER.public])


def test_a_part_opens_once_and_no_earlier_one_after_it(session: Session) -> None:
    first, second, third = (session.writer.seal(Content.PICTURES, n, n, b"") for n in range(3))
    session.reader.open(first)
    session.reader.open(third)
    for old in (first, second, third):
        with pytest.raises(EnvelopeError):
            session.reader.open(old)
    assert session.again().open(second).number == 1, "a hole is the caller's to see, by the numbers"


def test_a_start_of_another_session_or_of_nobody_known_is_none(session: Session) -> None:
    with pytest.raises(EnvelopeError):
        read_start(session.writer.start, b"another session!", [SIGNER.public])
    with pytest.raises(EnvelopeError):
        read_start(session.writer.start, SESSION, [OTHER.public])
    with pytest.raises(EnvelopeError):
        read_start(session.writer.start, SESSION, [])


def test_parts_open_behind_their_own_start_alone(session: Session) -> None:
    message = begin().writer.seal(Content.PICTURES, 1, 2, b"")
    with pytest.raises(EnvelopeError):
        session.reader.open(message)


def test_a_key_of_another_header_opens_nothing(session: Session) -> None:
    other = begin()
    with pytest.raises(EnvelopeError):
        LiveReader(session.reader.header, content_key(other.reader.header, [HUB]))


def test_two_parts_of_the_same_say_nothing_of_each_other(session: Session) -> None:
    first, second = (session.writer.seal(Content.PICTURES, 1, 2, bytes(100)) for _ in range(2))
    assert first[13:-SIGNATURE_BYTES] != second[13:-SIGNATURE_BYTES]
    assert begin().writer.start[75:] != begin().writer.start[75:]
