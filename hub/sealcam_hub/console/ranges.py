"""Which bytes of a clip a browser gets: the Range and If-Range headers (RFC 9110, sections 13 and 14). Pure.

One range is answered, several are as if none had been asked for, which is allowed. An answer has at most `MOST`
bytes, so that no answer is worth stalling: a player asks on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 4 << 20
_BYTES = re.compile(r"bytes=[ \t]*(?:([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19}))[ \t]*")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `first` to before `end` of `size`; `part` says whether they were asked for by a range."""

    first: int
    end: int
    size: int
    part: bool

    @property
    def header(self) -> str:
        """Content-Range."""
        return f"bytes {self.first}-{self.end - 1}/{self.size}"


def asked(header: str | None, size: int) -> Span | None:
    """What a Range header asks for; none where it lies beyond the end (416)."""
    found = None if header is None else _BYTES.fullmatch(header.strip())
    if found is None:
        return Span(0, size, size, part=False)
    first, last, suffix = found.groups()
    if suffix is not None:
        start = max(0, size - int(suffix))
        return _part(start, size, size) if int(suffix) and size else None
    if last and int(last) < int(first):  # no range at all (14.1.1)
        return Span(0, size, size, part=False)
    if int(first) >= size:
        return None
    return _part(int(first), min(size, int(last) + 1) if last else size, size)


def _part(first: int, end: int, size: int) -> Span:
    return Span(first, min(end, first + MOST), size, part=True)


def still(if_range: str | None, etag: str) -> bool:
    """Whether a range may be served of what the browser has seen: no If-Range, or exactly our (strong) name for it."""
    return if_range is None or if_range.strip() == etag
