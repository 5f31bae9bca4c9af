"""Ranges of a clip: what a browser puts together from the answers is the clip, whatever it asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam_hub.console import ranges
from sealcam_hub.console.ranges import MOST, Span, asked, still

numbers = st.integers(0, 300)


def model(first: int | None, last: int | None, content: bytes) -> bytes | None:
    """RFC 9110, 14.1.2, on plain bytes: what a range of either kind is, none where it can't be satisfied."""
    if first is None:
        assert last is not None
        return content[-last:] if last and content else None
    return content[first : None if last is None else last + 1] if first < len(content) else None


@given(st.binary(max_size=200), numbers, st.none() | numbers)
def test_a_range_from_a_place_on_is_those_bytes(content: bytes, first: int, last: int | None) -> None:
    span = asked(f"bytes={first}-{'' if last is None else last}", len(content))
    if last is not None and last < first:
        assert span == Span(0, len(content), len(content), part=False), "no range at all"
        return
    expected = model(first, last, content)
    assert (None if span is None else content[span.first : span.end]) == expected
    assert span is None or span.part


@given(st.binary(max_size=200), numbers)
def test_a_range_from_the_end_is_those_bytes(content: bytes, count: int) -> None:
    span = asked(f"bytes=-{count}", len(content))
    assert (None if span is None else content[span.first : span.end]) == model(None, count, content)


@given(st.integers(1, 3 * MOST), st.data())
def test_whoever_asks_on_gets_all_of_it_in_answers_of_bounded_length(size: int, data: st.DataObject) -> None:
    at, answers = 0, 0
    while at < size:
        last = data.draw(st.none() | st.integers(at, size + 5))
        span = asked(f"bytes={at}-{'' if last is None else last}", size)
        assert span is not None
        assert span.first == at < span.end <= min(size, at + MOST)
        assert span.header == f"bytes {at}-{span.end - 1}/{size}"
        answers += 1
        at = span.end if answers < 20 else size
    assert asked(f"bytes={size}-", size) is None


@given(st.text(max_size=40), st.integers(0, 1000))
def test_what_is_no_range_is_all_of_it(header: str, size: int) -> None:
    span = asked(header, size)
    assert span is None or span.part or span == Span(0, size, size, part=False)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "chunks=0-1", "bytes=5-2", "bytes=-1-2",
     "bytes=٣-٤", "bytes=" + "9" * 30 + "-", "0-1"],
)  # fmt: skip
def test_another_unit_several_ranges_and_nonsense_give_the_whole(header: str | None) -> None:
    assert asked(header, 10) == Span(0, 10, 10, part=False)


def test_space_around_is_none_of_our_business_and_capital_units_are_unknown() -> None:
    assert asked(" bytes= 2-3 ", 10) == Span(2, 4, 10, part=True)
    assert asked("BYTES=2-3", 10) == Span(0, 10, 10, part=False)


def test_what_has_changed_is_given_whole() -> None:
    assert still(None, '"a-1"')
    assert still('"a-1"', '"a-1"')
    for other in ('"a-2"', 'W/"a-1"', "Sun, 22 Nov 2026 11:00:00 GMT", "*", ""):
        assert not still(other, '"a-1"'), other
    assert ranges.MOST >= 1 << 20, "a fragment of the largest kind fits one answer"
