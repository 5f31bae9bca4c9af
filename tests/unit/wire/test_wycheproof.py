"""Project Wycheproof's vectors through our wrappers; skipped where the files aren't at hand."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nacl.bindings
import nacl.exceptions
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, check_signature, seal_slot
from tests.vectors import independent, independent_statement

FOLDER = Path(__file__).parents[3].parent / "shared" / "vectors"
FIELD = 2**255 - 19


def cases(name: str) -> Iterator[dict[str, Any]]:
    """Each test with its group's fields."""
    path = FOLDER / f"wycheproof_{name}_test.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand")
    for group in json.loads(path.read_text())["testGroups"]:
        for test in group["tests"]:
            yield group | test


def test_signatures_are_judged_as_wycheproof_does() -> None:
    count = 0
    for case in cases("ed25519"):
        public = bytes.fromhex(case["publicKey"]["pk"])
        try:
            check_signature(public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            held = True
        except EnvelopeError:
            held = False
        assert held == (case["result"] == "valid"), case["tcId"]
        assert _independent_holds(public, case) == held, case["tcId"]
        count += 1
    assert count == 151


def _independent_holds(public: bytes, case: dict[str, Any]) -> bool:
    """What the opener that was written from the specification says, whose checks of points are its own."""
    try:
        independent.check_signature(public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
    except independent.RefusedError:
        return False
    return True


def hsalsa20(key: bytes) -> bytes:
    """HSalsa20 with an input of zeros (Bernstein, "Extending the Salsa20 nonce", section 2)."""
    k, c = struct.unpack("<8I", key), struct.unpack("<4I", b"expand 32-byte k")
    x = [c[0], *k[:4], c[1], 0, 0, 0, 0, c[2], *k[4:], c[3]]

    def quarter(a: int, b: int, d: int, e: int) -> None:
        for to, one, two, by in ((b, a, e, 7), (d, b, a, 9), (e, d, b, 13), (a, e, d, 18)):
            total = (x[one] + x[two]) & 0xFFFFFFFF
            x[to] ^= (total << by | total >> (32 - by)) & 0xFFFFFFFF

    for _ in range(10):
        for column in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)):
            quarter(*column)
        for row in ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            quarter(*row)
    return struct.pack("<8I", *(x[n] for n in (0, 5, 10, 15, 6, 7, 8, 9)))


def test_boxes_are_opened_with_the_shared_secret_that_wycheproof_says() -> None:
    count = 0
    for case in cases("x25519"):
        ephemeral, shared = bytes.fromhex(case["public"]), bytes.fromhex(case["shared"])
        key = BoxKey(bytes.fromhex(case["private"]))
        nonce = hashlib.blake2b(ephemeral + key.public, digest_size=24).digest()
        box = nacl.bindings.crypto_secretbox(b"c" * 32, nonce, hsalsa20(shared))
        assert key.open(ephemeral + box) == (b"c" * 32 if any(shared) else None), case["tcId"]
        count += 1
    assert count == 518


def test_no_low_order_or_odd_key_of_wycheproofs_is_sealed_to() -> None:
    refused = 0
    for case in cases("x25519"):
        public, shared = bytes.fromhex(case["public"]), bytes.fromhex(case["shared"])
        wanted = not any(shared) or int.from_bytes(public, "little") >= FIELD
        assert _independent_refuses(public) == wanted, case["tcId"]
        try:
            assert len(seal_slot(public, bytes(32))) == 80
            assert not wanted, case["tcId"]
        except EnvelopeError:
            assert wanted, case["tcId"]
            refused += 1
    assert refused > 30


def _independent_refuses(public: bytes) -> bool:
    try:
        independent_statement.sealable(public)
    except independent.RefusedError:
        return True
    return False


def test_boxes_of_any_length_open_with_the_shared_secret_that_wycheproof_says() -> None:
    """What a grant wraps: segment keys, one behind the other."""
    count = 0
    for case in cases("x25519"):
        ephemeral, shared = bytes.fromhex(case["public"]), bytes.fromhex(case["shared"])
        key = BoxKey(bytes.fromhex(case["private"]))
        nonce = hashlib.blake2b(ephemeral + key.public, digest_size=24).digest()
        held = bytes(32 * (case["tcId"] % 4))
        box = ephemeral + nacl.bindings.crypto_secretbox(held, nonce, hsalsa20(shared))
        wanted = held if any(shared) else None
        assert key.open_box(box) == wanted, case["tcId"]
        assert independent.unseal(box, key.secret) == wanted, case["tcId"]
        count += 1
    assert count == 518


def test_both_libraries_judge_bodies_as_wycheproof_does() -> None:
    count = 0
    for case in cases("chacha20_poly1305"):
        key, nonce, aad, plain = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg"))
        cipher = bytes.fromhex(case["ct"]) + bytes.fromhex(case["tag"])
        valid = case["result"] == "valid"
        try:
            found: bytes | None = nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(cipher, aad, nonce, key)
        except nacl.exceptions.CryptoError:
            found = None
        assert found == (plain if valid else None), case["tcId"]
        try:
            other: bytes | None = ChaCha20Poly1305(key).decrypt(nonce, cipher, aad)
        except (InvalidTag, ValueError):
            other = None
        assert other == found, case["tcId"]
        count += 1
    assert count == 325
