"""What other workers have taken in, for the one that leads: it shows, tells and answers for all of them.

Read from the ledger: the journal's new lines, and what is parked ahead of a chain, which is shown at once too. What
this worker has taken in itself comes along with it; hearing that something has changed twice does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from sealcam.wire import schema
from sealcam.wire.bodies import AnswerBody, EventType
from sealcam.wire.envelope import open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam_hub import tables
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import incident_id
from sealcam_hub.store import Store
from sealcam_hub.tables import PENDING, cameras, events, journal

AT_ONCE = 1024
_EVENT = (events.c.hash, events.c.camera, events.c.epoch, events.c.kind, events.c.incident, cameras.c.alias)


@dataclass(frozen=True, slots=True)
class News:
    """The feed's topics that have changed, and the cameras' answers, by alias."""

    topics: tuple[str, ...] = ()
    answers: tuple[tuple[str, AnswerBody], ...] = ()


class Others:
    """Where this worker stands in the ledger."""

    def __init__(self, store: Store, keys: HubKeys) -> None:
        self._store, self._keys = store, keys
        with store.reading() as connection:
            self._place: int = connection.execute(select(func.max(journal.c.place))).scalar() or 0
            self._parked = {row.hash for row in self._waiting(connection)}

    def news(self) -> News:
        """What is new since it was asked for last.

        Raises:
            StorageError: the ledger can't be read.
        """
        query = select(journal.c.place, journal.c.notice, *_EVENT).select_from(journal)
        query = query.outerjoin(events, events.c.hash == journal.c.event)
        query = query.outerjoin(cameras, cameras.c.id == events.c.camera)
        query = query.where(journal.c.place > self._place).order_by(journal.c.place).limit(AT_ONCE)
        with self._store.reading() as connection:
            rows, waiting = connection.execute(query).all(), self._waiting(connection)
            fresh = [row for row in waiting if row.hash not in self._parked]
            seen = [row for row in rows if row.hash is not None and row.hash not in self._parked]
            answers = self._answers(connection, [*seen, *fresh])
        self._parked = {row.hash for row in waiting}
        self._place = rows[-1].place if rows else self._place
        topics = dict.fromkeys(_topic(row) for row in [*seen, *fresh])
        told = ("notice",) if any(row.notice is not None for row in rows) else ()
        return News((*topics, *told), answers)

    @staticmethod
    def _waiting(connection: Connection) -> list[Row[*tuple[Any, ...]]]:
        query = select(*_EVENT).join(cameras, cameras.c.id == events.c.camera)
        return list(connection.execute(query.where(tables.waiting, events.c.status == PENDING)).all())

    def _answers(
        self, connection: Connection, rows: Iterable[Row[*tuple[Any, ...]]]
    ) -> tuple[tuple[str, AnswerBody], ...]:
        found = ((row.alias, self._answer(connection, row)) for row in rows if row.kind == EventType.ANSWER)
        return tuple((alias, answer) for alias, answer in found if answer is not None)

    def _answer(self, connection: Connection, row: Row[*tuple[Any, ...]]) -> AnswerBody | None:
        sealed, keys, epochs = tables.envelopes, tables.content_keys, tables.epochs
        signed = (epochs.c.camera == row.camera) & (epochs.c.epoch == row.epoch)
        query = select(sealed.c.sealed, keys.c.wrapped, epochs.c.public).join(keys, keys.c.hash == sealed.c.hash)
        one = connection.execute(query.join(epochs, signed).where(sealed.c.hash == row.hash)).one_or_none()
        if one is None:
            return None
        try:
            opened = open_with_content_key(one.sealed, one.public, self._keys.table.unwrap(one.wrapped))
            return schema.decode(opened.body, AnswerBody)
        except EnvelopeError:
            return None


def _topic(row: Row[*tuple[Any, ...]]) -> str:
    return f"camera/{row.alias}" if row.incident is None else f"incident/{incident_id(row.alias, row.incident)}"
