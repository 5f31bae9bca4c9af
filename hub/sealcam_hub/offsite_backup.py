"""An off-site copy as a backup that `rebuild` takes in: events by camera and sequence, and the log in one run.

The objects come in any order and may hold an event twice; so the envelopes stand in a file, sealed as they are, and
only their places are in memory, some 150 bytes for each.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam_hub.backup import RECORD, VERSION
from sealcam_hub.backup_file import Backup, SavedEvent, described
from sealcam_hub.offsite import Kind

WHERE = Path("the off-site copy")
Said = tuple[int, int, int | None, tuple[tuple[bytes, bool], ...]]
"""Of an object: length of its content, when its newest event came, the log's last entry in it, its events."""


@dataclass(slots=True)
class Spool:
    """What objects held, read again in order."""

    file: IO[bytes]
    said: dict[str, Said] = field(default_factory=dict)
    _places: dict[bytes, tuple[bytes, int, int, int]] = field(default_factory=dict)  # hash: kid, seq, offset, length
    _entries: dict[int, bytes] = field(default_factory=dict)
    _end: int = 0

    def take(self, kind: Kind, name: str, content: bytes) -> None:
        """Take in what an object of that name holds; what isn't whole in it is left out."""
        if kind is Kind.EVENTS:
            self._events(name, content)
        else:
            self._log(name, content)

    def _events(self, name: str, content: bytes) -> None:
        at, newest_ns, inside = 0, 0, []
        while len(content) - at >= RECORD.size:
            kid, _epoch, seq, _prev, name_hash, _kind, arrived_ns, length = RECORD.unpack_from(content, at)
            whole = RECORD.size + length
            if at + whole > len(content):
                break
            newest_ns = max(newest_ns, arrived_ns)
            inside.append((name_hash, bool(length)))
            there = self._places.get(name_hash)
            if there is None or (there[3] == RECORD.size and length):
                self.file.write(content[at : at + whole])
                self._places[name_hash] = (kid, seq, self._end, whole)
                self._end += whole
            at += whole
        self.said[name] = (len(content), newest_ns, None, tuple(inside))

    def _log(self, name: str, content: bytes) -> None:
        (number,) = struct.unpack_from(">Q", content)
        at = 8
        while at + 4 <= len(content):
            (length,) = struct.unpack_from(">I", content, at)
            at += 4 + length
            self._entries[number] = content[at - length : at]
            number += 1
        self.said[name] = (len(content), 0, number - 1, ())

    def events(self) -> Iterator[SavedEvent]:
        """Every event, by camera and sequence."""
        for name_hash, (_kid, _seq, offset, length) in sorted(self._places.items(), key=_by_place):
            self.file.seek(offset)
            record = self.file.read(length)
            kid, epoch, seq, prev, _hash, kind, arrived_ns, _length = RECORD.unpack_from(record)
            yield SavedEvent(kid, epoch, seq, prev, name_hash, kind, arrived_ns, record[RECORD.size :])

    def entries(self) -> Iterator[bytes]:
        """The log's entries from the first on, as far as they follow each other."""
        number = 1
        while number in self._entries:
            yield self._entries[number]
            number += 1


def _by_place(one: tuple[bytes, tuple[bytes, int, int, int]]) -> tuple[bytes, int, bytes]:
    return one[1][0], one[1][1], one[0]


@dataclass(frozen=True, slots=True)
class OffsiteBackup(Backup):
    """A backup whose parts were fetched one by one."""

    spool: Spool

    def events(self) -> Iterator[SavedEvent]:
        """Every event, by camera and sequence; of cameras that the directory names."""
        known = {one.kid for one in self.cameras}
        return (one for one in self.spool.events() if one.camera in known)

    def audit(self) -> Iterator[bytes]:
        """The entries of the audit log, oldest first, as they were signed."""
        return self.spool.entries()


def newest(contents: Sequence[bytes]) -> dict[str, Any] | None:
    """The directory that was made last, of those that can be read."""
    found: list[dict[str, Any]] = []
    for one in contents:
        try:
            said = json.loads(one)
            int(said["made_ns"])
        except (ValueError, KeyError, TypeError):
            continue
        found.append(said)
    return max(found, key=lambda said: int(said["made_ns"]), default=None)


def made(said: dict[str, Any], root_public: bytes, spool: Spool) -> OffsiteBackup:
    """The backup that a directory and what was fetched make.

    Raises:
        StorageError: a newer Sealcam made it, or it isn't one of this owner's.
    """
    try:
        if int(said["version"]) > VERSION:
            raise StorageError("the off-site copy was made by a newer Sealcam", "upgrade this one first")
        known = described(WHERE, said, root_public)
    except (EnvelopeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError("the off-site copy isn't one of this owner's hub") from error
    return OffsiteBackup(
        path=known.path,
        hub=known.hub,
        made_ns=known.made_ns,
        recipients=known.recipients,
        certificates=known.certificates,
        cameras=known.cameras,
        members=known.members,
        spool=spool,
    )
