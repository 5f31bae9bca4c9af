"""Gists held in memory, in columns by arrival, so that a filter asks 100,000 of them in milliseconds. Pure.

An incident takes 32 bytes and the words of its reasons: about 20 MB for 100,000. What is held says where to look and
nothing more: what is shown is opened and asked again. `timeline_index` keeps it as the ledger is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sealcam_hub.gists import Gist, Wanted

AT_ONCE = 4096
_KIND = 0xFF  # the bits of a tag that say which kind of incident it is
_UNTOLD = 0xFF  # a kind: what this incident says isn't known, and only opening it tells


@dataclass(frozen=True, slots=True)
class Entry:
    """An incident: its camera (row), its own name (8 bytes), when it came, and its gist; none where it isn't known."""

    camera: int
    incident: bytes
    arrived_ns: int
    gist: Gist | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that a filter may want, by its full id; where it isn't `told`, only opening it tells."""

    id: str
    arrived_ns: int
    told: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A camera's alias, which a filter names, and its name, in which words are looked for."""

    alias: str
    name: str


class Index:
    """Incidents by arrival. Not to be shared between threads without a lock."""

    def __init__(self) -> None:
        self._arrived = array("q")
        self._tags = array("Q")  # camera (row) and kind
        self._names = array("Q")
        self._texts: list[bytes] = []
        self._kinds: list[tuple[str, str]] = []  # subject and verdict, by kind

    def __len__(self) -> int:
        return len(self._arrived)

    @property
    def oldest_ns(self) -> int:
        """When the oldest came that is held.

        Raises:
            IndexError: none is held.
        """
        return self._arrived[0]

    def put(self, one: Entry) -> None:
        """Hold an incident, for the first time or with what it says now."""
        name = int.from_bytes(one.incident, "big")
        tag, text = self._tag(one), one.gist.text.encode() if one.gist else b""
        at = bisect_left(self._arrived, one.arrived_ns)
        while at < len(self._arrived) and self._arrived[at] == one.arrived_ns:
            if self._names[at] == name and self._tags[at] >> 8 == one.camera:
                self._tags[at], self._texts[at] = tag, text
                return
            at += 1
        self._arrived.insert(at, one.arrived_ns)
        self._tags.insert(at, tag)
        self._names.insert(at, name)
        self._texts.insert(at, text)

    def put_older(self, entries: Iterable[Entry]) -> None:
        """Hold incidents, oldest first, that came before every one that is held."""
        older = list(entries)
        self._arrived[:0] = array("q", [one.arrived_ns for one in older])
        self._tags[:0] = array("Q", [self._tag(one) for one in older])
        self._names[:0] = array("Q", [int.from_bytes(one.incident, "big") for one in older])
        self._texts[:0] = [one.gist.text.encode() if one.gist else b"" for one in older]

    def drop(self, pairs: Collection[tuple[int, bytes]]) -> None:
        """Let go of incidents, by camera (row) and name."""
        gone = {(camera, int.from_bytes(incident, "big")) for camera, incident in pairs}
        names = {name for _, name in gone}
        found = [at for at, name in enumerate(self._names) if name in names]
        for at in reversed([at for at in found if (self._tags[at] >> 8, self._names[at]) in gone]):
            self._cut(at, at + 1)

    def trim(self, most: int) -> None:
        """Hold the newest `most` alone."""
        self._cut(0, max(0, len(self) - most))

    def clear(self) -> None:
        """Hold nothing."""
        self._cut(0, len(self))

    def found(self, wanted: Wanted, cameras: Mapping[int, Named], before: int | None = None) -> Iterator[Candidate]:
        """What `wanted` may ask for, newest first, of those that arrived before `before`. `cameras` go by row."""
        tags = self._wanted_tags(wanted, cameras)
        words = [(word.encode(errors="surrogatepass"), self._tags_with(word, tags, cameras)) for word in wanted.words]
        ends = [one for one in (before, wanted.until_ns) if one is not None]
        end = bisect_left(self._arrived, min(ends)) if ends else len(self)
        first = 0 if wanted.since_ns is None else bisect_left(self._arrived, wanted.since_ns)
        while end > first:
            begin = max(first, end - AT_ONCE)
            some = [at for at, tag in enumerate(self._tags[begin:end], begin) if tag in tags]
            for word, known in words:
                some = self._with(word, known, some)
            for at in reversed(some):
                alias, told = cameras[self._tags[at] >> 8].alias, self._tags[at] & _KIND != _UNTOLD
                yield Candidate(f"{alias}-{self._names[at]:016x}", self._arrived[at], told)
            end = begin

    def _with(self, word: bytes, known: set[int], some: list[int]) -> list[int]:
        """Those of `some` whose reasons have the word, or whose tag is one of `known`."""
        if not some:
            return some
        texts, tags, first, end = self._texts, self._tags, some[0], some[-1] + 1
        if known.isdisjoint(tags[first:end]) and word not in b"\0".join(texts[first:end]):
            return []  # a rare word: thousands at once instead of one by one
        return [at for at in some if word in texts[at] or tags[at] in known]

    def _wanted_tags(self, wanted: Wanted, cameras: Mapping[int, Named]) -> set[int]:
        """Of the filter's cameras, the kinds that have its subject and verdict, and what isn't told."""
        kinds = [
            kind
            for kind, (subject, verdict) in enumerate(self._kinds)
            if wanted.subject in ("", subject) and wanted.verdict in ("", verdict)
        ]
        rows = [row for row, camera in cameras.items() if wanted.camera in ("", camera.alias)]
        return {row << 8 | kind for row in rows for kind in (*kinds, _UNTOLD)}

    def _tags_with(self, word: str, tags: set[int], cameras: Mapping[int, Named]) -> set[int]:
        """Those of `tags` that have the word whatever the reasons say, or may have it."""
        wanted = Wanted(words=(word,))

        def has(tag: int) -> bool:
            kind = tag & _KIND
            return kind == _UNTOLD or Gist(*self._kinds[kind], "").meets(wanted, cameras[tag >> 8].name)

        return {tag for tag in tags if has(tag)}

    def _tag(self, one: Entry) -> int:
        return one.camera << 8 | (_UNTOLD if one.gist is None else self._kind(one.gist.subject, one.gist.verdict))

    def _kind(self, subject: str, verdict: str) -> int:
        if (subject, verdict) not in self._kinds:
            if len(self._kinds) == _UNTOLD:  # there are a dozen: what is beyond is opened
                return _UNTOLD
            self._kinds.append((subject, verdict))
        return self._kinds.index((subject, verdict))

    def _cut(self, first: int, end: int) -> None:
        for column in (self._arrived, self._tags, self._names, self._texts):
            del column[first:end]
