"""Brings the off-site copy up to the ledger: one object after the other, whatever broke the last time.

Events first, then the log and the directory, then what is to be deleted, then clips, the newest first; between two
parts of a clip whatever came meanwhile. Bounded by one object in memory. What the store fails at is raised as `Away`
and leaves rows that say what may be there. design/hub.md, "Off-site sealed copy".
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import select

from sealcam.wire.labels import blake2b
from sealcam_hub import audit, backup, offsite_rows
from sealcam_hub.backup import RECORD
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.offsite import CLIP_HEAD, PART_BYTES, Kind, Names, make, recovery_public
from sealcam_hub.offsite_errors import Refused
from sealcam_hub.offsite_settings import DAY_NS, Settings
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras
from sealcam_hub.vault_files import FileRange, VaultFiles

BATCH_BYTES = 1 << 20
_DIRECTORY = "sealcam-hub/offsite-directory"


class Remote(Protocol):
    """What the copier needs of a store; each raises `offsite_errors.Away`."""

    def put(self, name: str, data: bytes, locked_ns: int = 0) -> None:
        """Store an object, locked until then (wall time, 0: not at all)."""
        ...

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        ...


GoOn = Callable[[], bool]


@dataclass(slots=True)
class Copier:
    """Copies one hub's ledger and vault; one thread."""

    store: Store
    files: VaultFiles
    keys: HubKeys
    chosen: Settings
    clock: Clock
    remote: Remote
    _skipped: set[bytes] = field(default_factory=set)
    _undeleted: dict[str, Refused] = field(default_factory=dict)

    def run(self, go_on: GoOn = lambda: True) -> None:
        """Do all that there is to do now, as long as `go_on` says so, which is asked before each object.

        Raises:
            Away: the store fails, or refuses to delete something; what was done is booked.
            StorageError: the ledger can't be read or written.
        """
        self._skipped.clear()
        self._undeleted.clear()
        while True:
            with self.store.writing() as connection:
                offsite_rows.tidy(connection, self._cutoff_ns())
            self._ledger(go_on)
            self._delete(go_on)
            if not go_on() or not self._part():
                break
        if self._undeleted:  # told, once all else is done
            raise next(iter(self._undeleted.values()))

    def _ledger(self, go_on: GoOn) -> None:
        while go_on() and self._events():
            pass
        while go_on() and self._audit():
            pass
        if go_on():
            self._directory()

    def _cutoff_ns(self) -> int:
        return self.chosen.cutoff_ns(self.clock.wall_ns())

    def _events(self) -> bool:
        with self.store.reading() as connection:
            rows = offsite_rows.next_events(connection, self._cutoff_ns(), BATCH_BYTES)
        if not rows:
            return False
        content = bytearray()
        for row in rows:
            sealed = row.sealed or b""
            head = (row.kid, row.epoch, row.seq, row.prev, row.hash, row.kind, row.arrived_ns, len(sealed))
            content += RECORD.pack(*head) + sealed
        booked = [(row.hash, row.sealed is not None) for row in rows]
        self._send(Kind.EVENTS, bytes(content), max(row.arrived_ns for row in rows), booked)
        return True

    def _audit(self) -> bool:
        with self.store.reading() as connection:
            last = first = offsite_rows.last_entry(connection)
            content = bytearray()
            for entry in audit.entries(connection, first):
                content += struct.pack(">I", len(entry)) + entry
                last += 1
                if len(content) >= BATCH_BYTES:
                    break
        if last == first:
            return False
        self._send(Kind.AUDIT, struct.pack(">Q", first + 1) + bytes(content), self.clock.wall_ns(), at=last)
        return True

    def _directory(self) -> None:
        with self.store.reading() as connection:
            mark, newest_ns = offsite_rows.directory(connection)
            known = connection.execute(select(cameras).order_by(cameras.c.id)).all()
            said = backup.manifest(connection, self.keys, self.clock, known) | {"members": {}}
            said["deleted"] = offsite_rows.withdrawn(connection)
        made_ns = max(int(said.pop("made_ns")), newest_ns + 1)  # the newest counts, whatever the clock does
        for one in said["cameras"]:
            del one["head_seq"]  # moves with each event, and the events say it
        now = blake2b(_DIRECTORY, json.dumps(said, sort_keys=True).encode())
        if now == mark:
            return
        name = self._send(Kind.DIRECTORY, json.dumps(said | {"made_ns": made_ns}).encode(), made_ns, mark=now)
        with self.store.writing() as connection:
            offsite_rows.doom(connection, offsite_rows.older_directories(connection, name))

    def _delete(self, go_on: GoOn) -> None:
        with self.store.reading() as connection:
            names = offsite_rows.doomed(connection, self.clock.wall_ns())
        for name in names:
            if not go_on():
                return
            if name in self._undeleted:
                continue
            try:
                self.remote.delete(name)
            except Refused as error:  # a lock of the bucket's own, or an account that may not: no reason to stop here
                self._undeleted[name] = error
                continue
            with self.store.writing() as connection:
                offsite_rows.forget(connection, name)

    def _part(self) -> bool:
        """Send the next part of a clip; whether there may be more to do."""
        with self.store.reading() as connection:
            part = offsite_rows.next_part(connection, self._cutoff_ns(), frozenset(self._skipped))
        if part is None:
            return False
        data = self._read(part)
        if data is None:  # deleted this moment, or not where the ledger says: `vault_settle` finds out
            self._skipped.add(part.clip)
            return True
        head = CLIP_HEAD.pack(part.clip, part.at, part.size)
        self._send(Kind.CLIP, head + data, part.came_ns, size=len(data), clip=part.clip, at=part.at)
        return True

    def _read(self, part: offsite_rows.Part) -> bytes | None:
        length = min(PART_BYTES, part.size - part.at)
        try:
            with self.files.opened(part.clip) as (handle, _whole):
                data = FileRange(handle, os.fstat(handle).st_size).read(part.at, length)
        except OSError:
            return None
        return data if len(data) == length else None

    def _send(
        self,
        kind: Kind,
        content: bytes,
        newest_ns: int,
        booked: list[tuple[bytes, bool]] | None = None,
        *,
        size: int | None = None,
        clip: bytes | None = None,
        at: int | None = None,
        mark: bytes | None = None,
    ) -> str:
        name = Names(recovery_public(self.keys)).new(kind)
        data = make(self.keys, kind, content)
        length = len(content) if size is None else size
        locked_ns = self.clock.wall_ns() + self.chosen.lock_days * DAY_NS if self.chosen.lock_days else 0
        with self.store.writing() as connection:
            offsite_rows.begin(
                connection, name, kind, length, newest_ns, locked_ns=locked_ns, clip=clip, at=at, mark=mark
            )
        self.remote.put(name, data, locked_ns)
        with self.store.writing() as connection:
            offsite_rows.arrived(connection, name)
            offsite_rows.book_events(connection, name, booked or [])
        return name
