"""Brings an off-site copy back to a hub that begins anew, with the words' keys.

First everything but the clips: it becomes a backup (`offsite_backup`) that goes the way of every backup. Then the
clips, part by part, into the vault's folder, where `vault_settle` takes up what verifies. What was fetched is booked
as it is there, so that a second run goes on and the new hub keeps the same copy up. design/hub.md, "Off-site sealed
copy".
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import select

from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import OwnerKeys
from sealcam_hub import offsite_backup, offsite_rows
from sealcam_hub.home import Home
from sealcam_hub.offsite import CLIP_HEAD, MOST_BYTES, Kind, Names, read
from sealcam_hub.offsite_backup import OffsiteBackup, Spool
from sealcam_hub.offsite_errors import Away, Missing, Refused
from sealcam_hub.offsite_tables import held, objects
from sealcam_hub.rekey import Told
from sealcam_hub.tables import envelopes, events
from sealcam_hub.vault_files import COMING, WHOLE

PAUSES_S = (1.0, 5.0, 15.0, 30.0)  # between two tries to fetch an object
_PARTIAL = ".offsite"


class Shelf(Protocol):
    """What is fetched from; each raises `Away`, `get` its `Missing` too."""

    def names(self) -> Iterator[str]:
        """The names of all objects."""
        ...

    def get(self, name: str, most_bytes: int) -> bytes:
        """An object's bytes, one more than `most_bytes` at most."""
        ...


@dataclass(slots=True)
class Fetcher:
    """One fetching, by the owner of the words; `refused` counts objects with a name of ours that weren't."""

    shelf: Shelf
    owner: OwnerKeys
    refused: int = 0
    wait: Callable[[float], None] = time.sleep
    _found: dict[Kind, list[str]] = field(default_factory=dict)
    _withdrawn: set[str] = field(default_factory=set)

    def backup(self, spool: IO[bytes], told: Told = lambda _done, _all: None) -> OffsiteBackup:
        """Everything but the clips, as a backup whose envelopes stand in `spool`, a file that is the caller's.

        Raises:
            StorageError: there is no copy of this owner's.
            Away: the store fails.
        """
        names = Names(self.owner.recovery.public)
        self._found = {kind: [] for kind in Kind}
        for name in self.shelf.names():
            kind = names.kind(name)
            if kind is not None:
                self._found[kind].append(name)
        said = self._directory()
        self._withdrawn = set(said.get("deleted", ()))
        kept = Spool(spool)
        wanted = [(kind, one) for kind in (Kind.EVENTS, Kind.AUDIT) for one in self._of(kind)]
        for done, (kind, name) in enumerate(wanted, 1):
            content = self._content(name, kind)
            if content is not None:
                kept.take(kind, name, content)
            told(done, len(wanted))
        return offsite_backup.made(said, self.owner.root.public, kept)

    def _of(self, kind: Kind) -> list[str]:
        return [one for one in sorted(self._found[kind]) if one not in self._withdrawn]

    def _directory(self) -> dict[str, Any]:
        found = [self._content(one, Kind.DIRECTORY) for one in self._found[Kind.DIRECTORY]]
        newest = offsite_backup.newest([one for one in found if one is not None])
        if newest is None:
            raise StorageError(
                "there is no copy of this owner's there", "are endpoint, bucket and prefix those of the lost hub?"
            )
        return newest

    def _content(self, name: str, kind: Kind) -> bytes | None:
        data = self._patiently(name)
        try:
            if len(data) > MOST_BYTES:
                raise EnvelopeError
            found, content = read(data, self.owner.root.public, self.owner.recovery)
        except EnvelopeError:
            self.refused += 1
            return None
        if found is not kind:
            self.refused += 1
            return None
        return content

    def _patiently(self, name: str) -> bytes:
        """What is there, asked for again where the store doesn't answer: much was fetched before it."""
        for pause_s in PAUSES_S:
            try:
                return self.shelf.get(name, MOST_BYTES)
            except (Missing, Refused):
                raise
            except Away:
                self.wait(pause_s)
        return self.shelf.get(name, MOST_BYTES)

    def book(self, home: Home, backup: OffsiteBackup) -> None:
        """Tell the new ledger what is there, so that it goes on from that.

        Raises:
            StorageError: the ledger can't be written.
        """
        with home.store.writing() as connection:
            known = set(connection.execute(select(objects.c.name)).scalars())
            sealed = set(connection.execute(select(envelopes.c.hash)).scalars())
            placed = set(connection.execute(select(events.c.hash)).scalars())
            booked = set(connection.execute(select(held.c.hash)).scalars())
            for kind in (Kind.EVENTS, Kind.CLIP, Kind.DIRECTORY, Kind.AUDIT):
                for name in (one for one in self._found[kind] if one not in known):
                    told = backup.spool.said.get(name)
                    if kind is Kind.CLIP and name not in self._withdrawn:
                        continue  # booked as it is fetched
                    size, newest_ns, last, inside = (0, 0, None, ()) if told is None else told
                    offsite_rows.begin(connection, name, kind, size, newest_ns, at=last)
                    if told is None:
                        offsite_rows.doom(connection, [name])
                        continue
                    offsite_rows.arrived(connection, name)
                    some = {
                        one: full for one, full in inside if one in (sealed if full else placed) and one not in booked
                    }
                    booked |= some.keys()
                    offsite_rows.book_events(connection, name, list(some.items()))

    def clips(self, home: Home, told: Told = lambda _done, _all: None) -> int:
        """Fetch the clips that aren't here; how many are whole now.

        Raises:
            Away: the store fails.
            StorageError: the disk is full, or the ledger can't be written.
        """
        folder = home.folder.clips
        folder.mkdir(mode=0o700, exist_ok=True)
        with home.store.reading() as connection:
            booked = {
                row.name: row.clip for row in connection.execute(select(objects).where(objects.c.clip.is_not(None)))
            }
        # What a ledger of before tells to be there may not be here: it was brought back without its clips.
        here = {
            one for one in booked.values() if any((folder / f"{one.hex()}{end}").exists() for end in (WHOLE, _PARTIAL))
        }
        wanted = [one for one in self._of(Kind.CLIP) if booked.get(one) not in here]
        stale: dict[bytes, list[str]] = {}  # what is booked of a clip, none of which is here
        for name in wanted:
            if name in booked:
                stale.setdefault(booked[name], []).append(name)
        whole = 0
        for done, name in enumerate(wanted, 1):
            content = self._content(name, Kind.CLIP)
            there = content is not None and len(content) > CLIP_HEAD.size
            head = CLIP_HEAD.unpack_from(content) if content is not None and there else None
            clip = booked.get(name) if head is None else head[0]
            if clip in stale:  # its parts are booked again as they come; those of clips that weren't begun stand
                with home.store.writing() as connection:
                    for part in stale.pop(clip):
                        offsite_rows.forget(connection, part)
            if content is not None and head is not None:
                whole += self._place(home, folder, name, head, memoryview(content)[CLIP_HEAD.size :])
            told(done, len(wanted))
        return whole

    def _place(self, home: Home, folder: Path, name: str, where: tuple[bytes, int, int], data: memoryview) -> bool:
        clip, at, size = where
        if at + len(data) > size:
            self.refused += 1
            return False
        path = folder / f"{clip.hex()}{_PARTIAL}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                while data:
                    written = os.pwrite(handle, data, at)
                    data, at = data[written:], at + written
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(f"{path} can't be written: {error.strerror}", "is the disk full?") from error
        begins, length = where[1], at - where[1]
        with home.store.writing() as connection:
            came_ns = home.clock.wall_ns()
            offsite_rows.begin(connection, name, Kind.CLIP, length, came_ns, clip=clip, at=begins)
            offsite_rows.arrived(connection, name)
            complete = size == offsite_rows.reaches(connection, clip) == path.stat().st_size
        if complete:
            path.replace(folder / f"{clip.hex()}{WHOLE}")
            with suppress(FileNotFoundError):
                (folder / f"{clip.hex()}{COMING}").unlink()
        return complete
