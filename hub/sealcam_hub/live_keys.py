"""What opens a camera's live view at this hub: its epoch keys, this hub's prekeys for it, and how it stands.

A live view is of now: only the epoch key in force counts, and one whose hand-over is on its way into the ledger. What
an older key signed, somebody with a copy of the card may have made. design/wire.md sections 5.4, 10 and 15.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from sealcam.wire.clip import content_key, read_info
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import BoxKey
from sealcam.wire.live import read_start
from sealcam_hub import tables
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import camera_state
from sealcam_hub.live_stream import Start
from sealcam_hub.registry import TRIALS
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras
from sealcam_hub.views import CameraState


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera that somebody wants to see: the owner's name for it, its id, how it stands."""

    alias: str
    name: str
    subject: bytes
    state: CameraState


@dataclass(frozen=True, slots=True)
class LiveKeys:
    """Looks into the ledger of one hub; safe to share between threads."""

    store: Store
    keys: HubKeys

    def camera(self, alias: str) -> Seen:
        """The camera of that alias.

        Raises:
            ConfigError: there is none, or this isn't the home hub, which alone gives commands.
            StorageError: the ledger can't be read.
        """
        with self.store.reading() as connection:
            row = _row(connection, alias)
        if row is None:
            raise ConfigError("there is no such camera", "the list of cameras is on the first page")
        if not self.keys.is_home:
            raise ConfigError("cameras show their picture to the home hub alone", "look there")
        return Seen(alias, row.name, row.kid, camera_state(row))

    def opens(self, alias: str, session: bytes, message: bytes) -> Start | None:
        """The start of that session of that camera; none where the message is a part.

        Raises:
            EnvelopeError: it is neither, the camera's key in force didn't sign it, or it isn't sealed to this hub.
            StorageError: the ledger can't be read.
        """
        with self.store.reading() as connection:
            camera = _row(connection, alias)
            header = read_start(message, session, [] if camera is None else _signers(connection, camera))
            if header is None or camera is None:
                return None
            key = content_key(header, self._prekeys(connection, camera.id))
        return Start(header, key, read_info(header, key))

    def _prekeys(self, connection: Connection, camera: int) -> list[BoxKey]:
        held = tables.prekeys
        newest = select(held.c.wrapped).where(held.c.camera == camera).order_by(held.c.number.desc()).limit(TRIALS)
        return [BoxKey(self.keys.table.unwrap(wrapped)) for wrapped in connection.execute(newest).scalars()]


def _row(connection: Connection, alias: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(cameras).where(cameras.c.alias == alias)).one_or_none()


def _signers(connection: Connection, camera: Row[tuple[object, ...]]) -> list[bytes]:
    if camera.expelled or camera.gone:
        return []
    kept = tables.epochs
    query = select(kept.c.public).where(kept.c.camera == camera.id, kept.c.epoch >= camera.epoch)
    return list(connection.execute(query).scalars())
