"""MP4 by hand: what players find in it, whole and cut, and what stands where."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import Frame
from sealcam.fmp4 import Movie
from sealcam.ring import Gop, Gops
from tests.films import frame, frames, shown


def gops_of(source: Iterable[Frame]) -> list[Gop]:
    encoder, gops = X264Encoder(fps=15, bytes_per_s=200_000), Gops(1 << 20)
    whole = [gops.add(unit) for one in source for unit in encoder.encode(one)]
    return [one for one in [*whole, gops.flush()] if one is not None]


def pieces(gops: list[Gop], wall_ns: int = 0) -> list[bytes]:
    """Beginning, fragments, index."""
    movie = Movie(gops[0].look, gops[0].start_ns, wall_ns)
    return [movie.beginning, *map(movie.fragment, gops), movie.index()]


def boxes(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Kind, place and content of the outermost boxes."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at, data[at + 8 : at + size]
        at += size
    assert at == len(data)


def test_a_player_finds_every_picture_at_its_time() -> None:
    source = list(frames(4.3, fps=9.7, start_s=1000.25))
    played = shown(b"".join(pieces(gops_of(source))))
    assert played.times_us == [round((one.t_ns - source[0].t_ns) / 1000) for one in source]
    assert played.duration_us == pytest.approx(4.3e6, abs=60_000)
    assert played.size == (64, 48)
    assert played.keys_us[0] == 0
    assert len(played.keys_us) > 3


def test_it_plays_cut_behind_any_whole_fragment() -> None:
    gops = gops_of(frames(4))
    beginning, *fragments, _index = pieces(gops)
    for count in range(1, len(fragments)):
        played = shown(b"".join([beginning, *fragments[:count]]))
        assert len(played.times_us) == sum(len(gop.units) for gop in gops[:count])
        assert played.duration_us == gops[count - 1].end_ns // 1000


def test_it_plays_from_any_fragment_on() -> None:
    gops = gops_of(frames(4))
    beginning, *fragments, index = pieces(gops)
    for first in range(len(fragments)):
        played = shown(b"".join([beginning, *fragments[first:], index]))
        assert len(played.times_us) == sum(len(gop.units) for gop in gops[first:])


def test_a_fragment_torn_off_in_its_midst_takes_nothing_else_along() -> None:
    gops = gops_of(frames(3))
    beginning, *fragments, _index = pieces(gops)
    whole = b"".join([beginning, *fragments[:2]])
    with av.open(io.BytesIO(whole + fragments[2][:200]), format="mp4") as container:
        packets = [one for one in container.demux(video=0) if one.size]
    assert len(packets) >= sum(len(gop.units) for gop in gops[:2])


def test_the_index_says_where_each_fragment_begins_and_how_long_it_is_itself() -> None:
    gops = gops_of(frames(3.5))
    data = b"".join(pieces(gops))
    found = list(boxes(data))
    kinds = [kind for kind, _, _ in found]
    assert kinds == [b"ftyp", b"moov", *[b"moof", b"mdat"] * len(gops), b"mfra"]
    size_bytes = struct.unpack(">I", data[-4:])[0]
    assert data[-size_bytes:][4:8] == b"mfra"
    places = [at for kind, at, _ in found if kind == b"moof"]
    entries = data[-size_bytes:][8 + 24 : -16]
    told = [struct.unpack_from(">QQ", entries, at) for at in range(0, len(entries), 19)]
    assert told == [(gop.start_ns // 1000, place) for gop, place in zip(gops, places, strict=True)]


def test_it_says_when_it_was_taken_where_that_is_known() -> None:
    gops = gops_of(frames(1))
    for wall_ns, told in ((1_790_000_000 * 10**9, "2026-09-21T14:13:20.000000Z"), (0, None)):
        with av.open(io.BytesIO(b"".join(pieces(gops, wall_ns)))) as container:
            assert container.metadata.get("creation_time") == told


def test_a_gap_in_time_stays_a_gap() -> None:
    gops = [*gops_of(frames(1)), *gops_of(frames(1, start_s=7))]
    played = shown(b"".join(pieces(gops)))
    assert played.times_us[9:11] == [900_000, 7_000_000]
    assert played.duration_us == 8_000_000


@settings(max_examples=25)
@given(st.lists(st.integers(1_000, 3 * 10**9), min_size=1, max_size=20), st.integers(0, 10**18))
def test_times_of_any_kind_come_out_to_the_microsecond(steps_ns: list[int], start_ns: int) -> None:
    times_ns = [start_ns]
    for step_ns in steps_ns:
        times_ns.append(times_ns[-1] + step_ns)
    still = frame(0, (16, 16))
    source = [Frame(t_ns, 0, still.y, still.u, still.v) for t_ns in times_ns]
    with av.open(io.BytesIO(b"".join(pieces(gops_of(source)))), format="mp4") as container:
        times = [one.pts for one in container.demux(video=0) if one.size]
    assert times == [(t_ns - start_ns + 500) // 1000 for t_ns in times_ns]
