"""Prekeys: the numbered X25519 keys that a camera seals to, one series a camera, secrets under the table key.

A new one is issued daily, but only once the camera has taken up the one before, so that few are ever alive; a beat
that says nothing is sealed to an older one any more destroys it (`beats`). Implements design/wire.md 10.1.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from sealcam.wire import statement
from sealcam.wire.keys import BoxKey
from sealcam.wire.statement_kinds import Prekey
from sealcam_hub.keys import HubKeys
from sealcam_hub.registry import TRIALS, Standing
from sealcam_hub.tables import cameras, prekeys

LIFE_NS = 24 * 3600 * 1_000_000_000
SKIP = 1 << 20  # after a restore: the series may have gone on since the backup, and no number is used twice
LAST = 1 << 62  # no hub counts that far, and a camera takes none from here on
MOST = TRIALS // 2  # that a day may add to: what is tried when something comes must hold them all


def issue(connection: Connection, keys: HubKeys, camera: int, number: int, now_ns: int) -> None:
    """Make and store prekey `number` of a camera."""
    key = BoxKey.generate()
    row = {"camera": camera, "number": number, "public": key.public, "issued_ns": now_ns}
    connection.execute(insert(prekeys).values(wrapped=keys.table.wrap(key.secret), **row))
    issued = update(cameras).where(cameras.c.id == camera)
    connection.execute(issued.values(skip=False, revision=cameras.c.revision + 1))


def issue_next(connection: Connection, keys: HubKeys, camera: int, now_ns: int) -> int:
    """Make and store a camera's next prekey, and return its number; the first one where it has none."""
    last = connection.execute(select(func.max(prekeys.c.number)).where(prekeys.c.camera == camera)).scalar() or 0
    skip = connection.execute(select(cameras.c.skip).where(cameras.c.id == camera)).scalar_one()
    number = int(last) + (SKIP if skip else 1)
    issue(connection, keys, camera, number, now_ns)
    return number


def destroy_all(connection: Connection, camera: int) -> None:
    """Destroy the secrets of a camera's whole series, and with them whatever was sealed to it and isn't opened yet."""
    connection.execute(delete(prekeys).where(prekeys.c.camera == camera))
    connection.execute(update(cameras).where(cameras.c.id == camera).values(revision=cameras.c.revision + 1))


def is_due(connection: Connection, standing: Standing, now_ns: int) -> bool:
    """Whether a camera needs its next prekey: a day has passed and it took up the one before, or after a restore.

    Where it takes up none, more of them would not make anything dead sooner.
    """
    camera = standing.camera
    if camera.expelled or max(camera.prekey_numbers, default=0) >= LAST - SKIP:
        return False
    if camera.skip or not camera.prekeys:
        return True
    if standing.life.prekey < camera.prekey_numbers[0] and len(camera.prekeys) > 1:
        return False
    return len(camera.prekeys) < MOST and now_ns - newest(connection, camera.id)[2] >= LIFE_NS


def newest(connection: Connection, camera: int) -> tuple[int, bytes, int]:
    """Number, public key and time of issue (wall time, ns) of a camera's newest prekey."""
    query = select(prekeys.c.number, prekeys.c.public, prekeys.c.issued_ns)
    row = connection.execute(query.where(prekeys.c.camera == camera).order_by(prekeys.c.number.desc()).limit(1)).one()
    return row.number, row.public, row.issued_ns


def signed(keys: HubKeys, kid: bytes, number: int, public: bytes) -> bytes:
    """The statement that gives a camera, named by its first epoch key's id, a prekey."""
    return statement.sign(keys.operating, Prekey(camera=kid, number=number, public=public))
