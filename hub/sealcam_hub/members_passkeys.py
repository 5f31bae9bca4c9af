"""Everybody's passkeys as the ledger keeps them; the owner's have no member.

Each that comes, goes or signs somebody in is entered in the audit log in the same transaction. Whether a browser's
answer holds is `passkeys`'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.statement_kinds import Action
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.members import enter
from sealcam_hub.members_tables import members, passkeys
from sealcam_hub.passkeys import Registered
from sealcam_hub.person import OWNER, Passkey, PasskeyView, Person, Role
from sealcam_hub.store import Store

MOST = 20  # of one person
MOST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Keyring:
    """The passkeys of one hub. Every method may block and raise a `StorageError`."""

    store: Store
    keys: HubKeys
    clock: Clock

    def handle(self, person: Person) -> bytes:
        """What a person's passkeys call them: tells nothing of them, and stays."""
        if person.role is Role.OWNER:
            return hashlib.sha256(b"sealcam owner" + self.keys.root_public).digest()[:16]
        with self.store.reading() as connection:
            handle: bytes | None = connection.execute(
                select(members.c.handle).where(members.c.id == person.id)
            ).scalar()
        if handle is None:
            raise StorageError("you are a member no more")
        return handle

    def of(self, person: Person) -> Sequence[PasskeyView]:
        """A person's, oldest first."""
        with self.store.reading() as connection:
            rows = connection.execute(select(passkeys).where(_of(person)).order_by(passkeys.c.added_ns)).all()
        return [PasskeyView(short(row.credential), row.label, row.host, row.added_ns, row.used_ns) for row in rows]

    def credentials(self, person: Person, host: str) -> Sequence[bytes]:
        """The ids of a person's passkeys for one name."""
        query = select(passkeys.c.credential).where(_of(person), passkeys.c.host == host)
        with self.store.reading() as connection:
            return list(connection.execute(query).scalars())

    def find(self, credential: bytes) -> Passkey | None:
        """The one with that id, or none."""
        query = select(passkeys, members.c.name).outerjoin(members, members.c.id == passkeys.c.member)
        with self.store.reading() as connection:
            row = connection.execute(query.where(passkeys.c.credential == credential)).first()
        if row is None:
            return None
        person = OWNER if row.member is None else Person(row.member, row.name, Role.MEMBER)
        return Passkey(person, row.credential, row.host, row.public, row.counter)

    def add(self, person: Person, host: str, label: str, made: Registered) -> None:
        """Keep a new passkey.

        Raises:
            ConfigError: it is there already, or there are too many.
        """
        row = {"credential": made.credential, "public": made.public, "counter": made.count, "host": host}
        owner = None if person.role is Role.OWNER else person.id
        with self.store.writing() as connection:
            have = select(func.count()).select_from(passkeys).where(_of(person))
            there = select(passkeys.c.credential).where(passkeys.c.credential == made.credential)
            if connection.execute(there).first() is not None or connection.execute(have).scalar_one() >= MOST:
                raise ConfigError("that passkey can't be added", f"it is there already, or there are {MOST}")
            now_ns = self.clock.wall_ns()
            connection.execute(insert(passkeys).values(**row, label=label[:MOST_LABEL], member=owner, added_ns=now_ns))
            enter(connection, self.keys, self.clock, Action.ENROLLED, f"a passkey for the console at {host}", person)

    def used(self, kept: Passkey, count: int) -> bool:
        """Somebody signs in with it: its count is now this one; false where another process was faster with as much."""
        with self.store.writing() as connection:
            query = update(passkeys).where(passkeys.c.credential == kept.credential, passkeys.c.counter == kept.count)
            done = connection.execute(query.values(counter=count, used_ns=self.clock.wall_ns()))
            if done.rowcount == 1:
                enter(connection, self.keys, self.clock, Action.OPENED, "the console, with a passkey", kept.person)
        return done.rowcount == 1

    def drop(self, person: Person, named: str) -> bytes | None:
        """Forget a passkey of a person's by its short name; its id, if it was there."""
        with self.store.writing() as connection:
            rows = connection.execute(select(passkeys.c.credential, passkeys.c.host).where(_of(person))).all()
            row = next((one for one in rows if short(one.credential) == named), None)
            if row is None:
                return None
            connection.execute(delete(passkeys).where(passkeys.c.credential == row.credential))
            told = f"a passkey for the console at {row.host}"
            enter(connection, self.keys, self.clock, Action.EXPELLED, told, person)
        return bytes(row.credential)


def short(credential: bytes) -> str:
    """A passkey's name in forms."""
    return hashlib.sha256(credential).hexdigest()[:16]


def _of(person: Person) -> ColumnElement[bool]:
    return passkeys.c.member.is_(None) if person.role is Role.OWNER else passkeys.c.member == person.id
