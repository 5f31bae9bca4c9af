"""The audit log as the console shows it: its newest entries, checked as they are read, and entries of its own.

Only what is shown is checked here, so that a page stays quick; the whole log is `sealcam-hub audit`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sealcam.wire.audit import Head, Log, entry_hash, read_entry
from sealcam.wire.errors import EnvelopeError
from sealcam_hub.audit import CONSOLE, AuditView, certificates, head, hubs, opened, views
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.store import Store
from sealcam_hub.tables import audit


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, newest first; `older` is the number below which the next page goes on, none where that was all.

    `holds` is false where one of them, or the link between two, is broken: `entries` are then those above it. `root`
    is the owner's fingerprint, under which a device pins the `head`.
    """

    entries: tuple[AuditView, ...]
    head: Head
    holds: bool
    older: int | None
    root: str


@dataclass(frozen=True, slots=True)
class AuditSource:
    """The audit log of one hub, for its pages."""

    store: Store
    keys: HubKeys
    clock: Clock

    def newest(self, limit: int, before: int | None = None) -> LogPage:
        """The newest `limit` entries, or those with numbers below `before`."""
        query = select(audit.c.number, audit.c.entry).order_by(audit.c.number.desc())
        if before is not None:
            query = query.where(audit.c.number < before)
        with self.store.reading() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
            signers, now = self._signers(connection), head(connection)
        first = now.number if before is None else min(now.number, before - 1)
        shown, holds = _checked([(row.number, row.entry) for row in rows], signers, first)
        holds = holds and (not shown or shown[-1].number == 1 or len(shown) > limit)
        older = shown[limit - 1].number if len(shown) > limit else None
        return LogPage(shown[:limit], now, holds, older, self.keys.root_fingerprint)

    def hash_of(self, number: int) -> bytes | None:
        """The hash of the entry that stands at a place, or none."""
        with self.store.reading() as connection:
            entry = connection.execute(select(audit.c.entry).where(audit.c.number == number)).scalar()
        return None if entry is None else entry_hash(entry)

    def looked(self, incident: str) -> None:
        """An entry: somebody looks at an incident in the console.

        Raises:
            StorageError: it can't be written.
        """
        subject = bytes.fromhex(incident[-16:])
        opened(self.store, self.keys, self.clock, "an incident and its pictures", subject, CONSOLE)

    def watched(self, clip: str) -> None:
        """An entry: somebody watches a clip in the console.

        Raises:
            StorageError: it can't be written.
        """
        opened(self.store, self.keys, self.clock, "a clip, watched", bytes.fromhex(clip), CONSOLE)

    def saved(self, clip: str) -> None:
        """An entry: somebody takes a clip out of its seal.

        Raises:
            StorageError: it can't be written.
        """
        opened(
            self.store, self.keys, self.clock, "a clip, saved as a file that isn't sealed", bytes.fromhex(clip), CONSOLE
        )

    def _signers(self, connection: Connection) -> tuple[bytes, ...]:
        return hubs(self.keys.root_public, certificates(connection, self.keys))


def _checked(
    rows: list[tuple[int, bytes]], signers: tuple[bytes, ...], first: int
) -> tuple[tuple[AuditView, ...], bool]:
    """The entries in `rows`, newest first, down to the first that doesn't read or follow; `first` is the newest's."""
    found: list[AuditView] = []
    wanted: bytes | None = None  # the hash that the entry above names
    for place, signed in rows:
        name = entry_hash(signed)
        try:
            item, _ = read_entry(signed, signers)
        except EnvelopeError:
            return tuple(found), False
        if item.number != place or place != first - len(found) or wanted not in (None, name):
            return tuple(found), False
        found.extend(views(Log((item,), (), Head(item.number, name))))
        wanted = item.prev
    return tuple(found), True
