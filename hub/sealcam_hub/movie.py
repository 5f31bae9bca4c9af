"""Where the fragments of a clip's MP4 stand, read from ranges of it: what a player asks for instead of all of it.

From the index behind the last fragment where there is one (ISO/IEC 14496-12, 8.8.9 to 8.8.11), so that one chunk at
each end is opened and none between. A clip that was cut or is still coming has none: then its boxes are walked, one
small read for each fragment. Nothing in it is believed: whatever doesn't fit is a movie with fewer fragments, or none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

Read = Callable[[int, int], bytes]
"""Bytes of the content: offset and length; fewer only at its end."""

MOST_FRAGMENTS = 1 << 17  # a day and a half of one a second
MOST_MOOF_BYTES = 1 << 17  # 16,000 pictures
_MOST_HEAD_BYTES = 1 << 16
_PLACE = struct.Struct(">QQBBB")
_MFRO_BYTES = 16
_STSD_BYTES, _ENTRY_BYTES = 8, 78  # before the boxes in a description (8.5.2) and in a picture's entry (12.1.3)


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment: when its first picture is shown, in units of the movie's timescale, and where it begins."""

    time: int
    offset: int


@dataclass(frozen=True, slots=True)
class Movie:
    """A fragmented movie of one track. `beginning` bytes come before the first fragment; the last one ends at `end`.

    `duration` is when the last picture ends, in units of `timescale` a second; `codec` names its decoder (RFC 6381).
    """

    beginning: int
    timescale: int
    codec: str
    fragments: tuple[Fragment, ...]
    end: int
    duration: int


def read_movie(read: Read, size: int) -> Movie | None:
    """The movie in `size` bytes of content; none where nothing of it could be played."""
    head = _beginning(read, size)
    if head is None:
        return None
    beginning, timescale, codec = head
    found = _indexed(read, size, beginning) or _walked(read, size, beginning)
    if found is None:
        return None
    fragments, end = found
    last = fragments[-1]
    length = _lasts(read, last.offset, end)
    return None if length is None else Movie(beginning, timescale, codec, fragments, end, last.time + length)


def _boxes(data: bytes, start: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and first and last offset of the content, of each whole box in `data`."""
    at = start
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + size
        at += size


def _within(data: bytes, *kinds: bytes) -> bytes | None:
    """The content of the first box of the first kind, of the next one in it, and so on."""
    for kind in kinds:
        inner = next((data[first:last] for found, first, last in _boxes(data) if found == kind), None)
        if inner is None:
            return None
        data = inner
    return data


def _beginning(read: Read, size: int) -> tuple[int, int, str] | None:
    """How long `ftyp` and `moov` are, the track's timescale, and its codec."""
    head = read(0, min(size, _MOST_HEAD_BYTES))
    end = next((last for kind, _, last in _boxes(head) if kind == b"moov"), None)
    media = _within(head, b"moov", b"trak", b"mdia", b"mdhd")
    samples = _within(head, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    entry = None if samples is None else _within(samples[_STSD_BYTES:], b"avc1")
    record = None if entry is None else _within(entry[_ENTRY_BYTES:], b"avcC")
    if end is None or not media or len(media) < 24 or record is None or len(record) < 4:
        return None
    timescale = int.from_bytes(media[20:24] if media[0] == 1 else media[12:16], "big")  # 8.4.2
    return None if timescale == 0 else (end, timescale, f"avc1.{record[1:4].hex().upper()}")


def _indexed(read: Read, size: int, beginning: int) -> tuple[tuple[Fragment, ...], int] | None:
    """What the index at the very end says."""
    tail = read(max(0, size - _MFRO_BYTES), _MFRO_BYTES)
    if tail[4:8] != b"mfro":
        return None
    length = int.from_bytes(tail[-4:], "big")
    if not _MFRO_BYTES <= length <= min(size - beginning, MOST_FRAGMENTS * _PLACE.size + 64):
        return None
    table = _within(read(size - length, length), b"mfra", b"tfra")
    if table is None or len(table) < 16 or table[0] != 1 or table[8:12] != bytes(4):
        return None
    places = table[16 : 16 + int.from_bytes(table[12:16], "big") * _PLACE.size]
    if len(places) % _PLACE.size:
        return None
    found = tuple(Fragment(time, offset) for time, offset, *_ in _PLACE.iter_unpack(places))
    return (found, size - length) if _sound(found, beginning, size - length) else None


def _sound(found: tuple[Fragment, ...], beginning: int, end: int) -> bool:
    """Whether there are fragments, the first right behind the beginning, rising in time and place."""
    if not found or found[0].offset != beginning or found[-1].offset >= end:
        return False
    return all(one.time < two.time and one.offset < two.offset for one, two in pairwise(found))


def _walked(read: Read, size: int, beginning: int) -> tuple[tuple[Fragment, ...], int] | None:
    """Every whole fragment, from the first on."""
    found: list[Fragment] = []
    at = beginning
    while len(found) < MOST_FRAGMENTS:
        head = _head(read, at, size)
        if head is None or head[1] != b"moof":
            break
        moof = read(at, min(head[0], MOST_MOOF_BYTES))
        data = _head(read, at + head[0], size)
        time = _time(moof)
        if data is None or data[1] != b"mdat" or time is None or (found and time <= found[-1].time):
            break
        found.append(Fragment(time, at))
        at += head[0] + data[0]
    return (tuple(found), at) if found else None


def _head(read: Read, at: int, size: int) -> tuple[int, bytes] | None:
    """Length and kind of the box at `at`, if all of it is there."""
    head = read(at, 8)
    length = int.from_bytes(head[:4], "big")
    return (length, head[4:]) if len(head) == 8 and 8 <= length <= size - at else None


def _time(moof: bytes) -> int | None:
    """When a fragment begins (8.8.12)."""
    begins = _within(moof, b"moof", b"traf", b"tfdt")
    if begins is None or len(begins) < 8:
        return None
    return int.from_bytes(begins[4:12] if begins[0] == 1 else begins[4:8], "big")


def _lasts(read: Read, at: int, end: int) -> int | None:
    """How long the fragment at `at` is: its pictures' durations (8.8.8), as our camera writes them."""
    run = _within(read(at, min(end - at, MOST_MOOF_BYTES)), b"moof", b"traf", b"trun")
    if run is None or len(run) < 8:
        return None
    flags, count = int.from_bytes(run[1:4], "big"), int.from_bytes(run[4:8], "big")
    first = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    width = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    if not flags & 0x100 or not count or len(run) < first + count * width:
        return None
    return sum(int.from_bytes(run[place : place + 4], "big") for place in range(first, first + count * width, width))
