"""What is wrong now, so that its beginning and its end are each told once, whoever looks and however often.

A row of `alarm_tables.troubles` changes in the transaction that writes the notice. What is wrong is decided in
`beat_alarms` and `upkeep`. design/hub.md, "Silence is an alarm".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from sealcam_hub.alarm_tables import hub_notices, troubles
from sealcam_hub.notices import NoticeKind, Why
from sealcam_hub.tables import journal


class Turn(Enum):
    """What is to be told of a trouble."""

    NOTHING = auto()
    BEGINS = auto()
    ENDS = auto()


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that may be wrong: with which camera (its row, or `HUB`), what kind, and what of it."""

    camera: int
    kind: NoticeKind
    subject: str = ""


def see(connection: Connection, what: Trouble, wrong: bool | None, now_ns: int, needs: int = 1) -> Turn:
    """Note whether it is wrong now, none where that can't be said; it begins when it was so `needs` times running."""
    row = connection.execute(select(troubles).where(*_of(what))).one_or_none()
    if wrong is None or (row is None and not wrong) or (row is not None and wrong and row.told):
        return Turn.NOTHING
    if row is None:
        key = {"camera": what.camera, "kind": what.kind.value, "subject": what.subject}
        connection.execute(insert(troubles).values(seen=1, told=needs <= 1, since_ns=now_ns, **key))
        return Turn.BEGINS if needs <= 1 else Turn.NOTHING
    if not wrong:
        connection.execute(delete(troubles).where(*_of(what)))
        return Turn.ENDS if row.told else Turn.NOTHING
    told = row.seen + 1 >= needs
    connection.execute(update(troubles).where(*_of(what)).values(seen=row.seen + 1, told=told))
    return Turn.BEGINS if told else Turn.NOTHING


def standing(connection: Connection, what: Trouble) -> bool:
    """Whether it was told and isn't over."""
    return bool(connection.execute(select(troubles.c.told).where(*_of(what))).scalar())


def subjects(connection: Connection, camera: int, kind: NoticeKind) -> list[str]:
    """What of a camera or the hub is noted as wrong in that way."""
    query = select(troubles.c.subject).where(troubles.c.camera == camera, troubles.c.kind == kind.value)
    return list(connection.execute(query.order_by(troubles.c.subject)).scalars())


def tell_of_hub(
    connection: Connection, kind: NoticeKind, at_ns: int, subject: str = "", first: int = 0, why: Why = Why.PLACE
) -> None:
    """Write a notice of the hub itself into the ledger; `first` is what its sentence counts."""
    mark = f"{kind.value}:{why.value}:{at_ns}:{subject}"[:96]
    row = {"kind": kind.value, "why": why.value, "subject": subject, "mark": mark, "first": first, "last": first}
    key = connection.execute(insert(hub_notices).values(at_ns=at_ns, **row)).inserted_primary_key
    connection.execute(insert(journal).values(event=None, notice=-int(key[0]) if key is not None else None))


def _of(what: Trouble) -> tuple[ColumnElement[bool], ...]:
    return (
        troubles.c.camera == what.camera,
        troubles.c.kind == what.kind.value,
        troubles.c.subject == what.subject,
    )
