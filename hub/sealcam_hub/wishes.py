"""How watchful the owner wants each camera to be, and the commands that say so.

A wish is a row in the ledger, so that any command or page may ask while `serve` alone holds the link. A command names
the nonce of the camera's newest beat, which goes stale within a minute: a wish that still stands is signed anew when
a later beat shows another mode. Implements design/wire.md section 4, `SCM1`.
"""

from __future__ import annotations

from sqlalchemy import insert, or_, select, update

from sealcam.wire import schema
from sealcam.wire.bodies import ArmBody, CommandType, Mode
from sealcam.wire.envelope import SCM1, seal
from sealcam.wire.errors import ConfigError
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, wishes

NONCE_LIFE_NS = 55_000_000_000  # the camera takes a nonce for 60 s in its own time; some of it passes on the way


class Wishes:
    """The owner's wishes in a ledger."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock

    def ask(self, camera: str, mode: str) -> None:
        """Wish that a camera, by alias or name, be in `mode` from now on.

        Raises:
            ConfigError: there is no such camera or mode.
            StorageError: the ledger can't be written.
        """
        if mode.upper() not in Mode.__members__:
            raise ConfigError(f"there is no mode {mode!r}", "off, home, away or night")
        row = {"mode": Mode[mode.upper()], "asked_ns": self._clock.wall_ns(), "sent_nonce": None}
        with self._store.writing() as connection:
            named = or_(cameras.c.alias == camera, cameras.c.name == camera)
            found = connection.execute(select(cameras.c.id).where(named)).scalars().all()
            if len(found) != 1:
                names = ", ".join(connection.execute(select(cameras.c.name).order_by(cameras.c.name)).scalars())
                raise ConfigError(f"there is no camera {camera!r}", f"known: {names}" if names else "none is enrolled")
            if not connection.execute(update(wishes).where(wishes.c.camera == found[0]).values(**row)).rowcount:
                connection.execute(insert(wishes).values(camera=found[0], **row))

    def due(self) -> list[tuple[str, bytes]]:
        """Alias and command for each camera whose newest beat shows another mode than wished; each beat once.

        Raises:
            StorageError: the ledger can't be written.
        """
        since_ns = self._clock.wall_ns() - NONCE_LIFE_NS
        query = (
            select(cameras, wishes.c.mode.label("wished"))
            .join(wishes)
            .where(cameras.c.mode != wishes.c.mode, cameras.c.nonce.is_not(None), cameras.c.beat_ns > since_ns)
            .where(or_(wishes.c.sent_nonce.is_(None), wishes.c.sent_nonce != cameras.c.nonce))
        )
        with self._store.reading() as connection:
            if not connection.execute(query.limit(1)).all():
                return []
        commands = []
        with self._store.writing() as connection:
            for row in connection.execute(query).all():
                number = row.command_number + 1
                numbered = update(cameras).where(cameras.c.id == row.id).values(command_number=number)
                connection.execute(numbered)
                connection.execute(update(wishes).where(wishes.c.camera == row.id).values(sent_nonce=row.nonce))
                commands.append((row.alias, self._signed(row.command, row.epoch, number, row.nonce, row.wished)))
        return commands

    def _signed(self, command_key: bytes, epoch: int, number: int, nonce: bytes, mode: int) -> bytes:
        return seal(
            self._keys.operating,
            [command_key],
            kind=CommandType.ARM,
            seq=number,
            prev=nonce,
            body=schema.encode(ArmBody(mode=Mode(mode))),
            epoch=epoch,
            recipient_set=self._keys.set_number,
            form=SCM1,
        )
