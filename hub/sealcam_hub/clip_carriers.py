"""Which events carry a clip's key: to delete a clip is to delete these, too.

A report brings the key before the clip's first chunk, and its sealed bytes open as long as its own content key is kept.
Other reports of the incident say what they say without it and stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sealcam_hub.keys import TableKey
from sealcam_hub.opening import Opener, Stored
from sealcam_hub.tables import clips, epochs, events

_SIGNED = (epochs.c.camera == events.c.camera) & (epochs.c.epoch == events.c.epoch)


@dataclass(frozen=True, slots=True)
class Carried:
    """A clip of an incident, the events (by hash) that carry its key, and whether other reports are left."""

    clip: bytes
    camera: int
    incident: bytes
    events: tuple[bytes, ...]
    leaves_reports: bool


def carried(connection: Connection, table: TableKey, clip: bytes) -> Carried | None:
    """What carries a clip's key; none where no event has told of it, or it was deleted."""
    of = clips.c.clip == clip, clips.c.incident.is_not(None), clips.c.wrapped.is_not(None)
    known = connection.execute(select(clips).where(*of)).one_or_none()
    if known is None:
        return None
    query = select(events.c.hash, events.c.arrived_ns, epochs.c.public).join(epochs, _SIGNED)
    rows = connection.execute(query.where(events.c.camera == known.camera, events.c.incident == known.incident)).all()
    facts = Opener(table).facts(connection, [Stored(row.hash, row.public, row.arrived_ns) for row in rows])
    carrying = {name for name, one in facts.items() if one.type == "incident" and one.clip == clip}
    carrying.add(known.event)  # that brought it, whatever it reads as
    left = any(one.report is not None for name, one in facts.items() if name not in carrying)
    return Carried(clip, known.camera, known.incident, tuple(sorted(carrying)), left)
