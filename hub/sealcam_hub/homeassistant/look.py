"""What the ledger says that Home Assistant is told: cameras as they stand, their incidents, what ails them.

Looks anew at what has changed since the last look; what is deleted is noticed within `AGAIN_NS`. Writes only how far
reports were told, and what the owner set from there. Another process may have written what is found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import delete, select

from sealcam.wire.bodies import EventType
from sealcam_hub.home import Home
from sealcam_hub.homeassistant.states import Seen
from sealcam_hub.ledger import incident_id
from sealcam_hub.opening import Opener, Stored
from sealcam_hub.rekey import put
from sealcam_hub.tables import cameras, epochs, events, incidents, values
from sealcam_hub.views import CameraView, EventView, IncidentView, NoticeView

AGAIN_NS = 10_000_000_000
FIRST = 100  # incidents that are looked at as the bridge begins
LINES = 64
HEALTH = 64  # health events of a camera: what ails it began in one of them
NOTICES = 100
MOST_EARLY = 1024
_PLACE, _LEVEL = "homeassistant", "ha-level/"  # rows of `values`; the second with an alias


@dataclass(frozen=True, slots=True)
class Told:
    """How far reports were told: up to a place in the ledger, and the hashes of pending ones beyond it."""

    place: int
    early: tuple[str, ...] = ()


class Look:
    """One bridge's view of a hub. One thread at a time."""

    def __init__(self, home: Home) -> None:
        self._home, self._ledger, self._opener = home, home.ledger(), Opener(home.keys.table)
        self._open: dict[str, IncidentView] = {}
        self._last: dict[str, IncidentView] = {}
        self._searched: set[str] = set()  # aliases whose newest incident, if any, is known
        self._codes: dict[str, tuple[str, ...]] = {}
        self._levels = self._read_levels()
        self._place = self._ledger.last_place()
        self._pending: set[str] = set()
        self._again_ns = home.clock.boot_ns()
        self._cameras = self._here()
        self._notices: tuple[NoticeView, ...] = ()
        self._lasting: dict[str, tuple[str, ...]] = {}  # by alias; of the hub without one
        self.told()  # a bridge that was never there begins here
        for view in reversed(self._ledger.incidents(FIRST)):
            self._note(view)

    def refresh(self) -> None:
        """Look at what has changed.

        Raises:
            StorageError: the ledger can't be read.
        """
        self._cameras = self._here()
        self._notices = self._ledger.notices(NOTICES)
        self._lasting = {}
        for notice in self._ledger.standing_notices():
            self._lasting[notice.alias] = (*self._lasting.get(notice.alias, ()), notice.kind)
        for alias in [one.alias for one in self._cameras if one.alias not in self._codes]:
            self._codes[alias] = self._health(alias)
        touched: dict[str, None] = {}
        lines, place, pending = self._fresh()
        for line in lines:
            if line.incident is not None:
                touched[incident_id(line.alias, bytes.fromhex(line.incident))] = None
            if line.type == "health" and line.alias in self._codes:
                self._codes[line.alias] = self._health(line.alias)
        now_ns = self._home.clock.boot_ns()
        if now_ns - self._again_ns >= AGAIN_NS:
            self._again_ns = now_ns
            touched |= dict.fromkeys([*self._open, *(one.id for one in self._last.values())])
        for name in touched:
            self._touch(name)
        for alias in [one.alias for one in self._cameras if one.alias not in self._searched]:
            self._touch_newest(alias)
        self._place, self._pending = place, pending  # at last: what failed on the way is looked at again

    def seen(self) -> tuple[Seen, ...]:
        """Every camera that belongs to this home, by name."""
        return tuple(
            Seen(
                camera=one,
                open=tuple(view for view in self._open.values() if view.alias == one.alias),
                last=self._last.get(one.alias),
                codes=self._codes.get(one.alias, ()),
                notices=tuple(notice for notice in self._notices if notice.alias == one.alias),
                lasting=self._lasting.get(one.alias, ()),
                sensitivity=self._levels.get(one.alias, 0),
            )
            for one in self._cameras
        )

    def aliases(self) -> frozenset[str]:
        """Those of every camera that belongs to this home."""
        return frozenset(one.alias for one in self._cameras)

    def hub_notices(self) -> tuple[NoticeView, ...]:
        """What the hub says of itself: notices of no camera."""
        return tuple(one for one in self._notices if not one.alias)

    def hub_lasting(self) -> tuple[str, ...]:
        """The kinds of what is wrong with the hub itself and isn't over."""
        return self._lasting.get("", ())

    def lines(self, place: int) -> tuple[EventView, ...]:
        """The ledger's next lines."""
        return self._ledger.lines(place, LINES)

    def pending(self) -> tuple[EventView, ...]:
        """Events that wait for an earlier one."""
        return self._ledger.pending()

    def picture(self, incident: str) -> bytes | None:
        """The newest picture of an incident, if it may be shown."""
        return self._ledger.thumbnail(incident)

    # How far reports were told, and what was set.

    def told(self) -> Told:
        """How far."""
        with self._home.store.reading() as connection:
            row: bytes | None = connection.execute(select(values.c.value).where(values.c.name == _PLACE)).scalar()
        if row is not None:
            kept = json.loads(row)
            return Told(int(kept["place"]), tuple(kept["early"]))
        begin = Told(self._place)
        self.save(begin)
        return begin

    def save(self, told: Told) -> None:
        """Remember it.

        Raises:
            StorageError: the ledger can't be written.
        """
        kept = json.dumps({"place": told.place, "early": told.early[-MOST_EARLY:]}).encode()
        with self._home.store.writing() as connection:
            put(connection, _PLACE, kept)

    def set_level(self, alias: str, level: int) -> None:
        """Remember a camera's sensitivity, 0 to 100."""
        with self._home.store.writing() as connection:
            put(connection, _LEVEL + alias, bytes([level]))
        self._levels[alias] = level

    def _read_levels(self) -> dict[str, int]:
        with self._home.store.reading() as connection:
            rows = connection.execute(select(values).where(values.c.name.like(f"{_LEVEL}%"))).all()
        return {row.name.removeprefix(_LEVEL): row.value[0] for row in rows}

    # What changed.

    def _here(self) -> tuple[CameraView, ...]:
        return tuple(one for one in self._ledger.cameras() if one.state not in ("gone", "expelled"))

    def _fresh(self) -> tuple[list[EventView], int, set[str]]:
        """Lines that weren't looked at, the place behind them, and the hashes of all that wait."""
        found: list[EventView] = []
        place = self._place
        while lines := self._ledger.lines(place):
            found += lines
            place = lines[-1].place or place
        waiting = self._ledger.pending()
        found += [one for one in waiting if one.hash not in self._pending]
        return found, place, {one.hash for one in waiting}

    def _touch_newest(self, alias: str) -> None:
        """Look at a camera's newest incident, however many others' came since."""
        query = select(incidents.c.incident).join(cameras, cameras.c.id == incidents.c.camera)
        query = query.where(cameras.c.alias == alias).order_by(incidents.c.arrived_ns.desc()).limit(1)
        with self._home.store.reading() as connection:
            newest = connection.execute(query).scalar()
        if newest is not None:
            self._touch(incident_id(alias, newest))
        self._searched.add(alias)  # at last: what failed on the way is looked at again

    def _touch(self, name: str) -> None:
        view = self._ledger.incident(name)
        if view is not None:
            self._note(view)
            return
        self._open.pop(name, None)
        for alias in [alias for alias, one in self._last.items() if one.id == name]:
            del self._last[alias]
            self._searched.discard(alias)  # `refresh` finds the one before

    def _note(self, view: IncidentView) -> None:
        if view.open:
            self._open[view.id] = view
        else:
            self._open.pop(view.id, None)
        before = self._last.get(view.alias)
        if before is None or view.arrived_ns >= before.arrived_ns:
            self._last[view.alias] = view

    def _health(self, alias: str) -> tuple[str, ...]:
        query = (
            select(events.c.hash, events.c.arrived_ns, epochs.c.public)
            .join(cameras, cameras.c.id == events.c.camera)
            .join(epochs, (epochs.c.camera == events.c.camera) & (epochs.c.epoch == events.c.epoch))
            .where(cameras.c.alias == alias, events.c.kind == EventType.HEALTH)
            .order_by(events.c.seq.desc())
            .limit(HEALTH)
        )
        with self._home.store.reading() as connection:
            rows = connection.execute(query).all()
            facts = self._opener.facts(connection, [Stored(row.hash, row.public, row.arrived_ns) for row in rows])
        texts = [facts[row.hash].text for row in reversed(rows) if facts[row.hash].type == "health"]
        return tuple(text[-1] for text in texts if text)


def forget(home: Home) -> None:
    """Forget how far reports were told, and what was set.

    Raises:
        StorageError: the ledger can't be written.
    """
    with home.store.writing() as connection:
        connection.execute(delete(values).where((values.c.name == _PLACE) | values.c.name.like(f"{_LEVEL}%")))
