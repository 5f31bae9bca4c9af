"""Envelopes: what opens, and everything that must not (design/wire.md section 4)."""

from __future__ import annotations

import dataclasses

import nacl.bindings
import pytest

from sealcam.wire import labels
from sealcam.wire.envelope import (
    MAX_SEQ,
    SCM1,
    Opened,
    open_envelope,
    open_with_content_key,
    padded_size,
    seal,
    verified,
)
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey, decoy_slot, seal_slot
from sealcam.wire.sealed import GENESIS, MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, Sealed, envelope_hash, in_chain

SIGNER = SigningKey(b"s" * 32)
KEYS = [BoxKey(bytes([n]) * 32) for n in range(1, 18)]
BODY = b"\xa1\x01\x18\x2a"
FIELD = 2**255 - 19


def sealed(recipients: int = 3, **changes: object) -> Sealed:
    arguments: dict[str, object] = {
        "kind": 1,
        "seq": 5,
        "prev": b"p" * 32,
        "body": BODY,
        "epoch": 1,
        "recipient_set": 1,
    }
    publics = [key.public for key in KEYS[:recipients]]
    return seal(SIGNER, publics, **(arguments | changes))  # type: ignore[arg-type]


def resigned(message: bytes) -> bytes:
    return message + SIGNER.sign(labels.EVENT_SIGNATURE, message)


def refuses(envelope: bytes, **changes: object) -> bool:
    try:
        open_envelope(envelope, SIGNER.public, [KEYS[0]], **changes)  # type: ignore[arg-type]
    except EnvelopeError:
        return True
    return False


def test_every_recipient_reads_the_same() -> None:
    envelope = sealed()
    opened = [open_envelope(envelope, SIGNER.public, [key]) for key in KEYS[:3]]
    assert opened[0] == opened[1] == opened[2]
    assert (opened[0].kind, opened[0].seq, opened[0].prev, opened[0].body) == (1, 5, b"p" * 32, BODY)
    assert (opened[0].header.kid, opened[0].header.epoch, opened[0].header.recipient_set) == (SIGNER.kid, 1, 1)


def test_every_single_bit_flip_is_refused() -> None:
    envelope = sealed()
    for at in range(len(envelope)):
        for bit in range(8):
            flipped = bytearray(envelope)
            flipped[at] ^= 1 << bit
            assert refuses(bytes(flipped)), f"byte {at}, bit {bit}"


def test_a_flip_in_every_byte_is_refused_even_when_the_signer_signs_it_again() -> None:
    message = sealed()[:-64]
    for at in range(len(message)):
        flipped = bytearray(message)
        flipped[at] ^= 1 << at % 8
        assert refuses(resigned(bytes(flipped))), f"byte {at}"


def test_every_truncation_is_refused() -> None:
    envelope = sealed()
    assert all(refuses(envelope[:size]) for size in range(len(envelope)))
    assert all(refuses(envelope[size:]) for size in range(1, len(envelope)))


def test_every_truncation_is_refused_even_when_the_signer_signs_it_again() -> None:
    message = sealed()[:-64]
    assert all(refuses(resigned(message[:size])) for size in range(len(message)))


def test_bytes_at_the_end_are_refused() -> None:
    assert refuses(sealed() + b"\0")
    assert refuses(resigned(sealed()[:-64] + b"\0"))


def test_an_envelope_over_the_limit_is_refused() -> None:
    assert refuses(resigned(bytes(MAX_ENVELOPE_BYTES)))


def test_a_stranger_opens_nothing() -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(sealed(), SIGNER.public, KEYS[3:])
    with pytest.raises(EnvelopeError):
        open_envelope(sealed(), SIGNER.public, [])


def test_the_signer_opens_nothing() -> None:
    curve = BoxKey(nacl.bindings.crypto_sign_ed25519_sk_to_curve25519(SIGNER.seed + SIGNER.public))
    with pytest.raises(EnvelopeError):
        open_envelope(sealed(), SIGNER.public, [curve])


def test_another_signer_is_refused() -> None:
    other = SigningKey(b"o" * 32)
    envelope = sealed()
    with pytest.raises(EnvelopeError):
        open_envelope(envelope, other.public, [KEYS[0]])
    stripped = envelope[:-64] + other.sign(labels.EVENT_SIGNATURE, envelope[:-64])
    with pytest.raises(EnvelopeError):
        open_envelope(stripped, other.public, [KEYS[0]])
    renamed = envelope[:5] + other.kid + envelope[13:-64]
    with pytest.raises(EnvelopeError):
        open_envelope(renamed + other.sign(labels.EVENT_SIGNATURE, renamed), other.public, [KEYS[0]])


def test_a_command_is_no_event_and_an_event_no_command() -> None:
    command = sealed(1, form=SCM1)
    assert not refuses(command, form=SCM1)
    assert refuses(command)
    assert refuses(sealed(1), form=SCM1)
    as_event = b"SEV1" + command[4:-64]
    assert refuses(resigned(as_event))


def test_a_command_has_one_recipient() -> None:
    with pytest.raises(EnvelopeError):
        sealed(2, form=SCM1)


@pytest.mark.parametrize("recipients", [0, 17])
def test_no_recipient_or_too_many_is_refused(recipients: int) -> None:
    with pytest.raises(EnvelopeError):
        sealed(recipients)


@pytest.mark.parametrize(("recipients", "slots"), [(1, 4), (4, 4), (5, 8), (8, 8), (9, 16), (16, 16)])
def test_the_number_of_recipients_shows_only_roughly(recipients: int, slots: int) -> None:
    envelope = sealed(recipients)
    assert len(verified(envelope, SIGNER.public).slots) == slots
    for key in KEYS[:recipients]:
        assert open_envelope(envelope, SIGNER.public, [key]).body == BODY


def test_a_slot_number_is_only_a_hint() -> None:
    envelope = sealed()
    for slot in (None, -100, -1, 0, 1, 2, 3, 4, 255):
        assert open_envelope(envelope, SIGNER.public, [KEYS[1]], slot=slot).body == BODY


def test_the_kept_content_key_opens_and_no_other_does() -> None:
    envelope = sealed()
    opened = open_envelope(envelope, SIGNER.public, [KEYS[0]])
    assert open_with_content_key(envelope, SIGNER.public, opened.content_key) == opened
    with pytest.raises(EnvelopeError):
        open_with_content_key(envelope, SIGNER.public, b"k" * 32)
    with pytest.raises(EnvelopeError):
        open_with_content_key(sealed(), SIGNER.public, opened.content_key)


def test_nothing_repeats_between_two_envelopes_of_the_same_event() -> None:
    one, two = sealed(), sealed()
    assert one[21:53] != two[21:53]
    assert one[-80:] != two[-80:]
    assert not {*verified(one, SIGNER.public).slots} & {*verified(two, SIGNER.public).slots}
    assert envelope_hash(one) != envelope_hash(two)


def test_a_body_of_a_megabyte_fits_and_a_larger_one_is_refused() -> None:
    room = MAX_BODY_BYTES - 7
    body = b"\xa1\x01\x5a" + room.to_bytes(4, "big") + bytes(room)
    envelope = sealed(body=body)
    assert len(envelope) <= MAX_ENVELOPE_BYTES
    assert open_envelope(envelope, SIGNER.public, [KEYS[0]]).body == body
    with pytest.raises(EnvelopeError):
        sealed(body=bytes(MAX_BODY_BYTES + 1))


@pytest.mark.parametrize("body", [b"", b"\x01", b"\xa1\x01\x18\x01", b"\xa0\x00", b"hello"])
def test_a_body_that_is_not_deterministic_cbor_is_refused(body: bytes) -> None:
    assert refuses(sealed(body=body))


def test_padding_hides_sizes_inside_a_bucket() -> None:
    sizes = {len(sealed(body=b"\xa1\x01\x58" + bytes([n]) + bytes(n))) for n in range(24, 256)}
    assert sizes == {966}


def test_padded_sizes_are_those_of_the_specification() -> None:
    known = {1: 512, 512: 512, 513: 1024, 65536: 65536, 65537: 67584, 100000: 100352, 1048618: 1081344}
    assert {size: padded_size(size) for size in known} == known


def test_padding_wastes_at_most_an_eighth_of_a_large_body_and_never_shrinks() -> None:
    sizes = range(65537, MAX_BODY_BYTES + 42, 997)
    assert all(size <= padded_size(size) <= size * 1.12 for size in sizes)
    assert all(padded_size(padded_size(size)) == padded_size(size) for size in sizes)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": -1},
        {"kind": 256},
        {"seq": -1},
        {"seq": MAX_SEQ + 1},
        {"seq": 0},
        {"epoch": 1 << 32},
        {"recipient_set": 1 << 32},
        {"prev": bytes(31)},
        {"kind": 0x80, "prev": b"p" * 32},
    ],
    ids=str,
)
def test_a_callers_mistake_is_not_sealed(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"out of range|suit"):
        sealed(**changes)


def test_types_from_0x80_on_stand_outside_the_chain() -> None:
    assert in_chain(0x7F)
    assert not in_chain(0x80)
    opened = open_envelope(sealed(kind=0x80, seq=0, prev=GENESIS), SIGNER.public, [KEYS[0]])
    assert (opened.kind, opened.prev) == (0x80, GENESIS)


def test_a_command_names_a_nonce_where_an_event_names_its_predecessor() -> None:
    command = sealed(1, form=SCM1, kind=0x81, seq=0, prev=b"n" * 32)
    assert open_envelope(command, SIGNER.public, [KEYS[0]], form=SCM1).prev == b"n" * 32


def test_every_refusal_looks_the_same() -> None:
    envelope = sealed()
    bad = [b"", envelope[:-1], resigned(b"SEV2" + envelope[4:-64]), resigned(envelope[:-65]), sealed(body=b"\x01")]
    told = set()
    for one in bad:
        with pytest.raises(EnvelopeError) as caught:
            open_envelope(one, SIGNER.public, [KEYS[0]])
        told.add((str(caught.value), repr(caught.value), caught.value.hint))
    assert told == {("refused", "EnvelopeError('refused')", None)}


def test_what_was_opened_does_not_show_in_a_traceback() -> None:
    opened = open_envelope(sealed(), SIGNER.public, [KEYS[0]])
    assert repr(opened) == "Opened(kind=1, seq=5)"
    for field in dataclasses.fields(Opened):
        value = getattr(opened, field.name)
        assert not isinstance(value, bytes) or value.hex() not in repr(opened)


def _is_on_the_curve(u: int) -> bool:
    return pow(u**3 + 486662 * u**2 + u, (FIELD - 1) // 2, FIELD) in (0, 1)


def test_a_decoy_cannot_be_told_from_a_slot_of_somebody_else() -> None:
    """Light: shape, curve membership and the mean of every bit; the argument is in design/adr/0003-sev1.md."""
    rounds = 400
    kinds = [[seal_slot(KEYS[0].public, bytes(32)) for _ in range(rounds)], [decoy_slot() for _ in range(rounds)]]
    for slots in kinds:
        assert len(set(slots)) == rounds
        assert all(len(slot) == 80 and slot[31] < 0x80 for slot in slots)
        assert all(_is_on_the_curve(int.from_bytes(slot[:32], "little")) for slot in slots)
        numbers = [int.from_bytes(slot, "little") for slot in slots]
        for bit in set(range(640)) - {255}:
            ones = sum(number >> bit & 1 for number in numbers)
            assert abs(ones - rounds / 2) < 7 * (rounds / 4) ** 0.5, f"bit {bit}"  # 7 sigma: once in 10^9 runs
