"""Targets that take bytes as they are: the CBOR decoder, and the messages between eye and post."""

from __future__ import annotations

import cbor2

from sealcam.messages import Decoder, Message, MessageError, Side, encode
from sealcam.wire import cbor
from sealcam.wire.errors import EnvelopeError
from tests.fuzz.choices import Choices, Seed
from tests.vectors import builder, independent
from tests.vectors.body_examples import EVENTS
from tests.vectors.refusals import ENCODINGS


def decoder(data: bytes) -> None:
    """Our decoder, the independent checker, and cbor2 wherever ours accepts; what is accepted has one encoding."""
    try:
        independent.check_cbor(data)
        fits = True
    except independent.RefusedError:
        fits = False
    try:
        value = cbor.decode(data)
    except EnvelopeError:
        assert not fits, "the independent checker takes what ours refuses"
        return
    assert fits, "ours takes what the independent checker refuses"
    assert cbor.encode(value) == data
    assert cbor2.loads(data) == value


def decoder_seeds() -> list[Seed]:
    found = [Seed(f"body-{n}", builder.cbor(fields)) for n, (_, fields) in enumerate(EVENTS)]
    return found + [Seed(f"odd-{n}", bytes.fromhex(one)) for n, one in enumerate(ENCODINGS.values())]


def _fed(side: Side, pieces: list[bytes]) -> tuple[list[Message], bool]:
    """The messages in some pieces, and whether all of them were taken."""
    reader, found = Decoder(side), list[Message]()
    try:
        for piece in pieces:
            for item in reader.feed(piece):
                found.append(item)
    except MessageError:
        return found, False
    return found, True


def messages(data: bytes) -> None:
    """However a stream is cut into pieces, it is the same messages, and each is encoded as it came."""
    choices = Choices(data)
    side = (Side.EYE, Side.POST)[choices.below(2)]
    step = 1 + choices.below(40)
    stream = choices.rest()
    whole, taken = _fed(side, [stream])
    parts = _fed(side, [stream[at : at + step] for at in range(0, len(stream), step)])
    assert parts == (whole, taken)
    assert stream.startswith(b"".join(encode(item) for item in whole))


def message_seeds() -> list[Seed]:
    eye = b"\0\0\0\x0a\1" + bytes(7) + b"\5e" + b"\0\0\0\3\5wi"
    post = b"\0\0\0\x09\2" + bytes(7) + b"\5" + b"\0\0\0\3\3hi" + b"\0\0\0\2\4\1" + b"\0\0\0\2\4\0"
    found = [Seed("eye", b"\0\3" + eye), Seed("post", b"\1\3" + post)]
    found += [
        Seed("long", b"\0\0\xff\xff\xff\xff\1"),
        Seed("none", b"\1\0\0\0\0\0"),
        Seed("kind", b"\1\1\0\0\0\2\x09a"),
    ]
    return found
