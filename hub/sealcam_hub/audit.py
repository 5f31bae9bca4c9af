"""The audit log of this hub: who opened, shared, deleted or changed what, signed and chained (design/wire.md 9).

`append` belongs into the transaction of what it tells of: either both happen or neither does. Entries are kept as
they were signed, beside the certificates of the hubs that signed them, so that a log goes on after a recovery and
still verifies. How a log is checked is `wire.audit`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from sealcam.wire import statement
from sealcam.wire.audit import NO_ENTRY, Head, Log, entry_hash
from sealcam.wire.statement_kinds import Action, HubCertificate, LogEntry
from sealcam_hub import tables
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.person import ACTING, Person, Role
from sealcam_hub.store import Store
from sealcam_hub.tables import audit

OWNER = "owner"  # who is at the hub's command line
CONSOLE = "console"  # who has opened a link to the console
MAX_ACTOR = 64
MAX_DETAIL = 1000  # letters: four bytes each still fit a text of the specification
PAGE = 1000
_CERTIFICATE = "hub-certificate/"  # and the key id: 32 letters, as many as `values.name` takes


@dataclass(frozen=True, slots=True)
class AuditView:
    """An entry of a log that held, for showing; `action` in lower-case words."""

    number: int
    hash: bytes
    at_ns: int
    actor: str
    action: str
    detail: str
    subject: bytes | None
    recipient: bytes | None


def append(
    connection: Connection,
    keys: HubKeys,
    clock_ns: int,
    action: Action,
    actor: str,
    detail: str,
    subject: bytes | None = None,
    recipient: bytes | None = None,
) -> Head:
    """Append one entry in the caller's writing transaction, and return the log's new head.

    `clock_ns` is wall time. `actor` is who did it, in words; the console's gets the name of the member whose request
    it is. `subject` is what it was done to (the id of a clip, incident or camera, an envelope's hash), `recipient` for
    whom (a public key, 32 bytes), `detail` why and what, for a person. Neither words nor ids of what was seen belong
    into `detail`: the log is readable by whoever holds it.
    """
    before = head(connection)
    entry = LogEntry(
        number=before.number + 1,
        prev=before.hash,
        at_ns=max(0, clock_ns),
        actor=(at_console(ACTING.get()) if actor == CONSOLE else actor)[:MAX_ACTOR],
        action=action,
        subject=subject,
        recipient=recipient,
        detail=detail[:MAX_DETAIL],
    )
    signed = statement.sign(keys.operating, entry)
    now = Head(entry.number, entry_hash(signed))
    connection.execute(insert(audit).values(number=now.number, hash=now.hash, entry=signed))
    _keep_certificate(connection, keys)
    return now


def at_console(person: Person | None) -> str:
    """What the log calls whoever is at the console; the owner isn't named."""
    return CONSOLE if person is None or person.role is Role.OWNER else f"{CONSOLE}: {person.name}"


def opened(store: Store, keys: HubKeys, clock: Clock, detail: str, subject: bytes, actor: str = OWNER) -> None:
    """An entry of its own, before something that was opened is shown to a person: no entry, no picture.

    Raises:
        StorageError: it can't be written.
    """
    with store.writing() as connection:
        append(connection, keys, clock.wall_ns(), Action.OPENED, actor, detail, subject)


def head(connection: Connection) -> Head:
    """Number and hash of the newest entry."""
    query = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return NO_ENTRY if row is None else Head(row.number, row.hash)


def entries(connection: Connection, after: int = 0) -> Iterator[bytes]:
    """The signed entries with numbers above `after`, oldest first, as they are stored."""
    while True:
        query = select(audit.c.number, audit.c.entry).where(audit.c.number > after).order_by(audit.c.number)
        rows = connection.execute(query.limit(PAGE)).all()
        if not rows:
            return
        for row in rows:
            yield row.entry
        after = rows[-1].number


def views(log: Log) -> tuple[AuditView, ...]:
    """Its entries, oldest first."""
    names = [*(one.prev for one in log.entries[1:]), log.head.hash]
    return tuple(
        AuditView(
            number=one.number,
            hash=name,
            at_ns=one.at_ns,
            actor=one.actor,
            action=one.action.name.lower(),
            detail=one.detail,
            subject=one.subject,
            recipient=one.recipient,
        )
        for one, name in zip(log.entries, names[: len(log.entries)], strict=True)
    )


def certificates(connection: Connection, keys: HubKeys) -> tuple[bytes, ...]:
    """The statements by which the owner root certified the hubs that have signed entries, this one included."""
    kept = tables.values
    query = select(kept.c.value).where(kept.c.name.startswith(_CERTIFICATE, autoescape=True)).order_by(kept.c.name)
    found = list(connection.execute(query).scalars())
    return tuple(found if keys.certificate in found else [*found, keys.certificate])


def hubs(root_public: bytes, signed: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The operating keys (32 bytes) that `signed`, hub certificates, name.

    Raises:
        EnvelopeError: one isn't by that root.
    """
    return tuple(statement.read(one, root_public, HubCertificate).hub for one in signed)


def _keep_certificate(connection: Connection, keys: HubKeys) -> None:
    name = _CERTIFICATE + keys.operating.kid.hex()
    kept = tables.values
    if connection.execute(select(kept.c.name).where(kept.c.name == name)).first() is None:
        connection.execute(insert(kept).values(name=name, value=keys.certificate))
