"""The frozen vectors, by our opener and by an independent one (design/wire.md section 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, EventType, HealthBody, IncidentBody, LossBody
from sealcam.wire.envelope import open_envelope, open_with_content_key, seal
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from tests.vectors import independent, make_sev1

FROZEN_SHA256 = "b75575052d0e3767fcd7001515e8a08269c23d08248ceb98d909f9dae75edadb"
VECTORS: list[dict[str, Any]] = json.loads(make_sev1.FILE.read_text())
ACCEPTED = [vector for vector in VECTORS if "refuse" not in vector]
REFUSED = [vector for vector in VECTORS if "refuse" in vector]
BODIES = {
    EventType.INCIDENT: IncidentBody,
    EventType.LOSS: LossBody,
    EventType.HEALTH: HealthBody,
    EventType.BEAT: BeatBody,
}


def _id(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def _inputs(vector: dict[str, Any]) -> tuple[bytes, bytes, list[BoxKey]]:
    secret = bytes.fromhex(vector["recipient_secret_hex"])
    return bytes.fromhex(vector["envelope_hex"]), bytes.fromhex(vector["signer_public_hex"]), [BoxKey(secret)]


def test_the_vectors_are_frozen() -> None:
    assert hashlib.sha256(make_sev1.FILE.read_bytes()).hexdigest() == FROZEN_SHA256


def test_the_vectors_can_be_made_again_byte_for_byte() -> None:
    assert make_sev1.text() == make_sev1.FILE.read_text()


def test_every_vector_has_its_own_name() -> None:
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("vector", ACCEPTED, ids=_id)
def test_an_accepted_vector_opens_to_what_it_says(vector: dict[str, Any]) -> None:
    envelope, public, keys = _inputs(vector)
    opened = open_envelope(envelope, public, keys)
    assert (opened.kind, opened.seq) == (vector["type"], vector["seq"])
    assert opened.prev.hex() == vector["prev_hex"]
    assert opened.body.hex() == vector["body_cbor_hex"]
    assert open_with_content_key(envelope, public, opened.content_key) == opened


@pytest.mark.parametrize("vector", REFUSED, ids=_id)
def test_a_refused_vector_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(*_inputs(vector))


@pytest.mark.parametrize("vector", VECTORS, ids=_id)
def test_an_opener_written_from_the_specification_agrees(vector: dict[str, Any]) -> None:
    assert independent.judge(vector)


@pytest.mark.parametrize("vector", [v for v in ACCEPTED if v["type"] in list(EventType)], ids=_id)
def test_a_known_body_is_encoded_as_we_would(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["body_cbor_hex"])
    unreadable = {"a body that lacks every field", "a list of 1,024 items", "containers four deep"}
    if vector["name"] in unreadable:
        with pytest.raises(EnvelopeError):
            schema.decode(data, BODIES[EventType(vector["type"])])
        return
    again = schema.encode(schema.decode(data, BODIES[EventType(vector["type"])]))
    later = {"a field that nobody knows", "the largest integer and the highest key", "integers at every width"}
    assert again == data if vector["name"] not in later else len(again) < len(data)


@pytest.mark.parametrize("recipients", [1, 2, 3, 4, 5, 8, 9, 16])
def test_what_we_seal_opens_by_the_specification(recipients: int) -> None:
    signer, keys = SigningKey.generate(), [BoxKey.generate() for _ in range(recipients)]
    body = schema.encode(HealthBody(at=_stamp(), code="storage", detail="é" * recipients * 100))
    envelope = seal(
        signer, [key.public for key in keys], kind=3, seq=9, prev=b"p" * 32, body=body, epoch=1, recipient_set=1
    )
    for key in keys:
        event = independent.open_sev1(envelope, signer.public, [key.secret])
        assert (event.type, event.seq, event.prev, event.body) == (3, 9, b"p" * 32, body)
    with pytest.raises(independent.RefusedError):
        independent.open_sev1(envelope, signer.public, [BoxKey.generate().secret])


def _stamp() -> Any:
    vector = next(v for v in ACCEPTED if v["type"] == EventType.HEALTH)
    return schema.decode(bytes.fromhex(vector["body_cbor_hex"]), HealthBody).at
