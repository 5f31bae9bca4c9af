"""What hubs of one home say to each other: another hub asks for the events it missed, the home hub sends them.

An ask counts by its signature, of a hub in the recipient set in force; what goes back is the sealed envelopes as they
came, slowly, so that live events never wait behind it. Implements design/wire.md section 6, `ask`, and
design/pipeline.md, "Two hubs".
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from sqlalchemy import Connection, select

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import MAX_SEGMENTS, Ask, RecipientKind
from sealcam_hub.keys import HubKeys
from sealcam_hub.registry import Standing
from sealcam_hub.store import Store
from sealcam_hub.tables import APPENDED, LATE, MAX_INT, cameras, envelopes, events

MAX_ASKED = MAX_SEGMENTS  # events in one ask
MAX_LINKS = 16  # as many hubs as a recipient set may have
READ_NS = 1_000_000_000  # between two asks of a link
PACE = 32  # envelopes at once, four times a second
PACE_BYTES = 1 << 20
WAIT_NS = 5_000_000_000  # what is on its way comes by itself
AGAIN_NS = 30_000_000_000
PATIENCE = 2_880  # asks for one run, a day's: a home hub that is only off for a while still answers


class Exchange:
    """One hub's side of it: answers while it is the home hub, asks while it isn't."""

    def __init__(self, store: Store, keys: HubKeys, patience: int = PATIENCE) -> None:
        self._store = store
        self._patience = patience
        self._keys = keys
        self._lock = threading.Lock()
        self._heard: dict[str, bytes] = {}  # by link: its newest ask
        self._read_ns: dict[str, int] = {}
        self._owed: dict[bytes, tuple[str, deque[bytes]]] = {}  # by hub: its link, the hashes it shall have
        self._asked: dict[str, tuple[int, int, int]] = {}  # alias: first missing event, when to ask for it, times asked

    def hear(self, link: str, message: bytes) -> None:
        """An ask came on that link's topic; may be called from any thread."""
        with self._lock:
            if link in self._heard or len(self._heard) < MAX_LINKS:
                self._heard[link] = message

    def answers(self, now_ns: int) -> list[tuple[str, bytes]]:
        """Link and message of what goes out now (time since boot): `alias 16 | envelope`.

        Raises:
            StorageError: the ledger can't be read.
        """
        due = self._due(now_ns)
        if not (due or self._owed) or not self._keys.is_home:
            return []
        with self._store.reading() as connection:
            for link, message in due.items():
                self._read(connection, link, message)
            return self._next(connection)

    def _due(self, now_ns: int) -> dict[str, bytes]:
        """The newest asks of links that have asked for nothing in the last second."""
        with self._lock:
            self._read_ns = {one: at_ns for one, at_ns in self._read_ns.items() if now_ns - at_ns < READ_NS}
            due = {one: message for one, message in self._heard.items() if one not in self._read_ns}
            for one in due:
                del self._heard[one]
                self._read_ns[one] = now_ns
        return due

    def _read(self, connection: Connection, link: str, message: bytes) -> None:
        """Owe a hub what it asks for, instead of what it asked for before."""
        others = (one.public for one in self._keys.chosen.recipients if one.kind is RecipientKind.HUB)
        asker = next((one for one in others if key_id(one) == message[5:13] != self._keys.kid), None)
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
