"""The messages between eye and post: their bytes are fixed, and what isn't one is refused early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.frames import (
    MAX_FROM_EYE_BYTES,
    MAX_FROM_POST_BYTES,
    Decoder,
    Delivered,
    Frame,
    FrameError,
    LinkState,
    Publish,
    Published,
    Side,
    encode,
)
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES

TOKENS = st.integers(0, (1 << 64) - 1)
FROM_POST: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Published, TOKENS), st.builds(Delivered, st.binary(max_size=300)), st.builds(LinkState, st.booleans())
)
FROM_EYE: st.SearchStrategy[Frame] = st.builds(Publish, TOKENS, st.binary(min_size=1, max_size=300))


@pytest.mark.parametrize(
    ("frame", "hexed"),
    [
        (Publish(1, b"ab"), "0000000b 01 0000000000000001 6162"),
        (Published((1 << 64) - 1), "00000009 02 ffffffffffffffff"),
        (Delivered(b""), "00000001 03"),
        (Delivered(b"xyz"), "00000004 03 78797a"),
        (LinkState(True), "00000002 04 01"),
        (LinkState(False), "00000002 04 00"),
    ],
)
def test_the_bytes_of_each_message_are_fixed(frame: Frame, hexed: str) -> None:
    assert encode(frame) == bytes.fromhex(hexed)


@given(st.data(), st.sampled_from(Side))
def test_messages_arrive_whole_however_they_were_cut(data: st.DataObject, side: Side) -> None:
    frames = data.draw(st.lists(FROM_EYE if side is Side.EYE else FROM_POST, max_size=8))
    stream = b"".join(encode(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder, got = Decoder(side), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(stream[start:end])
    assert got == frames


@given(st.binary(max_size=200), st.sampled_from(Side))
def test_garbage_is_a_frame_error_or_nothing(data: bytes, side: Side) -> None:
    try:
        for frame in Decoder(side).feed(data):
            assert encode(frame) in data
    except FrameError:
        return


@pytest.mark.parametrize(
    ("side", "hexed"),
    [
        (Side.POST, "00000000"),
        (Side.POST, "ffffffff"),
        (Side.POST, f"{MAX_FROM_POST_BYTES - 3:08x}"),
        (Side.EYE, f"{MAX_FROM_EYE_BYTES - 3:08x}"),
        (Side.POST, "0000000a 01 0000000000000001 61"),
        (Side.EYE, "00000009 02 0000000000000001"),
        (Side.EYE, "00000009 01 0000000000000001"),
        (Side.POST, "00000008 02 00000000000001"),
        (Side.POST, "00000002 04 02"),
        (Side.POST, "00000001 04"),
        (Side.POST, "00000001 05"),
    ],
)
def test_what_that_side_may_not_send_is_refused(side: Side, hexed: str) -> None:
    with pytest.raises(FrameError):
        list(Decoder(side).feed(bytes.fromhex(hexed)))


def test_the_largest_messages_of_both_sides_pass() -> None:
    delivered = Delivered(bytes(MAX_FROM_POST_BYTES - 5))
    assert list(Decoder(Side.POST).feed(encode(delivered))) == [delivered]
    publish = Publish(7, bytes(MAX_ENVELOPE_BYTES))
    assert list(Decoder(Side.EYE).feed(encode(publish))) == [publish]
