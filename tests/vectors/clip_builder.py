"""Builds sealed clips `SCL1` by hand, right and wrong, from fixed seeds; shares no code with `sealcam.wire`.

Parts of the header can be replaced before it is signed, chunks and checkpoints are made one by one, so that a vector
is wrong in one way alone (design/wire.md section 7).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import nacl.bindings as sodium

from tests.vectors.builder import Signer, cbor, draw, labelled, public_of, sealed_box

CHUNK_BYTES = 65_536
SEALED_BYTES = CHUNK_BYTES + 16
CHUNKS = 16
CHECKPOINT_BYTES = 113
MORE, END, RECOVERED = 0, 1, 2
STAMP = {1: draw("boot", 16), 2: 81_000_000_000, 3: 1_790_000_000_000_000_000, 4: 1}


def content(name: str, size: int) -> bytes:
    """Bytes that no picture holds, the same each time."""
    blocks = [blake2b(f"sealcam vectors/content/{name}/{n}".encode()).digest() for n in range(-(-size // 64))]
    return b"".join(blocks)[:size]


def final_plain(rest: bytes) -> bytes:
    """The plain bytes of a last chunk."""
    assert len(rest) < CHUNK_BYTES
    return (rest + b"\x80").ljust(CHUNK_BYTES, b"\0")


@dataclass(frozen=True)
class ClipRecipe:
    """One clip. What is None is as specified; anything else replaces that part, and the rest follows from it."""

    name: str
    signer: Signer
    recipients: tuple[bytes, ...]
    epoch: int = 1
    rset: int = 1
    slots: int = 4
    magic: bytes = b"SCL1"
    suite: int = 1
    kid: bytes | None = None
    nslots: int | None = None
    commit: bytes | None = None
    held: bytes | None = None  # what the slots hold, when that isn't the content key
    info: bytes | None = None  # CBOR
    info_padded: bytes | None = None
    header_label: str = "sealcam/scl1/header"
    per_segment: int = CHUNKS

    @property
    def content_key(self) -> bytes:
        return draw(f"clip {self.name}/content key")

    @property
    def clip(self) -> bytes:
        return draw(f"clip {self.name}/id", 16)

    @property
    def info_cbor(self) -> bytes:
        if self.info is not None:
            return self.info
        return cbor({1: draw("incident", 8), 2: STAMP, 3: "video/mp4", 4: 0})

    @cached_property
    def clear(self) -> bytes:
        """What stands before the info block."""
        key = self.content_key
        boxes = [
            sealed_box(self.held or key, public_of(secret), draw(f"clip {self.name}/ephemeral {n}"))
            for n, secret in enumerate(self.recipients)
        ]
        boxes += [
            public_of(draw(f"clip {self.name}/decoy {n}")) + draw(f"clip {self.name}/decoy rest {n}", 48)
            for n in range(len(boxes), self.slots)
        ]
        return struct.pack(
            ">4sB8sII16s32sB",
            self.magic,
            self.suite,
            self.kid or self.signer.kid,
            self.epoch,
            self.rset,
            self.clip,
            self.commit or labelled("sealcam/scl1/commit", key),
            self.slots if self.nslots is None else self.nslots,
        ) + b"".join(boxes)

    @cached_property
    def header(self) -> bytes:
        info_key = labelled("sealcam/scl1/info-key", self.content_key + self.clear)
        padded = self.info_padded or (self.info_cbor + b"\x80").ljust(256, b"\0")
        message = self.clear + seal(info_key, bytes(12), padded, self.clear)
        return message + self.signer.sign(message, self.header_label)

    @cached_property
    def header_hash(self) -> bytes:
        return labelled("sealcam/scl1/header-hash", self.header)

    def segment_key(self, number: int) -> bytes:
        message = self.content_key + self.header_hash + number.to_bytes(4, "big")
        return labelled("sealcam/scl1/segment-key", message)

    def chunk(self, number: int, plain: bytes, final: int = 0) -> bytes:
        nonce = bytes([final, 0, 0, 0]) + number.to_bytes(8, "big")
        return seal(self.segment_key(number // self.per_segment), nonce, plain, b"")

    def chunks(self, plain: bytes) -> list[bytes]:
        """All chunks of a complete clip with this content."""
        whole = len(plain) // CHUNK_BYTES
        pieces = [plain[n * CHUNK_BYTES : (n + 1) * CHUNK_BYTES] for n in range(whole)]
        found = [self.chunk(n, piece) for n, piece in enumerate(pieces)]
        return [*found, self.chunk(whole, final_plain(plain[whole * CHUNK_BYTES :]), 1)]

    def chain(self, chunks: Sequence[bytes]) -> bytes:
        """Of the segment that the last of all `chunks` closes."""
        chain = self.header_hash
        for start in range(0, max(len(chunks), 1), self.per_segment):
            chain = labelled("sealcam/scl1/chain", chain + b"".join(chunks[start : start + self.per_segment]))
        return chain

    def checkpoint(
        self,
        kind: int,
        chunks: Sequence[bytes],
        *,
        signer: Signer | None = None,
        epoch: int | None = None,
        count: int | None = None,
        chain: bytes | None = None,
        over: bytes | None = None,
        label: str = "sealcam/scl1/checkpoint",
    ) -> bytes:
        """Behind all `chunks` of the clip; what is None is as specified."""
        who = signer or self.signer
        body = struct.pack(
            ">B8sII32s",
            kind,
            who.kid,
            self.epoch if epoch is None else epoch,
            len(chunks) if count is None else count,
            self.chain(chunks) if chain is None else chain,
        )
        return body + who.sign((self.header_hash if over is None else over) + body, label)

    def complete(self, plain: bytes) -> bytes:
        """The whole file of a complete clip."""
        chunks = self.chunks(plain)
        parts = [self.header]
        for start in range(0, len(chunks), self.per_segment):
            end = min(start + self.per_segment, len(chunks))
            kind = END if end == len(chunks) else MORE
            parts += [*chunks[start:end], self.checkpoint(kind, chunks[:end])]
        return b"".join(parts)


def seal(key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plain, aad, nonce, key)
