"""The vectors that must be refused: each is wrong in one way, and signed again wherever its own signer could have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import nacl.bindings as sodium

from tests.vectors.builder import (
    ORDER,
    Recipe,
    Signer,
    cbor,
    draw,
    labelled,
    padded_size,
    public_of,
    refused,
    sealed_box,
)

OTHER = Signer(draw("another signer"))
Vector = dict[str, object]
REGIONS = {
    "magic": 0,
    "suite": 4,
    "kid": 5,
    "epoch": 16,
    "recipient set": 20,
    "commitment": 21,
    "slot count": 53,
    "the recipient's ephemeral key": 134,
    "the recipient's sealed key": 170,
    "another recipient's slot": 60,
    "a decoy": 330,
    "first byte of the body": 374,
    "tag of the body": -65,
    "R of the signature": -64,
    "S of the signature": -32,
}


def refusals(base: Recipe, stranger: bytes) -> Iterator[Vector]:
    """Every refused vector; `base` opens with its second recipient, `stranger` is nobody's recipient."""
    yield from _changed(base)
    yield from _cut(base)
    yield from _signers(base, stranger)
    yield from _headers(base)
    yield from _slots(base)
    yield from _padding(base)
    yield from _encodings(base)
    yield from _places(base)


def _no(base: Recipe, name: str, envelope: bytes, signer: Signer | None = None) -> Vector:
    return refused(name, base.recipients[1], (signer or base.signer).public, envelope)


def _wrong(base: Recipe, name: str, **changes: object) -> Vector:
    return _no(base, name, replace(base, **changes).envelope())  # type: ignore[arg-type]


def _resigned(base: Recipe, message: bytes) -> bytes:
    return message + base.signer.sign(message)


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _changed(base: Recipe) -> Iterator[Vector]:
    envelope = base.envelope()
    for region, at in REGIONS.items():
        yield _no(base, f"a bit flipped: {region}", _flipped(envelope, at))
    for region, at in REGIONS.items():
        if "signature" not in region and region != "epoch":
            changed = _flipped(envelope, at)[:-64]
            yield _no(base, f"a bit flipped and signed again: {region}", _resigned(base, changed))
    yield _no(base, "a bit flipped and signed again: epoch", _resigned(base, _flipped(envelope, 16)[:-64]))


def _cut(base: Recipe) -> Iterator[Vector]:
    envelope, message = base.envelope(), base.message()
    for size in (0, 1, 63, 64, 65, 118, 200, 438, 500, len(message), len(envelope) - 1):
        yield _no(base, f"cut to {size} bytes", envelope[:size])
    for size in (0, 1, 53, 54, 374, 375, 390, 431, 432, len(message) - 1):
        yield _no(base, f"cut to {size} bytes and signed again", _resigned(base, message[:size]))
    yield _no(base, "a byte at the end", envelope + b"\0")
    yield _no(base, "a byte at the end and signed again", _resigned(base, message + b"\0"))
    yield _no(base, "a byte at the beginning", b"\0" + envelope)


def _signers(base: Recipe, stranger: bytes) -> Iterator[Vector]:
    message, envelope = base.message(), base.envelope()
    yield refused("a recipient who isn't in the set", stranger, base.signer.public, envelope)
    yield _no(base, "another signer's key", envelope, OTHER)
    yield _no(base, "signature replaced by another signer's", message + OTHER.sign(message))
    yield _no(base, "signature replaced, checked with the other signer's key", message + OTHER.sign(message), OTHER)
    stolen = message[:5] + OTHER.kid + message[13:]
    yield _no(base, "signature and kid replaced by another signer's", stolen + OTHER.sign(stolen), OTHER)
    yield _no(base, "no signature", message + bytes(64))
    signature = envelope[-64:]
    s = int.from_bytes(signature[32:], "little") + ORDER
    yield _no(base, "S of the signature raised by the group order", message + signature[:32] + s.to_bytes(32, "little"))
    yield _no(base, "signed without a label", message + base.signer.sign_digest(labelled("", message, 512)))
    yield _no(base, "signed as a command", message + base.signer.sign(message, "sealcam/scm1/signature"))
    yield _no(base, "signed as a receipt", message + base.signer.sign(message, "sealcam/sgn1/receipt"))
    yield from _low_order(base)


def _low_order(base: Recipe) -> Iterator[Vector]:
    """A key that verifies whatever one likes: with A of order 1, R = S B is a signature of every message."""
    for name, point in (
        ("order 1", (1).to_bytes(32, "little")),
        ("order 1, not canonical", (2**255 - 18).to_bytes(32, "little")),
        ("order 2", (2**255 - 20).to_bytes(32, "little")),
        ("order 4", bytes(32)),
        ("order 8", bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
    ):
        message = replace(base, kid=labelled("sealcam/key-id", point, 64)).message()
        s = draw("low order")[:31] + b"\0"
        r = sodium.crypto_scalarmult_ed25519_base_noclamp(s)
        yield refused(f"a signer's key of {name}", base.recipients[1], point, message + r + s)
    message = base.message()
    digest = labelled("sealcam/sev1/signature", message, 512)
    yield _no(base, "R of the signature of order 1", message + _signature_with_zero_r(base.signer, digest))


def _signature_with_zero_r(signer: Signer, digest: bytes) -> bytes:
    """S = h a with R the neutral point: only the signer can make it, and still it is refused."""
    half = bytearray(hashlib.sha512(signer.seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    r = (1).to_bytes(32, "little")
    h = int.from_bytes(hashlib.sha512(r + signer.public + digest).digest(), "little")
    return r + (h * int.from_bytes(half, "little") % ORDER).to_bytes(32, "little")


def _headers(base: Recipe) -> Iterator[Vector]:
    yield _wrong(base, "magic of a command", magic=b"SCM1")
    yield _wrong(base, "magic, labels and signature of a command", magic=b"SCM1", form="scm1")
    yield _wrong(base, "labels of a command", form="scm1")
    yield _wrong(base, "magic of a later version", magic=b"SEV2")
    yield _wrong(base, "suite 0", suite=0)
    yield _wrong(base, "suite 2, which is reserved", suite=2)
    yield _wrong(base, "kid of another key", kid=OTHER.kid)
    for count in (0, 1, 3, 5, 8, 16, 255):
        yield _wrong(base, f"slot count {count} over four slots", nslots=count)
    yield _wrong(replace(base, recipients=base.recipients[:2]), "two slots, and a count of two", slots=2, nslots=2)
    yield _wrong(base, "another nonce", nonce=b"\1" + bytes(11))
    yield _wrong(base, "a body that isn't bound to the header", aad=b"")


def _slots(base: Recipe) -> Iterator[Vector]:
    key, other = base.content_key, draw("another content key")
    yield _wrong(base, "a commitment to another key", commit=labelled("sealcam/sev1/commit", other))
    yield _wrong(base, "a commitment under a command's label", commit=labelled("sealcam/scm1/commit", key))
    yield _wrong(base, "another key for this recipient than for the others", keys=(key, other, key))
    message = base.message()
    low = bytes(32) + message[134 + 32 : 134 + 80]
    yield _no(base, "an ephemeral key of low order", _resigned(base, message[:134] + low + message[134 + 80 :]))
    for name, content in (("shorter", key[:31]), ("longer", key + b"\0")):
        box = sealed_box(content, public_of(base.recipients[1]), draw("odd box"))
        moved = message[:134] + box + message[134 + 80 :]
        yield _no(base, f"a {name} slot", _resigned(base, moved))
    swapped = message[:54] + message[134:214] + message[54:134] + message[214:]
    yield _no(base, "two slots exchanged and signed again", _resigned(base, swapped))


def _padding(base: Recipe) -> Iterator[Vector]:
    plain = base.plain
    yield _wrong(base, "padding of zeros alone", padded=bytes(512))
    yield _wrong(base, "padding without 80", padded=plain.ljust(512, b"\0"))
    yield _wrong(base, "padding that ends in another byte", padded=(plain + b"\x80").ljust(511, b"\0") + b"\1")
    yield _wrong(base, "padding that begins with 81", padded=(plain + b"\x81").ljust(512, b"\0"))
    yield _wrong(base, "no padding but 80", padded=plain + b"\x80")
    yield _wrong(base, "padded to the next bucket", padded=(plain + b"\x80").ljust(1024, b"\0"))
    yield _wrong(base, "padded between two buckets", padded=(plain + b"\x80").ljust(600, b"\0"))
    yield _wrong(base, "a plaintext of 40 bytes", padded=(plain[:40] + b"\x80").ljust(512, b"\0"))
    yield _wrong(base, "a plaintext of no bytes", padded=b"\x80".ljust(512, b"\0"))
    large = base.plain[:41] + cbor({1: draw("large", 65_600)}) + b"\x80\0"
    assert padded_size(len(large) - 1) > len(large)
    yield _wrong(base, "a large body hardly padded", padded=large)


ENCODINGS = {
    "nothing": "",
    "an integer, not a map": "01",
    "a list, not a map": "80",
    "a map and a byte": "a000",
    "two maps": "a0a0",
    "an integer in two bytes that fits one": "a1011817",
    "an integer in three bytes that fits two": "a1011900ff",
    "an integer in five bytes that fits three": "a1011a0000ffff",
    "an integer in nine bytes that fits five": "a1011b00000000ffffffff",
    "a key in two bytes that fits one": "a1180101",
    "a length in two bytes that fits one": "a101580100",
    "a text's length in two bytes that fits one": "a101780161",
    "a list's length in two bytes that fits one": "a101980101",
    "a map's length in two bytes that fits one": "b8010101",
    "keys that fall": "a202010101",
    "a key twice": "a201010101",
    "a text as key": "a1616101",
    "a negative key": "a12001",
    "bytes as key": "a1410101",
    "a map without end": "bf0101ff",
    "a list without end": "a1019f01ff",
    "bytes in pieces": "a1015f4101ff",
    "a text in pieces": "a1017f6161ff",
    "a negative integer": "a10120",
    "a half float": "a101f93c00",
    "a float": "a101fa3f800000",
    "a double": "a101fb3ff0000000000000",
    "null": "a101f6",
    "undefined": "a101f7",
    "simple value 19": "a101f3",
    "false in two bytes": "a101f814",
    "a break alone": "a101ff",
    "a reserved length": "a1011c",
    "a tag": "a101c001",
    "a big integer by tag": "a101c249010000000000000000",
    "a regular expression by tag": "a101d8236161",
    "self-described CBOR": "d9d9f7a0",
    "containers five deep": "a10181818180",
    "a list of 2^32 items in no bytes": "a1019affffffff",
    "a list of 2^64 - 1 items in no bytes": "a1019bffffffffffffffff",
    "a map of 2^64 - 1 pairs in no bytes": "bbffffffffffffffff",
    "bytes that end too early": "a1014201",
    "2^64 - 1 bytes in none": "a1015bffffffffffffffff",
    "a map that ends too early": "a20101",
    "a key without value": "a101",
    "a text that isn't UTF-8": "a10161ff",
    "a text with an overlong form": "a10162c080",
    "a text with a surrogate": "a10163eda080",
    "a text cut inside a letter": "a10161c3",
}


def _encodings(base: Recipe) -> Iterator[Vector]:
    for name, body in ENCODINGS.items():
        yield _wrong(base, f"a body that is not deterministic CBOR: {name}", body=bytes.fromhex(body))
    yield _wrong(base, "a list of 1,025 items", body=cbor({1: [0] * 1025}))
    yield _wrong(base, "a map of 1,025 pairs", body=cbor(dict.fromkeys(range(1025), 0)))
    yield _wrong(base, "a text of 4,097 bytes", body=cbor({1: "é" * 2048 + "x"}))


def _places(base: Recipe) -> Iterator[Vector]:
    yield _wrong(base, "an event in the chain with sequence 0", seq=0, prev=bytes(32))
    yield _wrong(base, "a beat with a predecessor", type=0x80)
    yield _wrong(base, "an unknown type outside the chain with a predecessor", type=0xFF, seq=0)
