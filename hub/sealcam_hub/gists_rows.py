"""Gists in the ledger: written as the journal goes on, for what was there before, and for what had to be opened.

A gist is as old as the reports that it was made of. What has changed since is in the journal, behind the place up to
which gists were written (`gists-up-to`): whoever reads one looks there first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from sealcam.wire.errors import EnvelopeError
from sealcam_hub import gists as told
from sealcam_hub import tables
from sealcam_hub.among import among
from sealcam_hub.gists import Gist
from sealcam_hub.gists_tables import gists
from sealcam_hub.keys import TableKey
from sealcam_hub.ledger import Ledger, incident_id
from sealcam_hub.rekey import put
from sealcam_hub.store import Store
from sealcam_hub.tables import MAX_INT, cameras, events, incidents, journal
from sealcam_hub.views import IncidentView

AT_ONCE = 256
_UP, _DOWN = "gists-up-to", "gists-down-to"  # rows in `values`: a place in the journal; an arrival, ns
Pair = tuple[int, bytes]
"""An incident by its camera (row) and its own name."""


class GistRows:
    """What writes the gists of one ledger; safe to share between threads. `wrote` is told of what was written anew."""

    def __init__(
        self,
        store: Store,
        table: TableKey,
        ledger: Ledger,
        wrote: Callable[[Collection[Pair]], None] = lambda _pairs: None,
    ) -> None:
        self._store, self._table, self._ledger, self._wrote = store, table, ledger, wrote
        self._catching = threading.Lock()

    def catch_up(self) -> None:
        """Write the gists of what has come since the last time.

        Raises:
            StorageError: the ledger can't be written.
        """
        with self._catching:
            while True:
                with self._store.reading() as connection:
                    place, last = written_up_to(connection), newest_place(connection)
                    if place is None:
                        new, upto = set[Pair](), last
                    elif place >= last:
                        return
                    else:
                        upto = min(last, place + AT_ONCE)
                        new = set(changed(connection, place, upto))
                self._write(self._opened(new), upto, _UP, upto)

    def go_back(self) -> bool:
        """Write some gists of what was there before there were any; whether there is more of it.

        Raises:
            StorageError: the ledger can't be written.
        """
        with self._store.reading() as connection:
            down = _number(connection, _DOWN)
            if down == 0:
                return False
            as_of = newest_place(connection)
            query = select(incidents).order_by(incidents.c.arrived_ns.desc()).limit(AT_ONCE)
            rows = connection.execute(query.where(incidents.c.arrived_ns < (down or MAX_INT))).all()
        views = self._opened((row.camera, row.incident) for row in rows)
        self._write(views, as_of, _DOWN, rows[-1].arrived_ns if rows else 0)
        return bool(rows)

    def place(self) -> int:
        """The journal's newest place."""
        with self._store.reading() as connection:
            return newest_place(connection)

    def note(self, views: Sequence[IncidentView], as_of: int) -> None:
        """Write the gists of incidents that were opened when the journal had come to `as_of`, or later.

        Raises:
            StorageError: the ledger can't be written.
        """
        if views:
            self._write(views, as_of)

    def _opened(self, of: Iterable[Pair]) -> list[IncidentView]:
        aliases = {number: alias for alias, number in self._cameras().items()}
        named = [incident_id(aliases[camera], incident) for camera, incident in of]
        return list(self._ledger.several(named).values()) if named else []

    def _write(self, views: Sequence[IncidentView], as_of: int, row: str = "", value: int = 0) -> None:
        """Write the gists of these, and how far that has come."""
        rows_of = self._cameras()
        packed = {(rows_of[one.alias], bytes.fromhex(one.id[-16:])): told.pack(told.of(one)) for one in views}
        with self._store.writing() as connection:
            for newer in changed(connection, as_of, written_up_to(connection) or 0):
                packed.pop(newer, None)  # somebody has seen more of it meanwhile
            if packed:
                connection.execute(delete(gists).where(among(gists.c.camera, gists.c.incident, packed)))
                there = select(incidents.c.camera, incidents.c.incident)
                there = there.where(among(incidents.c.camera, incidents.c.incident, packed))
                made = [  # of what was deleted since it was read nothing may come back
                    {"camera": one[0], "incident": one[1], "wrapped": self._table.wrap(packed[one[0], one[1]])}
                    for one in connection.execute(there)
                ]
                if made:
                    connection.execute(insert(gists), made)
            if row:
                put(connection, row, value.to_bytes(8, "big"))
        self._wrote(packed)

    def _cameras(self) -> dict[str, int]:
        with self._store.reading() as connection:
            return {row.alias: row.id for row in connection.execute(select(cameras.c.id, cameras.c.alias))}


def forget(connection: Connection, camera: int, incident: bytes) -> None:
    """Take the gist of an incident that is deleted, in the caller's transaction."""
    connection.execute(delete(gists).where(gists.c.camera == camera, gists.c.incident == incident))


def opened(table: TableKey, wrapped: bytes | None) -> Gist | None:
    """A gist as a row has it; none where there is none that opens."""
    if wrapped is None:
        return None
    try:
        return told.unpack(table.unwrap(wrapped))
    except (EnvelopeError, ValueError):
        return None


def newest_place(connection: Connection) -> int:
    """The journal's newest place."""
    return connection.execute(select(func.max(journal.c.place))).scalar() or 0


def written_up_to(connection: Connection) -> int | None:
    """The journal's place up to which gists were written."""
    return _number(connection, _UP)


def changed(connection: Connection, after: int, upto: int) -> dict[Pair, int]:
    """Incidents of which the journal's places behind `after` and up to `upto` tell, each with the last of them."""
    if upto <= after:
        return {}
    last = func.max(journal.c.place)
    named = select(events.c.camera, events.c.incident, last).join(journal, journal.c.event == events.c.hash)
    named = named.where(journal.c.place.between(after + 1, upto), events.c.incident.is_not(None))
    found = connection.execute(named.group_by(events.c.camera, events.c.incident))
    return {(camera, incident): place for camera, incident, place in found}


def same_incident() -> Any:
    """Joins gists to their incidents."""
    return (gists.c.camera == incidents.c.camera) & (gists.c.incident == incidents.c.incident)


def _number(connection: Connection, name: str) -> int | None:
    value = connection.execute(select(tables.values.c.value).where(tables.values.c.name == name)).scalar()
    return None if value is None else int.from_bytes(value, "big")
