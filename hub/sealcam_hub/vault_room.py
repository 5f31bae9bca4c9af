"""How much room the vault's clips may take, what they take, and what happens when there is none left.

By default nothing ever goes: a clip that finds no room stays on its camera, and the owner is told. Only where he chose
so the oldest clips of incidents that were no threat give way, and he is told that as well. In any case the disk keeps
room for the ledger, since events go before clips. design/clips.md, "Vault".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from sealcam_hub import vault_rows
from sealcam_hub.clock import Clock
from sealcam_hub.ledger import Ledger, incident_id
from sealcam_hub.rekey import put
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, clips, incidents, values, vault
from sealcam_hub.vault_files import VaultFiles
from sealcam_hub.vault_rows import Kept

MOST_BYTES = 100_000_000_000  # until its owner says otherwise: 74 hours of incidents at a camera's default budget
LEDGER_BYTES = 1 << 30  # of the disk, that no clip takes
EACH_BYTES = 4096  # a file takes so much of a disk beyond its length: many small clips are a lot as well
COUNTED_NS = 10_000_000_000  # how old the count may be: other processes delete
PAGE = 64
_MOST, _YIELDS = "vault-most-bytes", "vault-yields"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner chose: at most so many bytes; `yields`: what was no threat gives way, the oldest first."""

    most_bytes: int = MOST_BYTES
    yields: bool = False


def rules(connection: Connection) -> Rules:
    """What the owner chose."""
    found = {
        row.name: row.value for row in connection.execute(select(values).where(values.c.name.in_((_MOST, _YIELDS))))
    }
    most = int.from_bytes(found[_MOST], "big") if _MOST in found else MOST_BYTES
    return Rules(most, found.get(_YIELDS) == b"\1")


def choose(connection: Connection, chosen: Rules) -> None:
    """Keep what the owner chooses, in the caller's writing transaction."""
    put(connection, _MOST, chosen.most_bytes.to_bytes(8, "big"))
    put(connection, _YIELDS, bytes([chosen.yields]))


def used_bytes(connection: Connection, files: VaultFiles) -> int:
    """What the clips take, those that are coming included."""
    count, size = vault_rows.counted(connection)
    parts = select(vault.c.clip).where(vault.c.state.not_in((int(Kept.WHOLE), int(Kept.DROPPED))))
    coming = [files.size(clip) for clip in connection.execute(parts).scalars()]
    return size + sum(coming) + EACH_BYTES * (count + sum(map(bool, coming)))


@dataclass(frozen=True, slots=True)
class GaveWay:
    """A clip that was deleted to make room; its camera's row."""

    camera: int
    clip: bytes


@dataclass(slots=True)
class Room:
    """The vault's room, as the one who fills it sees it; one thread."""

    store: Store
    files: VaultFiles
    ledger: Ledger
    clock: Clock
    _used: int = 0
    _rules: Rules = field(default_factory=Rules)
    _counted_ns: int = -COUNTED_NS
    _stay: set[bytes] = field(default_factory=set)  # what was a threat, or can't be told: it never gives way

    def left(self) -> int:
        """Bytes that there is room for.

        Raises:
            StorageError: the ledger can't be read.
            OSError: the disk fails.
        """
        now_ns = self.clock.boot_ns()
        if now_ns - self._counted_ns >= COUNTED_NS:
            self._counted_ns = now_ns
            with self.store.reading() as connection:
                self._rules, self._used = rules(connection), used_bytes(connection, self.files)
        return min(self._rules.most_bytes - self._used, self.files.free_bytes() - LEDGER_BYTES)

    def took(self, size: int) -> None:
        """So many bytes were written."""
        self._used += size

    def make(self, size: int) -> tuple[bool, tuple[GaveWay, ...]]:
        """Whether there is room for `size` bytes, and what had to give way for that.

        Raises:
            StorageError: the ledger can't be read or written.
            OSError: the disk fails.
        """
        gone: list[GaveWay] = []
        if self.left() >= size:
            return True, ()
        for one, freed in self._yielding() if self._rules.yields else ():
            with self.store.writing() as connection:
                vault_rows.put(connection, one.camera, one.clip, Kept.DROPPED, self.clock.wall_ns(), size=0)
            self.files.remove(one.clip)
            self._used -= freed + EACH_BYTES
            gone.append(one)
            if self.left() >= size:
                return True, tuple(gone)
        return False, tuple(gone)

    def _yielding(self) -> Iterator[tuple[GaveWay, int]]:
        """What may give way and its size, the oldest first."""
        query = (
            select(
                vault.c.clip, vault.c.camera, vault.c.size, clips.c.incident, cameras.c.alias, incidents.c.arrived_ns
            )
            .join(clips, clips.c.clip == vault.c.clip)
            .join(incidents, (incidents.c.camera == clips.c.camera) & (incidents.c.incident == clips.c.incident))
            .join(cameras, cameras.c.id == clips.c.camera)
            .where(vault.c.state == int(Kept.WHOLE))
            .order_by(incidents.c.arrived_ns, vault.c.clip)
        )
        after: tuple[int, bytes] = (-1, b"")
        while True:
            beyond = (incidents.c.arrived_ns > after[0]) | (
                (incidents.c.arrived_ns == after[0]) & (vault.c.clip > after[1])
            )
            with self.store.reading() as connection:
                rows = connection.execute(query.where(beyond).limit(PAGE)).all()
            for row in rows:
                if row.clip not in self._stay:
                    if self._was_no_threat(incident_id(row.alias, row.incident)):
                        yield GaveWay(row.camera, row.clip), row.size
                    else:
                        self._stay.add(row.clip)
            if len(rows) < PAGE:
                return
            after = (rows[-1].arrived_ns, rows[-1].clip)

    def _was_no_threat(self, incident: str) -> bool:
        view = self.ledger.incident(incident)
        return view is not None and not view.open and all(one.verdict != "threat" for one in view.reports)
