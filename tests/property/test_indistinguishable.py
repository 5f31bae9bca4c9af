"""A broker that keeps every envelope can't tell used slots from empty ones, nor cover traffic from events.

Over 2,000 envelopes of each sort, with the system's randomness; when a difference counts is said in `telling_apart`.
"""

from __future__ import annotations

import secrets
from functools import cache

import pytest

from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, CoverBody, EventType, IncidentBody, PieceBody
from sealcam.wire.envelope import seal
from sealcam.wire.filler import filled
from sealcam.wire.keys import SLOT_BYTES, BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS, in_chain
from tests.property import telling_apart
from tests.property.telling_apart import TOLD, Heap, heap, is_public_key
from tests.vectors.builder import cbor
from tests.vectors.make_sev1 import beat, incident

COUNT = 2000
SLOTS_AT, SLOT_COUNT = 54, 4
BODY_AT = SLOTS_AT + SLOT_COUNT * SLOT_BYTES
PADDED, TAG, SIGNATURE = 2048, 16, 64
SIGNER = SigningKey(b"s" * 32)
RECIPIENTS = [BoxKey(bytes([n]) * 32).public for n in (1, 2)]
REAL = (
    (EventType.INCIDENT, schema.encode(schema.decode(cbor(incident()), IncidentBody))),
    (
        EventType.BEAT,
        schema.encode(schema.decode(cbor(beat(key_19={1: 29_820, 2: 24_113, 3: 3_977, 4: 4_096})), BeatBody)),
    ),
    (
        EventType.PIECE,
        schema.encode(PieceBody(incident=b"i" * 8, picture=b"p" * 8, index=0, count=2, data=b"\xff\xd8" + bytes(1900))),
    ),
)


def sealed(kind: int, body: bytes, seq: int) -> bytes:
    prev = b"p" * 32 if in_chain(kind) else GENESIS
    return seal(SIGNER, RECIPIENTS, kind=kind, seq=seq, prev=prev, body=body, epoch=1, recipient_set=1)


@cache
def covers() -> list[bytes]:
    body = filled(schema.encode(CoverBody()), PADDED)
    return [sealed(EventType.COVER, body, n) for n in range(1, COUNT + 1)]


@cache
def events() -> list[bytes]:
    bodies = [(kind, filled(body, PADDED)) for kind, body in REAL]
    return [sealed(*bodies[n % len(bodies)], n) for n in range(1, COUNT + 1)]


def slots(envelopes: list[bytes], numbers: range) -> list[bytes]:
    starts = [SLOTS_AT + SLOT_BYTES * n for n in numbers]
    return [one[at : at + SLOT_BYTES] for one in envelopes for at in starts]


def differences(one: Heap, other: Heap) -> dict[str, float]:
    """How surely each test tells the heaps apart; only what lies above `TOLD` is told."""
    return {
        "frequencies": telling_apart.frequencies(one, other),
        "bits": telling_apart.bits(one, other),
        "learnt": telling_apart.learnt(one, other),
    }


def assert_alike(one: Heap, other: Heap) -> None:
    assert {name: z for name, z in differences(one, other).items() if z > TOLD} == {}


def assert_random(one: Heap) -> None:
    """For bytes that are to look random by themselves, such as what a cipher gives."""
    assert telling_apart.uniform(one) < TOLD
    assert telling_apart.runs(one) < TOLD


@cache
def used_and_empty() -> tuple[list[bytes], list[bytes]]:
    used = slots(covers(), range(len(RECIPIENTS)))[:COUNT]
    empty = slots(covers(), range(len(RECIPIENTS), SLOT_COUNT))[:COUNT]
    return used, empty


def test_every_slot_begins_with_a_public_key_as_x25519_makes_them() -> None:
    for group in used_and_empty():
        assert all(is_public_key(slot[:32]) for slot in group)


def test_no_test_tells_an_empty_slot_from_a_used_one() -> None:
    used, empty = used_and_empty()
    assert_alike(heap(used), heap(empty))
    assert_alike(heap([slot[:32] for slot in used]), heap([slot[:32] for slot in empty]))
    for group in (used, empty):
        assert_random(heap([slot[32:] for slot in group]))


def test_no_slot_comes_twice() -> None:
    every = slots(covers(), range(SLOT_COUNT)) + slots(events(), range(SLOT_COUNT))
    assert len({slot[:32] for slot in every}) == len(every)
    assert len({slot[32:] for slot in every}) == len(every)


def test_cover_is_as_long_as_every_event() -> None:
    assert {len(one) for one in covers()} == {len(one) for one in events()} == {BODY_AT + PADDED + TAG + SIGNATURE}


def test_no_test_tells_cover_from_events() -> None:
    cover, real = covers(), events()
    assert_alike(heap(cover), heap(real))
    for start, end in ((BODY_AT + PADDED, BODY_AT + PADDED + TAG), (-SIGNATURE, None)):
        assert_alike(heap([one[start:end] for one in cover]), heap([one[start:end] for one in real]))
    for group in (cover, real):
        assert_random(heap([one[BODY_AT : BODY_AT + PADDED + TAG] for one in group]))


@pytest.mark.parametrize("what", ["random bytes", "random bytes below the top bit", "any point of the curve"])
def test_a_bad_decoy_is_found_out(what: str) -> None:
    """The control: what a careless decoy looks like is told by the same tests."""
    used, _ = used_and_empty()
    keys = [bytearray(secrets.token_bytes(32)) for _ in range(COUNT)]
    if what != "random bytes":
        for key in keys:
            key[31] &= 0x7F
    if what == "any point of the curve":
        keys = [key for key in keys if _on_the_curve(bytes(key))]
    bad = [bytes(key) + secrets.token_bytes(48) for key in keys]
    found = sum(is_public_key(slot[:32]) for slot in bad)
    assert 0 < found < len(bad) / 4
    if what == "random bytes":
        told = differences(heap(used), heap(bad))
        assert told["bits"] > TOLD
        assert told["learnt"] > TOLD


def _on_the_curve(key: bytes) -> bool:
    u, p = int.from_bytes(key, "little"), telling_apart.FIELD
    return pow(u * (u * u + 486662 * u + 1) % p, (p - 1) // 2, p) == 1


def test_a_faint_pattern_in_a_body_is_found_out() -> None:
    """The control: one constant byte in 2,064, or one byte value a little too often."""
    real = [one[BODY_AT:-SIGNATURE] for one in events()]
    marked = [b"\0" + one[1:] for one in real]
    assert telling_apart.bits(heap(marked), heap(real)) > TOLD
    assert telling_apart.learnt(heap(marked), heap(real)) > TOLD
    often = [one[:-16] + b"\x20" * 16 for one in real]
    assert telling_apart.frequencies(heap(often), heap(real)) > TOLD
    assert telling_apart.uniform(heap(often)) > TOLD
