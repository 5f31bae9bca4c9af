"""Another hub's side of deleting everywhere: asks the home hub what it deleted, does the same, and says so.

The question is the confirmation: it names the newest deletion that was done here. Each has a key of its own, so that
no answer counts twice or for a later one. What is told is remembered before anything is deleted, and the number moves
on after it: a crash or a full disk between leaves a question that asks for the same again. Implements design/wire.md
section 6.2; `deletions_told` is the other side.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from sqlalchemy import Connection, or_, select

from sealcam.wire import statement
from sealcam.wire.deleted import DeletedList, DeletedPart, open_list
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import BoxKey, key_id
from sealcam.wire.statement_kinds import DeletedSince, Deletions
from sealcam_hub import deletion_marks
from sealcam_hub.deletion import Part
from sealcam_hub.deletions_told import NONE
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.ledger import incident_id
from sealcam_hub.rekey import put
from sealcam_hub.tables import MAX_INT, cameras, clips, content_keys, events, values

_log = logging.getLogger(__name__)

ASK_NS = 30_000_000_000
WAIT_S = 5.0
ACTOR = "home hub"  # in the log: by whose word something was deleted here
_ROW = "deleted-as-home"  # in `values`: the home hub's key id 8, number u64, mark 8


class DeletionsHeard:
    """Call `hear` from the link's thread and `run_once` for ever from one other; `ask` sends the home hub a message."""

    def __init__(self, home: Home, feed: Feed, ask: Callable[[bytes], bool]) -> None:
        self._home, self._feed, self._ask = home, feed, ask
        self._news = threading.Event()
        self._message: deque[bytes] = deque(maxlen=1)
        self._key: BoxKey | None = None  # of the newest question, until it is answered
        self._due_ns = 0
        self._failing = False

    def hear(self, message: bytes) -> None:
        """A statement came from the home hub; the newest counts."""
        self._message.append(message)
        self._news.set()

    def wait(self, seconds: float) -> None:
        """Until one has come, or so long."""
        self._news.wait(seconds)

    def run_once(self) -> None:
        """Do what was told, and ask what is due. A ledger that can't be written is told once, and tried again."""
        self._news.clear()
        message = self._message.popleft() if self._message else None
        if self._home.keys.is_home:
            return
        try:
            if message is not None and self._obeyed(message):
                self._due_ns, self._failing = 0, False
            now_ns = self._home.clock.boot_ns()
            if now_ns >= self._due_ns and self._ask(self._question()):
                self._due_ns = now_ns + ASK_NS
        except StorageError as error:
            if not self._failing:
                _log.warning("what the home hub deleted can't be deleted here yet: %s; %s", error, error.hint)
            self._failing = True

    def _question(self) -> bytes:
        keys = self._home.keys
        with self._home.store.reading() as connection:
            done, mark = _done(connection, key_id(keys.chosen.home_hub))
        self._key = BoxKey.generate()
        said = DeletedSince(home=key_id(keys.chosen.home_hub), done=done, mark=mark, public=self._key.public)
        return statement.sign(keys.operating, said)

    def _obeyed(self, message: bytes) -> bool:
        """Whether it was the answer to the newest question, and is done.

        Raises:
            StorageError: it isn't done, and isn't confirmed.
        """
        key, keys, store = self._key, self._home.keys, self._home.store
        try:
            said = statement.read(message, keys.chosen.home_hub, Deletions)
            if key is None or said.to != keys.kid:
                return False
            told = open_list(said.sealed, key)
        except EnvelopeError:
            return False
        by = key_id(keys.chosen.home_hub)
        with store.reading() as connection:
            done, _ = _done(connection, by)
        if told.after not in (0, done) or told.until > MAX_INT:
            return False
        self._key = None
        with store.writing() as connection:
            deletion_marks.keep(connection, told.parts)
        self._delete(told)
        with store.writing() as connection:
            put(connection, _ROW, by + told.until.to_bytes(8, "big") + told.mark)
        return True

    def _delete(self, told: DeletedList) -> None:
        with self._home.store.reading() as connection:
            found = [one for part in told.parts if (one := _here(connection, part)) is not None]
            named = {row.id: row.alias for row in connection.execute(select(cameras.c.id, cameras.c.alias))}
        if not found:
            return
        self._home.deleter().delete_parts(found, ACTOR)
        for one in found:
            self._feed.publish(f"incident/{incident_id(named[one.camera], one.incident)}")


def _here(connection: Connection, part: DeletedPart) -> Part | None:
    """What this hub has of what the home hub deleted; none where that is nothing."""
    camera = connection.execute(select(cameras.c.id).where(cameras.c.kid == part.camera)).scalar()
    if camera is None:
        return None
    query = select(events.c.hash, events.c.seq).join(content_keys, content_keys.c.hash == events.c.hash)
    rows = connection.execute(query.where(events.c.camera == camera, events.c.incident == part.incident)).all()
    doomed = tuple(row.hash for row in rows if deletion_marks.covers(part, row.seq))
    of = clips.c.camera == camera, clips.c.wrapped.is_not(None)
    named = or_(clips.c.clip.in_(part.clips), clips.c.event.in_(doomed))
    keyed = tuple(connection.execute(select(clips.c.clip).where(*of, named).order_by(clips.c.clip)).scalars())
    return Part(camera, part.incident, doomed, keyed) if doomed or keyed else None


def _done(connection: Connection, by: bytes) -> tuple[int, bytes]:
    """Number and mark of the newest deletion of that home hub (key id) that was done here; 0 for none."""
    kept = connection.execute(select(values.c.value).where(values.c.name == _ROW)).scalar() or b""
    return (int.from_bytes(kept[8:16], "big"), kept[16:]) if kept[:8] == by else (0, NONE)
