"""Answers the cases of `keys.json` and `statements_2.json` with the product's own code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnemonic import Mnemonic

from sealcam.keyfile import KeyFile
from sealcam.keystore import Keystore
from sealcam.wire import keys, schema, statement
from sealcam.wire.bodies import EpochBody
from sealcam.wire.deleted import open_list
from sealcam.wire.envelope import SCM1, open_envelope
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, OwnerKeys
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import (
    Ask,
    ClaimAnswer,
    ClaimRequest,
    ClipHeld,
    DeletedSince,
    Deletions,
    Grant,
    HubCertificate,
    LogEntry,
    Prekey,
    Receipt,
    RecipientSet,
    Rotation,
    TechnicianToken,
)
from tests.vectors.independent_keys import Case, hexed

CLASSES: dict[int, type] = dict(
    enumerate(
        (
            HubCertificate,
            RecipientSet,
            Prekey,
            Receipt,
            ClaimRequest,
            ClaimAnswer,
            Rotation,
            Grant,
            LogEntry,
            TechnicianToken,
            Ask,
            ClipHeld,
            DeletedSince,
            Deletions,
        ),
        1,
    )
)


def _words(case: Case) -> Case:
    mnemonic = Mnemonic("english")
    assert mnemonic.check(case["words"])
    assert mnemonic.to_seed(case["words"]) == hexed(case, "seed")
    owner = OwnerKeys.from_seed(hexed(case, "seed"))
    return {
        "root_public_hex": owner.root.public.hex(),
        "recovery_public_hex": owner.recovery.public.hex(),
        "fingerprint_hex": keys.fingerprint(owner.root.public).hex(),
    }


def _signature(case: Case) -> Case:
    keys.verify(hexed(case, "public"), hexed(case, "signature"), case["label"], hexed(case, "message"))
    return {"holds": True}


def _sealable(case: Case) -> Case:
    keys.check_sealable(hexed(case, "public"))
    return {"sealable": True}


def _statement(case: Case) -> Case:
    """The body encoded again: what is read is what was said, but for fields that nobody knows."""
    data, cls = hexed(case, "statement"), CLASSES[case["expected"]]
    item: Any = statement.read(data, hexed(case, "signer_public"), cls)
    known = case["name"].endswith("nobody knows")
    return {} if known else {"body_cbor_hex": schema.encode(item).hex()}


def _deleted(case: Case) -> Case:
    item = open_list(hexed(case, "sealed"), BoxKey(hexed(case, "recipient_secret")))
    return {} if case["name"].endswith("nobody knows") else {"body_cbor_hex": schema.encode(item).hex()}


def _bundle(case: Case) -> Case:
    found = Bundle.unpack(hexed(case, "bundle"))
    assert found.pack() == hexed(case, "bundle")
    return {
        "root_hex": found.root_public.hex(),
        "certificate_hex": found.hub_certificate.hex(),
        "statement_hex": found.answer.hex(),
    }


def _claim_request(case: Case) -> Case:
    item = statement.read_claim_request(hexed(case, "request"))
    return {"public_hex": item.public.hex(), "body_cbor_hex": schema.encode(item).hex()}


def _claim_answer(case: Case) -> Case:
    """By a camera of that name, new and without an owner."""
    with tempfile.TemporaryDirectory() as folder:
        file = KeyFile(Path(folder), {})
        Keystore.open_or_create(Path(folder), {})
        store = Keystore(file, replace(file.read(), camera=hexed(case, "camera")))
        store.accept(Bundle.unpack(hexed(case, "bundle")), hexed(case, "fingerprint"))
        (standing,) = (one for one in store.standing(None) if one.hub == keys.key_id(store.hub))
        return {"hub_hex": store.hub.hex(), "set": store.recipient_set.number, "prekey": str(standing.prekey)}


def _scm1(case: Case) -> Case:
    said = open_envelope(
        hexed(case, "envelope"), hexed(case, "signer_public"), [BoxKey(hexed(case, "recipient_secret"))], form=SCM1
    )
    return {"type": said.kind, "seq": str(said.seq), "prev_hex": said.prev.hex(), "body_cbor_hex": said.body.hex()}


def _hand_over(case: Case) -> Case:
    said = schema.decode(hexed(case, "body_cbor"), EpochBody)
    known = said.public.hex() in case["before_hex"]
    if known or said.epoch != case["epoch"] + 1 or said.nonce != hexed(case, "nonce"):
        raise EnvelopeError
    keys.check_sealable(said.command)
    message = keys.epoch_proof(
        hexed(case, "camera"), said.nonce, said.epoch, said.command, int(case["seq"]), hexed(case, "prev")
    )
    keys.check_epoch_proof(said.public, said.proof, message)
    return {"public_hex": said.public.hex(), "command_hex": said.command.hex()}


ANSWERS: dict[str, Callable[[Case], Case]] = {
    "words": _words,
    "key-id": lambda case: {"kid_hex": keys.key_id(hexed(case, "public")).hex()},
    "fingerprint": lambda case: {"fingerprint_hex": keys.fingerprint(hexed(case, "public")).hex()},
    "envelope-hash": lambda case: {"hash_hex": envelope_hash(hexed(case, "envelope")).hex()},
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
    """Whether our code answers a case as it says."""
    try:
        found = ANSWERS[case["kind"]](case)
    except EnvelopeError:
        return case.get("refuse") is True
    return "refuse" not in case and all(case[name] == value for name, value in found.items())
