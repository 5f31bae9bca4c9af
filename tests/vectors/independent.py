"""A second opener of `SEV1` and `SCM1`, written from design/wire.md alone; shares no code with `sealcam.wire`.

Standard library and `cryptography`; `nacl` for one call, `crypto_box_seal_open`, since `cryptography` has no XSalsa20.
`python -m tests.vectors.judge FILE...` lets it and its neighbours judge files of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import nacl.bindings
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
LOW_ORDER_Y = {0, 1, P - 1} | {
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


class RefusedError(Exception):
    """The envelope is refused, and that is all there is to say."""


def require(holds: bool) -> None:
    if not holds:
        raise RefusedError


@dataclass
class Event:
    """What an envelope says."""

    type: int
    seq: int
    prev: bytes
    body: bytes


def labelled(label: str, message: bytes, bits: int) -> bytes:
    """H-n(label, m) of section 1."""
    return blake2b(bytes([len(label)]) + label.encode() + message, digest_size=bits // 8).digest()


def y_of(point: bytes) -> int:
    return int.from_bytes(point, "little") & (2**255 - 1)


def check_signature(public: bytes, signature: bytes, digest: bytes) -> None:
    """Section 2.3."""
    require(len(public) == 32 and len(signature) == 64)
    require(int.from_bytes(signature[32:], "little") < ORDER)
    require(y_of(public) < P and y_of(public) not in LOW_ORDER_Y)
    require(y_of(signature) not in LOW_ORDER_Y)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, digest)
    except (InvalidSignature, ValueError):
        raise RefusedError from None


def padded_size(n: int) -> int:
    """P(n) of section 4.3."""
    if n <= 65536:
        size = 512
        while size < n:
            size *= 2
        return size
    e = n.bit_length() - 1
    s = e.bit_length()
    m = 2 ** (e - s) - 1
    return (n + m) - (n + m) % (m + 1)


def check_cbor(data: bytes) -> None:
    """Section 3: walks the bytes and builds nothing."""
    require(0 < len(data) <= 1048576 and data[0] >> 5 == 5)
    require(skip(data, 0, 1) == len(data))


def head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the content begins."""
    require(at < len(data))
    major, info = divmod(data[at], 32)
    at += 1
    if info < 24:
        return major, info, at
    require(info <= 27)
    width = 2 ** (info - 24)
    require(at + width <= len(data))
    argument = int.from_bytes(data[at : at + width], "big")
    require(argument >= (24 if width == 1 else 2 ** (4 * width)))
    return major, argument, at + width


def skip(data: bytes, at: int, depth: int) -> int:
    """Where the item at `at` ends; `depth` is how deep a container that begins here would stand."""
    require(at < len(data))
    if data[at] in (0xF4, 0xF5):
        return at + 1
    major, argument, at = head(data, at)
    if major == 0:
        return at
    if major in (2, 3):
        require(at + argument <= len(data))
        if major == 3:
            require(argument <= 4096)
            try:
                data[at : at + argument].decode("utf-8")
            except UnicodeDecodeError:
                raise RefusedError from None
        return at + argument
    require(major in (4, 5) and depth <= 4 and argument <= 1024)
    last = -1
    for _ in range(argument):
        if major == 5:
            kind, key, at = head(data, at)
            require(kind == 0 and key > last)
            last = key
        at = skip(data, at, depth + 1)
    return at


def unseal(slot: bytes, secret: bytes) -> bytes | None:
    """The content of a sealed box, or none."""
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    try:
        return nacl.bindings.crypto_box_seal_open(slot, public, secret)
    except (nacl.exceptions.CryptoError, RuntimeError):
        return None


def open_sev1(envelope: bytes, signer_public: bytes, secrets: list[bytes]) -> Event:
    """An event."""
    event = open_envelope(envelope, signer_public, secrets, "sev1", (4, 8, 16))
    require(event.seq >= 1 if event.type < 0x80 else event.prev == bytes(32))  # 9
    return event


def open_scm1(envelope: bytes, signer_public: bytes, secrets: list[bytes]) -> Event:
    """A command."""
    return open_envelope(envelope, signer_public, secrets, "scm1", (1,))


def open_envelope(
    envelope: bytes, signer_public: bytes, secrets: list[bytes], form: str, counts: tuple[int, ...]
) -> Event:
    """Section 4.5, step by step."""
    require(64 < len(envelope) <= 1179648)  # 1
    message, signature = envelope[:-64], envelope[-64:]
    check_signature(signer_public, signature, labelled(f"sealcam/{form}/signature", message, 512))  # 2
    require(len(message) >= 54)  # 3
    require(message[:4] == form.upper().encode() and message[4] == 1 and message[53] in counts)
    require(message[5:13] == labelled("sealcam/key-id", signer_public, 64))
    commit = message[21:53]
    s = 54 + 80 * message[53]
    require(len(message) >= s + 16 + 42)  # 4
    clear, body = message[:s], message[s:]
    content_key = None  # 5
    for at in range(54, s, 80):
        for secret in secrets:
            candidate = unseal(message[at : at + 80], secret)
            if candidate is not None and labelled(f"sealcam/{form}/commit", candidate, 256) == commit:
                content_key = candidate
    require(content_key is not None)
    body_key = labelled(f"sealcam/{form}/body-key", (content_key or b"") + clear, 256)  # 6
    try:
        padded = ChaCha20Poly1305(body_key).decrypt(bytes(12), body, clear)
    except InvalidTag:
        raise RefusedError from None
    stripped = padded.rstrip(b"\0")  # 7
    require(stripped[-1:] == b"\x80" and padded_size(len(stripped)) == len(padded))
    plain = stripped[:-1]
    require(len(plain) >= 41)
    kind, seq, prev, cbor = plain[0], int.from_bytes(plain[1:9], "big"), plain[9:41], plain[41:]  # 8
    check_cbor(cbor)
    return Event(kind, seq, prev, cbor)


def judge(vector: dict[str, object]) -> bool:
    """Whether this opener does with a vector what the vector says."""
    hexes = {name: bytes.fromhex(value) for name, value in vector.items() if isinstance(value, str) and name != "name"}
    try:
        event = open_sev1(hexes["envelope_hex"], hexes["signer_public_hex"], [hexes["recipient_secret_hex"]])
    except RefusedError:
        return vector.get("refuse") is True
    return (
        "refuse" not in vector
        and (event.type, event.seq) == (vector["type"], vector["seq"])
        and (event.prev, event.body) == (hexes["prev_hex"], hexes["body_cbor_hex"])
    )
