"""Targets: clips built by a program that the fuzzer writes, grants of one, and audit logs; signed as they should be.

Chunks are of 128 bytes and segments of two chunks, so that a program of a few bytes says a clip of several segments.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from sealcam.wire.clip import (
    BytesSource,
    Geometry,
    Reader,
    State,
    blanked,
    content_key,
    read_header,
    read_info,
    recover,
    verify,
    verify_segment,
)
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from tests.fuzz.choices import Choices, Seed, edits
from tests.vectors import independent_clip as theirs
from tests.vectors.builder import Signer, cbor, draw
from tests.vectors.clip_builder import END, MORE, RECOVERED, STAMP, ClipRecipe, content
from tests.vectors.independent import RefusedError
from tests.vectors.refusals import ENCODINGS

CHUNK, PER_SEGMENT = 128, 2
SEALED = CHUNK + 16
SMALL = Geometry(chunk_bytes=CHUNK, segment_chunks=PER_SEGMENT)
SHAPE = theirs.Shape(SEALED, PER_SEGMENT)
SIGNER, LATER, OTHER = (Signer(draw(f"fuzz clip signer {n}")) for n in range(3))
SECRET = draw("fuzz clip recipient")
SIGNERS = [SIGNER.public, LATER.public]
PLAIN = content("fuzz", 64 * CHUNK)
RAW, PROGRAM, HEADER, INFO = range(4)
MAX_OPS = 48


def recipe(**wrong: Any) -> ClipRecipe:
    return ClipRecipe("fuzz", SIGNER, (SECRET,), per_segment=PER_SEGMENT, **wrong)


BASE = recipe()
KEY = BASE.content_key


@cache
def chunk(number: int, final: int) -> bytes:
    """A chunk of the base clip in its right place, or in none."""
    plain = PLAIN[number % 64 * CHUNK :][:CHUNK]
    if final:
        plain = (plain[: number % CHUNK] + b"\x80").ljust(CHUNK, b"\0")
    return BASE.chunk(number, plain, final)


class Program:
    """Appends chunks and checkpoints to the base clip's header, right ones and wrong ones."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.chunks: list[bytes] = []
        self.data = bytearray(BASE.header)

    def run(self) -> bytes:
        for _ in range(MAX_OPS):
            if not self._choices:
                break
            self._step(self._choices.below(16))
        return bytes(self.data)

    def _step(self, op: int) -> None:
        choices, count = self._choices, len(self.chunks)
        match op:
            case 8:
                self._append(chunk(choices.below(64), choices.below(2)))
            case 9:
                self._append(self.chunks[-1] if self.chunks else chunk(0, 0))
            case 10:
                self._append(bytes(SEALED))
            case 11:
                self.data += self._checkpoint()
            case 12:
                self.data += choices.take(choices.below(200))
            case 13:
                at = choices.number(2) % len(self.data)
                self.data[at] ^= 1 << choices.below(8)
            case 14:
                cut = choices.below(200)
                del self.data[max(len(BASE.header), len(self.data) - cut) :]
            case 15:
                self._append(chunk(count % 64, 1))
            case 7:
                self.data += BASE.checkpoint(MORE, self.chunks)
            case 6:
                self.data += BASE.checkpoint(END, self.chunks)
            case _:
                self._append(chunk(count % 64, 0))

    def _append(self, sealed: bytes) -> None:
        self.chunks.append(sealed)
        self.data += sealed

    def _checkpoint(self) -> bytes:
        choices = self._choices
        kind, who, wrong = choices.below(4), (SIGNER, LATER, OTHER)[choices.below(3)], choices.byte()
        return BASE.checkpoint(
            kind,
            self.chunks,
            signer=who,
            epoch=choices.byte() if wrong & 1 else None,
            count=choices.number(4) if wrong & 2 else None,
            chain=choices.take(32).ljust(32, b"\0") if wrong & 4 else None,
            over=bytes(32) if wrong & 8 else None,
            label="sealcam/scl1/header" if wrong & 16 else "sealcam/scl1/checkpoint",
        )


def _built(choices: Choices) -> bytes:
    how = choices.below(4)
    if how == RAW:
        return BASE.header + choices.rest()
    if how == PROGRAM:
        return Program(choices).run()
    if how == HEADER:
        message = choices.edited(BASE.header[:-64])
        header = message + SIGNER.sign(message, "sealcam/scl1/header")
        return header + choices.rest()
    info = recipe(info_padded=choices.rest()[:256].ljust(256, b"\0"))
    return info.header + info.checkpoint(RECOVERED, [])


def clip(data: bytes) -> None:
    """Both readers say the same of a clip: state, segments, content. Recovery and blanking take whatever there is."""
    built = _built(Choices(data))
    try:
        said: Any = theirs.read_clip(built, SIGNERS, SHAPE)
    except RefusedError:
        said = None
    state = _state(built, said)
    _segments(built)
    _opened(built, said)
    _recovered(built, state)


def _state(built: bytes, said: Any) -> State | None:
    try:
        status = verify(BytesSource(built), SIGNERS, geometry=SMALL)
    except EnvelopeError:
        assert said is None, "the independent reader takes what ours refuses"
        return None
    assert said is not None, "ours takes what the independent reader refuses"
    assert (status.state, status.chunks, status.signed_chunks) == (said.state, len(said.chunks), said.signed)
    return status.state


def _segments(built: bytes) -> None:
    source = BytesSource(built)
    try:
        header, ours = theirs.read_header(built, SIGNERS), read_header(source, SIGNERS)
    except (RefusedError, EnvelopeError):  # `_state` has compared that
        return
    for number in range(3):
        try:
            said: Any = theirs.check_segment(built, header, SIGNERS, number, SHAPE)
        except RefusedError:
            said = None
        try:
            found = verify_segment(source, ours, SIGNERS, number, geometry=SMALL)
        except EnvelopeError:
            assert said is None, f"the independent reader takes segment {number}"
            continue
        assert said is not None, f"ours takes segment {number}"
        assert (found.blanked, found.chunks) == (said[0], len(said[1].chunks))


def _opened(built: bytes, said: Any) -> None:
    if said is None:
        return
    try:
        theirs.open_info(said.header, theirs.content_key(said.header, None, SECRET))
        plain: Any = theirs.open_clip(said, KEY, SHAPE)
    except RefusedError:
        plain = None
    source = BytesSource(built)
    try:
        header = read_header(source, SIGNERS)
        read_info(header, content_key(header, [BoxKey(SECRET)]))
        found = b"".join(Reader(source, header, KEY, geometry=SMALL))
    except EnvelopeError:
        # An info block that lacks a field is unreadable, which our opener refuses and the other one doesn't ask.
        assert plain is None or built[len(BASE.header) - 336 :][:272] != BASE.header[-336:-64]
        return
    assert plain == found


def _recovered(built: bytes, state: State | None) -> None:
    source = BytesSource(built)
    try:
        header = read_header(source, SIGNERS)
    except EnvelopeError:
        return
    for kept in ((), (0,), (1, 2)):
        b"".join(blanked(source, header, kept, geometry=SMALL))
    file = io.BytesIO(built)
    done = recover(file, SIGNERS, SigningKey(LATER.seed), 2, geometry=SMALL)
    if state is None:  # damaged before: what recovery keeps of it is not for others to say
        return
    after = verify(BytesSource(file.getvalue()), SIGNERS, geometry=SMALL)
    assert after.state is done.state
    assert after.chunks == done.chunks
    assert done.changed == (state is State.CUT)
    again = recover(file, SIGNERS, SigningKey(LATER.seed), 2, geometry=SMALL)
    assert not again.changed
    assert again.chunks == done.chunks


def seeds() -> list[Seed]:
    """Clips whole, cut, recovered and wrong, and info blocks."""
    found = [
        Seed("empty", bytes([RAW])),
        Seed("bytes", bytes([RAW]) + bytes(200)),
        Seed("whole", bytes([PROGRAM, 0, 0, 7, 0, 15, 6])),
        Seed("long", bytes([PROGRAM, 0, 0, 7, 0, 0, 7, 0, 0, 7, 15, 6])),
        Seed("cut", bytes([PROGRAM, 0, 0, 7, 0, 0, 14, 20])),
        Seed("recovered", bytes([PROGRAM, 0, 0, 7, 0, 11, 2, 0, 0])),
        Seed("recovered-later", bytes([PROGRAM, 0, 11, 2, 1, 0])),
        Seed("stranger", bytes([PROGRAM, 0, 11, 2, 2, 0])),
        Seed("swapped", bytes([PROGRAM, 8, 1, 0, 8, 0, 0, 11, 2, 0, 0])),
        Seed("final-first", bytes([PROGRAM, 15, 15, 6])),
        Seed("blank", bytes([PROGRAM, 10, 10, 7, 15, 6])),
        Seed("counted", bytes([PROGRAM, 0, 11, 1, 0, 2, 0, 0, 0, 9])),
        Seed("flipped", bytes([PROGRAM, 0, 0, 7, 15, 6, 13, 3, 0, 2])),
        Seed("info", bytes([INFO]) + cbor({1: draw("incident", 8), 2: STAMP, 3: "video/mp4", 4: 0}) + b"\x80"),
    ]
    found += [
        Seed(f"info-{n}", bytes([INFO]) + bytes.fromhex(one) + b"\x80") for n, one in enumerate(ENCODINGS.values())
    ]
    found += [Seed(f"header-{at}", bytes([HEADER]) + edits((at, 1))) for at in (0, 4, 5, 13, 21, 40, 69, 80, 400)]
    return found
