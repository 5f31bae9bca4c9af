"""Clips on their way to the hub: which goes next, from where on, and what to do when nobody answers.

One clip at a time, in pieces of its file (`wire.piece`), never more than two segments beyond what the hub has said that
it holds; its word is a signed statement, and `whole` is remembered. Nothing here is trusted to the post but the pace.
Which clips go by themselves is `sending_rules`', how large a piece is `cutting`'s, what is remembered `clip_store`'s.
Everything runs in the link's thread. design/clips.md, transfer; design/wire.md section 14.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder
from sealcam.cutting import Cut
from sealcam.freight import Load
from sealcam.kept import Kept, Sent
from sealcam.messages import Way
from sealcam.sending_rules import Rules
from sealcam.wire import piece
from sealcam.wire.clip_format import SCL1
from sealcam.wire.errors import StorageError
from sealcam.wire.piece import Piece
from sealcam.wire.statement_kinds import ClipHeld

_log = logging.getLogger(__name__)

_NS = 1_000_000_000
WINDOW_BYTES = 2 * SCL1.segment_bytes  # beyond what the hub holds
FIRST_WAIT_NS, LONGEST_WAIT_NS = 15 * _NS, 300 * _NS  # for a word of the hub, doubled each time
LOOK_NS = 60 * _NS  # how often the time of day is asked for


@dataclass(slots=True)
class _Transit:
    """One clip's way: what the hub holds, where the next piece begins, how often nobody answered, the last piece's
    time."""

    held: int = 0
    at: int = 0
    silences: int = 0
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a wish for clips: which are on their way, which are still being recorded, which aren't here."""

    coming: tuple[bytes, ...]
    running: tuple[bytes, ...]
    missing: tuple[bytes, ...]


class Sending:
    """The freight of clips. `night` says whether the window is open; `say` tells the owner, by a code and in words."""

    def __init__(
        self,
        store: ClipStore,
        folder: ClipFolder,
        rules: Rules,
        night: Callable[[], bool],
        say: Callable[[str, str], None],
    ) -> None:
        self._store, self._folder, self._rules, self._night, self._say = store, folder, rules, night, say
        self._cut = Cut()
        self._transits: dict[bytes, _Transit] = {}
        self._passed: set[bytes] = set()  # can't be read, or needn't be sent though the index doesn't know
        self._early: set[bytes] = set()  # asked for while they are recorded
        self._unwritten = False  # that they can't be is in the log
        self._current: bytes | None = None
        self._flying = Piece(0, 0, b"")
        self._given_ns = 0
        self._misses = 0  # how often in a row nobody answered
        self._rest_until_ns = 0
        self._due_ns: int | None = 0
        self._seen = -1  # the store's changes when a clip was chosen
        self._look_ns = 0
        self._told: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a clip is on its way to a hub that answers, or may be in a moment; from any thread."""
        return self._changes != self._seen or (self._current is not None and not self._misses)

    def ask(self, clips: Sequence[bytes]) -> Asked:
        """The owner wants these, before all others.

        Raises:
            StorageError: the disk is full or broken.
        """
        coming = self._store.ask(clips)
        running = tuple(clip for clip in clips if clip not in coming and self._folder.runs(clip))
        self._early.update(running)
        self._passed.difference_update(coming)
        for clip in coming:
            self._transits.pop(clip, None)  # nothing is taken for granted
        self._choose_anew()
        return Asked(coming, running, tuple(clip for clip in clips if clip not in (*coming, *running)))

    def forget(self, clips: Sequence[bytes]) -> int:
        """The owner has deleted these: they go, and no more of them is sent. How many were here.

        Raises:
            StorageError: the disk is broken.
        """
        for clip in clips:
            self._transits.pop(clip, None)
            if self._folder.runs(clip):
                self._passed.add(clip)
        found = self._store.forget(clips)
        self._choose_anew()
        return found

    def held(self, said: ClipHeld) -> None:
        """The home hub's signed word on a clip of this camera."""
        one, grown = self._store.find(said.clip), self._folder.growing.find(said.clip)
        if one is None and grown is None:
            return
        size = one.size if one is not None else grown.size if grown is not None else 0
        if one is None and said.stop:
            self._passed.add(said.clip)
            self._choose_anew()
        elif one is not None and (said.whole or said.stop):
            self._finish(said.clip, Sent.WHOLE if said.whole else Sent.STOPPED)
        elif said.held <= size and (transit := self._transits.get(said.clip)) is not None:
            if said.held <= transit.held or said.held > transit.at:
                transit.at = said.held
            transit.held, transit.silences = said.held, 0
        else:
            return
        if self._misses > 1:  # it was the hub that was away, no clip's fault
            for transit in self._transits.values():
                transit.silences = 0
        self._misses, self._due_ns = 0, 0

    def resumed(self, now_ns: int) -> None:
        """The link has come up."""
        self._cut.renew()
        self._rest_until_ns, self._due_ns = now_ns, 0
        for transit in self._transits.values():
            transit.last_ns = now_ns

    def next(self, now_ns: int) -> Load | None:
        """The next piece of the clip that matters most."""
        self._due_ns = self._rest_until_ns
        if now_ns < self._rest_until_ns:
            return None
        while (clip := self._chosen(now_ns)) is not None:
            transit = self._transits[clip]
            load = self._load(clip, transit)
            if load is not None:
                self._given_ns = now_ns
                return load
            if clip != self._current:
                continue
            silent_ns = transit.last_ns + self._wait_ns
            if now_ns < silent_ns:
                self._due_ns = min(silent_ns, self._look_ns)
                return None
            self._fall_silent(transit, now_ns)
        self._due_ns = None if self._rules.window is None else self._look_ns
        return None

    def due_in_ns(self, now_ns: int) -> int | None:
        """Until there may be a piece."""
        if self._changes != self._seen:
            return 0
        return None if self._due_ns is None else max(0, self._due_ns - now_ns)

    def out(self, load: Load, now_ns: int) -> None:
        """The broker has that piece."""
        self._cut.took(len(self._flying.data), now_ns - self._given_ns)
        self._due_ns = now_ns
        transit = self._transits.get(load.id)
        if transit is not None:
            transit.last_ns = now_ns
            if transit.at == self._flying.offset:  # else the hub has spoken meanwhile
                transit.at = self._flying.end

    def lost(self, load: Load, now_ns: int) -> None:
        """It goes again, smaller."""
        self._cut.broke(len(self._flying.data))
        self._due_ns = now_ns

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        """Smaller pieces from now on; where that doesn't help, none for a while, and the owner is told once."""
        self._due_ns = now_ns
        if self._cut.allow(limit_bytes):
            return
        self._rest_until_ns = now_ns + self._wait_ns
        self._misses += 1
        self._tell("clips-refused", "the broker takes no pieces of clips: they stay here, and are offered again")

    @property
    def _changes(self) -> int:
        return self._store.changes + self._folder.growing.changes

    @property
    def _wait_ns(self) -> int:
        """How long for a word of the hub."""
        return min(FIRST_WAIT_NS << min(self._misses, 8), LONGEST_WAIT_NS)

    def _chosen(self, now_ns: int) -> bytes | None:
        """The clip that goes now, none for none; chosen anew when clips or the hour have changed."""
        changes = self._changes
        if changes == self._seen and now_ns < self._look_ns:
            return self._current
        self._seen, self._look_ns = changes, now_ns + LOOK_NS
        growing = self._folder.growing.clips()  # first: one that ends meanwhile is in both, and counts as kept
        clips = self._store.clips()
        early = tuple(self._early & clips.keys())
        if early and self._remembered(early):
            return self._chosen(now_ns)
        ready = {clip: Kept(0, one.size, one.rank) for clip, one in growing.items()}
        every = {**ready, **clips}
        self._transits = {clip: way for clip, way in self._transits.items() if clip in every}
        self._passed &= every.keys()
        night = self._night()
        best: tuple[int, int, int, bytes] | None = None
        for clip, one in every.items():
            if clip not in clips and one.size <= (way.at if (way := self._transits.get(clip)) is not None else 0):
                continue  # until it has grown
            one = replace(one, sent=Sent.NOT, asked=1) if clip in self._early else one
            urge = self._rules.urge(one, night=night)
            if urge is not None and clip not in self._passed:
                known = self._transits.get(clip)
                key = (0 if known is None else known.silences, urge, one.asked or one.turn, clip)
                best = key if best is None else min(best, key)
        self._current = None if best is None else best[3]
        if self._current is not None:
            self._transits.setdefault(self._current, _Transit(last_ns=now_ns))
        return self._current

    def _remembered(self, early: tuple[bytes, ...]) -> bool:
        """What was asked for while it was recorded is asked for now; where that can't be written it goes all the same,
        and the next choice tries again."""
        try:
            self.ask(early)
        except StorageError as error:
            if not self._unwritten:
                _log.warning("a wish for clips is lost with the next start: %s", error.message)
            self._unwritten = True
            return False
        self._early.difference_update(early)
        self._unwritten = False
        return True

    def _choose_anew(self) -> None:
        self._seen, self._current, self._due_ns = -1, None, 0

    def _load(self, clip: bytes, transit: _Transit) -> Load | None:
        """The next piece of that clip; none while the hub's word is waited for, or when it can't be read."""
        ahead = WINDOW_BYTES if not self._misses else SCL1.segment_bytes if transit.held else self._cut.bytes
        room = transit.held + ahead - transit.at
        if room <= 0:
            return None
        grown = self._folder.growing.find(clip)
        if grown is not None and grown.size <= transit.at:
            self._choose_anew()
            return None
        most = self._cut.bytes if grown is None else min(self._cut.bytes, grown.size - transit.at)
        try:
            found = self._folder.part(clip, transit.at, min(room, most))
        except StorageError as error:
            self._tell("clip-unreadable", f"{clip.hex()}: {error.message}")
            found = None
        if found is None:  # unreadable, or evicted a moment ago
            self._passed.add(clip)
            self._choose_anew()
            return None
        data, size = found
        if not data:
            return None
        self._flying = Piece(transit.at, size if grown is None else 0, data)
        return Load(Way.CLIP, clip, piece.encode(self._flying))

    def _fall_silent(self, transit: _Transit, now_ns: int) -> None:
        """Nobody has answered: this clip begins again at what is held, when those that weren't tried have gone."""
        transit.at, transit.last_ns = transit.held, now_ns
        transit.silences += 1
        self._misses += 1
        self._seen = -1

    def _finish(self, clip: bytes, sent: Sent) -> None:
        """Nothing more of it goes. What can't be remembered the hub says again after the next start."""
        try:
            self._store.note(clip, sent)
        except StorageError as error:
            _log.warning("a clip that the hub has said its word on will be offered again: %s", error.message)
            self._passed.add(clip)
        self._early.discard(clip)
        self._transits.pop(clip, None)
        self._choose_anew()

    def _tell(self, code: str, words: str) -> None:
        """Tell the owner, each once since the start: a post may say what it likes as often as it likes."""
        if code not in self._told:
            self._told.add(code)
            self._say(code, words)
