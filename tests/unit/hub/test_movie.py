"""Where a movie's fragments are: by its index, by its boxes where it has none, and nothing believed."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board.protocols import AccessUnit
from sealcam.fmp4 import TIMESCALE, Movie
from sealcam.h264 import ParameterSets
from sealcam.ring import Gop, Look
from sealcam_hub.movie import read_movie

LOOK = Look(64, 48, ParameterSets(sps=b"\x67\x42\xc0\x1e\x01", pps=(b"\x68\x01",)))


@dataclass
class Counting:
    """Bytes that are read by ranges; `opened` are the places of the chunks that were."""

    data: bytes
    opened: set[int] = field(default_factory=set)

    def __call__(self, offset: int, length: int) -> bytes:
        assert length >= 0
        found = self.data[offset : offset + length]
        self.opened |= {place // 65536 for place in range(offset, offset + len(found), 4096)}
        return found


def gop(start_ms: int, pictures: int, size: int = 100) -> Gop:
    times = [start_ms * 10**6 + n * 10**8 for n in range(pictures + 1)]
    units = tuple(AccessUnit(time, time == times[0], b"\0\0\0\1\x65" + b"x" * size, 64, 48) for time in times[:-1])
    return Gop(units, times[-1], LOOK)


def movie(gops: int, size: int = 100) -> tuple[bytes, list[int]]:
    """A movie with its index, and where each fragment begins."""
    made = Movie(LOOK, 0)
    data, places = made.beginning, []
    for number in range(gops):
        places.append(len(data))
        data += made.fragment(gop(number * 1000, 10, size))
    return data + made.index(), places


def without_index(data: bytes) -> bytes:
    return data[: len(data) - int.from_bytes(data[-4:], "big")]


@pytest.mark.parametrize("indexed", [True, False])
def test_every_fragment_is_found_with_its_time_and_the_length_of_it_all(indexed: bool) -> None:
    data, places = movie(5)
    whole = data if indexed else without_index(data)
    found = read_movie(Counting(whole), len(whole))
    assert found is not None
    assert [(one.time, one.offset) for one in found.fragments] == [(n * TIMESCALE, at) for n, at in enumerate(places)]
    assert (found.beginning, found.timescale, found.codec) == (places[0], TIMESCALE, "avc1.42C01E")
    assert (found.end, found.duration) == (len(without_index(data)), 5 * TIMESCALE)


def test_with_an_index_no_chunk_between_is_opened() -> None:
    data, _ = movie(30, size=50_000)
    read = Counting(data)
    assert read_movie(read, len(data)) is not None
    assert len(read.opened) <= 6
    assert len(data) > 100 * 65536


@given(st.integers(0, 3000))
def test_a_movie_that_is_cut_anywhere_has_its_whole_fragments(cut: int) -> None:
    data, places = movie(3)
    part = data[: min(cut, len(without_index(data)))]
    ends = [*places[1:], len(without_index(data))]
    found = read_movie(Counting(part), len(part))
    wanted = [at for at, end in zip(places, ends, strict=True) if end <= len(part)]
    assert [one.offset for one in found.fragments] == wanted if found else not wanted


@given(st.data())
def test_a_movie_that_was_changed_anywhere_is_read_without_a_fault(data: st.DataObject) -> None:
    content = bytearray(movie(3)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    found = read_movie(Counting(bytes(content)), len(content))
    if found is not None:
        assert 0 < found.beginning == found.fragments[0].offset < found.end <= len(content)
        assert all(one.offset < found.end for one in found.fragments)


@given(st.binary(max_size=300))
def test_what_is_no_movie_is_none(content: bytes) -> None:
    assert read_movie(Counting(content), len(content)) is None


def test_an_index_that_points_elsewhere_is_not_believed() -> None:
    data, places = movie(3)
    entry = struct.pack(">QQ", TIMESCALE, places[1])
    assert data.count(entry) == 1
    for wrong in (
        struct.pack(">QQ", TIMESCALE, len(data)),
        struct.pack(">QQ", 0, places[1]),
        struct.pack(">QQ", TIMESCALE, 3),
    ):
        changed = data.replace(entry, wrong)
        found = read_movie(Counting(changed), len(changed))
        assert found is not None
        assert [one.offset for one in found.fragments] == places
