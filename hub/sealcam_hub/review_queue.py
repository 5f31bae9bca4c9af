"""Which incidents wait for the owner's word, the most doubtful first.

The ledger keeps no opened event, so the newest unmarked incidents are opened once, a hundred at each question so that
nobody waits long for the first answer, and the doubt of each that has ended is remembered, a number without a picture.
design/hub.md, "Review", names the measure's source.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import exists, select

from sealcam_hub.ledger import incident_id
from sealcam_hub.review_tables import marks
from sealcam_hub.review_words import doubt
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, incidents
from sealcam_hub.views import IncidentView

MOST = 1000  # of the newest unmarked incidents
AT_ONCE = 100  # that are opened for one question: a tenth of a second or two


class Opened(Protocol):
    """What opens incidents: `sealcam_hub.ledger.Ledger`."""

    def incident(self, incident: str, /) -> IncidentView | None:
        """One, or none."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """An incident in the queue: its doubt in bits, and when its first report came."""

    incident: str
    doubt: float
    arrived_ns: int


class Queue:
    """The queue of one hub; safe to share between threads."""

    def __init__(self, store: Store, ledger: Opened) -> None:
        self._store, self._ledger = store, ledger
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}  # of ended incidents

    def first(self, count: int, without: Collection[str] = ()) -> tuple[Place, ...]:
        """The first `count` that are none of `without`.

        Raises:
            StorageError: the ledger can't be read.
        """
        found = [one for one in self._look()[0] if one.incident not in without]
        return tuple(sorted(found, key=lambda one: (-one.doubt, -one.arrived_ns))[:count])

    def count(self) -> int:
        """How many wait, as far as the queue looks back; some may still be going on.

        Raises:
            StorageError: the ledger can't be read.
        """
        places, unopened = self._look()
        return len(places) + unopened

    def _look(self) -> tuple[list[Place], int]:
        """What is known to wait, and how many weren't opened yet."""
        told = exists().where(
            marks.c.camera == incidents.c.camera,
            marks.c.incident == incidents.c.incident,
            marks.c.undone_ns.is_(None),
        )
        query = select(incidents.c.incident, incidents.c.arrived_ns, cameras.c.alias).join(cameras).where(~told)
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(incidents.c.arrived_ns.desc()).limit(MOST)).all()
        named = [(incident_id(row.alias, row.incident), row.arrived_ns) for row in rows]
        with self._lock:
            for name in self._known.keys() - {name for name, _ in named}:
                del self._known[name]
            missing = [name for name, _ in named if name not in self._known]
            for name in missing[:AT_ONCE]:
                view = self._ledger.incident(name)
                if view is not None and not view.open:
                    self._known[name] = doubt(view.threat)
            places = [Place(name, self._known[name], arrived) for name, arrived in named if name in self._known]
            return places, len(missing[AT_ONCE:])
