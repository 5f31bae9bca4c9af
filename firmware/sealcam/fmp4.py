"""Fragmented MP4 written by hand: a beginning, one fragment for each GOP, an index behind the last one.

Cut behind any fragment it plays. Times are the sensor's, in microseconds from the clip's first picture. Boxes are those
of ISO/IEC 14496-12 (sections are named beside them) and 14496-15; there is one track, of pictures. `Movie` is a clip's
file; a live view is made of the same `beginning` and `fragment`. design/clips.md.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

from sealcam.h264 import sample
from sealcam.ring import Gop, Look

TIMESCALE = 1_000_000
_TRACK = 1
_FROM_1904_S = 2_082_844_800  # MP4 counts seconds from 1904-01-01 UTC (8.2.2)
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDEFINED = 0x55C4  # the language "und"
# Flags of a sample (8.8.3.1): a keyframe depends on nothing, any other on pictures before it.
_KEY, _OTHER = 0x02000000, 0x01010000
# Of a fragment's header (8.8.7): its flags for samples are given, offsets count from its first byte.
_TFHD = 0x020000 | 0x000020
# Of its run (8.8.8): offset of the data, flags of the first sample, then duration and size of each.
_TRUN = 0x000001 | 0x000004 | 0x000100 | 0x000200
_TRUN_HEAD = struct.Struct(">IiI")
_ENTRY = struct.Struct(">QQBBB")


class Movie:
    """One MP4 file, written from front to back: `beginning`, then `fragment` for each GOP, then `index`.

    `start_ns` is when its first picture was taken, `wall_ns` the wall time then, 0 where it isn't known.
    """

    def __init__(self, look: Look, start_ns: int, wall_ns: int = 0) -> None:
        self._start_ns = start_ns
        self._count = 0
        self._places: list[tuple[int, int]] = []  # time and offset of each fragment
        self.beginning = beginning(look, wall_ns)
        self._written_bytes = len(self.beginning)

    def fragment(self, gop: Gop) -> bytes:
        """The next fragment: this GOP, whose look is the file's, and which begins where the last one ended or later."""
        times = [self._time(unit.t_ns) for unit in gop.units] + [self._time(gop.end_ns)]
        samples = [sample(unit.data) for unit in gop.units]
        self._count += 1
        self._places.append((times[0], self._written_bytes))
        durations = [later - earlier for earlier, later in pairwise(times)]
        whole = fragment(self._count, times[0], durations, samples)
        self._written_bytes += len(whole)
        return whole

    def index(self) -> bytes:
        """Where each fragment begins (8.8.9 to 8.8.11): the last box, whose own size stands in its last four bytes."""
        entries = b"".join(_ENTRY.pack(time, offset, 1, 1, 1) for time, offset in self._places)
        places = _full(b"tfra", 1, 0, struct.pack(">III", _TRACK, 0, len(self._places)), entries)
        size_bytes = 8 + len(places) + 16
        return _box(b"mfra", places, _full(b"mfro", 0, 0, struct.pack(">I", size_bytes)))

    def _time(self, t_ns: int) -> int:
        return (t_ns - self._start_ns + 500) // 1000


def beginning(look: Look, wall_ns: int = 0) -> bytes:
    """What a player needs before any picture: the same bytes for the same look. `wall_ns` is when it was taken."""
    return _ftyp() + _moov(look, 0 if wall_ns == 0 else wall_ns // 10**9 + _FROM_1904_S)


def fragment(number: int, time: int, durations: Sequence[int], samples: Sequence[bytes], *, key: bool = True) -> bytes:
    """Some pictures from `time` on, each with its duration in microseconds and its sample; the first is a keyframe if
    `key`. Fragments of one stream are numbered from 1."""
    head = _moof(number, time, durations, samples, _KEY if key else _OTHER)
    return b"".join((head, _box_head(b"mdat", sum(map(len, samples))), *samples))


def _moof(number: int, time: int, durations: Sequence[int], samples: Sequence[bytes], first: int) -> bytes:
    runs = b"".join(struct.pack(">II", duration, len(one)) for duration, one in zip(durations, samples, strict=True))
    counted = _full(b"mfhd", 0, 0, struct.pack(">I", number & 0xFFFFFFFF))
    track = _full(b"tfhd", 0, _TFHD, struct.pack(">II", _TRACK, _OTHER))
    begins = _full(b"tfdt", 1, 0, struct.pack(">Q", time))
    run_bytes = 12 + _TRUN_HEAD.size + len(runs)
    data_at = 8 + len(counted) + 8 + len(track) + len(begins) + run_bytes + 8
    run = _full(b"trun", 0, _TRUN, _TRUN_HEAD.pack(len(samples), data_at, first), runs)
    return _box(b"moof", counted, _box(b"traf", track, begins, run))


def _box_head(kind: bytes, content_bytes: int) -> bytes:
    return struct.pack(">I4s", 8 + content_bytes, kind)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return b"".join((_box_head(kind, sum(map(len, parts))), *parts))


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags (4.2)."""
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _ftyp() -> bytes:
    return _box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41", b"avc1")


def _moov(look: Look, created_s: int) -> bytes:
    """What holds for the whole file (8.2.1); how long it is nobody knows yet."""
    header = struct.pack(">QQIQ", created_s, created_s, TIMESCALE, 0)  # 8.2.2
    header += struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX + struct.pack(">24xI", _TRACK + 1)
    extends = _full(b"trex", 0, 0, struct.pack(">5I", _TRACK, 1, 0, 0, 0))  # 8.8.3
    return _box(b"moov", _full(b"mvhd", 1, 0, header), _trak(look, created_s), _box(b"mvex", extends))


def _trak(look: Look, created_s: int) -> bytes:
    size = struct.pack(">II", look.width_px << 16, look.height_px << 16)
    header = struct.pack(">QQI4xQ8xhhh2x", created_s, created_s, _TRACK, 0, 0, 0, 0) + _MATRIX + size  # 8.3.2
    media = struct.pack(">QQIQHH", created_s, created_s, TIMESCALE, 0, _UNDEFINED, 0)  # 8.4.2
    handler = struct.pack(">4x4s12x", b"vide") + b"Sealcam\0"  # 8.4.3
    data = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1)))  # 8.7.2: in this file
    information = _box(b"minf", _full(b"vmhd", 0, 1, bytes(8)), data, _stbl(look))  # 12.1.2
    parts = _full(b"mdhd", 1, 0, media), _full(b"hdlr", 0, 0, handler), information
    return _box(b"trak", _full(b"tkhd", 1, 3, header), _box(b"mdia", *parts))  # 3: enabled, and shown


def _stbl(look: Look) -> bytes:
    """How samples are to be decoded (8.5.2, 12.1.3); where they are, each fragment says."""
    record = _box(b"avcC", look.parameters.record)
    entry = struct.pack(">6xH16xHHII4xH32xHh", 1, look.width_px, look.height_px, 72 << 16, 72 << 16, 1, 24, -1)
    described = _full(b"stsd", 0, 0, struct.pack(">I", 1), _box(b"avc1", entry, record))
    empty = (_full(b"stts", 0, 0, bytes(4)), _full(b"stsc", 0, 0, bytes(4)))
    return _box(b"stbl", described, *empty, _full(b"stsz", 0, 0, bytes(8)), _full(b"stco", 0, 0, bytes(4)))
