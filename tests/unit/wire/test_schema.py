"""Bodies: what a field refuses, in both directions (design/wire.md sections 3 and 5)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sealcam.wire import bodies, cbor, schema
from sealcam.wire.bodies import BeatBody, HealthBody, IncidentBody, LossBody, Mode, Stamp, Tombstone
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.statement_kinds import ClaimAnswer, HubCertificate, Prekey, Receipt, RecipientSet
from sealcam.wire.wishes import ArmBody
from tests.vectors import make_sev1

INCIDENT: dict[int, Any] = make_sev1.incident(b"jpeg")
STAMP = schema.from_map(make_sev1.STAMP, Stamp)
INTEGERS = (1, 5, 6, 8, 10)


def decode(fields: dict[int, Any]) -> IncidentBody:
    return schema.decode(cbor.encode(fields), IncidentBody)


def test_an_incident_reads_as_it_was_written() -> None:
    body = decode(INCIDENT)
    assert body.subject is bodies.Subject.PERSON
    assert body.reasons == ("a person", "armed away")
    assert body.thumbnail == b"jpeg"
    assert schema.encode(body) == cbor.encode(INCIDENT)


@pytest.mark.parametrize("number", sorted(set(INCIDENT) - {13}))
def test_a_missing_field_is_refused(number: int) -> None:
    with pytest.raises(EnvelopeError):
        decode({key: value for key, value in INCIDENT.items() if key != number})


def test_a_missing_optional_field_is_none() -> None:
    assert decode({key: value for key, value in INCIDENT.items() if key != 13}).thumbnail is None


def test_a_field_that_nobody_knows_is_ignored() -> None:
    assert decode(INCIDENT | {99: {1: ["later"]}}) == decode(INCIDENT)


@pytest.mark.parametrize("number", sorted(INCIDENT))
@pytest.mark.parametrize("value", [True, "text", b"bytes", [], {}, [1], 2**63], ids=repr)
def test_a_field_of_another_type_is_refused(number: int, value: Any) -> None:
    fits = {13: bytes, 11: list, 5: int, 6: int}
    if isinstance(value, fits.get(number, type(None))) and value not in ([1], True):
        decode(INCIDENT | {number: value})
        return
    with pytest.raises(EnvelopeError):
        decode(INCIDENT | {number: value})


@pytest.mark.parametrize(("number", "value"), [(2, 3), (4, 3), (7, 4), (9, 3), (12, 4), (8, 1001), (10, 1001)])
def test_a_number_outside_its_list_or_limit_is_refused(number: int, value: int) -> None:
    with pytest.raises(EnvelopeError):
        decode(INCIDENT | {number: value})
    decode(INCIDENT | {number: value - 1})


@pytest.mark.parametrize("size", [0, 7, 9])
def test_bytes_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(EnvelopeError):
        decode(INCIDENT | {1: bytes(size)})


@pytest.mark.parametrize("reasons", [[1], [b"x"], [["x"]], ["x", True], [{}]], ids=repr)
def test_a_list_with_a_wrong_item_is_refused(reasons: list[Any]) -> None:
    with pytest.raises(EnvelopeError):
        decode(INCIDENT | {11: reasons})


def test_a_wrong_body_inside_a_body_is_refused() -> None:
    for stamp in ({}, make_sev1.STAMP | {1: b"short"}, make_sev1.STAMP | {4: 2}, [1], 1):
        with pytest.raises(EnvelopeError):
            decode(INCIDENT | {3: stamp})
    stone = {1: 1, 2: 2, 3: bytes(31)}
    with pytest.raises(EnvelopeError):
        schema.decode(cbor.encode({1: make_sev1.STAMP, 2: [stone]}), LossBody)


@pytest.mark.parametrize(
    "changes",
    [
        {"incident": b"short"},
        {"incident": "text"},
        {"stage": 0},
        {"stage": Mode.HOME},
        {"subject": None},
        {"started_ns": -1},
        {"started_ns": 1.5},
        {"started_ns": True},
        {"started_ns": 2**64},
        {"confidence_permille": 1001},
        {"reasons": ["a list"]},
        {"reasons": (1,)},
        {"reasons": ("x" * 5000,)},
        {"reasons": ("x",) * 1025},
        {"at": None},
        {"thumbnail": "text"},
    ],
    ids=lambda changes: repr(changes)[:40],
)
def test_what_nobody_would_read_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        schema.encode(dataclasses.replace(decode(INCIDENT), **changes))


def test_a_mistake_is_told_without_its_value() -> None:
    with pytest.raises(ValueError, match="IncidentBody") as caught:
        schema.encode(dataclasses.replace(decode(INCIDENT), incident=b"secret"))
    assert "secret" not in str(caught.value)


def test_no_body_shows_what_it_holds() -> None:
    assert "person" not in repr(decode(INCIDENT))
    assert "away" not in repr(ArmBody(mode=Mode.AWAY)).lower()
    assert "disk" not in repr(HealthBody(at=STAMP, code="disk", detail="disk"))


@pytest.mark.parametrize("cls", [IncidentBody, LossBody, HealthBody, BeatBody, ArmBody, Stamp, Tombstone, ClaimAnswer,
                                 HubCertificate, Prekey, Receipt, RecipientSet])  # fmt: skip
def test_a_bodys_keys_count_from_one(cls: type) -> None:
    numbers = [field.metadata["key"] for field in dataclasses.fields(cls)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
