"""The timeline: incidents by arrival, filtered. What gists tell is asked of an index in memory, then of the ledger.

What a gist points to is opened and asked again. An incident that has none is opened in its place, a few for each page,
and noted. `keep_up` is called for ever by a thread of `serve`: without it everything is found all the same, in the
ledger. design/hub.md, "Timeline".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from sealcam_hub import gists as told
from sealcam_hub.gists import Wanted
from sealcam_hub.gists_rows import AT_ONCE, GistRows, opened, same_incident
from sealcam_hub.gists_tables import gists
from sealcam_hub.keys import TableKey
from sealcam_hub.ledger import Ledger, incident_id
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, incidents
from sealcam_hub.timeline_index import MOST_HELD, TimelineIndex
from sealcam_hub.views import IncidentView

WAIT_S = 2.0
UNTOLD = 64  # incidents without a gist that one page opens
MOST_READ = 10_000  # gists that one page reads in the ledger; the next page goes on from there


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents, newest first, and where the next page goes on (none: that was all)."""

    incidents: tuple[IncidentView, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class _Found:
    """An incident and whether it can be what is looked for; none where only opening it tells."""

    id: str
    arrived_ns: int
    meets: bool | None


class Timeline:
    """The incidents of one hub, by what they say; safe to share between threads. `most` are held in memory."""

    def __init__(self, store: Store, table: TableKey, ledger: Ledger, most: int = MOST_HELD) -> None:
        self._store, self._table, self._ledger = store, table, ledger
        self._index = TimelineIndex(store, table, most)
        self._gists = GistRows(store, table, ledger, self._index.wrote)
        self.more = True  # to be taken up

    def page(self, wanted: Wanted, size: int, before: int | None = None) -> Page:
        """The newest incidents that `wanted` asks for, at most `size`, of those that arrived before `before`.

        Raises:
            StorageError: the ledger can't be read, or what is new can't be noted.
        """
        if not self._index.whole:
            self._gists.catch_up()
        as_of = self._gists.place()
        untold: list[IncidentView] = []
        try:
            return self._search(wanted, size, before, untold)
        finally:
            self._gists.note(untold, as_of)

    def keep_up(self) -> None:
        """Take up what is new, and a little of the past.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        self._gists.catch_up()
        self.more = self._index.load() or self._gists.go_back()

    def wait(self, seconds: float) -> None:
        """Wait, unless there is more to take up."""
        if not self.more:
            threading.Event().wait(seconds)

    def _search(self, wanted: Wanted, size: int, before: int | None, untold: list[IncidentView]) -> Page:
        """A page; what had to be opened for want of a gist comes into `untold`."""
        found: list[IncidentView] = []
        read = 0
        while read < MOST_READ and len(untold) < UNTOLD:
            rows, read = self._next(wanted, before, read)
            views: dict[str, IncidentView | None] = {}
            for at, row in enumerate(rows):
                before = row.arrived_ns
                if row.meets is not False and row.id not in views:
                    some = [one.id for one in rows[at:] if one.meets is not False][: size + 1 - len(found)]
                    views |= dict.fromkeys(some) | self._ledger.several(some)
                view = views.get(row.id)
                if view is not None:
                    untold += [view] if row.meets is None else []
                    if told.of(view).meets(wanted, view.camera_name):
                        found.append(view)
                if len(found) > size:
                    return Page(tuple(found[:size]), found[size - 1].arrived_ns)
                if len(untold) >= UNTOLD:
                    break
            if not rows:
                return Page(tuple(found), None)
        return Page(tuple(found), before)

    def _next(self, wanted: Wanted, before: int | None, read: int) -> tuple[list[_Found], int]:
        """What comes next of those that may be meant, and how many rows of the ledger were read by then."""
        held, since_ns = self._index.find(wanted, before, AT_ONCE)
        if held:
            sure = not wanted.sealed
            return [_Found(one.id, one.arrived_ns, True if sure or one.told else None) for one in held], read
        if not since_ns:
            return [], read
        rows = self._rows(wanted, since_ns if before is None else min(before, since_ns))
        return rows, read + len(rows)

    def _rows(self, wanted: Wanted, before: int) -> list[_Found]:
        query = select(incidents, cameras.c.alias, cameras.c.name, gists.c.wrapped).select_from(incidents)
        query = (
            query.join(cameras, cameras.c.id == incidents.c.camera)
            .outerjoin(gists, same_incident())
            .order_by(incidents.c.arrived_ns.desc())
            .limit(AT_ONCE)
        )
        with self._store.reading() as connection:
            query = _clear(query.where(incidents.c.arrived_ns < before), wanted)
            return [self._found(row, wanted) for row in connection.execute(query)]

    def _found(self, row: Row[*tuple[Any, ...]], wanted: Wanted) -> _Found:
        meets: bool | None = True
        if wanted.sealed:
            gist = opened(self._table, row.wrapped)
            meets = None if gist is None else gist.meets(wanted, row.name)
        return _Found(incident_id(row.alias, row.incident), row.arrived_ns, meets)


def _clear(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """The part of a filter that the database knows."""
    if wanted.camera:
        query = query.where(cameras.c.alias == wanted.camera)
    if wanted.since_ns is not None:
        query = query.where(incidents.c.arrived_ns >= wanted.since_ns)
    if wanted.until_ns is not None:
        query = query.where(incidents.c.arrived_ns < wanted.until_ns)
    return query
