"""The filler: every body of a camera with cover traffic is padded to one size, and reads as it did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire import cbor, schema
from sealcam.wire.bodies import ClockQuality, CoverBody, HealthBody, Stamp
from sealcam.wire.envelope import open_envelope, padded_size, seal
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.filler import FILLER_KEY, FRAME_BYTES, filled
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS

SIZES = [512 << n for n in range(8)]
AT = Stamp(boot=bytes(16), boot_ns=1, wall_ns=2, quality=ClockQuality.UNKNOWN)


def health(length: int) -> bytes:
    return schema.encode(HealthBody(at=AT, code="x", detail="d" * length))


@given(size=st.sampled_from(SIZES), data=st.data())
def test_a_body_that_fits_is_padded_to_exactly_that_size(size: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, size - FRAME_BYTES - 12))
    body = cbor.encode({1: bytes(length), 7: 9})
    made = filled(body, size)
    assert padded_size(len(made) + FRAME_BYTES) == size
    fields = cbor.decode(made)
    assert not any(fields.pop(FILLER_KEY, b""))
    assert cbor.encode(fields) == body


def test_the_smallest_and_the_largest_body_of_a_size_need_no_filler_and_one_more_is_refused() -> None:
    largest = cbor.encode({1: bytes(2048 - FRAME_BYTES - 5)})
    assert len(largest) == 2006
    assert filled(largest, 2048) is largest
    smallest = cbor.encode({1: bytes(1025 - FRAME_BYTES - 5)})
    assert filled(smallest, 2048) is smallest
    assert filled(smallest[:1] + cbor.encode({1: bytes(1025 - FRAME_BYTES - 6)})[1:], 2048) != smallest
    with pytest.raises(ValueError, match="padded to more"):
        filled(cbor.encode({1: bytes(2048 - FRAME_BYTES - 4)}), 2048)


@pytest.mark.parametrize("size", [0, 42, 256, 1000, 2047, 131072])
def test_a_size_that_nothing_is_padded_to_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="nothing is padded"):
        filled(b"\xa0", size)


def test_a_body_that_has_a_filler_or_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="filler"):
        filled(cbor.encode({FILLER_KEY: b""}), 2048)
    with pytest.raises(EnvelopeError):
        filled(b"\xff", 2048)


def test_readers_ignore_the_filler() -> None:
    assert schema.decode(filled(health(5), 2048), HealthBody) == HealthBody(at=AT, code="x", detail="ddddd")


def test_envelopes_of_filled_bodies_have_one_length() -> None:
    signer, reader = SigningKey.generate(), BoxKey.generate()
    bodies = [schema.encode(CoverBody()), health(0), health(900), health(1900)]
    made = [
        seal(signer, [reader.public], kind=0x81, seq=n, prev=GENESIS, body=filled(body, 2048), epoch=1, recipient_set=1)
        for n, body in enumerate(bodies, 1)
    ]
    assert {len(envelope) for envelope in made} == {54 + 320 + 2048 + 16 + 64}
    assert open_envelope(made[3], signer.public, [reader]).seq == 4
