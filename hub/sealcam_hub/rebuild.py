"""Rebuilds the ledger of a lost hub from its backup, with the recovery key: through the ordinary receiving code.

Every event is verified under the key that its camera had then and takes its place in the chain as if it had just
come, so a backup that lies can add nothing that no camera signed. Where an event was deleted, its place alone comes
back, on the lost hub's word: one that lied could pass off an event that it hid as a deleted one. The audit log goes
on behind its old entries. Implements design/wire.md 10.3; what cameras still have queued is `recovery`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import insert, select, update

from sealcam.wire.audit import entry_hash
from sealcam.wire.errors import StorageError
from sealcam.wire.sealed import GENESIS
from sealcam_hub import prekeys, tables
from sealcam_hub.backup_file import Backup, SavedCamera, SavedEpoch, SavedEvent
from sealcam_hub.clock import Clock
from sealcam_hub.expulsion import expel
from sealcam_hub.inbox import Message
from sealcam_hub.keys import HubKeys
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from sealcam_hub.recovery import begin, end
from sealcam_hub.rekey import Told, put
from sealcam_hub.store import Store
from sealcam_hub.tables import APPENDED, cameras, epochs, events, journal

AT_ONCE = 256
_KEPT = (What.APPENDED, What.PARKED, What.LATE, What.REPEAT)


@dataclass(slots=True)
class Tally:
    """What became of a backup's events: kept ones, places of deleted ones, and refused ones, by outcome."""

    kept: int = 0
    places: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """A new hub that takes an old one's place; `keys.recovery` is set."""

    store: Store
    keys: HubKeys
    clock: Clock

    def rebuild(self, backup: Backup, told: Told = lambda _done, _all: None) -> Tally:
        """Take everything in. May be run again over the same ledger: what is there already is left as it is.

        Raises:
            StorageError: the backup is damaged, or the disk full.
        """
        self._cameras(backup)
        self._audit(backup)
        aliases = {one.kid: one.alias for one in backup.cameras}
        receiver = Receiver(self.store, self.keys, self.clock)
        total, done, tally = sum(1 for _ in backup.events()), 0, Tally()
        for kid, found in groupby(backup.events(), lambda one: one.camera):
            if kid not in aliases:
                raise StorageError(f"{backup.path} has events of a camera that it doesn't name")
            for some in _batches(found):
                self._take(receiver, aliases[kid], some, tally)
                done += len(some)
                told(done, total)
        self._expel([one.alias for one in backup.cameras if one.expelled])
        return tally

    def _expel(self, aliases: list[str]) -> None:
        """What an expelled camera said before stays; it says no more."""
        with self.store.writing() as connection:
            for alias in aliases:
                expel(connection, alias)
                end(connection, alias)

    def _take(self, receiver: Receiver, alias: str, some: list[SavedEvent], tally: Tally) -> None:
        if not some[0].sealed:
            for one in some:
                tally.places += self._place(alias, one)
            return
        outcomes = receiver.take_all([Message(alias, one.sealed, one.arrived_ns) for one in some])
        tally.kept += sum(one.what in _KEPT for one in outcomes)
        tally.refused += sum(one.what not in _KEPT for one in outcomes)

    def _place(self, alias: str, one: SavedEvent) -> bool:
        """Give a deleted event its place at the head of its camera's chain; the lost hub alone vouches for it."""
        with self.store.writing() as connection:
            row = connection.execute(select(cameras).where(cameras.c.alias == alias)).one()
            if row.head_seq != one.seq - 1 or row.head_hash != one.prev:
                return False
            values = {"hash": one.hash, "camera": row.id, "seq": one.seq, "prev": one.prev, "kind": one.kind}
            values |= {"epoch": one.epoch, "arrived_ns": one.arrived_ns, "status": APPENDED, "incident": None}
            connection.execute(insert(events).values(**values))
            connection.execute(insert(journal).values(event=one.hash, notice=None))
            moved = update(cameras).where(cameras.c.id == row.id).values(head_seq=one.seq, head_hash=one.hash)
            connection.execute(moved.values(revision=cameras.c.revision + 1))
        return True

    def _cameras(self, backup: Backup) -> None:
        with self.store.writing() as connection:
            there = set(connection.execute(select(cameras.c.kid)).scalars())
            for one in backup.cameras:
                if one.kid in there:
                    continue
                first = _first_epoch(backup, one)
                signs = {"public": first.public, "command": first.command, "epoch": first.epoch}
                row = insert(cameras).values(alias=one.alias, name=one.name, kid=one.kid, head_hash=GENESIS, **signs)
                row = row.values(enrolled_ns=one.enrolled_ns, gone=one.gone)
                key = connection.execute(row).inserted_primary_key
                identity = int(key[0]) if key is not None else 0
                since = insert(epochs).values(camera=identity, after_seq=first.after_seq, **signs)
                connection.execute(since.values(since_ns=self.clock.wall_ns()))
                prekeys.issue(connection, self.keys, identity, one.prekey + 1, self.clock.wall_ns())
                begin(connection, one.alias)

    def _audit(self, backup: Backup) -> None:
        with self.store.writing() as connection:
            if connection.execute(select(tables.audit.c.number).limit(1)).first() is not None:
                return
            for number, entry in enumerate(backup.audit(), 1):
                row = insert(tables.audit).values(number=number, hash=entry_hash(entry), entry=entry)
                connection.execute(row)
            for name, certificate in backup.certificates.items():
                put(connection, name, certificate)


def _first_epoch(backup: Backup, camera: SavedCamera) -> SavedEpoch:
    if not camera.epochs:
        raise StorageError(f"{backup.path} doesn't say which keys {camera.name!r} had", "the backup is of no use")
    return camera.epochs[0]


def _batches(found: Iterable[SavedEvent]) -> Iterator[list[SavedEvent]]:
    """Neighbours of one kind, sealed or not, at most `AT_ONCE`."""
    some: list[SavedEvent] = []
    for one in found:
        if some and (len(some) == AT_ONCE or bool(some[0].sealed) != bool(one.sealed)):
            yield some
            some = []
        some.append(one)
    if some:
        yield some
