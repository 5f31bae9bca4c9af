"""GOPs: gathered whole, kept as long and as many as the ring may."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board.fake_encoder import FakeEncoder
from sealcam.board.protocols import AccessUnit
from sealcam.h264 import parameter_sets, sample, units
from sealcam.ring import USUAL_NS, Gop, Gops, Ring
from sealcam.wire.errors import HardwareError
from tests.films import frames, ns


def encoded(seconds: float, picture_bytes: int = 100) -> list[AccessUnit]:
    encoder = FakeEncoder(picture_bytes=picture_bytes)
    return [unit for one in frames(seconds) for unit in encoder.encode(one)]


def gathered(seconds: float, picture_bytes: int = 100) -> list[Gop]:
    gops = Gops(1 << 20)
    whole = [gops.add(unit) for unit in encoded(seconds, picture_bytes)]
    return [one for one in [*whole, gops.flush()] if one is not None]


def test_units_are_found_whatever_start_codes_and_zeros_stand_around_them() -> None:
    assert list(units(b"\0\0\1\x67ab\0\0\0\1\x68c\0\0\0\0\1\x65dd\0\0")) == [b"\x67ab", b"\x68c", b"\x65dd"]
    assert list(units(b"nothing")) == list(units(b"")) == list(units(b"\0\0\1\0\0\1")) == []


@given(
    st.lists(st.lists(st.integers(1, 255), min_size=1, max_size=20).map(bytes), max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_whatever_units_are_joined_come_apart_again(bodies: list[bytes], long: list[bool]) -> None:
    data = b"".join((b"\0" if four else b"") + b"\0\0\1" + body for body, four in zip(bodies, long, strict=False))
    assert list(units(data)) == bodies


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_no_more_than_a_hardware_error(data: bytes) -> None:
    assert sum(map(len, units(data))) <= len(data)
    assert len(sample(data)) <= 2 * len(data)
    with suppress(HardwareError):
        parameter_sets(data)


def test_a_sample_has_slices_alone() -> None:
    data = b"\0\0\1\x09\xf0\0\0\1\x67abc\0\0\1\x68d\0\0\1\x06\x05x\0\0\1\x65key\0\0\1\x41other\0\0\1\x0c\xff"
    assert sample(data) == b"\0\0\0\4\x65key\0\0\0\6\x41other"
    assert parameter_sets(data).sps == b"\x67abc"
    assert parameter_sets(data).codec == "avc1.616263"


@pytest.mark.parametrize("data", [b"", b"\0\0\1\x65key", b"\0\0\1\x67abc\0\0\1\x65key", b"\0\0\1\x67a\0\0\1\x68b"])
def test_a_keyframe_without_parameter_sets_is_an_error(data: bytes) -> None:
    with pytest.raises(HardwareError, match="parameter sets"):
        parameter_sets(data)


def test_a_high_profile_tells_how_colours_are_sampled() -> None:
    plain = parameter_sets(b"\0\0\1\x67\x42\xc0\x1f\0\0\1\x68b")
    high = parameter_sets(b"\0\0\1\x67\x64\x00\x1f\0\0\1\x68b")
    assert len(high.record) - len(plain.record) == 4


def test_a_gop_ends_where_the_next_begins_and_none_is_lost() -> None:
    whole = gathered(3.5)
    assert [one.start_ns for one in whole] == [ns(0), ns(1), ns(2), ns(3)]
    assert [one.end_ns for one in whole] == [ns(1), ns(2), ns(3), ns(3.5)]
    assert sum(len(one.units) for one in whole) == 35


def test_a_single_picture_lasts_as_long_as_pictures_usually_do() -> None:
    (only,) = gathered(0.1)
    assert only.end_ns - only.start_ns == USUAL_NS


def test_what_comes_before_the_first_keyframe_is_nothing() -> None:
    gops = Gops(1 << 20)
    assert [gops.add(unit) for unit in encoded(1.2)[5:]] == [None] * 7
    last = gops.flush()
    assert last is not None
    assert [unit.t_ns for unit in last.units] == [ns(1), ns(1.1)]
    assert gops.flush() is None


def test_an_encoder_whose_times_stand_still_or_without_keyframes_is_broken() -> None:
    gops = Gops(1 << 20)
    first, second, *_ = encoded(1)
    gops.add(first)
    with pytest.raises(HardwareError, match="don't rise"):
        gops.add(first)
    small = Gops(200)
    small.add(first)
    with pytest.raises(HardwareError, match="no keyframe"):
        small.add(second)


def test_the_ring_reaches_back_as_far_as_it_should_and_no_further() -> None:
    ring = Ring(5, 1 << 20)
    for gop in gathered(60):
        ring.add(gop)
        held = ring.since(0)
        assert held[-1] is gop
        assert gop.end_ns - held[0].start_ns >= min(ns(5), gop.end_ns)
        assert gop.end_ns - held[0].start_ns <= ns(6)
        assert ring.size_bytes == sum(one.size_bytes for one in held)


def test_the_ring_holds_no_more_bytes_than_it_may_but_always_the_newest() -> None:
    ring = Ring(60, 5000)
    for gop in gathered(20):
        ring.add(gop)
        assert ring.size_bytes <= 5000
    assert len(ring.since(0)) > 2
    (huge,) = gathered(0.5, picture_bytes=5000)
    ring.add(huge)
    assert ring.since(0) == (huge,)
    ring.clear()
    assert (ring.since(0), ring.size_bytes) == ((), 0)


def test_since_begins_with_the_gop_that_is_shown_then() -> None:
    ring, whole = Ring(60, 1 << 20), gathered(4)
    for gop in whole:
        ring.add(gop)
    assert ring.since(ns(1.5)) == tuple(whole[1:])
    assert ring.since(ns(2)) == tuple(whole[2:])
    assert ring.since(-1) == tuple(whole)
    assert ring.since(ns(4)) == ()
    assert all(earlier.end_ns == later.start_ns for earlier, later in itertools.pairwise(whole))
