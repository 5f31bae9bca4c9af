"""Cases of `keys.json`: the words' keys, names, signatures that must not hold, keys that nothing is sealed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import nacl.bindings as sodium

from tests.vectors.builder import ORDER, Recipe, Signer, draw, envelope_hash, labelled, public_of

Case = dict[str, Any]
P = 2**255 - 19
# English lists of words whose seeds BIP 39's own vectors state for another passphrase; here it is empty.
WORDS = (
    "abandon " * 23 + "art",
    ("legal winner thank year wave sausage worth useful " * 3).rsplit(" ", 2)[0] + " title",
    ("letter advice cage absurd amount doctor acoustic avoid " * 3).rsplit(" ", 2)[0] + " bless",
    "zoo " * 23 + "vote",
)
ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
LOW_ORDER_U = (
    0,
    1,
    *(
        int.from_bytes(bytes.fromhex(u), "little")
        for u in (
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        )
    ),
    P - 1,
)


def keys() -> Iterator[Case]:
    """All of them."""
    yield from _derivations()
    yield from _signatures()
    yield from _low_order()
    yield from _sealable()


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _derivations() -> Iterator[Case]:
    for words in WORDS:
        seed = hashlib.pbkdf2_hmac("sha512", words.encode(), b"mnemonic", 2048)
        root = Signer(labelled("sealcam/owner-root", seed))
        recovery = public_of(labelled("sealcam/recovery-recipient", seed))
        yield {
            "name": f"the words {words.split()[0]} ... {words.split()[-1]}",
            "kind": "words",
            "words": words,
            "seed_hex": seed.hex(),
            "root_public_hex": root.public.hex(),
            "recovery_public_hex": recovery.hex(),
            "fingerprint_hex": labelled("sealcam/root-fingerprint", root.public).hex(),
        }
    for name, public in (
        ("an Ed25519 key", Signer(draw("signer")).public),
        ("an X25519 key", public_of(draw("recipient 0"))),
        ("zeros", bytes(32)),
        ("ones", b"\xff" * 32),
    ):
        kid = labelled("sealcam/key-id", public, 64)
        yield {"name": f"key id of {name}", "kind": "key-id", "public_hex": public.hex(), "kid_hex": kid.hex()}
        print_ = labelled("sealcam/root-fingerprint", public)
        yield {
            "name": f"fingerprint of {name}",
            "kind": "fingerprint",
            "public_hex": public.hex(),
            "fingerprint_hex": print_.hex(),
        }
    event = Recipe("hashed", Signer(draw("signer")), (draw("recipient 0"),)).envelope()
    for name, data in (("an event", event), ("a byte", b"\0"), ("300 bytes", draw("hashed", 300))):
        yield {
            "name": f"hash of {name}",
            "kind": "envelope-hash",
            "envelope_hex": data.hex(),
            "hash_hex": envelope_hash(data).hex(),
        }


def _signed(name: str, public: bytes, signature: bytes, message: bytes, holds: bool, label: str = "x/y") -> Case:
    return {
        "name": name,
        "kind": "signature",
        "public_hex": public.hex(),
        "label": label,
        "message_hex": message.hex(),
        "signature_hex": signature.hex(),
    } | ({"holds": True} if holds else {"refuse": True})


def _signatures() -> Iterator[Case]:
    signer, other = Signer(draw("signer")), Signer(draw("another signer"))
    for label, message in (
        ("sealcam/sev1/signature", b"a message"),
        ("sealcam/sgn1/receipt", b""),
        ("sealcam/epoch-proof", draw("message", 1000)),
        ("x" * 255, b"the longest label"),
    ):
        signature = signer.sign(message, label)
        name = f"a signature under {label[:24]}"
        yield _signed(name, signer.public, signature, message, True, label)
        yield _signed(f"{name}: another label", signer.public, signature, message, False, label[:-1] + "z")
        yield _signed(f"{name}: another message", signer.public, signature, message + b"\0", False, label)
        yield _signed(f"{name}: another key", other.public, signature, message, False, label)
    message = b"a message"
    digest = labelled("x/y", message, 512)
    good = signer.sign(message, "x/y")
    raised = int.from_bytes(good[32:], "little") + ORDER
    for name, wrong in (
        ("S raised by the group order", good[:32] + little(raised)),
        ("S of the group order", good[:32] + little(ORDER)),
        ("S with its top bits set", good[:63] + bytes([good[63] | 0xE0])),
        ("R flipped", bytes([good[0] ^ 1]) + good[1:]),
        ("S flipped", good[:32] + bytes([good[32] ^ 1]) + good[33:]),
        ("63 bytes", good[:63]),
        ("65 bytes", good + b"\0"),
        ("no bytes", b""),
        ("zeros", bytes(64)),
        ("a signature of the message, not of its hash", signer.sign_digest(message)),
        ("a signature without a label's length", signer.sign_digest(hashlib.blake2b(b"x/y" + message).digest())),
        ("a signature of a hash of 32 bytes", signer.sign_digest(labelled("x/y", message, 256))),
    ):
        yield _signed(f"a wrong signature: {name}", signer.public, wrong, message, False)
    assert sodium.crypto_sign_open(good + digest, signer.public) == digest
    for size in (0, 31, 33):
        yield _signed(f"a key of {size} bytes", signer.public.ljust(33, b"\0")[:size], good, message, False)


def _half(signer: Signer) -> int:
    half = bytearray(hashlib.sha512(signer.seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return int.from_bytes(half, "little")


def _challenge(r: bytes, public: bytes, digest: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + public + digest).digest(), "little") % ORDER


def _low_order() -> Iterator[Case]:
    """Keys and R of low order, and keys of mixed order, which tell the equation without cofactor from the other."""
    message = b"whatever one likes"
    digest = labelled("x/y", message, 512)
    s = draw("low order")[:31] + b"\0"
    base = sodium.crypto_scalarmult_ed25519_base_noclamp(s)
    points = [little(y) for y in (1, P + 1, P - 1, 0, P)] + [bytes.fromhex(y) for y in ORDER_8]
    for point in points:
        for top in (0, 0x80):
            public = point[:31] + bytes([point[31] | top])
            yield _signed(f"a key of low order: {public.hex()}", public, base + s, message, False)
    signer = Signer(draw("signer"))
    for point in points:
        answer = little(_challenge(point, signer.public, digest) * _half(signer) % ORDER)
        yield _signed(f"R of low order: {point.hex()}", signer.public, point + answer, message, False)
    mixed = sodium.crypto_core_ed25519_add(signer.public, bytes.fromhex(ORDER_8[0]))
    found: dict[bool, bytes] = {}
    for n in range(200):
        nonce = int.from_bytes(draw(f"mixed order {n}"), "little") % ORDER
        r = sodium.crypto_scalarmult_ed25519_base_noclamp(little(nonce))
        h = _challenge(r, mixed, digest)
        found.setdefault(h % 8 == 0, r + little((nonce + h * _half(signer)) % ORDER))
    yield _signed("a key of mixed order, and the equation holds", mixed, found[True], message, True)
    yield _signed("a key of mixed order: it holds with the cofactor alone", mixed, found[False], message, False)


def _sealable() -> Iterator[Case]:
    def one(name: str, public: bytes, fits: bool) -> Case:
        answer: Case = {"sealable": True} if fits else {"refuse": True}
        return {"name": name, "kind": "sealable", "public_hex": public.hex()} | answer

    for n in range(3):
        yield one(f"a key to seal to: {n}", public_of(draw(f"recipient {n}")), True)
    for u in (2, 3, 9, P - 2):
        yield one(f"a key to seal to: u = {u}", little(u), True)
    for u in LOW_ORDER_U:
        yield one(f"nothing is sealed to low order: u = {u}", little(u), False)
        top = little(u)[:31] + bytes([little(u)[31] | 0x80])
        yield one(f"nothing is sealed to low order with the top bit: u = {u}", top, False)
    for u in (P, P + 1, P + 2, P + 9, P + 18):
        yield one(f"nothing is sealed to what isn't canonical: u = p + {u - P}", little(u), False)
    public = public_of(draw("recipient 0"))
    yield one("nothing is sealed to a key with the top bit set", public[:31] + bytes([public[31] | 0x80]), False)
    yield one("nothing is sealed to 31 bytes", public[:31], False)
    yield one("nothing is sealed to 33 bytes", public + b"\0", False)
    yield one("nothing is sealed to no bytes", b"", False)
