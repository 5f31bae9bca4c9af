"""What the home hub has deleted, as another hub remembers it: what comes of that later vanishes as it comes.

One row of `values` for each incident, in the words in which it was told.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable

from sqlalchemy import Connection, select

from sealcam.wire import schema
from sealcam.wire.deleted import DeletedPart
from sealcam_hub.rekey import put
from sealcam_hub.tables import values

_ROW = "deleted/"  # and camera's key id and incident: 30 letters


def keep(connection: Connection, parts: Iterable[DeletedPart]) -> None:
    """Remember these, each instead of what was known of its incident."""
    for one in parts:
        put(connection, _name(one.camera, one.incident), schema.encode(one))


def find(connection: Connection, camera: bytes, incident: bytes) -> DeletedPart | None:
    """What was deleted of an incident of the camera with that key id."""
    found = connection.execute(select(values.c.value).where(values.c.name == _name(camera, incident))).scalar()
    return None if found is None else schema.decode(found, DeletedPart)


def covers(part: DeletedPart, seq: int) -> bool:
    """Whether the incident's event with that sequence is deleted."""
    return any(first <= seq <= last for first, last in zip(part.runs[::2], part.runs[1::2], strict=True))


def _name(camera: bytes, incident: bytes) -> str:
    return _ROW + urlsafe_b64encode(camera + incident).decode().rstrip("=")
