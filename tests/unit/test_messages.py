"""The messages between eye and post: their bytes are fixed, and what isn't one is refused early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.messages import (
    MAX_FROM_EYE_BYTES,
    MAX_FROM_POST_BYTES,
    Carry,
    Decoder,
    Delivered,
    Forget,
    LinkState,
    Message,
    MessageError,
    Publish,
    Published,
    Refused,
    Side,
    Way,
    Will,
    encode,
)
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES

TOKENS = st.integers(0, (1 << 64) - 1)
FROM_POST: st.SearchStrategy[Message] = st.one_of(
    st.builds(Published, TOKENS),
    st.builds(Delivered, st.binary(max_size=300)),
    st.builds(LinkState, st.booleans()),
    st.builds(Refused, TOKENS, st.integers(0, (1 << 32) - 1)),
)
FROM_EYE: st.SearchStrategy[Message] = st.one_of(
    st.builds(Publish, TOKENS, st.binary(min_size=1, max_size=300)),
    st.builds(Will, st.binary(min_size=1, max_size=300)),
    st.just(Forget()),
    st.builds(
        Carry,
        TOKENS,
        st.sampled_from(Way),
        st.binary(min_size=16, max_size=16),
        st.binary(min_size=1, max_size=300),
    ),
)


@pytest.mark.parametrize(
    ("message", "hexed"),
    [
        (Publish(1, b"ab"), "0000000b 01 0000000000000001 6162"),
        (Published((1 << 64) - 1), "00000009 02 ffffffffffffffff"),
        (Delivered(b""), "00000001 03"),
        (Delivered(b"xyz"), "00000004 03 78797a"),
        (LinkState(True), "00000002 04 01"),
        (LinkState(False), "00000002 04 00"),
        (Will(b"ab"), "00000003 05 6162"),
        (Carry(1, Way.CLIP, b"i" * 16, b"ab"), "0000001c 06 0000000000000001 01" + "69" * 16 + "6162"),
        (Carry(2, Way.LIVE, b"i" * 16, b"a"), "0000001b 06 0000000000000002 02" + "69" * 16 + "61"),
        (Forget(), "00000001 08"),
        (Refused(1, 40_000), "0000000d 07 0000000000000001 00009c40"),
    ],
)
def test_the_bytes_of_each_message_are_fixed(message: Message, hexed: str) -> None:
    assert encode(message) == bytes.fromhex(hexed)


@given(st.data(), st.sampled_from(Side))
def test_messages_arrive_whole_however_they_were_cut(data: st.DataObject, side: Side) -> None:
    messages = data.draw(st.lists(FROM_EYE if side is Side.EYE else FROM_POST, max_size=8))
    stream = b"".join(encode(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder, got = Decoder(side), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(stream[start:end])
    assert got == messages


@given(st.binary(max_size=200), st.sampled_from(Side))
def test_garbage_is_a_message_error_or_nothing(data: bytes, side: Side) -> None:
    try:
        for message in Decoder(side).feed(data):
            assert encode(message) in data
    except MessageError:
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
        (Side.POST, "00000002 05 61"),
        (Side.EYE, "00000001 05"),
        (Side.EYE, "0000001a 06 0000000000000001 01" + "69" * 16),
        (Side.EYE, "0000001b 06 0000000000000001 00" + "69" * 16 + "61"),
        (Side.EYE, "0000001b 06 0000000000000001 03" + "69" * 16 + "61"),
        (Side.EYE, "00000002 08 61"),
        (Side.POST, "00000001 08"),
        (Side.EYE, "0000000d 07 0000000000000001 00009c40"),
        (Side.POST, "0000001b 06 0000000000000001 01" + "69" * 16 + "61"),
        (Side.POST, "0000000c 07 0000000000000001 009c40"),
        (Side.POST, "0000000e 07 0000000000000001 0000009c40"),
        (Side.EYE, f"{MAX_ENVELOPE_BYTES + 2:08x} 05" + "61" * (MAX_ENVELOPE_BYTES + 1)),
    ],
)
def test_what_that_side_may_not_send_is_refused(side: Side, hexed: str) -> None:
    with pytest.raises(MessageError):
        list(Decoder(side).feed(bytes.fromhex(hexed)))


def test_the_largest_messages_of_both_sides_pass() -> None:
    delivered = Delivered(bytes(MAX_FROM_POST_BYTES - 5))
    assert list(Decoder(Side.POST).feed(encode(delivered))) == [delivered]
    publish = Publish(7, bytes(MAX_ENVELOPE_BYTES))
    assert list(Decoder(Side.EYE).feed(encode(publish))) == [publish]
    carry = Carry(7, Way.LIVE, bytes(16), bytes(MAX_FROM_EYE_BYTES - 30))
    assert list(Decoder(Side.EYE).feed(encode(carry))) == [carry]
    will = Will(bytes(MAX_ENVELOPE_BYTES))
    assert list(Decoder(Side.EYE).feed(encode(will))) == [will]
