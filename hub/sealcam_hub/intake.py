"""Takes clips in: pieces become files of the vault, and their cameras hear what is held (design/wire.md section 14).

A worker of its own, beside the one that writes the ledger: the link's thread only queues, and drops what finds no
place. What of a clip counts is `reception`'s to say; here it is written, synced, and only then said. Memory is bounded
by the clips that come at once, four of a camera: of others nothing is lost but what wasn't verified. Expelled cameras
aren't believed, deleted clips are refused, and what no event and no verified byte has told of leaves no trace. Knows no
MQTT.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from sealcam.wire import piece, statement
from sealcam.wire.clip import State
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.statement_kinds import ClipHeld
from sealcam_hub import vault_rows
from sealcam_hub.clock import Clock
from sealcam_hub.feed import Feed
from sealcam_hub.fetching import Fetching
from sealcam_hub.folder import Held
from sealcam_hub.intake_queue import Incoming, IntakeQueue
from sealcam_hub.intake_senders import Sender, Senders
from sealcam_hub.ledger import incident_id
from sealcam_hub.notices import NoticeKind, Why
from sealcam_hub.reception import Fed, Reception, Step
from sealcam_hub.rows import Rows
from sealcam_hub.rules_keeper import Keeper
from sealcam_hub.tables import clips
from sealcam_hub.vault import Vault
from sealcam_hub.vault_files import FileRange
from sealcam_hub.vault_room import Room
from sealcam_hub.vault_rows import Kept

_log = logging.getLogger(__name__)

AT_ONCE, AT_ONCE_OF_ONE = 32, 4  # clips in memory, each with a segment at most: 35 MB
FRESH_NS = 2_000_000_000  # how old what is known of a clip that isn't wanted may be: it may be asked for again
SAY_NS = 1_000_000_000  # between two words on one clip that tell nothing new
BEGINS_AGAIN_NS = 12_000_000_000  # the same, to a camera that begins again; it does so after 15 s at the earliest
TICK_NS = 60_000_000_000
ROOM_BYTES = 1 << 30  # so much must be free before clips that found no room are asked for again
DAY_NS = 86_400_000_000_000
Send = Callable[[str, bytes], bool]
"""Sends a camera, by its alias, a statement; false when that isn't possible now."""


@dataclass(slots=True)
class _Coming:
    """A clip that pieces name: its reception, or the word that answers each of them."""

    since_ns: int
    incident: str | None = None
    reception: Reception | None = None
    known: bool = False  # an event or the owner has told of it
    begun: bool = False  # its row and its file are there
    answer: tuple[int, bool] | None = None  # held, whole; not whole is a stop
    said_ns: int = -BEGINS_AGAIN_NS


class Intake:
    """Call `deliver` from the link's thread and `run_once` for ever from one other."""

    def __init__(
        self,
        vault: Vault,
        room: Room,
        fetching: Fetching,
        feed: Feed,
        clock: Clock,
        keeper: Keeper | None = None,
    ) -> None:
        self._vault, self._room, self._fetching, self._feed, self._clock = vault, room, fetching, feed, clock
        self._keeper = keeper
        self._queue = IntakeQueue()
        self._senders = Senders(vault.store, clock)
        self._coming: OrderedDict[tuple[str, bytes], _Coming] = OrderedDict()
        self._told: set[str] = set()
        self._ticked_ns, self._tried = clock.boot_ns(), Counter[str]()

    def deliver(self, alias: str, clip: bytes, payload: bytes) -> None:
        """Queue a message of a clip's topic, or drop it; never waits."""
        self._queue.put(Incoming(alias, clip, payload))

    def run_once(self, send: Send, wait_s: float) -> bool:
        """Take the next message, or wait for one; whether there was one.

        Raises:
            StorageError: the ledger is full or broken.
        """
        one = self._queue.get(wait_s)
        if one is not None:
            self._take(one, send)
        if self._clock.boot_ns() - self._ticked_ns >= TICK_NS:
            self._ticked_ns = self._clock.boot_ns()
            self._ask_again()
            if self._keeper is not None:
                with suppress(Held):  # somebody deletes just now: the next sweep is soon enough
                    self._keeper.sweep()
            if self._vault.keys.is_home:
                self._fetching.forgotten()
        return one is not None

    def _ask_again(self) -> None:
        try:
            room = self._room.left() >= ROOM_BYTES
        except StorageError:
            raise
        except OSError:
            room = False
        self._fetching.again(self._tried, room)

    def _take(self, one: Incoming, send: Send) -> None:
        sender = self._senders.find(one.alias)
        if sender is None or not self._vault.keys.is_home:
            return None
        try:
            came = piece.decode(one.payload)
        except EnvelopeError:
            return None
        coming = self._known(sender, one.clip)
        if coming.reception is None:
            if coming.answer is not None:
                self._say(sender, one.clip, coming, send, *coming.answer)
            return None
        if coming.reception.ended is not None:  # an earlier run had all of it, and only the name is missing
            return self._write(sender, one.clip, coming, Step(Fed.VERIFIED, coming.reception.held), send)
        if coming.said_ns < 0:  # the first of it since this hub's start: the camera may wait for a word
            self._say(sender, one.clip, coming, send, coming.reception.held)
        return self._fed(sender, one.clip, coming, coming.reception.feed(came, sender.signers), came.offset, send)

    def _fed(self, sender: Sender, clip: bytes, coming: _Coming, step: Step, offset: int, send: Send) -> None:
        """Do what follows from a piece."""
        assert coming.reception is not None
        match step.fed:
            case Fed.VERIFIED:
                self._write(sender, clip, coming, step, send)
            case Fed.MISPLACED | Fed.DAMAGED:
                self._say(sender, clip, coming, send, coming.reception.held)
            case Fed.REPEATED if offset == coming.reception.held:
                self._say(sender, clip, coming, send, coming.reception.held, gap_ns=BEGINS_AGAIN_NS)
            case Fed.STOPPED:
                self._stop(sender, clip, coming, Kept.DAMAGED, Why.DAMAGED, send)

    def _write(self, sender: Sender, clip: bytes, coming: _Coming, step: Step, send: Send) -> None:
        """Put what was verified on the disk; only then it is said."""
        files, reception = self._vault.files, coming.reception
        assert reception is not None
        try:
            # What only lacks its name takes no more room, however little is left.
            fits, gone = self._room.make(len(step.data)) if step.data else (True, ())
            for one in gone:
                self._tell(one.camera, Why.GAVE_WAY)
            if not fits:
                return self._stop(sender, clip, coming, Kept.FULL, Why.NO_ROOM, send)
            if not coming.begun and not self._begin(sender, clip):
                raise FileNotFoundError
            coming.begun = True
            files.append(clip, step.at, step.data)
            self._room.took(len(step.data))
            if reception.ended is not None:
                return self._finish(sender, clip, coming, reception.ended, send)
        except StorageError:
            raise
        except FileNotFoundError:  # deleted a moment ago: the next piece hears of it
            del self._coming[sender.alias, clip]
            return None
        except OSError as error:
            _log.warning("a clip can't be written: %s", error.strerror or error)
            return self._stop(sender, clip, coming, Kept.FULL, Why.DISK, send)
        self._published(coming)
        return self._say(sender, clip, coming, send, reception.held, gap_ns=0)

    def _begin(self, sender: Sender, clip: bytes) -> bool:
        """Make its row and its file, in one transaction, so that no deletion falls between; false for a deleted one."""
        with self._vault.store.writing() as connection:
            if vault_rows.is_deleted(connection, clip):
                return False
            vault_rows.put(connection, sender.id, clip, Kept.COMING, self._clock.wall_ns())
            self._vault.files.begin(clip)
        return True

    def _finish(self, sender: Sender, clip: bytes, coming: _Coming, ended: State, send: Send) -> None:
        assert coming.reception is not None
        size = coming.reception.held
        self._vault.files.finish(clip)
        with self._vault.store.writing() as connection:
            interrupted = ended is State.INTERRUPTED
            kept = vault_rows.whole(connection, clip, size, interrupted, self._clock.wall_ns())
        if not kept:
            self._vault.files.remove(clip)
            raise FileNotFoundError
        coming.reception, coming.answer = None, (size, True)
        coming.since_ns = self._clock.boot_ns()
        self._published(coming)
        self._say(sender, clip, coming, send, size, True, gap_ns=0)

    def _stop(self, sender: Sender, clip: bytes, coming: _Coming, kept: Kept, why: Why, send: Send) -> None:
        """It rests on its camera until it is asked for, and the owner is told."""
        held, counts = self._vault.files.size(clip), coming.known or coming.begun
        if counts:
            with self._vault.store.writing() as connection:
                if not vault_rows.is_deleted(connection, clip):
                    vault_rows.put(connection, sender.id, clip, kept, self._clock.wall_ns())
            self._tell(sender.id, why)
        coming.reception, coming.answer, coming.since_ns = None, (held, False), self._clock.boot_ns()
        self._published(coming)
        self._say(sender, clip, coming, send, held, gap_ns=0 if counts else SAY_NS)

    def _tell(self, camera: int, why: Why) -> None:
        """Tell the owner, once a day for each camera and reason."""
        now_ns = self._clock.wall_ns()
        mark = f"clip-{why}:{camera}:{now_ns // DAY_NS}"
        if mark in self._told:
            return
        self._told = {one for one in self._told if one.endswith(f":{now_ns // DAY_NS}")} | {mark}
        with self._vault.store.writing() as connection:
            rows = Rows(connection)
            rows.notice(camera, NoticeKind.CLIP, mark, 0, 0, now_ns, why)
            rows.write()
        self._feed.publish("notice")

    def _published(self, coming: _Coming) -> None:
        if coming.incident is not None:
            self._feed.publish(f"incident/{coming.incident}")

    def _say(
        self,
        sender: Sender,
        clip: bytes,
        coming: _Coming,
        send: Send,
        held: int,
        whole: bool = False,
        gap_ns: int = SAY_NS,
    ) -> None:
        """Say what is held, unless that was said less than `gap_ns` ago."""
        now_ns = self._clock.boot_ns()
        if gap_ns and (now_ns - coming.said_ns < gap_ns or not self._senders.may_hear(sender)):
            return
        coming.said_ns = now_ns
        stop = None if whole or coming.reception is not None else True
        said = ClipHeld(camera=sender.kid, clip=clip, held=held, whole=whole, stop=stop)
        send(sender.alias, statement.sign(self._vault.keys.operating, said))

    def _known(self, sender: Sender, clip: bytes) -> _Coming:
        name, now_ns = (sender.alias, clip), self._clock.boot_ns()
        coming = self._coming.get(name)
        if coming is None or (coming.reception is None and now_ns - coming.since_ns >= FRESH_NS):
            said_ns = coming.said_ns if coming is not None else -BEGINS_AGAIN_NS
            coming = self._coming[name] = self._looked_up(sender, clip)
            coming.said_ns = said_ns
            self._bound(sender.alias)
        self._coming.move_to_end(name)
        return coming

    def _bound(self, alias: str) -> None:
        """Forget the clip of that camera, or of all, of which nothing came for longest."""
        mine = [name for name in self._coming if name[0] == alias]
        for name in mine[:-AT_ONCE_OF_ONE]:
            del self._coming[name]
        while len(self._coming) > AT_ONCE:
            self._coming.popitem(last=False)

    def _looked_up(self, sender: Sender, clip: bytes) -> _Coming:
        """What the ledger and the folder say of a clip."""
        coming, files = _Coming(self._clock.boot_ns()), self._vault.files
        with self._vault.store.reading() as connection:
            owner, row = vault_rows.owner(connection, clip), vault_rows.kept(connection, clip)
            deleted = vault_rows.is_deleted(connection, clip)
            told = connection.execute(select(clips.c.incident).where(clips.c.clip == clip)).one_or_none()
        if owner not in (None, sender.id):
            return coming  # another camera's: not a word
        coming.known = told is not None or row is not None
        if told is not None and told.incident is not None:
            coming.incident = incident_id(sender.alias, told.incident)
        if deleted or (coming.incident and self._keeper and self._keeper.unwanted(coming.incident)):
            coming.answer = (0, False)
        elif row is not None and row.state != int(Kept.COMING):
            coming.answer = (row.size, True) if row.state == int(Kept.WHOLE) else (files.size(clip), False)
        else:
            coming.reception = self._resumed(sender, clip)
            coming.begun = row is not None and coming.reception.held > 0
        return coming

    def _resumed(self, sender: Sender, clip: bytes) -> Reception:
        """Go on from what an earlier run has left of it."""
        reception, files = Reception(clip), self._vault.files
        size = files.size(clip)
        if size:
            try:
                with files.opened(clip) as (handle, _whole):
                    reception.resume(FileRange(handle, size), sender.signers)
                files.truncate(clip, reception.held)
            except FileNotFoundError:  # deleted a moment ago
                return Reception(clip)
        return reception
