"""A second opener of `SCL1`, written from design/wire.md section 7 alone; shares no code with `sealcam.wire`.

`judge` says whether it does with a case of `scl1.json` what the case says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.vectors import stock
from tests.vectors.independent import RefusedError, check_signature, labelled, require, unseal
from tests.vectors.independent_statement import STAMP, U64, read_map

INFO: dict[int, Any] = {1: "bytes 8", 2: STAMP, 3: "text", 4: U64, 5: ("text",), 6: (U64,)}

CHECKPOINT = 113


@dataclass(frozen=True)
class Shape:
    """How long an encrypted chunk is, and how many a segment has: the specification's, or smaller ones to be tried."""

    chunk: int = 65_552
    chunks: int = 16

    @property
    def segment(self) -> int:
        return self.chunk * self.chunks + CHECKPOINT


SCL1 = Shape()


@dataclass
class Header:
    """A header that its signer signed."""

    size: int
    hash: bytes
    kid: bytes
    clip: bytes
    commit: bytes
    slots: list[bytes]
    clear: bytes
    info: bytes


@dataclass
class Segment:
    """Its chunks as they stand there, and of its checkpoint the kind, or none where it has none."""

    number: int
    chunks: list[bytes]
    checkpoint: bytes | None
    end: int


def hashed(label: str, message: bytes) -> bytes:
    return labelled(f"sealcam/scl1/{label}", message, 256)


def signed_by(signers: Iterable[bytes], kid: bytes, signature: bytes, label: str, message: bytes) -> None:
    """Require that one of the signers has this kid and signed."""
    for public in signers:
        if labelled("sealcam/key-id", public, 64) == kid:
            return check_signature(public, signature, labelled(f"sealcam/scl1/{label}", message, 512))
    raise RefusedError


def read_header(data: bytes, signers: list[bytes]) -> Header:
    """Section 7.1."""
    require(len(data) >= 70)
    i = 70 + 80 * data[69]
    require(len(data) >= i + 336)
    signed_by(signers, data[5:13], data[i + 272 : i + 336], "header", data[: i + 272])
    require(data[:4] == b"SCL1" and data[4] == 1 and data[69] in (4, 8, 16))
    slots = [data[at : at + 80] for at in range(70, i, 80)]
    whole = data[: i + 336]
    return Header(
        i + 336, hashed("header-hash", whole), data[5:13], data[21:37], data[37:69], slots, data[:i], data[i : i + 272]
    )


def read_segment(data: bytes, header: Header, signers: list[bytes], number: int, shape: Shape = SCL1) -> Segment:
    """What stands at the place of a segment: section 7.4, where a checkpoint stands."""
    kids = [labelled("sealcam/key-id", public, 64) for public in signers]
    at = header.size + number * shape.segment
    chunks: list[bytes] = []
    while len(chunks) < shape.chunks:
        if len(data) - at >= CHECKPOINT and data[at + 1 : at + 9] in kids:
            return Segment(number, chunks, data[at : at + CHECKPOINT], at + CHECKPOINT)
        if len(data) - at < shape.chunk:
            return Segment(number, chunks, None, len(data))
        chunks.append(data[at : at + shape.chunk])
        at += shape.chunk
    whole = len(data) - at >= CHECKPOINT
    return Segment(
        number, chunks, data[at : at + CHECKPOINT] if whole else None, at + CHECKPOINT if whole else len(data)
    )


def check_checkpoint(
    point: bytes, header: Header, signers: list[bytes], number: int, chunks: int, shape: Shape = SCL1
) -> int:
    """Require a checkpoint with its signature and numbers, and return its kind; its chain is not looked at."""
    kind = point[0]
    require(kind in (0, 1, 2))
    require(kind == 2 or point[1:9] == header.kid)
    signed_by(signers, point[1:9], point[49:], "checkpoint", header.hash + point[:49])
    require(int.from_bytes(point[13:17], "big") == shape.chunks * number + chunks <= 2**20)
    require(chunks == shape.chunks if kind == 0 else chunks > 0 or kind == 2)
    return kind


@dataclass
class Clip:
    """What can be told of a clip without its key."""

    header: Header
    state: str
    chunks: list[bytes]
    signed: int


def read_clip(data: bytes, signers: list[bytes], shape: Shape = SCL1) -> Clip:
    """Section 7.4, the states."""
    header = read_header(data, signers)
    chain, chunks, number, signed = header.hash, [], 0, 0
    while True:
        segment = read_segment(data, header, signers, number, shape)
        chunks += segment.chunks
        if segment.checkpoint is None:
            return Clip(header, "cut", chunks, signed)
        kind = check_checkpoint(segment.checkpoint, header, signers, number, len(segment.chunks), shape)
        chain = hashed("chain", chain + b"".join(segment.chunks))
        require(segment.checkpoint[17:49] == chain)
        signed = len(chunks)
        if kind != 0:
            require(segment.end == len(data))
            return Clip(header, "complete" if kind == 1 else "interrupted", chunks, signed)
        number += 1


def check_segment(
    data: bytes, header: Header, signers: list[bytes], number: int, shape: Shape = SCL1
) -> tuple[bool, Segment]:
    """Whether segment `number` is blanked, and what it holds; it verifies alone if it isn't."""
    at = header.size + number * shape.segment
    chain = header.hash
    if number:
        require(len(data) >= at)
        before = data[at - CHECKPOINT : at]
        require(check_checkpoint(before, header, signers, number - 1, shape.chunks, shape) == 0)
        chain = before[17:49]
    segment = read_segment(data, header, signers, number, shape)
    require(segment.checkpoint is not None)
    point = segment.checkpoint or b""
    kind = check_checkpoint(point, header, signers, number, len(segment.chunks), shape)
    require(kind == 0 or segment.end == len(data))
    joined = b"".join(segment.chunks)
    fits = point[17:49] == hashed("chain", chain + joined)
    require(fits or (len(joined) > 0 and not any(joined)))
    return not fits, segment


def decrypt(key: bytes, nonce: bytes, data: bytes, aad: bytes = b"") -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, data, aad)
    except InvalidTag:
        raise RefusedError from None


def content_key(header: Header, key: bytes | None, secret: bytes | None) -> bytes:
    """The content key that meets the commitment: the one given, or from a slot."""
    candidates = [key] if key is not None else [unseal(slot, secret or b"") for slot in header.slots]
    for candidate in candidates:
        if candidate is not None and hashed("commit", candidate) == header.commit:
            return candidate
    raise RefusedError


def open_info(header: Header, key: bytes) -> bytes:
    """The CBOR of the info block, with the fields that it must have."""
    padded = decrypt(hashed("info-key", key + header.clear), bytes(12), header.info, header.clear)
    stripped = padded.rstrip(b"\0")
    require(stripped[-1:] == b"\x80")
    read_map(stripped[:-1], INFO)
    return stripped[:-1]


def segment_key(header: Header, key: bytes, number: int) -> bytes:
    return hashed("segment-key", key + header.hash + number.to_bytes(4, "big"))


def open_chunk(key: bytes, number: int, data: bytes, finals: tuple[int, ...]) -> bytes:
    """The content of a chunk by its segment key, which opens with one of `finals`."""
    for final in finals:
        try:
            plain = decrypt(key, bytes([final, 0, 0, 0]) + number.to_bytes(8, "big"), data)
        except RefusedError:
            continue
        if not final:
            return plain
        stripped = plain.rstrip(b"\0")
        require(stripped[-1:] == b"\x80")
        return stripped[:-1]
    raise RefusedError


def open_clip(clip: Clip, key: bytes, shape: Shape = SCL1) -> bytes:
    """The content of all whole chunks."""
    last = len(clip.chunks) - 1
    found = []
    for number, chunk in enumerate(clip.chunks):
        finals = (0,) if number < last else (1,) if clip.state == "complete" else (0, 1)
        found.append(open_chunk(segment_key(clip.header, key, number // shape.chunks), number, chunk, finals))
    return b"".join(found)


def open_one(data: bytes, signers: list[bytes], key: bytes, number: int) -> bytes:
    """One chunk alone, after its header."""
    header = read_header(data, signers)
    content_key(header, key, None)
    at, after = (header.size + n // 16 * SCL1.segment + n % 16 * SCL1.chunk for n in (number, number + 1))
    require(len(data) >= at + SCL1.chunk)
    finals = (0,) if len(data) >= after + SCL1.chunk else (0, 1)
    return open_chunk(segment_key(header, key, number // 16), number, data[at : at + SCL1.chunk], finals)


def measured(plain: bytes) -> dict[str, Any]:
    return {"size": len(plain), "sha256_hex": sha256(plain).hexdigest()}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What this opener says to a case."""
    data = stock.join(case["clip"])
    signers = [bytes.fromhex(one) for one in case["signers_hex"]]
    key = bytes.fromhex(case["content_key_hex"]) if "content_key_hex" in case else None
    if case["kind"] == "chunk":
        return measured(open_one(data, signers, key or b"", case["chunk"]))
    if case["kind"] == "segment":
        blanked, segment = check_segment(data, read_header(data, signers), signers, case["segment"])
        return {"blanked": blanked, "chunks": len(segment.chunks)}
    clip = read_clip(data, signers)
    told = {"state": clip.state, "chunks": len(clip.chunks), "signed_chunks": clip.signed}
    if case["kind"] == "state":
        return told
    key = content_key(clip.header, key, bytes.fromhex(case.get("recipient_secret_hex", "")))
    return told | {"info_cbor_hex": open_info(clip.header, key).hex()} | measured(open_clip(clip, key))


def judge(case: dict[str, Any]) -> bool:
    """Whether this opener answers a case as it says."""
    try:
        found = answer(case)
    except RefusedError:
        return case.get("refuse") is True
    return "refuse" not in case and all(case[name] == value for name, value in found.items())
