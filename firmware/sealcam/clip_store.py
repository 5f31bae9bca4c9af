"""What is kept of the camera's clips: so many bytes, and what matters least goes first, never in silence.

An index beside the clips knows what each is worth: its incident's verdict, locked, so that a card alone doesn't tell.
What the index doesn't know (it was lost, or the power was cut) is kept as if it were a threat's. It also remembers what
the hub has whole, what rests, and what the owner asked for (`kept`). Files are `clips`', when one begins is the
`recorder`'s, which goes to the hub next `sending`'s. design/clips.md, store and transfer.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sealcam import storage
from sealcam.clips import ClipFolder, Fate
from sealcam.kept import Kept, Rank, Sent, first_to_go, packed, unpacked
from sealcam.openclip import Recorded
from sealcam.shelf import Shelf
from sealcam.told_storage import storage_of
from sealcam.wire.bodies import Storage
from sealcam.wire.errors import StorageError
from sealcam.wrapping import Wrapping

_SCHEMA = """
CREATE TABLE clips (clip BLOB PRIMARY KEY, turn INTEGER NOT NULL, size INTEGER NOT NULL, worth BLOB NOT NULL,
    going INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID"""
_VERSION = 1
# What is left free on the disk for everything else: above all for the events.
SPARE_BYTES = 96 << 20
MOST_UNWANTED = 2000  # clips that were to be forgotten and aren't here: one of them may still be recorded


class ClipStore:
    """The clips in a folder whose end was told; `say` tells what became of one. Thread-safe.

    `on_change` is called without a lock after something about them has changed. The lock is held for one write of the
    index at a time, never while files are deleted: the link's thread asks in between.
    """

    def __init__(
        self,
        path: Path,
        folder: ClipFolder,
        wrapping: Wrapping,
        *,
        max_bytes: int,
        say: Callable[[Fate], None],
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the index at `path`; a damaged one is moved aside, and `lost` says so.

        Raises:
            StorageError: it can't be opened.
        """
        self._path, self._folder, self._wrapping, self._say = path, folder, wrapping, say
        self._max_bytes, self._free_bytes = max_bytes, free_bytes
        self._on_change = on_change
        self._lock = threading.Lock()
        self._unwanted: OrderedDict[bytes, None] = OrderedDict()
        self.lost = False
        self.changes = 0
        """Rises with every change."""
        try:
            self._open()
        except storage.Damaged:
            path.replace(path.with_suffix(".damaged"))
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            self.lost = True
            self._open()

    def _open(self) -> None:
        self._db = storage.open_alone(self._path, _SCHEMA, _VERSION)
        try:
            with storage.errors(self._path):
                rows = self._db.execute("SELECT clip, turn, size, worth FROM clips").fetchall()
        except storage.Damaged:
            self._db.close()
            raise
        kept = {clip: self._unlocked(turn, size, worth) for clip, turn, size, worth in rows}
        self._kept = Shelf(first_to_go, kept.items())
        self._turn = max((one.turn for one in kept.values()), default=0)
        self._asked = max((one.asked for one in kept.values()), default=0)

    @property
    def size_bytes(self) -> int:
        """What all clips take."""
        with self._lock:
            return self._kept.size_bytes

    def told(self) -> Storage | None:
        """What a beat says of the disk and of the clips on it; none where the disk can't be asked."""
        try:
            disk, free = shutil.disk_usage(self._path.parent).total, self._free_bytes(self._path.parent)
        except OSError:
            return None
        return storage_of(disk, free, self.size_bytes, self._max_bytes)

    def clips(self) -> dict[bytes, Kept]:
        """All of them, by id, as they are now."""
        with self._lock:
            return self._kept.copy()

    def find(self, clip: bytes) -> Kept | None:
        """One of them."""
        with self._lock:
            return self._kept.get(clip)

    def note(self, clip: bytes, sent: Sent) -> None:
        """The hub has it whole, or doesn't want it: then nobody asks for it any more. Nothing if it isn't there.

        Raises:
            StorageError: the disk is full or broken: a restart won't know it.
        """
        with self._lock:
            one = self._kept.get(clip)
            if one is not None:
                self._put(clip, replace(one, sent=sent, asked=0))
        self._changed()

    def ask(self, clips: Sequence[bytes]) -> tuple[bytes, ...]:
        """The owner wants these at the hub, whatever was before; which of them are here.

        Raises:
            StorageError: the disk is full or broken: a restart won't know it.
        """
        found = []
        for clip in clips:
            with self._lock:
                one = self._kept.get(clip)
                if one is not None:
                    self._asked += 1
                    self._put(clip, replace(one, sent=Sent.NOT, asked=self._asked))
                    found.append(clip)
        self._changed()
        return tuple(found)

    def forget(self, clips: Sequence[bytes]) -> int:
        """Delete these, as their owner has; how many are gone now.

        One that isn't here, perhaps since it is still recorded, goes once it is.

        Raises:
            StorageError: the disk is broken.
        """
        found = 0
        for clip in clips:
            with self._lock:
                here = self._kept.get(clip) is not None
                if here:
                    with storage.errors(self._path):
                        self._db.execute("UPDATE clips SET going = 1 WHERE clip = ?", (clip,))
                else:
                    self._unwanted[clip] = None
                    if len(self._unwanted) > MOST_UNWANTED:
                        self._unwanted.popitem(last=False)
            if here:
                self._let_go(clip, told=False)  # who asked for it is told by the answer
                found += 1
        return found

    def _changed(self) -> None:
        with self._lock:
            self.changes += 1
        self._on_change()

    def close(self) -> None:
        """Let go of the index."""
        self._db.close()

    def take_stock(self) -> None:
        """Compare the index with the folder: finish what was being evicted, tell what has vanished, take up the rest.

        Raises:
            StorageError: the disk is full or broken.
        """
        with self._lock, storage.errors(self._path):
            going = self._db.execute("SELECT clip FROM clips WHERE going").fetchall()
        for (clip,) in going:
            self._let_go(clip)
        there = self._folder.ids()
        known = self.clips().keys()
        for clip in sorted(known - there):
            self._let_go(clip)
        new = sorted((*self._folder.written(clip), clip) for clip in there - known)
        with self._lock, storage.transaction(self._db, self._path):
            for _, size, clip in new:
                self._put(clip, Kept(self._next_turn(), size))
        self._changed()

    def keep(self, recorded: Sequence[Recorded]) -> None:
        """Take up clips that have ended; earlier ones of their incident are worth as much from now on.

        Raises:
            StorageError: the disk is full or broken.
        """
        for one in recorded:
            incident, rank = bytes.fromhex(one.incident), Rank[one.verdict.name]
            size = self._folder.size_of(one.clip)
            with self._lock, storage.transaction(self._db, self._path):
                for clip, earlier in self._kept.of(incident):
                    if earlier.rank < rank:
                        self._put(clip, replace(earlier, rank=rank))
                self._put(one.clip, Kept(self._next_turn(), size, rank, incident))
                unwanted = one.clip in self._unwanted
            self._folder.growing.ended(one.clip)
            self._changed()
            if unwanted:
                self.forget([one.clip])

    def make_room(self, need_bytes: int) -> None:
        """See to it that so many bytes more may be written, if need be by evicting clips; each is told.

        Raises:
            StorageError: there is no room although no clip is left, or the disk is broken.
        """
        while self.size_bytes + need_bytes > self._max_bytes or self._free() < need_bytes + SPARE_BYTES:
            with self._lock:
                clip = self._kept.first()
            if clip is None:
                hint = "make room on it: clips are recorded again when there is some"
                raise StorageError(f"the disk of {self._path.parent} has no room for clips", hint)
            with self._lock, storage.errors(self._path):
                self._db.execute("UPDATE clips SET going = 1 WHERE clip = ?", (clip,))
            self._let_go(clip)

    def _free(self) -> int:
        try:
            return self._free_bytes(self._path.parent)
        except OSError as error:
            raise StorageError(
                f"can't ask for the room on the disk of {self._path.parent}: {error.strerror}"
            ) from error

    def _let_go(self, clip: bytes, *, told: bool = True) -> None:
        """Delete it, tell that, forget it: in this order, so that a crash in between tells it again."""
        fate = self._folder.delete(clip)
        if told:
            self._say(fate)
        with self._lock, storage.errors(self._path):
            self._db.execute("DELETE FROM clips WHERE clip = ?", (clip,))
            self._kept.pop(clip)
        self._changed()

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    def _put(self, clip: bytes, one: Kept) -> None:
        worth = self._wrapping.lock(packed(one))
        row = (clip, one.turn, one.size, worth)
        with storage.errors(self._path):
            self._db.execute(
                "INSERT INTO clips (clip, turn, size, worth) VALUES (?, ?, ?, ?) ON CONFLICT (clip) DO UPDATE"
                " SET turn = excluded.turn, size = excluded.size, worth = excluded.worth",
                row,
            )
        self._kept.put(clip, one)

    def _unlocked(self, turn: int, size: int, worth: bytes) -> Kept:
        plain = self._wrapping.unlock(worth)
        return Kept(turn, size) if plain is None else unpacked(turn, size, plain)  # none: locked under another key
