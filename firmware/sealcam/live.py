"""Live view: one session at a time, who may see it, and what of it may still leave the camera (wire.md section 15).

The hub asks (the link's thread), other masks and privacy come from sight's, pictures from the encoder's. One lock
around which session runs and what waits to leave; nobody waits for a picture. That a session began and why it is over
is told in the chain, so that no hub looks on unseen. How pictures are sealed is `livetap`'s, which of them give way on
a slow link `livequeue`'s. design/clips.md, live view.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealcam.clocks import Clock
from sealcam.commands import Allowance, Declined
from sealcam.freight import Load
from sealcam.livequeue import LiveQueue
from sealcam.wire.bodies import Outcome
from sealcam.wire.wishes import LiveWish

# Each session is two events of the chain and a keyframe: so many at once, and one more each few seconds.
NEW_BURST, NEW_EVERY_S = 30, 2.0


@dataclass(slots=True)
class Session:
    """One session. `pictures`: how many were sealed for it; `refused`: whether the broker didn't take one."""

    id: bytes
    until_ns: int
    began_ns: int
    pictures: int = 0
    refused: bool = False


class Live:
    """One camera's live view: a `Freight` for the link. Thread-safe.

    `private` says whether privacy is on, `tell` queues a health event (code, words), `wake` has the link look at what
    waits.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        private: Callable[[], bool],
        tell: Callable[[str, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._clock, self._private, self._tell, self._wake = clock, private, tell, wake
        self._lock = threading.Lock()
        self._queue = LiveQueue()
        self._allowance = Allowance(clock, NEW_BURST, NEW_EVERY_S)
        self._session: Session | None = None
        self._ended: list[str] = []  # why sessions are over, where it wasn't told yet
        self._hidden = 0  # changes of masks that the encoder hasn't come to
        self._closed = False

    @property
    def running(self) -> bool:
        """Whether a session runs: somebody may see what the camera sees."""
        return self._session is not None

    def wish(self, wish: LiveWish) -> str:
        """Begin, prolong or end a session, and say so.

        Raises:
            Declined: privacy is on, there is nothing to see any more, or too many sessions began.
            StorageError: the disk is full.
        """
        said = self._end(wish.session) if wish.seconds == 0 else self._begin(wish.session, wish.seconds)
        self._tell_ended()
        return said

    def _end(self, session: bytes) -> str:
        with self._lock:
            if self._session is None:
                return "no live view runs"
            if self._session.id != session:
                return "that live view doesn't run; another one does"
            self._over(self._session, "its viewer has left")
        return "live view has ended"

    def _begin(self, session: bytes, seconds: int) -> str:
        now_ns = self._clock.boot_ns()
        until_ns = now_ns + seconds * 10**9
        with self._lock:
            if self._closed:
                raise Declined(Outcome.FAILED, "there is nothing to see: the source has ended")
            if self._private():
                raise Declined(Outcome.FAILED, "privacy is on: nothing is seen")
            before = self._session
            if before is not None and before.id == session and now_ns < before.until_ns:
                before.until_ns = until_ns
                return f"the picture is shown live for {seconds} s more"
            if not self._allowance.take():
                raise Declined(Outcome.FAILED, "too many live views began; ask again in a few seconds")
            if before is not None:
                self._over(before, self._over_by_itself(before) or "another one takes its place")
            self._session = Session(session, until_ns, now_ns)
        self._tell_ended()
        self._tell("live-began", "the picture is shown live to the hub")
        return f"the picture is shown live for {seconds} s"

    # What the link asks.

    def resumed(self, now_ns: int) -> None:
        """What waited too long is passed over by itself."""

    def next(self, now_ns: int) -> Load | None:
        """The next message that leaves; none while privacy is on, or once a session's time is over."""
        with self._lock:
            if self._session is not None and self._over_by_itself(self._session):
                self._queue.clear()
                return None
            return self._queue.take(now_ns)

    def due_in_ns(self, now_ns: int) -> int | None:
        """At once, if anything waits; else pictures wake the link."""
        with self._lock:
            return 0 if self._queue.waiting else None

    def out(self, load: Load, now_ns: int) -> None:
        """Nothing is kept of it."""

    def lost(self, load: Load, now_ns: int) -> None:
        """It isn't sent again: whoever looks goes on with the next keyframe."""

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        """What needs it is of no use either; told once a session.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._queue.clear()
            session = self._session
            first = session is not None and not session.refused
            if session is not None:
                session.refused = True
        if first:
            words = f"the broker takes at most {limit_bytes} bytes" if limit_bytes else "the broker doesn't take it"
            self._tell("live-refused", f"a message of a live view, {len(load.payload)} bytes: {words}")

    # What sight and the encoder say.

    def hide(self) -> None:
        """Other masks count: what was seen before leaves no more. `reveal` follows when the encoder has come to it."""
        with self._lock:
            self._hidden += 1
            self._queue.clear()

    def reveal(self) -> None:
        """What is encoded from here on was seen under the masks that count now."""
        with self._lock:
            self._hidden = max(0, self._hidden - 1)

    def shown(self) -> Session | None:
        """For whom the next picture is, if anybody may see it."""
        with self._lock:
            session = self._session
            return None if session is None or self._hidden or self._over_by_itself(session) else session

    def queue_up(self, session: Session, messages: Sequence[bytes], *, key: bool) -> bool:
        """Let a picture leave, a keyframe with what goes before it; false if it can't, nor what needs it."""
        with self._lock:
            if self._session is not session or self._hidden:
                return False
            if key:
                self._queue.begin(session.id, messages, self._clock.boot_ns())
            elif not self._queue.follow(session.id, messages[0]):
                return False
            session.pictures += 1
        self._wake()
        return True

    def last(self, session: Session, messages: Sequence[bytes]) -> None:
        """Let whoever looked at this session know that it is over."""
        with self._lock:
            self._queue.clear()
            self._queue.begin(session.id, messages, self._clock.boot_ns())
        self._wake()

    def tend(self) -> Session | None:
        """End what is over, and tell it; the session that runs.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            session = self._session
            if session is not None and (why := self._over_by_itself(session)):
                self._over(session, why)
            session = self._session
        self._tell_ended()
        return session

    def close(self) -> None:
        """There is nothing more to see: end what runs, and tell it; may be called twice.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._closed = True
            if self._session is not None:
                self._over(self._session, "the camera has stopped watching")
        self._tell_ended()

    def _tell_ended(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, []
        for why in ended:
            self._tell("live-ended", why)

    # With the lock held.

    def _over_by_itself(self, session: Session) -> str:
        """Why a session ends without anybody's word; nothing while it runs."""
        if self._private():
            return "privacy is on"
        return "its time is over" if self._clock.boot_ns() >= session.until_ns else ""

    def _over(self, session: Session, why: str) -> None:
        self._session = None
        self._queue.clear()
        lasted_s = (self._clock.boot_ns() - session.began_ns) / 1e9
        self._ended.append(f"{why}; it lasted {lasted_s:.0f} s and showed {session.pictures} pictures")
