"""Takes a camera into this home: checks that it holds the keys it names, and answers with all it needs.

Implements the hub's half of design/pipeline.md, "Claim": the request is `public 32 | statement`, signed by the key
it names; the answer is a `ClaimBundle`. The same camera may ask again: it keeps its alias and gets a new certificate.
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
from sealcam.wire.statement import ClaimAnswer, ClaimBundle, ClaimRequest
from sealcam_hub import ca, prekeys
from sealcam_hub.clock import Clock
from sealcam_hub.folder import Address
from sealcam_hub.keys import HubKeys
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras

MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Enroller:
    """What a hub needs to take a camera in; `broker` is what the camera is told to connect to."""

    store: Store
    keys: HubKeys
    authority: ca.Authority
    broker: Address
    clock: Clock

    def answer(self, request: bytes, name: str) -> bytes:
        """The answer to a camera's claim request; the camera is known as `name` from now on.

        Raises:
            EnvelopeError: the camera doesn't hold the keys it names.
            ConfigError: the name is empty, too long or another camera's.
        """
        name = checked_name(name)
        asked = statement.read_claim_request(request)
        now_ns = self.clock.wall_ns()
        now = dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC)
        ca.camera_certificate(self.authority, "proof", asked.csr, now)  # refused before anything is written
        with self.store.writing() as connection:
            alias, identity = self._enrol(connection, asked, name, now_ns)
            number, prekey, _ = prekeys.newest(connection, identity)
        return self._bundle(asked, alias, prekeys.signed(self.keys, key_id(asked.public), number, prekey), now)

    def _bundle(self, asked: ClaimRequest, alias: str, prekey: bytes, now: dt.datetime) -> bytes:
        answer = ClaimAnswer(
            camera=key_id(asked.public),
            alias=alias,
            recipient_set=self.keys.recipient_set,
            prekey=prekey,
            certificate=ca.camera_certificate(self.authority, alias, asked.csr, now),
            authority=ca.public_pem(self.authority.certificate),
            host=self.broker.host,
            port=self.broker.port,
        )
        signed = statement.sign(self.keys.operating, answer)
        return ClaimBundle(self.keys.root_public, self.keys.certificate, signed).pack()

    def _enrol(self, connection: Connection, asked: ClaimRequest, name: str, now_ns: int) -> tuple[str, int]:
        """Alias and row of the camera, which is new or known already."""
        kid = key_id(asked.public)
        holder = connection.execute(select(cameras).where(cameras.c.name == name)).one_or_none()
        if holder is not None and holder.kid != kid:
            raise ConfigError(f"another camera is called {name!r} already", "give this one a name of its own")
        known = connection.execute(select(cameras).where(cameras.c.kid == kid)).one_or_none()
        if known is not None:
            return self._again(connection, known, asked, name)
        alias = secrets.token_hex(8)
        row = insert(cameras).values(alias=alias, name=name, kid=kid, public=asked.public, command=asked.command)
        row = row.values(epoch=asked.epoch, enrolled_ns=now_ns, head_hash=GENESIS)
        key = connection.execute(row).inserted_primary_key
        identity = int(key[0]) if key is not None else 0
        prekeys.issue(connection, self.keys, identity, 1, now_ns)
        return alias, identity

    def _again(
        self, connection: Connection, known: Row[*tuple[Any, ...]], asked: ClaimRequest, name: str
    ) -> tuple[str, int]:
        changed = update(cameras).where(cameras.c.id == known.id).values(name=name, command=asked.command)
        connection.execute(changed.values(revision=cameras.c.revision + 1))
        return known.alias, known.id


def checked_name(name: str) -> str:
    """A camera's name as its owner typed it, without blanks around it.

    Raises:
        ConfigError: it is empty, too long, or holds what can't be printed.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ConfigError(f"a camera's name has 1 to {MAX_NAME} printable characters", "such as --name 'Front door'")
    return name
