"""What hubs of one home say to each other: another hub asks for the events it missed, the home hub sends them.

An ask counts by its signature, of a hub in the recipient set in force; what goes back is the sealed envelopes as they
came, slowly, so that live events never wait behind it. What was deleted is asked for on the same way, and told by
`deletions_told`. Implements design/wire.md section 6, `ask`, and design/pipeline.md, "Two hubs".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sqlalchemy import Connection, select

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.statement_kinds import MAX_SEGMENTS, Ask, Kind
from sealcam_hub.deletions_told import DeletionsTold, other_hub
from sealcam_hub.keys import HubKeys
from sealcam_hub.newest import Newest
from sealcam_hub.registry import Standing
from sealcam_hub.store import Store
from sealcam_hub.tables import APPENDED, LATE, MAX_INT, cameras, envelopes, events

MAX_ASKED = MAX_SEGMENTS  # events in one ask
PACE = 32  # envelopes at once, four times a second
PACE_BYTES = 1 << 20
WAIT_NS = 5_000_000_000  # what is on its way comes by itself
AGAIN_NS = 30_000_000_000
_KIND = slice(4, 5)  # of a statement: it only says which question is the newer one
PATIENCE = 2_880  # asks for one run, a day's: a home hub that is only off for a while still answers


class Exchange:
    """One hub's side of it: answers while it is the home hub, asks while it isn't."""

    def __init__(
        self, store: Store, keys: HubKeys, patience: int = PATIENCE, told: DeletionsTold | None = None
    ) -> None:
        self._store = store
        self._patience = patience
        self._keys = keys
        self._told = told
        self._asks, self._since = Newest(), Newest()  # for events; for deletions
        self._owed: dict[bytes, tuple[str, deque[bytes]]] = {}  # by hub: its link, the hashes it shall have
        self._asked: dict[str, tuple[int, int, int]] = {}  # alias: first missing event, when to ask for it, times asked

    def hear(self, link: str, message: bytes) -> None:
        """Something came on that link's topic; may be called from any thread."""
        since = message[_KIND] == bytes([Kind.DELETED_SINCE])
        (self._since if since else self._asks).put(link, message)

    def answers(self, now_ns: int) -> list[tuple[str, bytes]]:
        """Link and message of what goes out now (time since boot): `alias 16 | envelope`, or a statement.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        due, since = self._asks.due(now_ns), self._since.due(now_ns)
        if not (due or since or self._owed) or not self._keys.is_home:
            return []
        told = [] if self._told is None else [(link, self._told.answer(one)) for link, one in since.items()]
        with self._store.reading() as connection:
            for link, message in due.items():
                self._read(connection, link, message)
            return [(link, one) for link, one in told if one is not None] + self._next(connection)

    def _read(self, connection: Connection, link: str, message: bytes) -> None:
        """Owe a hub what it asks for, instead of what it asked for before."""
        asker = other_hub(self._keys, message)
        if asker is None:
            return
        try:
            ask = statement.read(message, asker, Ask)
        except EnvelopeError:
            return
        kept = select(events.c.hash).join(cameras).where(cameras.c.kid == ask.camera, ~cameras.c.expelled)
        kept = kept.where(events.c.status.in_((APPENDED, LATE))).order_by(events.c.seq)
        wanted = [seq for run in ask.runs if run.last <= MAX_INT for seq in range(run.first, run.last + 1)]
        self._owed[asker] = (link, deque(connection.execute(kept.where(events.c.seq.in_(wanted))).scalars()))

    def _next(self, connection: Connection) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        size = 0
        query = (
            select(envelopes.c.sealed, cameras.c.alias).join(events, events.c.hash == envelopes.c.hash).join(cameras)
        )
        for hub, (link, owed) in list(self._owed.items()):
            while owed and len(found) < PACE and size < PACE_BYTES:
                row = connection.execute(query.where(envelopes.c.hash == owed.popleft())).one_or_none()
                if row is not None:
                    found.append((link, row.alias.encode() + row.sealed))
                    size += len(row.sealed)
            if not owed:
                del self._owed[hub]
        return found

    def questions(self, standings: Iterable[Standing], now_ns: int) -> list[bytes]:
        """Asks for what has been missing for a while; nothing while this is the home hub. Times since boot."""
        found = []
        for one in standings:
            gap = one.chain.gap(one.life.newest_seq)
            if self._keys.is_home or gap is None or one.camera.left:
                self._asked.pop(one.camera.alias, None)
                continue
            first, last = gap
            before, due_ns, times = self._asked.get(one.camera.alias, (0, 0, 0))
            if before != first:  # new, or being filled
                due_ns, times = now_ns + WAIT_NS, 0
            if now_ns >= due_ns:
                run = Run(first=first, last=min(last, first + MAX_ASKED - 1))
                found.append(statement.sign(self._keys.operating, Ask(camera=one.camera.kid, runs=(run,))))
                due_ns, times = now_ns + AGAIN_NS, times + 1
            self._asked[one.camera.alias] = (first, due_ns, times)
        return found

    def hopeless(self) -> list[tuple[str, int]]:
        """Alias and first event of what was asked for in vain for so long that the home hub has deleted it."""
        found = [(alias, first) for alias, (first, _, times) in self._asked.items() if times > self._patience]
        for alias, first in found:
            self._asked[alias] = (first, self._asked[alias][1], 0)
        return found
