"""The clips that cases are cut out of, and how a case of `scl1.json` is written (design/wire.md section 13)."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

from tests.vectors.builder import Signer, draw
from tests.vectors.clip_builder import (
    CHECKPOINT_BYTES,
    CHUNK_BYTES,
    CHUNKS,
    SEALED_BYTES,
    ClipRecipe,
    content,
    final_plain,
)
from tests.vectors.stock import Part, literal, piece

SIGNER = Signer(draw("signer"))
LATER = Signer(draw("signer of epoch 2"))
HUB = Signer(draw("hub operating key"))
OTHER = Signer(draw("another signer"))
BOTH = (SIGNER, LATER)
SECRETS = tuple(draw(f"recipient {n}") for n in range(16))
Case = dict[str, Any]

LONG = ClipRecipe("long", SIGNER, SECRETS[:2])
EMPTY = ClipRecipe("empty", SIGNER, SECRETS[:1])
BASES = {
    "long.scl1": (LONG, CHUNKS * CHUNK_BYTES + 1000),
    "empty.scl1": (EMPTY, 0),
    "65535.scl1": (ClipRecipe("65535", HUB, SECRETS[:9], epoch=0, rset=0, slots=16), 65_535),
    "65536.scl1": (ClipRecipe("65536", SIGNER, SECRETS[:5], slots=8), 65_536),
    "65537.scl1": (ClipRecipe("65537", SIGNER, SECRETS[:4]), 65_537),
}
SEGMENT_BYTES = CHUNKS * SEALED_BYTES + CHECKPOINT_BYTES


@cache
def sealed(name: str) -> bytes:
    recipe, size = BASES[name]
    return recipe.complete(content(recipe.name, size))


@cache
def chunks(name: str) -> list[bytes]:
    recipe, size = BASES[name]
    return recipe.chunks(content(recipe.name, size))


@cache
def stored() -> dict[str, bytes]:
    """The stock: a file's name and its bytes; beside the clips, chunks that none of them holds."""
    return {name: sealed(name) for name in BASES} | {
        "no-80.chunk": EMPTY.chunk(0, bytes(CHUNK_BYTES), 1),
        "odd-end.chunk": EMPTY.chunk(0, b"\x80".ljust(CHUNK_BYTES - 1, b"\0") + b"\1", 1),
        "second.chunk": EMPTY.chunk(1, final_plain(b""), 1),
    }


def whole(name: str) -> list[Part]:
    return [piece(name, 0, len(sealed(name)))]


def chunk_at(recipe: ClipRecipe, number: int) -> int:
    return len(recipe.header) + number // CHUNKS * SEGMENT_BYTES + number % CHUNKS * SEALED_BYTES


def case(kind: str, name: str, clip: list[Part], signers: tuple[Signer, ...] = (SIGNER,), **rest: Any) -> Case:
    return {"name": name, "kind": kind, "clip": clip, "signers_hex": [one.public.hex() for one in signers]} | rest


def measured(plain: bytes) -> Case:
    return {"size": len(plain), "sha256_hex": sha256(plain).hexdigest()}


def told(state: str, count: int, signed: int | None = None) -> Case:
    return {"state": state, "chunks": count, "signed_chunks": count if signed is None else signed}


def by_key(recipe: ClipRecipe) -> Case:
    return {"content_key_hex": recipe.content_key.hex()}


def long_part(count: int, *more: Part) -> list[Part]:
    """The first `count` chunks of the long clip, its header and the checkpoints inside; then `more`."""
    return [piece("long.scl1", 0, chunk_at(LONG, count) - (CHECKPOINT_BYTES if count == CHUNKS else 0)), *more]


def refused(kind: str, name: str, clip: list[Part], signers: tuple[Signer, ...] = (SIGNER,), **rest: Any) -> Case:
    return case(kind, name, clip, signers, **rest, refuse=True)


def flipped(name: str, at: int) -> list[Part]:
    """A stored clip with one bit of byte `at` changed."""
    data = sealed(name)
    return [piece(name, 0, at), literal(bytes([data[at] ^ 1])), piece(name, at + 1, len(data))]
