"""What the home hub deleted, for a second hub that the broker doesn't reach (`deletions_heard` is told by itself).

It goes in the admission, which the home hub signs and the owner carries; what names nothing there is passed over, so
that an old one does no harm. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from sealcam_hub.deletion import Doomed
from sealcam_hub.home import Home
from sealcam_hub.ledger import find_incident, incident_id
from sealcam_hub.tables import cameras, clips, deletions, incidents

MOST = 5000  # of incidents, and of clips, the newest: an admission is no larger than 1 MiB
_STANDS = (incidents.c.camera == deletions.c.camera) & (incidents.c.incident == deletions.c.incident)
_NEWEST = func.max(deletions.c.asked_ns).desc()


def told(connection: Connection) -> dict[str, list[str]]:
    """The incidents that were deleted here, by id, and the clips of incidents that stand, as hex digits."""
    gone = select(cameras.c.alias, deletions.c.incident).join(cameras, cameras.c.id == deletions.c.camera)
    gone = gone.outerjoin(incidents, _STANDS).where(incidents.c.camera.is_(None))
    gone = gone.group_by(cameras.c.alias, deletions.c.incident).order_by(_NEWEST).limit(MOST)
    of = (clips.c.camera == deletions.c.camera) & (clips.c.incident == deletions.c.incident)
    alone = select(clips.c.clip).join(deletions, of).join(incidents, _STANDS)
    alone = alone.where(clips.c.event.is_not(None), clips.c.wrapped.is_(None))
    alone = alone.group_by(clips.c.clip).order_by(_NEWEST).limit(MOST)
    return {
        "incidents": [incident_id(row.alias, row.incident) for row in connection.execute(gone)],
        "clips": [row.clip.hex() for row in connection.execute(alone)],
    }


def obey(home: Home, said: dict[str, Any]) -> tuple[int, int]:
    """Delete what `told` names and this hub has; how many incidents and how many clips.

    Raises:
        StorageError: the disk is full, or another process deletes; ask again.
    """
    with home.store.reading() as connection:
        rows = [row for name in said.get("incidents", ()) if (row := find_incident(connection, str(name))) is not None]
        doomed = [Doomed(row.camera, row.alias, row.name, row.incident, row.arrived_ns) for row in rows]
        wanted = {str(name) for name in said.get("clips", ())}
        held = select(clips.c.clip).where(clips.c.incident.is_not(None), clips.c.wrapped.is_not(None))
        alone = [one for one in connection.execute(held).scalars() if one.hex() in wanted]
    if doomed:
        home.deleter().delete(doomed)
    if alone:
        home.deleter().delete_clips(alone)
    return len(doomed), len(alone)
