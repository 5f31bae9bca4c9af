"""The cases of `scl1.json` about chunks and checkpoints that don't fit: order, counts, kinds, ends, final chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import draw, labelled
from tests.vectors.clip_builder import (
    CHECKPOINT_BYTES,
    CHUNKS,
    END,
    MORE,
    RECOVERED,
    SEALED_BYTES,
)
from tests.vectors.clip_stock import (
    BASES,
    BOTH,
    EMPTY,
    LATER,
    LONG,
    OTHER,
    SIGNER,
    Case,
    by_key,
    case,
    chunk_at,
    chunks,
    flipped,
    long_part,
    refused,
    sealed,
    stored,
    told,
    whole,
)
from tests.vectors.stock import Part, literal, piece


def disorder() -> Iterator[Case]:
    """Every such case, and beside the refused ones what stays true of the same bytes."""
    yield from _order()
    yield from _points()
    yield from _ends()
    yield from _finals()
    yield from _single()


def _pieces(*numbers: int) -> list[Part]:
    """Chunks of the long clip in this order."""
    return [piece("long.scl1", chunk_at(LONG, n), chunk_at(LONG, n) + SEALED_BYTES) for n in numbers]


def _order() -> Iterator[Case]:
    head = piece("long.scl1", 0, len(LONG.header))
    rest = piece("long.scl1", chunk_at(LONG, CHUNKS) - CHECKPOINT_BYTES, len(sealed("long.scl1")))
    row = list(range(CHUNKS))
    for name, order in (
        ("two chunks exchanged", [1, 0, *row[2:]]),
        ("the last two chunks exchanged", [*row[:14], 15, 14]),
        ("a chunk dropped", [*row[:3], *row[4:]]),
        ("a chunk twice", [*row[:4], 3, *row[4:]]),
        ("a chunk twice, in place of its neighbour", [*row[:4], 3, *row[5:]]),
        ("a chunk of another segment", [*row[:15], 16]),
    ):
        clip = [head, *_pieces(*order), rest]
        yield refused("state", name, clip)
        yield refused("segment", f"{name}: its segment", clip, segment=0)
    yield refused(
        "state", "the first segment dropped", [head, piece("long.scl1", chunk_at(LONG, 16), len(sealed("long.scl1")))]
    )
    held = chunks("long.scl1")
    swapped = [held[1], held[0]]
    clip = [head, *_pieces(1, 0), literal(LONG.checkpoint(RECOVERED, swapped))]
    yield case("state", "two chunks exchanged and signed again", clip, **told("interrupted", 2))
    yield refused("open", "opened, two chunks exchanged and signed again", clip, **by_key(LONG))
    clip = [head, *_pieces(0, 2), literal(LONG.checkpoint(RECOVERED, [held[0], held[2]]))]
    yield refused("open", "a chunk dropped and signed again", clip, **by_key(LONG))
    clip = [head, *_pieces(0, 0), literal(LONG.checkpoint(RECOVERED, [held[0], held[0]]))]
    yield refused("open", "a chunk twice and signed again", clip, **by_key(LONG))


def _points() -> Iterator[Case]:
    two = chunks("long.scl1")[:2]

    def closed(**wrong: Any) -> list[Part]:
        return long_part(2, literal(LONG.checkpoint(wrong.pop("kind", RECOVERED), two, **wrong)))

    yield case("state", "what the refused checkpoints start from", closed(), **told("interrupted", 2))
    for count in (0, 1, 3, 16, 2**20 + 2, 2**32 - 1):
        yield refused("state", f"a checkpoint that counts {count} chunks of two", closed(count=count))
    yield refused("state", "a checkpoint with another chain", closed(chain=LONG.chain(two[:1])))
    yield refused("state", "a checkpoint with the header's hash for chain", closed(chain=LONG.header_hash))
    yield refused("state", "a checkpoint of kind 3", closed(kind=3))
    yield refused("state", "a checkpoint of kind 0 behind two chunks", closed(kind=MORE))
    yield refused("state", "a checkpoint of kind 255", closed(kind=255))
    yield refused("state", "a checkpoint that is signed for another header", closed(over=EMPTY.header_hash))
    yield refused("state", "a checkpoint that is signed for none", closed(over=b""))
    yield refused("state", "a checkpoint signed as a header", closed(label="sealcam/scl1/header"))
    yield refused("state", "an end by a later key", closed(kind=END, signer=LATER, epoch=2), BOTH)
    stranger = closed(signer=OTHER)
    yield case("state", "a checkpoint by a stranger is none", stranger, **told("cut", 2, 0))
    unsigned = LONG.checkpoint(RECOVERED, two)[:49] + bytes(64)
    yield refused("state", "a checkpoint without signature", long_part(2, literal(unsigned)))
    stolen = LONG.checkpoint(RECOVERED, two, signer=LATER, epoch=2)
    stolen = stolen[:1] + SIGNER.kid + stolen[9:]
    yield refused("state", "a later key's checkpoint in the first key's name", long_part(2, literal(stolen)), BOTH)
    other = sealed("65536.scl1")[-CHECKPOINT_BYTES:]
    yield refused("state", "the end of another clip of two chunks", long_part(2, literal(other)))
    last = piece("long.scl1", chunk_at(LONG, CHUNKS), len(sealed("long.scl1")))
    sixteen = chunks("long.scl1")[:CHUNKS]
    for name, kind, signer in (
        ("an end in the middle", END, SIGNER),
        ("a recovery in the middle", RECOVERED, SIGNER),
        ("a checkpoint in the middle by a later key", MORE, LATER),
        ("a checkpoint in the middle by a stranger", MORE, OTHER),
    ):
        point = LONG.checkpoint(kind, sixteen, signer=signer)
        yield refused("state", name, long_part(CHUNKS, literal(point), last), BOTH)
    alone = LONG.checkpoint(MORE, sixteen, chain=draw("another chain"))
    yield refused("state", "a checkpoint in the middle with another chain", long_part(CHUNKS, literal(alone), last))
    yield refused("segment", "a segment behind it", long_part(CHUNKS, literal(alone), last), segment=1)


def _ends() -> Iterator[Case]:
    end = sealed("empty.scl1")[-CHECKPOINT_BYTES:]
    for name, extra in (
        ("a byte", literal(b"\0")),
        ("the end again", literal(end)),
        ("a chunk", piece("empty.scl1", len(EMPTY.header), len(EMPTY.header) + SEALED_BYTES)),
        ("zeros", {"zeros": 5000}),
    ):
        yield refused("state", f"{name} behind the end", [*whole("empty.scl1"), extra])
    recovered = LONG.checkpoint(RECOVERED, chunks("long.scl1")[:2])
    yield refused("state", "a byte behind a recovery", long_part(2, literal(recovered + b"\0")))
    yield refused("state", "a recovery twice", long_part(2, literal(recovered), literal(recovered)))
    yield refused("state", "an end behind no chunk", [literal(EMPTY.header + EMPTY.checkpoint(END, []))])
    sixteen = chunks("long.scl1")[:CHUNKS]
    behind = LONG.checkpoint(END, sixteen, chain=labelled("sealcam/scl1/chain", LONG.chain(sixteen)))
    boundary = piece("long.scl1", 0, chunk_at(LONG, CHUNKS))
    yield refused("state", "an end right behind a checkpoint", [boundary, literal(behind)])


def _finals() -> Iterator[Case]:
    key = by_key(EMPTY)
    for name, file in (("without 80", "no-80.chunk"), ("that ends in another byte", "odd-end.chunk")):
        data = stored()[file]
        clip = [literal(EMPTY.header), piece(file, 0, SEALED_BYTES), literal(EMPTY.checkpoint(END, [data]))]
        yield case("state", f"a last chunk {name}", clip, **told("complete", 1))
        yield refused("open", f"opened, a last chunk {name}", clip, **key)
    first, second = chunks("empty.scl1")[0], stored()["second.chunk"]
    head = piece("empty.scl1", 0, len(EMPTY.header) + SEALED_BYTES)
    more = piece("second.chunk", 0, SEALED_BYTES)
    for kind, state in ((END, "complete"), (RECOVERED, "interrupted")):
        clip = [head, more, literal(EMPTY.checkpoint(kind, [first, second]))]
        yield case("state", f"a final chunk before the last, {state}", clip, **told(state, 2))
        yield refused("open", f"opened, a final chunk before the last, {state}", clip, **key)
    yield refused("open", "a final chunk before the last, cut", [head, more], **key)
    yield refused("chunk", "a final chunk before the last, alone", clip, **key, chunk=0)
    for count in (1, CHUNKS):
        held = chunks("long.scl1")[:count]
        clip = long_part(count, literal(LONG.checkpoint(END, held)))
        yield case("state", f"an end behind {count} chunks that aren't final", clip, **told("complete", count))
        yield refused("open", f"opened, an end behind {count} chunks that aren't final", clip, **by_key(LONG))


def _single() -> Iterator[Case]:
    key = by_key(LONG)
    yield refused("chunk", "a chunk that is behind the last one", whole("long.scl1"), **key, chunk=17)
    yield refused("chunk", "a chunk that is cut", [piece("long.scl1", 0, chunk_at(LONG, 3) + 5)], **key, chunk=3)
    yield refused("chunk", "a chunk with a bit flipped", flipped("long.scl1", chunk_at(LONG, 2) + 9), **key, chunk=2)
    moved = [piece("long.scl1", 0, len(LONG.header)), *_pieces(1, 0)]
    yield refused("chunk", "a chunk in another's place", moved, **key, chunk=0)
    yield refused("chunk", "a chunk with another clip's key", whole("long.scl1"), **by_key(EMPTY), chunk=0)
    yield refused("chunk", "a chunk whose header doesn't verify", flipped("long.scl1", 30), **key, chunk=0)
    recipe = BASES["65536.scl1"][0]
    foreign = [
        piece("long.scl1", 0, len(LONG.header)),
        piece("65536.scl1", len(recipe.header), len(recipe.header) + SEALED_BYTES),
    ]
    yield refused("chunk", "a chunk of another clip", foreign, **key, chunk=0)
