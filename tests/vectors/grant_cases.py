"""Cases of `grants.json` about grants, answered and refused (design/wire.md section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import Signer, draw, labelled, public_of, sealed_box
from tests.vectors.claim_cases import CERTIFICATE, FINGERPRINT, OTHER_ROOT
from tests.vectors.clip_builder import CHUNK_BYTES, CHUNKS, RECOVERED, SEALED_BYTES, ClipRecipe, content
from tests.vectors.clip_stock import (
    BASES,
    LATER,
    LONG,
    SIGNER,
    chunk_at,
    chunks,
    flipped,
    long_part,
    measured,
    sealed,
    whole,
)
from tests.vectors.statement_builder import bundle, statement
from tests.vectors.statement_cases import HUB, OTHER, ROOT, SECOND, Case
from tests.vectors.stock import Part, literal, piece

NEIGHBOUR = draw("neighbour")
STRANGER = draw("stranger")
ISSUED_NS = 1_790_000_000_000_000_000
EXPIRES_NS = 1_790_600_000_000_000_000
NOW_NS = 1_790_300_000_000_000_000
PLAIN = content("long", BASES["long.scl1"][1])
Runs = tuple[tuple[int, int], ...] | None


def grants() -> Iterator[Case]:
    """All of them."""
    yield from _answered()
    yield from _hub()
    yield from _recipient()
    yield from _clip()
    yield from _keys()
    yield from _parts()


def keys_of(runs: Runs, recipe: ClipRecipe = LONG) -> bytes:
    """What a grant of these segments wraps."""
    if runs is None:
        return recipe.content_key
    return b"".join(recipe.segment_key(n) for first, last in runs for n in range(first, last + 1))


def grant(
    runs: Runs = None,
    *,
    recipe: ClipRecipe = LONG,
    hub: Signer = HUB,
    wrapped: bytes | None = None,
    to: bytes | None = None,
    kind: int = 8,
    **fields: Any,
) -> bytes:
    """A grant of the long clip; `f3=...` replaces a field, `to` is whose box `wrapped` is in."""
    held = keys_of(runs, recipe) if wrapped is None else wrapped
    found: dict[int, object] = {
        1: recipe.clip,
        2: recipe.header_hash,
        3: public_of(NEIGHBOUR),
        5: "the delivery of Tuesday",
        6: ISSUED_NS,
        7: EXPIRES_NS,
        8: draw("log head"),
        9: sealed_box(held, to or public_of(NEIGHBOUR), draw("grant ephemeral")),
        10: [SIGNER.public],
    }
    if runs is not None:
        found[4] = [{1: first, 2: last} for first, last in runs]
    found |= {int(name[1:]): value for name, value in fields.items()}
    return statement(hub, kind, found)


def case(name: str, item: bytes, clip: list[Part] | None = None, **rest: Any) -> Case:
    """A case about a grant; what isn't said is as it should be."""
    certificate, root = rest.pop("certificate", CERTIFICATE), rest.pop("root", ROOT)
    secret, now_ns = rest.pop("secret", NEIGHBOUR), rest.pop("now_ns", NOW_NS)
    data = rest.pop("data", None) or bundle(root.public, certificate, item)
    return {
        "name": name,
        "kind": "grant",
        "bundle_hex": data.hex(),
        "fingerprint_hex": FINGERPRINT.hex(),
        "recipient_secret_hex": secret.hex(),
        "now_ns": str(now_ns),
        "clip": whole("long.scl1") if clip is None else clip,
    } | (rest or {"refuse": True})


def opens(plain: bytes, segments: list[int] | None = None) -> Case:
    return {"segments": segments} | measured(plain)


def _answered() -> Iterator[Case]:
    first, rest = PLAIN[: CHUNKS * CHUNK_BYTES], PLAIN[CHUNKS * CHUNK_BYTES :]
    yield case("the whole clip", grant(), **opens(PLAIN))
    yield case("both segments", grant(((0, 1),)), **opens(PLAIN, [0, 1]))
    yield case("both segments, in two runs", grant(((0, 0), (1, 1))), **opens(PLAIN, [0, 1]))
    yield case("the first segment", grant(((0, 0),)), **opens(first, [0]))
    yield case("the second segment", grant(((1, 1),)), **opens(rest, [1]))
    at = chunk_at(LONG, 0)
    size = CHUNKS * SEALED_BYTES
    blank: list[Part] = [
        piece("long.scl1", 0, at),
        {"zeros": size},
        piece("long.scl1", at + size, len(sealed("long.scl1"))),
    ]
    yield case("the second segment of a copy without the first", grant(((1, 1),)), blank, **opens(rest, [1]))
    yield case("a blanked segment", grant(((0, 0),)), blank)
    yield case("both segments of a copy without the first", grant(((0, 1),)), blank)
    yield case("the whole of a copy without the first segment", grant(), blank)
    boundary = [piece("long.scl1", 0, chunk_at(LONG, CHUNKS))]
    yield case("the first segment of a clip that is cut behind it", grant(((0, 0),)), boundary, **opens(first, [0]))
    yield case("the whole of a clip that is cut", grant(), boundary, **opens(first))
    three = long_part(3, literal(LONG.checkpoint(RECOVERED, chunks("long.scl1")[:3])))
    recovered = PLAIN[: 3 * CHUNK_BYTES]
    yield case("the whole of a recovered clip", grant(), three, **opens(recovered))
    yield case("the segment of a recovered clip", grant(((0, 0),)), three, **opens(recovered, [0]))
    later = long_part(3, literal(LONG.checkpoint(RECOVERED, chunks("long.scl1")[:3], signer=LATER, epoch=2)))
    both = [SIGNER.public, LATER.public]
    yield case("a clip recovered by a later key", grant(f10=both), later, **opens(recovered))
    yield case("a segment recovered by a later key", grant(((0, 0),), f10=both), later, **opens(recovered, [0]))
    many = [Signer(draw(f"signer {n}")).public for n in range(15)]
    yield case("sixteen signers, the last of which signed", grant(f10=[*many, SIGNER.public]), **opens(PLAIN))
    small, size = BASES["65535.scl1"]
    resealed = grant(recipe=small, f10=[HUB.public])
    yield case("a clip that the hub sealed", resealed, whole("65535.scl1"), **opens(content(small.name, size)))
    yield case("a nanosecond before it expires", grant(), now_ns=EXPIRES_NS - 1, **opens(PLAIN))
    yield case("read before it was issued", grant(), now_ns=1, **opens(PLAIN))
    yield case("a grant with a field nobody knows", grant(f50=[True]), **opens(PLAIN))
    second = statement(ROOT, 1, {1: SECOND.public, 2: 2})
    yield case("by another certified hub", grant(hub=SECOND), certificate=second, **opens(PLAIN))


def _hub() -> Iterator[Case]:
    item = grant()
    yield case("under another root", item, certificate=statement(OTHER_ROOT, 1, {1: HUB.public, 2: 1}), root=OTHER_ROOT)
    yield case("a hub that another root certified", item, certificate=statement(OTHER_ROOT, 1, {1: HUB.public, 2: 1}))
    yield case("a hub that certified itself", item, certificate=statement(HUB, 1, {1: HUB.public, 2: 1}))
    yield case("a hub without certificate", item, certificate=b"")
    yield case("another hub's certificate", item, certificate=statement(ROOT, 1, {1: SECOND.public, 2: 2}))
    yield case("a grant that an uncertified hub signed", grant(hub=OTHER))
    yield case("a grant that the root signed", grant(hub=ROOT))
    yield case("a grant that the camera signed", grant(hub=SIGNER))
    yield case("a log entry in place of a grant", statement(HUB, 9, {1: 1, 2: bytes(32), 3: 1, 4: "", 5: 2, 8: ""}))
    flip = bytearray(item)
    flip[40] ^= 1
    yield case("a grant with a bit flipped", bytes(flip))
    yield case("a grant without its last byte", item[:-1])
    good = bundle(ROOT.public, CERTIFICATE, item)
    for size in (0, 33, 34, 100, len(good) - 70):
        yield case(f"a bundle cut to {size} bytes", item, data=good[:size] or b"\0")


def _recipient() -> Iterator[Case]:
    yield case("read by another recipient", grant(), secret=STRANGER)
    theirs = public_of(STRANGER)
    yield case("named for one, wrapped for another", grant(to=theirs))
    yield case("named for another, wrapped for one", grant(f3=theirs))
    yield case("at the moment it expires", grant(), now_ns=EXPIRES_NS)
    yield case("a year after it expired", grant(), now_ns=EXPIRES_NS + 31_536_000_000_000_000)


def _clip() -> Iterator[Case]:
    yield case("another clip", grant(), whole("65537.scl1"))
    other = BASES["65537.scl1"][0]
    yield case("another clip's id", grant(f1=other.clip))
    yield case("another header's hash", grant(f2=other.header_hash))
    yield case("another clip's id and header's hash", grant(f1=other.clip, f2=other.header_hash))
    yield case("another clip with the same key", grant(f2=labelled("sealcam/scl1/header-hash", sealed("long.scl1"))))
    yield case("signers that didn't sign", grant(f10=[OTHER.public, LATER.public]))
    yield case("a clip with a bit flipped in its header", grant(), flipped("long.scl1", 30))
    yield case("a clip with a bit flipped in a slot", grant(), flipped("long.scl1", 200))
    yield case("a clip with a bit flipped in a chunk", grant(), flipped("long.scl1", 5000))
    yield case("no clip", grant(), [])
    later = long_part(3, literal(LONG.checkpoint(RECOVERED, chunks("long.scl1")[:3], signer=LATER, epoch=2)))
    yield case("the segment of a clip that a key recovered which isn't among the signers", grant(((0, 0),)), later)


def _keys() -> Iterator[Case]:
    yield case("another clip's key", grant(wrapped=BASES["65537.scl1"][0].content_key))
    yield case("zeros for a key", grant(wrapped=bytes(32)))
    yield case("the content key in place of a segment's", grant(((0, 0),), wrapped=LONG.content_key))
    yield case("the segments' keys exchanged", grant(((0, 1),), wrapped=LONG.segment_key(1) + LONG.segment_key(0)))
    yield case("another segment's key", grant(((0, 0),), wrapped=LONG.segment_key(1)))
    yield case("a segment's key for the whole", grant(wrapped=LONG.segment_key(0)))
    yield case("a key too few", grant(((0, 1),), wrapped=LONG.segment_key(0)))
    yield case("a key too many", grant(((0, 0),), wrapped=keys_of(((0, 1),))))
    yield case("a key of 31 bytes", grant(wrapped=LONG.content_key[:31]))
    yield case(
        "a box with a bit flipped", grant(f9=bytes([1]) + sealed_box(bytes(32), public_of(NEIGHBOUR), STRANGER)[1:])
    )
    yield case("a box of zeros", grant(f9=bytes(80)))


def _parts() -> Iterator[Case]:
    yield case("a segment that isn't there", grant(((0, 2),)))
    yield case("a segment far behind the end", grant(((1000, 1000),)))
    yield case("runs that overlap", grant(((0, 1), (1, 1))))
    yield case("runs that fall", grant(((1, 1), (0, 0))))
    yield case("a run that ends before it begins", grant(((1, 0),), wrapped=LONG.segment_key(0)))
    yield case("no runs", grant((), wrapped=b""))
    yield case("1,025 segments", grant(((0, 1024),)))
    yield case("expired before it was issued", grant(f7=ISSUED_NS - 1), now_ns=1)
    yield case("no signers", grant(f10=[]))
    yield case("seventeen signers", grant(f10=[SIGNER.public] * 17))
    yield case("a recipient of low order", grant(f3=bytes(32)))
    cut = [piece("long.scl1", 0, chunk_at(LONG, CHUNKS) - 113)]
    yield case("a segment without its checkpoint", grant(((0, 0),)), cut)
    damaged = flipped("long.scl1", 5000)
    rest = PLAIN[CHUNKS * CHUNK_BYTES :]
    yield case("the second segment, where the first is damaged", grant(((1, 1),)), damaged, **opens(rest, [1]))
    yield case("the first segment, which is damaged", grant(((0, 0),)), damaged)
