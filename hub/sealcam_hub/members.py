"""The people of the console as the ledger keeps them: members and invitations.

Each change and each sign-in is entered in the audit log in its own transaction: without the entry there is none. The
owner is no row here: their id is 0, their passphrase `passphrase`'s. Everybody's passkeys are `members_passkeys`'; who
may do what is `console.roles`'. design/hub.md, "Login".
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from sealcam.wire.errors import ConfigError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, passphrase
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.members_tables import invitations, members, passkeys
from sealcam_hub.person import InvitationView, Person, Role, clean, folded
from sealcam_hub.store import Store
from sealcam_hub.tables import fresh_id

MOST = 20  # members and open invitations together
_DAY_NS = 24 * 3600 * 1_000_000_000
_TOKEN_BYTES = 24
_COUNT = select(func.count()).select_from(members)
_GONE = "that invitation has been used, was withdrawn or is over"


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who may sign in at one hub. Every method may block and raise a `StorageError`."""

    store: Store
    keys: HubKeys
    clock: Clock

    def members(self) -> Sequence[Person]:
        """The members, by name."""
        with self.store.reading() as connection:
            rows = connection.execute(select(members.c.id, members.c.name).order_by(members.c.folded)).all()
        return [Person(row.id, row.name, Role.MEMBER) for row in rows]

    def named(self, typed: str) -> Person | None:
        """The member whom a typed name means, or none."""
        with self.store.reading() as connection:
            query = select(members.c.id, members.c.name).where(members.c.folded == folded(typed)[:120])
            row = connection.execute(query).first()
        return None if row is None else Person(row.id, row.name, Role.MEMBER)

    # Passphrases of members

    def mark(self, member: int) -> bytes | None:
        """Which passphrase of a member holds, as bytes that tell nothing of it; none where there is no such member."""
        kept = self._kept(member)
        return None if kept is None else hashlib.sha256(kept).digest()

    def matches(self, member: int, typed: str) -> bool:
        """Whether this is that member's passphrase; takes its time, also where there is no such member."""
        kept = self._kept(member)
        return passphrase.pretend(typed) if kept is None else passphrase.holds(kept, typed)

    def choose(self, member: int, typed: str) -> None:
        """Let this be that member's passphrase; a `TooShort` where it isn't one."""
        kept = passphrase.hashed(typed)
        with self.store.writing() as connection:
            connection.execute(update(members).where(members.c.id == member).values(kept=kept))

    def _kept(self, member: int) -> bytes | None:
        with self.store.reading() as connection:
            kept: bytes | None = connection.execute(select(members.c.kept).where(members.c.id == member)).scalar()
        return kept

    def entered(self, person: Person, how: str) -> None:
        """An entry: somebody signs in, in the way that `how` says."""
        with self.store.writing() as connection:
            enter(connection, self.keys, self.clock, Action.OPENED, f"the console, with {how}", person)

    # Coming and going

    def invite(self, name: str, days: int) -> str:
        """The token of a new invitation that holds for so many days.

        Raises:
            ConfigError: the name is none, or taken, or there are too many.
        """
        wanted, token = clean(name), secrets.token_urlsafe(_TOKEN_BYTES)
        with self.store.writing() as connection:
            now_ns = self.clock.wall_ns()
            connection.execute(delete(invitations).where(invitations.c.until_ns <= now_ns))
            open_names = connection.execute(select(invitations.c.name)).scalars().all()
            if folded(wanted) in map(folded, open_names) or self._taken(connection, wanted):
                raise ConfigError(f"there is a {wanted} already", "take another name, or withdraw the invitation")
            if len(open_names) + connection.execute(_COUNT).scalar_one() >= MOST:
                raise ConfigError(f"{MOST} members and invitations are the most", "remove one first")
            row = {"id": fresh_id(), "digest": _digest(token), "name": wanted}
            connection.execute(insert(invitations).values(**row, until_ns=now_ns + days * _DAY_NS))
        return token

    def invitations(self) -> Sequence[InvitationView]:
        """Those that are open, by their end."""
        query = select(invitations).where(invitations.c.until_ns > self.clock.wall_ns())
        with self.store.reading() as connection:
            rows = connection.execute(query.order_by(invitations.c.until_ns)).all()
        return [InvitationView(row.id, row.name, row.until_ns) for row in rows]

    def invited(self, token: str) -> InvitationView | None:
        """Whom a token invites, if it still does; it isn't used up by asking."""
        with self.store.reading() as connection:
            return self._open(connection, token)

    def withdraw(self, invitation: int) -> None:
        """Let an invitation be over."""
        with self.store.writing() as connection:
            connection.execute(delete(invitations).where(invitations.c.id == invitation))

    def join(self, token: str, typed: str) -> Person:
        """Make whom a token invites a member with this passphrase; the token is used up by it.

        Raises:
            TooShort: it isn't one.
            ConfigError: the invitation is over.
        """
        if self.invited(token) is None:  # before anything is hashed for a stranger
            raise ConfigError(_GONE, "ask for another one")
        kept = passphrase.hashed(typed)
        with self.store.writing() as connection:
            found = self._open(connection, token)
            if found is None or self._taken(connection, found.name):
                raise ConfigError(_GONE, "ask for another one")
            person = Person(fresh_id(), found.name, Role.MEMBER)
            row = {"id": person.id, "name": found.name, "folded": folded(found.name)[:120], "kept": kept}
            row |= {"handle": secrets.token_bytes(16), "joined_ns": self.clock.wall_ns()}
            connection.execute(insert(members).values(**row))
            connection.execute(delete(invitations).where(invitations.c.id == found.id))
            enter(
                connection, self.keys, self.clock, Action.ENROLLED, f"{found.name}, a member of the household", person
            )
        return person

    def remove(self, member: int) -> Person | None:
        """Turn a member out, with their passkeys; who it was, if anybody."""
        with self.store.writing() as connection:
            name = connection.execute(select(members.c.name).where(members.c.id == member)).scalar()
            if name is None:
                return None
            connection.execute(delete(passkeys).where(passkeys.c.member == member))
            connection.execute(delete(members).where(members.c.id == member))
            enter(connection, self.keys, self.clock, Action.EXPELLED, f"{name}, a member of the household", None)
        return Person(member, name, Role.MEMBER)

    def _open(self, connection: Connection, token: str) -> InvitationView | None:
        query = select(invitations).where(invitations.c.digest == _digest(token))
        row = connection.execute(query.where(invitations.c.until_ns > self.clock.wall_ns())).first()
        return None if row is None else InvitationView(row.id, row.name, row.until_ns)

    @staticmethod
    def _taken(connection: Connection, name: str) -> bool:
        query = select(members.c.id).where(members.c.folded == folded(name)[:120])
        return connection.execute(query).first() is not None


def enter(
    connection: Connection, keys: HubKeys, clock: Clock, action: Action, detail: str, person: Person | None
) -> None:
    """Enter in the log what `person` does at the console's door; none is whoever the request belongs to."""
    actor = audit.CONSOLE if person is None else audit.at_console(person)
    audit.append(connection, keys, clock.wall_ns(), action, actor, detail)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
