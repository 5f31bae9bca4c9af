"""The cases of `scl1.json` that are answered: clips whole, recovered, cut, in parts, blanked."""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.builder import labelled
from tests.vectors.clip_builder import CHUNK_BYTES, CHUNKS, RECOVERED, SEALED_BYTES, content
from tests.vectors.clip_stock import (
    BASES,
    HUB,
    LATER,
    LONG,
    SIGNER,
    Case,
    by_key,
    case,
    chunk_at,
    chunks,
    long_part,
    measured,
    sealed,
    told,
    whole,
)
from tests.vectors.stock import Part, literal, piece


def answered() -> Iterator[Case]:
    """Every case but those that are there to be refused; a few of these are, where a neighbour is answered."""
    yield from _complete()
    yield from _interrupted()
    yield from _cut()
    yield from _chunks()
    yield from _segments()


def _complete() -> Iterator[Case]:
    for name, (recipe, size) in BASES.items():
        who = (recipe.signer,)
        answer = told("complete", size // CHUNK_BYTES + 1)
        inside = {"info_cbor_hex": recipe.info_cbor.hex()} | measured(content(recipe.name, size))
        yield case("state", f"a complete clip: {name}", whole(name), who, **answer)
        yield case("open", f"by its content key: {name}", whole(name), who, **by_key(recipe), **answer, **inside)
        last = recipe.recipients[-1].hex()
        yield case("open", f"by a slot: {name}", whole(name), who, recipient_secret_hex=last, **answer, **inside)
    yield case(
        "state", "signers that didn't sign, too", whole("empty.scl1"), (HUB, LATER, SIGNER), **told("complete", 1)
    )


def _interrupted() -> Iterator[Case]:
    plain = content("long", BASES["long.scl1"][1])
    info = {"info_cbor_hex": LONG.info_cbor.hex()}
    sixteen = chunks("long.scl1")[:CHUNKS]
    for count, name in ((0, "no chunk"), (1, "one chunk"), (7, "seven chunks"), (16, "a whole segment, unclosed")):
        clip = long_part(count, literal(LONG.checkpoint(RECOVERED, sixteen[:count])))
        yield case("state", f"recovered after {name}", clip, **told("interrupted", count))
        yield case(
            "open",
            f"opened, recovered after {name}",
            clip,
            **by_key(LONG),
            **told("interrupted", count),
            **info,
            **measured(plain[: count * CHUNK_BYTES]),
        )
    boundary = piece("long.scl1", 0, chunk_at(LONG, CHUNKS))
    empty = labelled("sealcam/scl1/chain", LONG.chain(sixteen))
    closing = LONG.checkpoint(RECOVERED, sixteen, chain=empty)
    yield case("state", "recovered right after a checkpoint", [boundary, literal(closing)], **told("interrupted", 16))
    final = [*sixteen, chunks("long.scl1")[CHUNKS]]
    clip = [piece("long.scl1", 0, chunk_at(LONG, CHUNKS) + SEALED_BYTES), literal(LONG.checkpoint(RECOVERED, final))]
    yield case(
        "open",
        "recovered after its final chunk",
        clip,
        **by_key(LONG),
        **told("interrupted", 17),
        **info,
        **measured(plain),
    )
    later = LONG.checkpoint(RECOVERED, sixteen[:3], signer=LATER, epoch=2)
    yield case(
        "state",
        "recovered by a later epoch key",
        long_part(3, literal(later)),
        (SIGNER, LATER),
        **told("interrupted", 3),
    )


def _cut() -> Iterator[Case]:
    plain = content("long", BASES["long.scl1"][1])
    head, one, segment = len(LONG.header), chunk_at(LONG, 1), chunk_at(LONG, CHUNKS)
    for size, count, signed, name in (
        (head, 0, 0, "behind the header"),
        (head + 1, 0, 0, "a byte behind the header"),
        (head + 113, 0, 0, "113 bytes behind the header"),
        (one - 1, 0, 0, "a byte before the first chunk's end"),
        (one, 1, 0, "behind the first chunk"),
        (one + 113, 1, 0, "113 bytes behind the first chunk"),
        (segment - 113, 16, 0, "behind 16 chunks"),
        (segment - 1, 16, 0, "a byte before the checkpoint's end"),
        (segment, 16, 16, "behind a checkpoint"),
        (segment + 113, 16, 16, "113 bytes behind a checkpoint"),
        (segment + SEALED_BYTES, 17, 16, "before the last checkpoint"),
        (segment + SEALED_BYTES + 112, 17, 16, "a byte before the end"),
    ):
        clip = [piece("long.scl1", 0, size)]
        yield case("state", f"cut {name}", clip, **told("cut", count, signed))
        yield case(
            "open",
            f"opened, cut {name}",
            clip,
            **by_key(LONG),
            **told("cut", count, signed),
            info_cbor_hex=LONG.info_cbor.hex(),
            **measured(plain[: count * CHUNK_BYTES]),
        )


def _chunks() -> Iterator[Case]:
    plain = content("long", BASES["long.scl1"][1])
    for number in (0, 1, 15, 16):
        expected = measured(plain[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES])
        yield case("chunk", f"chunk {number} alone", whole("long.scl1"), **by_key(LONG), chunk=number, **expected)
    cut = [piece("long.scl1", 0, chunk_at(LONG, 3) + 5)]
    expected = measured(plain[2 * CHUNK_BYTES : 3 * CHUNK_BYTES])
    yield case("chunk", "the last whole chunk of a cut clip", cut, **by_key(LONG), chunk=2, **expected)
    recipe = BASES["65536.scl1"][0]
    expected = measured(b"")
    yield case("chunk", "a final chunk without content", whole("65536.scl1"), **by_key(recipe), chunk=1, **expected)


def _blanked(start: int, end: int) -> list[Part]:
    """The long clip with chunks `start` to `end` - 1 of one segment replaced by zeros."""
    at, size = chunk_at(LONG, start), (end - start) * SEALED_BYTES
    return [piece("long.scl1", 0, at), {"zeros": size}, piece("long.scl1", at + size, len(sealed("long.scl1")))]


def _segments() -> Iterator[Case]:
    clip = whole("long.scl1")
    yield case("segment", "the first segment alone", clip, segment=0, blanked=False, chunks=16)
    yield case("segment", "the second segment alone", clip, segment=1, blanked=False, chunks=1)
    yield case("segment", "a blanked segment", _blanked(0, 16), segment=0, blanked=True, chunks=16)
    yield case("segment", "a segment behind a blanked one", _blanked(0, 16), segment=1, blanked=False, chunks=1)
    yield case("segment", "a blanked last segment", _blanked(16, 17), segment=1, blanked=True, chunks=1)
    yield case("segment", "a segment before a blanked one", _blanked(16, 17), segment=0, blanked=False, chunks=16)
    yield case("state", "a copy with a blanked segment, as a whole", _blanked(0, 16), refuse=True)
    yield case("segment", "a segment with one chunk of zeros", _blanked(3, 4), segment=0, refuse=True)
    behind = chunk_at(LONG, 15) - SEALED_BYTES
    expected = measured(content("long", BASES["long.scl1"][1])[CHUNKS * CHUNK_BYTES :])
    yield case("chunk", "a chunk behind a blanked segment", _blanked(0, 16), **by_key(LONG), chunk=16, **expected)
    yield case("chunk", "a chunk of a blanked segment", _blanked(0, 16), **by_key(LONG), chunk=3, refuse=True)
    cut = [piece("long.scl1", 0, behind)]
    yield case("segment", "a segment without its checkpoint", cut, segment=0, refuse=True)
    yield case("segment", "a segment that isn't there", clip, segment=2, refuse=True)
