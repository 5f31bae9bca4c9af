"""The CBOR subset: one encoding for each value, and nothing that costs memory or acts (design/wire.md section 3)."""

from __future__ import annotations

import tracemalloc

import cbor2
import pytest

from sealcam.wire import cbor
from sealcam.wire.errors import EnvelopeError
from tests.vectors.refusals import ENCODINGS


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_what_is_not_deterministic_is_refused(data: str) -> None:
    with pytest.raises(EnvelopeError):
        cbor.decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {0: 0, 23: 23, 24: 24, 255: 255, 256: 256, 65535: 65535, 65536: 65536, 2**32: 2**32, 2**64 - 1: 2**64 - 1},
        {1: [True, False, b"", "", [], {}]},
        {1: "ü" * 2048},
        {1: [0] * 1024},
        {1: [[[]]]},
        {2: 1, 1: 2},
    ],
    ids=repr,
)
def test_a_value_comes_back_and_cbor2_agrees(value: dict[int, cbor.Value]) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data) == value == cbor2.loads(data)


@pytest.mark.parametrize(
    "value",
    [
        {1: -1},
        {1: 2**64},
        {1: 1.0},
        {1: None},
        {1: (1,)},
        {1: {1}},
        {-1: 1},
        {"1": 1},
        {True: 1},
        {1: cbor2.CBORTag(1, 1)},
        {1: "\ud800"},
        {1: "ü" * 2048 + "x"},
        {1: [0] * 1025},
        {1: [[[[]]]]},
        {1: bytes(1 << 20)},
        [],
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_specified_is_not_encoded(value: dict[int, cbor.Value]) -> None:
    with pytest.raises(ValueError, match=r"."):
        cbor.encode(value)


def test_a_megabyte_is_the_limit() -> None:
    with pytest.raises(EnvelopeError):
        cbor.decode(b"\xa1\x01\x5a\x00\x10\x00\x00" + bytes(1 << 20))


@pytest.mark.parametrize("head", ["a1019a", "a1019b0000", "ba", "bb0000", "a1015a", "a1015b0000", "a1017a"])
def test_a_huge_count_in_a_small_input_costs_no_memory(head: str) -> None:
    data = bytes.fromhex(head) + b"\xff" * 16
    tracemalloc.start()
    try:
        with pytest.raises(EnvelopeError):
            cbor.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_deep_nesting_is_refused_without_recursion() -> None:
    for opening in (b"\x81", b"\xa1\x01"):
        with pytest.raises(EnvelopeError):
            cbor.decode(b"\xa1\x01" + opening * 200_000 + b"\x00")


def test_the_largest_input_costs_a_bounded_multiple_of_itself() -> None:
    data = cbor.encode({1: [[0] * 1024] * 64})
    tracemalloc.start()
    try:
        cbor.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 16 * len(data)
    finally:
        tracemalloc.stop()
