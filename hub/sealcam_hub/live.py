"""Live views at the hub: one session a camera, shared by all who look, over while nobody does.

Messages come from the link's thread, which only queues them; a thread of its own opens them and hands pictures to the
viewers, whose queues never wait for anybody. Commands are signed when somebody comes, and at each `tick` of the hub's
worker. Nothing is on the disk, and nothing of it in the ledger but who looked. design/clips.md, "Live view, hub".
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sealcam.wire.bodies import AnswerBody
from sealcam.wire.errors import ConfigError, SealcamError, StorageError
from sealcam_hub.clock import Clock
from sealcam_hub.live_keys import LiveKeys, Seen
from sealcam_hub.live_log import LiveLog
from sealcam_hub.live_show import Show
from sealcam_hub.live_viewer import Viewer
from sealcam_hub.wishes import Wishes

_log = logging.getLogger(__name__)

MOST_VIEWERS = 32
QUEUED = 64  # messages that wait to be opened: about a MiB at most, says the link; a camera's usually have 50 KB
LOOK_NS = 1_000_000_000  # how often the ledger is asked how a camera stands
END_S = 5.0


@dataclass(frozen=True, slots=True)
class _Message:
    alias: str
    session: bytes
    payload: bytes
    arrived_ns: int
    wall_ns: int


class LiveViews:
    """All live views of a hub. `send(alias, command)` goes to the camera; false when nobody can be reached now."""

    def __init__(
        self, keys: LiveKeys, log: LiveLog, wishes: Wishes, clock: Clock, send: Callable[[str, bytes], bool]
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._keys, self._audit, self._wishes, self._clock, self._send = keys, log, wishes, clock, send
        self._lock = threading.RLock()
        self.commanding = threading.Lock()  # whoever signs a command sends it under this: none passes another
        self._shows: dict[str, Show] = {}
        self._stands: dict[str, tuple[Seen, int]] = {}
        self._messages: queue.Queue[_Message | None] = queue.Queue(QUEUED)
        self._thread: threading.Thread | None = None
        self._ending = False

    # Viewers; from the console's threads, which may wait for the ledger.

    def enter(self, alias: str, who: str, wake: Callable[[], None]) -> Viewer:
        """A further viewer of that camera; `who` names him among others, `wake` is called when there is something.

        Raises:
            ConfigError: there is no such camera, or this hub gives no commands.
            SealcamError: too many look already, or the hub is ending.
            StorageError: his look can't be entered into the audit log.
        """
        seen = self._keys.camera(alias)
        with self._lock:
            if self._ending:
                raise SealcamError("the hub is ending", "load this page again in a moment")
            if sum(len(show.viewers) for show in self._shows.values()) >= MOST_VIEWERS:
                raise SealcamError("too many live views are open", "close one")
        self._audit.enter(who, seen)
        viewer = Viewer(alias, who, wake)
        with self._lock:
            show = self._shows.get(alias)
            if show is None:
                show = self._shows[alias] = Show(alias, seen.name, seen.subject, partial(self._keys.opens, alias))
            show.enter(viewer)
            self._stands[alias] = (seen, self._clock.boot_ns())
        try:
            self._ask(show)
        except StorageError:
            self.leave(viewer)
            raise
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """This one looks no more."""
        viewer.close()
        with self._lock:
            show = self._shows.get(viewer.alias)
            if show is None or viewer not in show.viewers:
                return
            show.leave(viewer, self._clock.boot_ns())
        self._audit.leave(viewer.who, viewer.alias)

    # The link and the hub's worker.

    def deliver(self, alias: str, session: bytes, payload: bytes) -> None:
        """Queue a message; never waits: what finds no room is dropped, and the next keyframe makes up for it."""
        show = self._shows.get(alias)
        if show is None or show.session != session:
            self.dropped["nobody asked"] += 1
            return
        message = _Message(alias, session, payload, self._clock.boot_ns(), self._clock.wall_ns())
        try:
            self._messages.put_nowait(message)
        except queue.Full:
            self.dropped["too many"] += 1

    def answered(self, alias: str, answer: AnswerBody) -> None:
        """A camera's word on a command, if it was one of these."""
        with self._lock:
            show = self._shows.get(alias)
            if show is not None:
                show.answered(answer.number, answer.outcome, answer.detail, self._clock.boot_ns())

    def tick(self) -> None:
        """Prolong what is looked at, end what isn't any more.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        now_ns = self._clock.boot_ns()
        with self._lock:
            shows = list(self._shows.values())
        for show in shows:
            if not self._ended(show, now_ns):
                self._look(show, now_ns)
                self._ask(show)
        self._audit.settle()

    def _ended(self, show: Show, now_ns: int) -> bool:
        with self._lock:
            if not show.over(now_ns):
                return False
            del self._shows[show.alias]
            del self._stands[show.alias]
            self.dropped.update(show.stream.dropped)
        self._end(show)
        return True

    def _end(self, show: Show) -> None:
        with self.commanding:
            wish = show.end()
            made = None if wish is None else self._wishes.command(show.alias, wish)
            if made is not None:  # where it doesn't come through, the camera ends by itself within a minute
                self._send(show.alias, made[1])

    def _look(self, show: Show, now_ns: int) -> None:
        """How the camera stands, asked once a second."""
        with self._lock:
            seen, asked_ns = self._stands.get(show.alias, (None, now_ns))
        if seen is None or now_ns - asked_ns < LOOK_NS:
            return
        with contextlib.suppress(ConfigError):  # another hub has just become the home hub: no command will be signed
            seen = self._keys.camera(show.alias)
        with self._lock:
            self._stands[show.alias] = (seen, now_ns)

    def _ask(self, show: Show) -> None:
        with self.commanding:
            with self._lock:
                if self._shows.get(show.alias) is not show:
                    return
                now_ns = self._clock.boot_ns()
                wish = show.due(now_ns, self._stands[show.alias][0].state)
            if wish is None:
                return
            made = self._wishes.command(show.alias, wish)
            with self._lock:
                if made is not None and wish.session == show.session:
                    show.sent(now_ns, made[0])  # before it goes: the answer may be quicker than this thread
            if made is None or not self._send(show.alias, made[1]):
                with self._lock:
                    show.unsent(now_ns)

    # The thread that opens messages.

    def start(self) -> None:
        """Begin to open messages."""
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def check(self) -> bool:
        """True while messages are opened.

        Raises:
            SealcamError: they aren't any more, by a fault of its own.
        """
        if self._thread is not None and not self._thread.is_alive():
            raise SealcamError("live views are opened no more", "the lines above say why")
        return True

    def stop(self) -> None:
        """End every view, at the cameras too, and say so in the audit log."""
        with self._lock:
            self._ending = True
            shows = list(self._shows.values())
            self._shows.clear()
        for show in shows:
            for viewer in list(show.viewers):
                viewer.close()
            self._end(show)
        self._audit.settle(all_of_them=True)
        if self._thread is not None:
            self._messages.put(None)
            self._thread.join(END_S)

    def _run(self) -> None:
        while self.run_once():
            pass

    def run_once(self, wait_s: float | None = None) -> bool:
        """Open the next message, or wait for one; false where it was the last."""
        try:
            message = self._messages.get(timeout=wait_s)
        except queue.Empty:
            return True
        if message is None:
            return False
        with self._lock:
            show = self._shows.get(message.alias)
            if show is not None and show.session == message.session:
                try:
                    show.take(message.payload, message.arrived_ns, message.wall_ns)
                except StorageError as error:  # the worker tells it, and ends: it writes the same ledger
                    _log.warning("a live view can't be opened: %s", error.message)
        return True
