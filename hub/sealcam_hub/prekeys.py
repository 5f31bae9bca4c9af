"""Prekeys: the numbered X25519 keys that a camera seals to, one series a camera, secrets under the table key.

A new one is issued daily, but only once the camera has taken up the one before, so that few are ever alive; a beat
that says nothing is sealed to an older one any more destroys it (`beats`). Implements design/wire.md section 2.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from sealcam.wire import statement
from sealcam.wire.keys import BoxKey
from sealcam.wire.statement import Prekey
from sealcam_hub.keys import HubKeys
from sealcam_hub.tables import cameras, prekeys

LIFE_NS = 24 * 3600 * 1_000_000_000


def issue(connection: Connection, keys: HubKeys, camera: int, number: int, now_ns: int) -> None:
    """Make and store prekey `number` of a camera."""
    key = BoxKey.generate()
    row = {"camera": camera, "number": number, "public": key.public, "issued_ns": now_ns}
    connection.execute(insert(prekeys).values(wrapped=keys.table.wrap(key.secret), **row))
    connection.execute(update(cameras).where(cameras.c.id == camera).values(revision=cameras.c.revision + 1))


def is_due(connection: Connection, camera: int, now_ns: int) -> bool:
    """Whether a camera's newest prekey is older than a day."""
    return now_ns - newest(connection, camera)[2] >= LIFE_NS


def newest(connection: Connection, camera: int) -> tuple[int, bytes, int]:
    """Number, public key and time of issue (wall time, ns) of a camera's newest prekey."""
    query = select(prekeys.c.number, prekeys.c.public, prekeys.c.issued_ns)
    row = connection.execute(query.where(prekeys.c.camera == camera).order_by(prekeys.c.number.desc()).limit(1)).one()
    return row.number, row.public, row.issued_ns


def signed(keys: HubKeys, kid: bytes, number: int, public: bytes) -> bytes:
    """The statement that gives a camera, named by its first epoch key's id, a prekey."""
    return statement.sign(keys.operating, Prekey(camera=kid, number=number, public=public))
