"""Targets: a clip that comes in pieces, and a live view; what is changed is signed again where a camera would sign."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire import labels, piece
from sealcam.wire.clip import content_key
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.live import Content, LiveReader, LiveWriter, Part, read_start
from sealcam.wire.piece import Piece
from sealcam_hub.reception import Reception
from tests import scl1
from tests.fuzz.choices import Choices, Seed, edits
from tests.scl1 import BOTH, CLIP, INFO, RECIPIENTS, SIGNER, SMALL
from tests.vectors import independent_live

# What a camera may have signed for one id: a clip, the same that went on otherwise, and one that was cut short.
CLIPS = (
    scl1.sealed(scl1.content(1000)),
    scl1.sealed(scl1.content(600) + bytes(500)),
    scl1.sealed(scl1.content(800), finish=False),
)
MOST_WAITING = 406 + 80 * 16 + SMALL.segment_bytes + piece.MAX_DATA_BYTES


def pieces(data: bytes) -> None:
    """Whatever comes in whatever order: what is kept is the beginning of a signed clip, and memory is bounded."""
    choices = Choices(data)
    reception, kept = Reception(CLIP, SMALL), bytearray()
    while choices:
        came = _piece(choices)
        if came is None:
            continue
        step = reception.feed(came, BOTH)
        if step.data:
            assert step.at == len(kept)
            kept += step.data
        assert reception.held == len(kept)
        assert reception.waiting <= MOST_WAITING
    assert any(clip.startswith(kept) for clip in CLIPS)
    if reception.ended is not None:
        assert bytes(kept) in CLIPS


def _piece(choices: Choices) -> Piece | None:
    how, clip = choices.below(4), CLIPS[choices.below(len(CLIPS))]
    if how == 0:
        message = choices.take(20 + choices.byte())
        try:
            came = piece.decode(message)
        except EnvelopeError:
            return None
        assert piece.encode(came) == message
        return came
    at, length = choices.number(2) % len(clip), 1 + choices.number(2)
    part = clip[at : at + length]
    return Piece(at, 0, choices.edited(part) if how == 1 else part)


def piece_seeds() -> list[Seed]:
    """In order; two that contradict each other; the end first; edited on the way."""
    return [
        Seed("order", b"".join(_take(0, at, 96) for at in range(0, len(CLIPS[0]), 97))),
        Seed("whole", _take(0, 0, 65_000)),
        Seed("other", _take(0, 0, 1200) + _take(1, 1201, 65_000) + _take(1, 1100, 65_000)),
        Seed("end-first", _take(2, 900, 65_000) + _take(2, 0, 899)),
        Seed("edited", b"\x01\0" + bytes(2) + b"\xff\xff" + edits((300, 1)) + _take(0, 0, 65_000)),
        Seed("raw", b"\0\0\x05" + piece.encode(Piece(0, 5, b"hello"))),
    ]


def _take(clip: int, at: int, length: int) -> bytes:
    return bytes([2, clip]) + at.to_bytes(2, "big") + length.to_bytes(2, "big")


class _Session:
    """A live view's start and the signed parts of it that choices make; the keys are those of a real writer."""

    def __init__(self) -> None:
        publics = [key.public for key in RECIPIENTS]
        self.writer = LiveWriter(SIGNER, publics, session=CLIP, info=INFO, epoch=3, recipient_set=7)
        header = read_start(self.writer.start, CLIP, BOTH)
        assert header is not None
        self.header, self.key = header, content_key(header, [RECIPIENTS[0]])
        self._cipher = ChaCha20Poly1305(labels.blake2b(labels.LIVE_KEY, self.key, header.hash))

    def part(self, number: int, plain: bytes) -> bytes:
        clear = struct.pack(">Q", number)
        return self.signed(clear + self._cipher.encrypt(bytes(4) + clear, plain, None))

    def signed(self, message: bytes) -> bytes:
        return b"SLV1\x01" + message + SIGNER.sign(labels.LIVE_PART, self.header.hash + message)


SESSION = _Session()


def live(data: bytes) -> None:
    """Parts of a session, signed again whatever was done to them: ours and the independent reader take the same."""
    choices = Choices(data)
    ours = LiveReader(SESSION.header, SESSION.key)
    theirs = independent_live.Reader(CLIP, list(BOTH), RECIPIENTS[0].secret)
    theirs.hear(SESSION.writer.start)
    while choices:
        message = _message(choices)
        try:
            assert read_start(message, CLIP, BOTH) is None
            part = ours.open(message)
        except EnvelopeError:
            part = None
        last, count, theirs.waits = theirs.last, len(theirs.taken), False
        theirs.hear(message)
        assert (theirs.last != last) == (part is not None)
        assert part is None or theirs.last == part.number
        assert theirs.taken[count:] in ([], [] if part is None else [_shown(part)])  # none behind a gap of the stream


def _message(choices: Choices) -> bytes:
    how = choices.below(4)
    if how == 0:
        return choices.take(choices.number(2))
    number, plain = choices.number(1 + choices.below(8)), choices.take(17 + choices.byte())
    if how == 1:
        return SESSION.signed(choices.take(choices.byte()))
    message = SESSION.part(number, plain)
    return choices.edited(message) if how == 2 else message


def _shown(part: Part) -> dict[str, object]:
    return {
        "number": str(part.number),
        "content": int(part.content),
        "seen_ns": str(part.seen_ns),
        "sealed_ns": str(part.sealed_ns),
        "data_hex": part.data.hex(),
    }


def live_seeds() -> list[Seed]:
    """Parts in order, one twice, one short, one of no known content, one edited, bytes that are none."""

    def one(number: int, content: int, data: bytes = b"pixels", how: int = 3) -> bytes:
        plain = bytes([content]) + (7).to_bytes(8, "big") + (9).to_bytes(8, "big") + data
        return bytes([how, 0, number, len(plain) - 17]) + plain

    order = b"".join(one(number, int(content)) for number, content in enumerate(Content))
    return [
        Seed("order", order),
        Seed("twice", one(3, 1) + one(3, 2)),
        Seed("empty", one(0, 0, b"")),
        Seed("content", one(0, 9)),
        Seed("edited", one(1, 1, how=2) + edits((20, 1)) + one(2, 2)),
        Seed("none", b"\0\0\x05SLV1\x01" + b"\x01\0" + b"\0" * 20),
    ]
