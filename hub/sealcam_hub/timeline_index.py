"""The index of one ledger's gists, kept as the ledger is, whichever process changes that.

What can change of an incident is read where it leaves a trace, in one view of the ledger and before anything is found:
the journal's new places, what is parked ahead of a chain (cameras' revisions tell when to look), and what was deleted.
A gist that may be older than its incident counts as not told. `load` takes up the past, newest first.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, func, select

from sealcam_hub.among import among
from sealcam_hub.gists import Wanted
from sealcam_hub.gists_index import Candidate, Entry, Index, Named
from sealcam_hub.gists_rows import Pair, changed, newest_place, opened, same_incident, written_up_to
from sealcam_hub.gists_tables import gists
from sealcam_hub.keys import TableKey
from sealcam_hub.store import Store
from sealcam_hub.tables import MAX_INT, PENDING, cameras, deletions, events, incidents, waiting

AT_ONCE = 512
MOST_HELD = 200_000  # 40 MB: what is older is searched in the ledger
_ROWS = select(incidents, gists.c.wrapped).select_from(incidents).outerjoin(gists, same_incident())


class TimelineIndex:
    """Safe to share between threads."""

    def __init__(self, store: Store, table: TableKey, most: int = MOST_HELD) -> None:
        self._store, self._table, self._most = store, table, most
        self._lock = threading.Lock()
        self._index = Index()
        self._reach_ns: int | None = None  # holds all that came since; none before `load` was called
        self._cameras: dict[int, Named] = {}
        self._revisions: dict[int, int] = {}
        self._parked: dict[int, set[Pair]] = {}
        self._place = 0  # in the journal, up to which each gist here is as the ledger has it
        self._deleted = 0
        self._behind: dict[Pair, int] = {}  # what has changed and has no gist yet that says so
        self._loose: set[Pair] = set()  # was parked, and whether its gist says so nobody knows
        self._written: set[Pair] = set()

    @property
    def begun(self) -> bool:
        """Whether anything is held."""
        return self._reach_ns is not None

    @property
    def whole(self) -> bool:
        """Whether all that the ledger has is held."""
        return self._reach_ns == 0

    def wrote(self, pairs: Collection[Pair]) -> None:
        """Hear that the gists of these incidents were written, of what they say now."""
        with self._lock:
            self._written |= set(pairs) if self.begun else set()

    def load(self) -> bool:
        """Take up what is new and some more of the past; whether there is more of it.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self._lock, self._store.reading() as connection:
            self._follow(connection)
            if not self._reach_ns or len(self._index) >= self._most:
                return False
            older = _ROWS.where(incidents.c.arrived_ns < self._reach_ns).order_by(incidents.c.arrived_ns.desc())
            rows = connection.execute(older.limit(AT_ONCE)).all()
            if len(rows) == AT_ONCE:  # what came in the same moment as the last one stays with it
                rows = [one for one in rows if one.arrived_ns > rows[-1].arrived_ns] + list(
                    connection.execute(_ROWS.where(incidents.c.arrived_ns == rows[-1].arrived_ns))
                )
                self._reach_ns = rows[-1].arrived_ns
            else:
                self._reach_ns = 0
            self._index.put_older(self._entry(one) for one in reversed(rows))
            return self._reach_ns > 0

    def find(self, wanted: Wanted, before: int | None, limit: int) -> tuple[Sequence[Candidate], int]:
        """The newest of what is held that `wanted` may ask for, and since when all is held (wall time, ns).

        Raises:
            StorageError: the ledger can't be read.
        """
        if not self.begun:
            return (), MAX_INT
        with self._lock, self._store.reading() as connection:
            self._follow(connection)
            found = list(islice(self._index.found(wanted, self._cameras, before), limit))
            return found, self._reach_ns or 0

    def _follow(self, connection: Connection) -> None:
        """Make the index what this view of the ledger says."""
        upto, last = written_up_to(connection) or 0, newest_place(connection)
        deleted = connection.execute(select(func.max(deletions.c.id))).scalar() or 0
        if self._reach_ns is None:
            self._reach_ns, self._place, self._deleted = MAX_INT, min(upto, last), deleted
        anew = self._follow_parked(connection) | self._written
        self._loose -= self._written
        self._written = set()
        if deleted > self._deleted:
            gone = select(deletions.c.camera, deletions.c.incident).where(deletions.c.id > self._deleted)
            pairs = {(camera, incident) for camera, incident in connection.execute(gone)}
            self._index.drop(pairs)
            self._loose -= pairs
            self._deleted, anew = deleted, anew | pairs
        if last > self._place:
            said = changed(connection, self._place, last)
            self._behind = {pair: place for pair, place in said.items() if place > upto}
            self._place, anew = min(upto, last), anew | said.keys()
            self._loose -= said.keys()
        self._read(connection, anew)

    def _follow_parked(self, connection: Connection) -> set[Pair]:
        """What was parked ahead of a chain, or is no more, since it was looked at last."""
        rows = connection.execute(select(cameras.c.id, cameras.c.alias, cameras.c.name, cameras.c.revision)).all()
        self._cameras = {row.id: Named(row.alias, row.name) for row in rows}
        moved = [row.id for row in rows if self._revisions.get(row.id) != row.revision]
        self._revisions = {row.id: row.revision for row in rows}
        if not moved:
            return set()
        ahead = select(events.c.camera, events.c.incident).where(waiting, events.c.camera.in_(moved))
        ahead = ahead.where(events.c.status == PENDING, events.c.incident.is_not(None))
        now: dict[int, set[Pair]] = {camera: set() for camera in moved}
        for camera, incident in connection.execute(ahead):
            now[camera].add((camera, incident))
        anew: set[Pair] = set()
        for camera, pairs in now.items():
            before = self._parked.get(camera, set())
            self._loose |= before - pairs
            anew |= before ^ pairs
        self._parked |= now
        return anew

    def _read(self, connection: Connection, pairs: Iterable[Pair]) -> None:
        wanted = list(pairs)
        for first in range(0, len(wanted), AT_ONCE):
            some = among(incidents.c.camera, incidents.c.incident, wanted[first : first + AT_ONCE])
            for row in connection.execute(_ROWS.where(some)):
                if row.arrived_ns >= (self._reach_ns or 0):
                    self._index.put(self._entry(row))
        if len(self._index) > self._most:
            self._index.trim(self._most)
            self._reach_ns = self._index.oldest_ns

    def _entry(self, row: Row[*tuple[Any, ...]]) -> Entry:
        pair = (row.camera, row.incident)
        hidden = pair in self._behind or pair in self._loose or pair in self._parked.get(row.camera, ())
        gist = None if hidden else opened(self._table, row.wrapped)
        return Entry(row.camera, row.incident, row.arrived_ns, gist)
