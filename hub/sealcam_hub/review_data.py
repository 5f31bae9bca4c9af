"""The data set of the owner's marks: what was said of each incident, and the numbers that its reports carry.

Read from the sealed events when it is asked for; nothing of it is kept. No picture is in it, and none can be made of
it. What is exported leaves the seal, so it is entered in the log first. design/hub.md, "Review".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody
from sealcam.wire.envelope import open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys, TableKey
from sealcam_hub.ledger import find_incident
from sealcam_hub.lines import iso
from sealcam_hub.review_marks import standing
from sealcam_hub.review_words import MarkView
from sealcam_hub.store import Store
from sealcam_hub.tables import content_keys, envelopes, epochs, events


@dataclass(frozen=True, slots=True)
class Example:
    """A marked incident: the mark, what its camera said last (a verdict, a threat's probability), and at each report
    the verdict model's inputs in per mille, all of one `version`; none where the camera is from before they were told.
    """

    mark: MarkView
    camera: str
    verdict: str
    threat: float
    version: int
    moments: tuple[tuple[int, ...], ...]


class DataSet:
    """The data set of one hub; `actor` is who exports it, as the audit log names him."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock, actor: str = audit.CONSOLE) -> None:
        self._store, self._keys, self._clock, self._actor = store, keys, clock, actor

    def examples(self) -> tuple[Example, ...]:
        """All of it, in the order in which the marks were said.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self._store.reading() as connection:
            return tuple(_examples(connection, self._keys.table))

    def export(self) -> bytes:
        """All of it for the owner, a line of JSON for each incident, behind its entry in the log.

        Raises:
            StorageError: the entry can't be written, so nothing is given out.
        """
        found = self.examples()
        with self._store.writing() as connection:
            detail = f"the data set of {len(found)} marked incidents, as a file that isn't sealed"
            audit.append(connection, self._keys, self._clock.wall_ns(), Action.OPENED, self._actor, detail)
        return b"".join(json.dumps(_line(one), ensure_ascii=False).encode() + b"\n" for one in found)


def _line(one: Example) -> dict[str, object]:
    return {
        "incident": one.mark.incident,
        "camera": one.camera,
        "mark": one.mark.word,
        "by": one.mark.who,
        "at": iso(one.mark.at_ns),
        "verdict": one.verdict,
        "threat": one.threat,
        "version": one.version,
        "moments": [list(moment) for moment in one.moments],
    }


def _examples(connection: Connection, table: TableKey) -> Iterator[Example]:
    for mark in standing(connection, table):
        row = find_incident(connection, mark.incident)
        bodies = [] if row is None else list(_bodies(connection, table, row.camera, row.incident))
        if row is None or not bodies:
            continue
        told = [one.judged for one in bodies if one.judged is not None]
        version = told[-1].version if told else 0
        moments = tuple(dict.fromkeys(one.numbers for one in told if one.version == version))
        last = bodies[-1]
        yield Example(mark, row.name, last.verdict.name.lower(), last.threat_permille / 1000, version, moments)


def _bodies(connection: Connection, table: TableKey, camera: int, incident: bytes) -> Iterator[IncidentBody]:
    """What the reports of one incident say, in their order; those that don't open are left out."""
    signed = (epochs.c.camera == events.c.camera) & (epochs.c.epoch == events.c.epoch)
    query = (
        select(envelopes.c.sealed, content_keys.c.wrapped, epochs.c.public)
        .select_from(events)
        .join(envelopes, envelopes.c.hash == events.c.hash)
        .join(content_keys, content_keys.c.hash == events.c.hash)
        .join(epochs, signed)
        .where(events.c.camera == camera, events.c.incident == incident, events.c.kind == EventType.INCIDENT)
    )
    for row in connection.execute(query.order_by(events.c.seq)):
        body = _opened(row, table)
        if body is not None:
            yield body


def _opened(row: Row[*tuple[Any, ...]], table: TableKey) -> IncidentBody | None:
    try:
        opened = open_with_content_key(row.sealed, row.public, table.unwrap(row.wrapped))
        return schema.decode(opened.body, IncidentBody)
    except EnvelopeError:
        return None
