"""The frozen bodies of events and commands, by our code and by an independent reader (design/wire.md 5 and 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from sealcam import command_bodies
from sealcam.wire import bodies, schema
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.wishes import CommandType
from tests.vectors import (
    independent_bodies,
    make_bodies,
    make_bodies_2,
    make_bodies_3,
    make_bodies_4,
    make_bodies_5,
    make_bodies_6,
)

FROZEN_SHA256 = "91d365132b536b909b6178ecb8a0a9209d0eca93c0f2d188cca0dc7295225292"
FROZEN_2_SHA256 = "0322e52ac325d1c9512517baf54409f4ea4ee66d093b838d852c2fae07d67284"
FROZEN_3_SHA256 = "30f5cd3aa6c701f6ee5f91279e9d3262418b4c3d5186a402cc5b2845e019a61b"
FROZEN_4_SHA256 = "2946f0b18a839489a1cf343928cc4570933cf8f0d7ebc0bbcecf040cc6fac6cd"
FROZEN_5_SHA256 = "80f67cb8966d5f1e116a976666f07b1b91aea194987981ded8c18bc666fd9563"
FROZEN_6_SHA256 = "b9eda64759cebc6ca5e3c21b9078a54e4a804172613a060f9f98cc05ad0ce0f3"
CASES: list[dict[str, Any]] = [
    case
    for made in (make_bodies, make_bodies_2, make_bodies_3, make_bodies_4, make_bodies_5, make_bodies_6)
    for case in json.loads(made.FILE.read_text())
]
EVENTS: dict[int, type] = {
    0x01: bodies.IncidentBody,
    0x02: bodies.LossBody,
    0x03: bodies.HealthBody,
    0x04: bodies.EpochBody,
    0x05: bodies.AnswerBody,
    0x06: bodies.PieceBody,
    0x07: bodies.ClipBody,
    0x08: bodies.FarewellBody,
    0x09: bodies.PrivacyBody,
    0x80: bodies.BeatBody,
    0x81: bodies.CoverBody,
    0x82: bodies.WillBody,
}


def _id(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_the_cases_are_frozen() -> None:
    assert hashlib.sha256(make_bodies.FILE.read_bytes()).hexdigest() == FROZEN_SHA256
    assert hashlib.sha256(make_bodies_2.FILE.read_bytes()).hexdigest() == FROZEN_2_SHA256
    assert hashlib.sha256(make_bodies_3.FILE.read_bytes()).hexdigest() == FROZEN_3_SHA256
    assert hashlib.sha256(make_bodies_4.FILE.read_bytes()).hexdigest() == FROZEN_4_SHA256
    assert hashlib.sha256(make_bodies_5.FILE.read_bytes()).hexdigest() == FROZEN_5_SHA256
    assert hashlib.sha256(make_bodies_6.FILE.read_bytes()).hexdigest() == FROZEN_6_SHA256


def test_they_can_be_made_again_byte_for_byte() -> None:
    assert make_bodies.text() == make_bodies.FILE.read_text()
    assert make_bodies_2.text() == make_bodies_2.FILE.read_text()
    assert make_bodies_3.text() == make_bodies_3.FILE.read_text()
    assert make_bodies_4.text() == make_bodies_4.FILE.read_text()
    assert make_bodies_5.text() == make_bodies_5.FILE.read_text()
    assert make_bodies_6.text() == make_bodies_6.FILE.read_text()


def test_every_case_has_its_own_name() -> None:
    assert len({_id(case) for case in CASES}) == len(CASES)


def test_every_type_has_a_case() -> None:
    assert {case["type"] for case in CASES if case["kind"] == "event-body"} == set(bodies.EventType)
    assert {case["type"] for case in CASES if case["kind"] == "command-body"} == set(CommandType)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_reader_written_from_the_specification_agrees(case: dict[str, Any]) -> None:
    assert independent_bodies.judge(case)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_our_own_reader_agrees(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["body_cbor_hex"])
    try:
        if case["kind"] == "event-body":
            schema.decode(data, EVENTS[case["type"]])
        else:
            command_bodies.read(CommandType(case["type"]), data)
    except EnvelopeError:
        assert case.get("refuse") is True
        return
    assert case.get("readable") is True
