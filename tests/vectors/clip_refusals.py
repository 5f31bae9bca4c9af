"""The cases of `scl1.json` that are refused: each is wrong in one way, and signed again where its signer could have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.vectors.builder import draw, labelled
from tests.vectors.clip_builder import (
    CHECKPOINT_BYTES,
    CHUNKS,
    RECOVERED,
    SEALED_BYTES,
    ClipRecipe,
)
from tests.vectors.clip_disorder import disorder
from tests.vectors.clip_stock import (
    BOTH,
    EMPTY,
    LATER,
    LONG,
    OTHER,
    SECRETS,
    SIGNER,
    Case,
    by_key,
    case,
    chunk_at,
    flipped,
    refused,
    told,
)
from tests.vectors.stock import Part, literal, piece

HEADER_FIELDS = {
    "magic": 0,
    "suite": 4,
    "kid": 5,
    "epoch": 16,
    "recipient set": 20,
    "clip": 21,
    "commitment": 37,
    "slot count": 69,
    "a slot": 75,
    "a decoy": 160,
    "info": 400,
    "tag of the info": 661,
    "R of the signature": 662,
    "S of the signature": 694,
}
POINT_FIELDS = {"kind": 0, "epoch": 12, "chunks": 16, "chain": 17, "R": 49, "S": 81}


def refusals() -> Iterator[Case]:
    """Every refused case, and beside them what stays true of the same bytes."""
    yield from _flips()
    yield from _headers()
    yield from _infos_and_slots()
    yield from disorder()


def _flips() -> Iterator[Case]:
    for field, at in HEADER_FIELDS.items():
        yield refused("state", f"a bit flipped in the header: {field}", flipped("empty.scl1", at))
    first = len(EMPTY.header)
    for where, at in (("the first byte", 0), ("the middle", 30_000), ("the tag", SEALED_BYTES - 1)):
        yield refused("state", f"a bit flipped in a chunk: {where}", flipped("empty.scl1", first + at))
    for field, at in POINT_FIELDS.items():
        yield refused("state", f"a bit flipped in the end: {field}", flipped("empty.scl1", first + SEALED_BYTES + at))
        inner = chunk_at(LONG, CHUNKS) - CHECKPOINT_BYTES + at
        yield refused("state", f"a bit flipped in a checkpoint: {field}", flipped("long.scl1", inner))
    kid = flipped("long.scl1", chunk_at(LONG, CHUNKS) - CHECKPOINT_BYTES + 1)
    yield refused("state", "a bit flipped in a checkpoint: kid", kid)
    at = first + SEALED_BYTES + 1
    yield case("state", "an end whose kid nobody has is no end", flipped("empty.scl1", at), **told("cut", 1, 0))
    yield refused("segment", "a bit flipped in the first segment", flipped("long.scl1", 5000), segment=0)
    yield case("segment", "the segment behind it", flipped("long.scl1", 5000), segment=1, blanked=False, chunks=1)
    yield refused("segment", "a bit flipped in the checkpoint before", kid, segment=1)
    for size in (0, 1, 69, 70, 389, 390, len(EMPTY.header) - 1):
        yield refused("state", f"cut to {size} bytes", [piece("empty.scl1", 0, size)])


def unbegun(recipe: ClipRecipe) -> list[Part]:
    """A clip recovered before its first chunk: a header and a checkpoint."""
    return [literal(recipe.header + recipe.checkpoint(RECOVERED, []))]


def _headers() -> Iterator[Case]:
    base = replace(EMPTY, name="header")
    yield case("state", "what the refused headers start from", unbegun(base), **told("interrupted", 0))
    for name, wrong in (
        ("suite 0", {"suite": 0}),
        ("suite 2, which is reserved", {"suite": 2}),
        ("magic of an event", {"magic": b"SEV1"}),
        ("magic of a later version", {"magic": b"SCL2"}),
        ("kid of another key", {"kid": LATER.kid}),
        ("signed as a checkpoint", {"header_label": "sealcam/scl1/checkpoint"}),
        ("signed as an event", {"header_label": "sealcam/sev1/signature"}),
        ("signed by a stranger", {"signer": OTHER}),
        ("signed by a stranger in another's name", {"signer": OTHER, "kid": SIGNER.kid}),
        ("no slots", {"slots": 0, "recipients": ()}),
        ("one slot", {"slots": 1}),
        ("five slots", {"slots": 5}),
        ("seventeen slots", {"slots": 17}),
        ("255 slots", {"slots": 255}),
        ("slot count 0 over four slots", {"nslots": 0}),
        ("slot count 8 over four slots", {"nslots": 8}),
        ("slot count 255 over four slots", {"nslots": 255}),
    ):
        yield refused("state", name, unbegun(replace(base, **wrong)), BOTH)  # type: ignore[arg-type]
    header = base.header
    rest = literal(base.checkpoint(RECOVERED, []))
    yield refused("state", "a header without signature", [literal(header[:-64] + bytes(64)), rest])
    yield refused("state", "no signer is known", unbegun(base), ())


INFOS = {
    "a list, not a map": "80",
    "a map and a byte": "a000",
    "an integer in two bytes that fits one": "a1011817",
    "keys that fall": "a202010101",
    "a key twice": "a201010101",
    "a map without end": "bf0101ff",
    "a float": "a101f93c00",
    "null": "a101f6",
    "a tag": "a101c001",
    "a text that isn't UTF-8": "a10161ff",
    "containers five deep": "a10181818180",
    "nothing": "",
}


def _infos_and_slots() -> Iterator[Case]:
    base = replace(EMPTY, name="info")
    key = by_key(base)
    expected = told("interrupted", 0) | {"info_cbor_hex": base.info_cbor.hex(), "size": 0}
    empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    yield case("open", "what the refused ones start from", unbegun(base), **key, **expected, sha256_hex=empty_hash)
    for name, info in INFOS.items():
        wrong = replace(base, info=bytes.fromhex(info))
        yield refused("open", f"info that is not deterministic CBOR: {name}", unbegun(wrong), **key)
    plain = base.info_cbor
    for name, padded in (
        ("of zeros alone", bytes(256)),
        ("without 80", plain.ljust(256, b"\0")),
        ("that ends in another byte", (plain + b"\x80").ljust(255, b"\0") + b"\1"),
    ):
        yield refused("open", f"info with padding {name}", unbegun(replace(base, info_padded=padded)), **key)
    other = draw("another content key")
    yield refused("open", "another content key", unbegun(base), content_key_hex=other.hex())
    yield refused("open", "a recipient who isn't in the set", unbegun(base), recipient_secret_hex=SECRETS[9].hex())
    wrong = replace(base, held=other)
    secret = {"recipient_secret_hex": SECRETS[0].hex()}
    yield refused("open", "a slot with another key than the clip's", unbegun(wrong), **secret)
    wrong = replace(base, commit=labelled("sealcam/sev1/commit", base.content_key))
    yield refused("open", "a commitment under an event's label", unbegun(wrong), **key)
    wrong = replace(base, commit=labelled("sealcam/scl1/commit", other))
    yield refused("open", "a commitment to another key", unbegun(wrong), **secret)
    yield refused(
        "open", "the key that the commitment names, and another's info", unbegun(wrong), content_key_hex=other.hex()
    )
