"""Takes a camera into this home: checks that it holds the keys it names, and answers with all it needs.

Implements the hub's half of design/pipeline.md, "Claim": the request is `public 32 | statement`, signed by the key
it names; the answer is a `Bundle`. The same camera may ask again: it keeps its alias and gets a new certificate.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import key_id
from sealcam.wire.sealed import GENESIS
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import Action, ClaimAnswer, ClaimRequest
from sealcam_hub import audit, ca, certificate_rows, certified, prekeys, recovery, registry
from sealcam_hub.clock import Clock
from sealcam_hub.folder import Address
from sealcam_hub.keys import HubKeys
from sealcam_hub.receive import LAST_EPOCH
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, epochs

MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Enroller:
    """What a hub needs to take a camera in; `broker` is what the camera is told to connect to."""

    store: Store
    keys: HubKeys
    authority: ca.Authority
    broker: Address
    clock: Clock

    def answer(self, request: bytes, name: str, same: bool = False) -> bytes:
        """The answer to a camera's claim request; the camera is known as `name` from now on.

        With `same` the owner says: this is the camera of that name, which has taken newer keys since the backup that
        this hub was recovered from.

        Raises:
            EnvelopeError: the camera doesn't hold the keys it names.
            ConfigError: the name is no name or another camera's; it was expelled; or its numbers are at their end.
        """
        name = checked_name(name)
        asked = statement.read_claim_request(request)
        if (asked.prekey or 0) >= prekeys.LAST - prekeys.SKIP or asked.epoch >= LAST_EPOCH:
            raise ConfigError("this camera's keys have no number left to go on with", "reset it: it then comes as new")
        now_ns = self.clock.wall_ns()
        now = dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC)
        ca.camera_certificate(self.authority, "proof", asked.csr, now)  # refused before anything is written
        with self.store.writing() as connection:
            if same:
                self._adopt(connection, asked, name, now_ns)
            alias, kid, identity = self._enrol(connection, asked, name, now_ns)
            number, prekey, _ = prekeys.newest(connection, identity)
            certificate = ca.camera_certificate(self.authority, alias, asked.csr, now)
            certified.keep(connection, alias, ca.serial(certificate))
            certificate_rows.keep(connection, alias, certificate)
            audit.append(connection, self.keys, now_ns, Action.ENROLLED, audit.OWNER, f"camera {alias}", kid)
        return self._bundle(alias, kid, prekeys.signed(self.keys, kid, number, prekey), certificate)

    def _bundle(self, alias: str, kid: bytes, prekey: bytes, certificate: bytes) -> bytes:
        answer = ClaimAnswer(
            camera=kid,
            alias=alias,
            recipient_set=self.keys.recipient_set,
            prekey=prekey,
            certificate=certificate,
            authority=ca.public_pem(self.authority.certificate),
            host=self.broker.host,
            port=self.broker.port,
        )
        signed = statement.sign(self.keys.operating, answer)
        return Bundle(self.keys.root_public, self.keys.certificate, signed).pack()

    def _enrol(self, connection: Connection, asked: ClaimRequest, name: str, now_ns: int) -> tuple[str, bytes, int]:
        """Alias, name (key id) and row of the camera, which is new or known already."""
        known = self._known(connection, asked)
        holder = connection.execute(select(cameras).where(cameras.c.name == name)).one_or_none()
        if holder is not None and (known is None or holder.id != known.id):
            raise ConfigError(f"another camera is called {name!r} already", "give this one a name of its own")
        if known is not None and known.expelled:
            raise ConfigError("this camera was expelled", "reset it first: it then comes as a new one")
        if known is not None:
            return self._again(connection, known, asked, name, now_ns)
        alias, kid = secrets.token_hex(8), key_id(asked.public)
        keys = {"public": asked.public, "command": asked.command, "epoch": asked.epoch}
        row = insert(cameras).values(alias=alias, name=name, kid=kid, enrolled_ns=now_ns, head_hash=GENESIS, **keys)
        key = connection.execute(row).inserted_primary_key
        identity = int(key[0]) if key is not None else 0
        connection.execute(insert(epochs).values(camera=identity, after_seq=0, since_ns=now_ns, **keys))
        prekeys.issue(connection, self.keys, identity, (asked.prekey or 0) + 1, now_ns)
        if asked.prekey:  # another hub of this owner had it before: its chain doesn't begin here
            recovery.begin(connection, alias)
        return alias, kid, identity

    def _known(self, connection: Connection, asked: ClaimRequest) -> Row[*tuple[Any, ...]] | None:
        """The camera whose newest epoch key asks."""
        return connection.execute(select(cameras).where(cameras.c.public == asked.public)).one_or_none()

    def _adopt(self, connection: Connection, asked: ClaimRequest, name: str, now_ns: int) -> None:
        """Believe the owner that a camera, whose hand-over the lost hub took and no backup has, signs with these keys.

        They hold for all that isn't in the ledger yet.
        """
        row = connection.execute(select(cameras).where(cameras.c.name == name)).one_or_none()
        if row is None or not recovery.is_open(connection, row.alias) or asked.epoch < row.epoch:
            raise ConfigError(f"no camera {name!r} waits to be recovered with newer keys", "leave --same out")
        if asked.public != row.public and asked.epoch > row.epoch:
            keys = (asked.epoch, asked.public, asked.command)
            registry.begin_epoch(connection, row.id, *keys, row.head_seq, now_ns)

    def _again(
        self, connection: Connection, known: Row[*tuple[Any, ...]], asked: ClaimRequest, name: str, now_ns: int
    ) -> tuple[str, bytes, int]:
        changed = update(cameras).where(cameras.c.id == known.id).values(name=name, command=asked.command)
        connection.execute(changed.values(revision=cameras.c.revision + 1))
        if prekeys.newest(connection, known.id)[0] <= (asked.prekey or 0):
            prekeys.issue(connection, self.keys, known.id, (asked.prekey or 0) + 1, now_ns)
        return known.alias, known.kid, known.id


def checked_name(name: str) -> str:
    """A camera's name as its owner typed it, without blanks around it.

    Raises:
        ConfigError: it is empty, too long, or holds what can't be printed.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ConfigError(f"a camera's name has 1 to {MAX_NAME} printable characters", "such as --name 'Front door'")
    return name
