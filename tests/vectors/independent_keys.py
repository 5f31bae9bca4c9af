"""Answers the cases of `keys.json` and `statements_2.json` from design/wire.md alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.vectors import independent_statement as statements
from tests.vectors.independent import RefusedError, check_signature, labelled, open_scm1

Case = dict[str, Any]


def hexed(case: Case, name: str) -> bytes:
    return bytes.fromhex(case[f"{name}_hex"])


def _words(case: Case) -> Case:
    seed = hexed(case, "seed")
    words = case["words"].encode()
    assert hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", 2048) == seed  # BIP 39
    root = Ed25519PrivateKey.from_private_bytes(labelled("sealcam/owner-root", seed, 256))
    recovery = X25519PrivateKey.from_private_bytes(labelled("sealcam/recovery-recipient", seed, 256))
    public = root.public_key().public_bytes_raw()
    return {
        "root_public_hex": public.hex(),
        "recovery_public_hex": recovery.public_key().public_bytes_raw().hex(),
        "fingerprint_hex": labelled("sealcam/root-fingerprint", public, 256).hex(),
    }


def _key_id(case: Case) -> Case:
    return {"kid_hex": labelled("sealcam/key-id", hexed(case, "public"), 64).hex()}


def _fingerprint(case: Case) -> Case:
    return {"fingerprint_hex": labelled("sealcam/root-fingerprint", hexed(case, "public"), 256).hex()}


def _envelope_hash(case: Case) -> Case:
    return {"hash_hex": labelled("sealcam/envelope-hash", hexed(case, "envelope"), 256).hex()}


def _signature(case: Case) -> Case:
    digest = labelled(case["label"], hexed(case, "message"), 512)
    check_signature(hexed(case, "public"), hexed(case, "signature"), digest)
    return {"holds": True}


def _sealable(case: Case) -> Case:
    statements.sealable(hexed(case, "public"))
    return {"sealable": True}


def _statement(case: Case) -> Case:
    data = hexed(case, "statement")
    statements.read(data, hexed(case, "signer_public"), case["expected"])
    return {"body_cbor_hex": data[13:-64].hex()}


def _deleted(case: Case) -> Case:
    cbor = statements.read_deleted(hexed(case, "sealed"), hexed(case, "recipient_secret"))
    return {"body_cbor_hex": cbor.hex()}


def _bundle(case: Case) -> Case:
    root, certificate, item = statements.unbundle(hexed(case, "bundle"))
    return {"root_hex": root.hex(), "certificate_hex": certificate.hex(), "statement_hex": item.hex()}


def _claim_request(case: Case) -> Case:
    return statements.read_claim_request(hexed(case, "request"))


def _claim_answer(case: Case) -> Case:
    return statements.read_claim_answer(hexed(case, "bundle"), hexed(case, "fingerprint"), hexed(case, "camera"))


def _scm1(case: Case) -> Case:
    said = open_scm1(hexed(case, "envelope"), hexed(case, "signer_public"), [hexed(case, "recipient_secret")])
    return {"type": said.type, "seq": str(said.seq), "prev_hex": said.prev.hex(), "body_cbor_hex": said.body.hex()}


def _hand_over(case: Case) -> Case:
    body, prev, camera, nonce = (hexed(case, name) for name in ("body_cbor", "prev", "camera", "nonce"))
    before = [bytes.fromhex(one) for one in case["before_hex"]]
    return statements.read_hand_over(body, int(case["seq"]), prev, camera, case["epoch"], nonce, before)


ANSWERS: dict[str, Callable[[Case], Case]] = {
    "words": _words,
    "key-id": _key_id,
    "fingerprint": _fingerprint,
    "envelope-hash": _envelope_hash,
    "signature": _signature,
    "sealable": _sealable,
    "statement": _statement,
    "deleted": _deleted,
    "bundle": _bundle,
    "claim-request": _claim_request,
    "claim-answer": _claim_answer,
    "scm1": _scm1,
    "hand-over": _hand_over,
}


def judge(case: Case) -> bool:
    """Whether this reader answers a case as it says."""
    try:
        found = ANSWERS[case["kind"]](case)
    except RefusedError:
        return case.get("refuse") is True
    return "refuse" not in case and all(case[name] == value for name, value in found.items())
