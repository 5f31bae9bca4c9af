"""Statements: each kind by its own signer, and none read as another (design/wire.md section 6)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sealcam.wire import labels, schema, statement
from sealcam.wire.envelope import SEV1, seal, verified
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.statement import MAX_STATEMENT_BYTES, Bundle
from sealcam.wire.statement_kinds import (
    ClaimAnswer,
    ClaimRequest,
    HubCertificate,
    Kind,
    Prekey,
    Receipt,
    Recipient,
    RecipientKind,
    RecipientSet,
)

SIGNER = SigningKey(b"h" * 32)
BOX = BoxKey(b"b" * 32)
HUB = Recipient(kind=RecipientKind.HUB, public=SIGNER.public)
RECOVERY = Recipient(kind=RecipientKind.RECOVERY, public=BOX.public)
SET = RecipientSet(number=1, suite=1, home_hub=SIGNER.public, recipients=(HUB, RECOVERY))
ITEMS: list[Any] = [
    HubCertificate(hub=SIGNER.public, number=1),
    SET,
    Prekey(camera=b"c" * 8, number=1 << 20, public=BOX.public),
    Receipt(envelope_hash=b"e" * 32),
    ClaimRequest(epoch=1, public=SIGNER.public, command=BOX.public, csr=b"der"),
    ClaimAnswer(
        camera=b"c" * 8,
        alias="0123456789abcdef",
        recipient_set=b"set",
        prekey=b"prekey",
        certificate=b"pem",
        authority=b"pem",
        host="hub.local",
        port=8883,
    ),
]
NAMES = ("hub-certificate", "recipient-set", "prekey", "receipt", "claim-request", "claim-answer")


def _named(item: object) -> str:
    return type(item).__name__


def refuses(data: bytes, cls: type, public: bytes = SIGNER.public) -> bool:
    try:
        statement.read(data, public, cls)
    except EnvelopeError:
        return True
    return False


@pytest.mark.parametrize("item", ITEMS, ids=_named)
def test_a_statement_reads_as_it_was_signed(item: object) -> None:
    assert statement.read(statement.sign(SIGNER, item), SIGNER.public, type(item)) == item


@pytest.mark.parametrize("item", ITEMS, ids=_named)
def test_a_statement_of_one_kind_never_reads_as_another(item: object) -> None:
    data = statement.sign(SIGNER, item)
    for other in (one for one in ITEMS if type(one) is not type(item)):
        assert refuses(data, type(other))
        renamed = data[:4] + statement.sign(SIGNER, other)[4:5] + data[5:-64]
        for name in NAMES:
            forged = renamed + SIGNER.sign(labels.STATEMENT + name, renamed)
            assert refuses(forged, type(item))
            assert refuses(forged, type(other)) or name == NAMES[ITEMS.index(other)]  # then it says what it says


@pytest.mark.parametrize("item", ITEMS, ids=_named)
def test_every_single_bit_flip_and_every_truncation_is_refused(item: object) -> None:
    data = statement.sign(SIGNER, item)
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            assert refuses(bytes(flipped), type(item))
    assert all(refuses(data[:size], type(item)) for size in range(len(data)))
    assert refuses(data + b"\0", type(item))


def test_another_signer_is_refused_and_so_is_a_borrowed_name() -> None:
    other, data = SigningKey(b"o" * 32), statement.sign(SIGNER, ITEMS[3])
    assert refuses(data, Receipt, other.public)
    replaced = data[:-64] + other.sign(labels.STATEMENT + "receipt", data[:-64])
    assert refuses(replaced, Receipt)
    assert refuses(replaced, Receipt, other.public)


def test_an_envelope_is_no_statement() -> None:
    envelope = seal(SIGNER, [BOX.public], kind=1, seq=1, prev=bytes(32), body=b"\xa0", epoch=1, recipient_set=1)
    assert all(refuses(envelope, type(item)) for item in ITEMS)
    with pytest.raises(EnvelopeError):
        verified(statement.sign(SIGNER, ITEMS[3]), SIGNER.public, SEV1)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"suite": 2},
        {"suite": 0},
        {"home_hub": b"x" * 32},
        {"home_hub": BOX.public},
        {"recipients": ()},
        {"recipients": (HUB,)},
        {"recipients": (RECOVERY,)},
        {"recipients": (HUB, RECOVERY, RECOVERY)},
        {"recipients": (HUB, HUB, RECOVERY)},
        {"recipients": (HUB, Recipient(kind=RecipientKind.RECOVERY, public=bytes(32)))},
        {
            "recipients": (
                HUB,
                RECOVERY,
                *(Recipient(kind=RecipientKind.HUB, public=bytes([n]) * 32) for n in range(15)),
            )
        },
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_set_that_nobody_may_seal_to_is_refused(changes: dict[str, Any]) -> None:
    assert refuses(statement.sign(SIGNER, dataclasses.replace(SET, **changes)), RecipientSet)


def test_sixteen_recipients_are_a_set() -> None:
    hubs = tuple(Recipient(kind=RecipientKind.HUB, public=bytes([n]) * 32) for n in range(14))
    item = dataclasses.replace(SET, recipients=(HUB, *hubs, RECOVERY))
    assert statement.read(statement.sign(SIGNER, item), SIGNER.public, RecipientSet) == item


@pytest.mark.parametrize("public", [bytes(32), b"\xff" * 32], ids=["low order", "not canonical"])
def test_a_key_that_nothing_can_be_sealed_to_is_refused(public: bytes) -> None:
    assert refuses(statement.sign(SIGNER, Prekey(camera=b"c" * 8, number=1, public=public)), Prekey)
    request = ClaimRequest(epoch=1, public=SIGNER.public, command=public, csr=b"")
    assert refuses(statement.sign(SIGNER, request), ClaimRequest)


@pytest.mark.parametrize(
    "item",
    [
        Receipt(envelope_hash=b"short"),
        Prekey(camera=b"c", number=1, public=BOX.public),
        dataclasses.replace(SET, number=1 << 32),
        dataclasses.replace(ITEMS[5], port=65536),
        dataclasses.replace(ITEMS[5], certificate=bytes(MAX_STATEMENT_BYTES)),
    ],
    ids=_named,
)
def test_what_nobody_would_read_is_not_signed(item: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        statement.sign(SIGNER, item)


def test_a_signed_body_that_is_wrong_is_refused_all_the_same() -> None:
    head = b"SGN1" + bytes([Kind.RECEIPT]) + SIGNER.kid
    for body in (b"", b"\xa0", b"\xa1\x01\x41x", b"\xa1\x01\x58\x1fx", schema.encode(ITEMS[3]) + b"\0"):
        assert refuses(head + body + SIGNER.sign(labels.STATEMENT + "receipt", head + body), Receipt)


def test_a_claim_request_proves_possession_of_its_own_key() -> None:
    item = ITEMS[4]
    data = statement.claim_request(SIGNER, item)
    assert data[:32] == SIGNER.public
    assert statement.read_claim_request(data) == item
    other = SigningKey(b"o" * 32)
    for wrong in (
        statement.claim_request(other, item),  # another's key inside
        SIGNER.public + data[32:-1],
        other.public + data[32:],
        data[32:],
        b"",
        data[:31],
    ):
        with pytest.raises(EnvelopeError):
            statement.read_claim_request(wrong)


def test_a_claim_bundle_comes_back_and_every_cut_is_refused_or_unreadable() -> None:
    root = SigningKey(b"r" * 32)
    bundle = Bundle(root.public, statement.sign(root, ITEMS[0]), statement.sign(SIGNER, ITEMS[5]))
    packed = bundle.pack()
    assert Bundle.unpack(packed) == bundle
    for size in range(len(packed)):
        try:
            cut = Bundle.unpack(packed[:size])
        except EnvelopeError:
            continue
        assert refuses(cut.answer, ClaimAnswer)
    with pytest.raises(EnvelopeError):
        Bundle.unpack(bytes(200_000))
