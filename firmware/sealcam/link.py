"""The eye's end of the socket to the post: sends the most urgent mail, one at a time, and believes nothing.

A post can delay, drop, repeat or invent; all it reaches is the pace, because `PUBLISHED` only starts the wait for
a receipt and what is delivered counts by its signature alone. Whatever breaks the protocol closes that one
connection. Framing is `frames`, what goes next is `outbox`, what a delivered message means is the caller's.
design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import logging
import os
import select
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sealcam.clocks import Clock
from sealcam.frames import Delivered, Frame, FrameError, LinkState, Published
from sealcam.outbox import Outbox
from sealcam.peer import Peer
from sealcam.service import Beat
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.sealed import Sealed

_log = logging.getLogger(__name__)

_NS = 1_000_000_000
FLIGHT_NS = 10 * _NS  # without PUBLISHED the place is free again
RESUME_NS = _NS  # a post that says "up" more often than this is sent to no sooner
FRAME_NS = _NS // 1000  # messages a post may send in the long run: 1,000 a second, twice what a busy drain needs
BURST_NS = _NS
TICK_S = 0.5  # how often `stop` is looked at
STUCK_NS = 50 * _NS  # a post that has not even read its message for this long after its deadline is hung up on
SAY_NS = 5 * _NS


class Link:
    """Listens on `path` (a Unix socket), serves one post at a time, the newest, and feeds it from `outbox`.

    `make_beat` seals a beat when one is due and can go: never stored, so only the newest exists. `deliver` is given
    what came for this camera; `EnvelopeError` from it is only counted. Both run in the worker's thread.
    """

    def __init__(
        self,
        path: Path,
        outbox: Outbox,
        clock: Clock,
        *,
        make_beat: Callable[[], Sealed],
        deliver: Callable[[bytes], None],
        beat_every_s: float = 20.0,
    ) -> None:
        self._path = path
        self._outbox = outbox
        self._clock = clock
        self._make_beat = make_beat
        self._deliver = deliver
        self._beat_ns = round(beat_every_s * _NS)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._post: Peer | None = None
        self._next_beat_ns = 0
        self._resume_ns: int | None = None  # when a link that came up is believed
        self._resumed_ns = -RESUME_NS
        self._read_from_ns = 0
        self._say_from_ns = 0
        self._unsaid = 0

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._wake)

    @property
    def up(self) -> bool:
        """Whether a post is connected and says that its link to the broker is up."""
        post = self._post
        return post is not None and post.up

    def wake(self) -> None:
        """Look at the outbox again, from any thread: something was queued."""
        os.eventfd_write(self._wake, 1)

    def beat_soon(self) -> None:
        """Beat as soon as the post can take one, from any thread: what the beat says has changed."""
        self._next_beat_ns = 0
        self.wake()

    def run(self, beat: Beat, stop: threading.Event) -> None:
        """Serve until `stop`; beats at least every `TICK_S`.

        Raises:
            ConfigError: the socket can't be made.
            StorageError: the outbox failed.
        """
        listener = _listen(self._path)
        try:
            while not stop.is_set():
                beat()
                self._step(listener)
        finally:
            self._drop()
            listener.close()
            self._path.unlink(missing_ok=True)

    def _step(self, listener: socket.socket) -> None:
        now_ns = self._clock.boot_ns()
        self._guarded(lambda: self._pace(now_ns))
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        if self._post is not None:
            reads = select.POLLIN if now_ns >= self._read_from_ns - BURST_NS else 0
            poll.register(self._post.sock, reads | (select.POLLOUT if self._post.unsent else 0))
        ready = dict(poll.poll(self._timeout_ms(now_ns)))
        if self._wake in ready:
            os.eventfd_read(self._wake)
        if self._post is not None and (events := ready.get(self._post.sock.fileno(), 0)):
            self._guarded(lambda: self._serve(events))
        if listener.fileno() in ready:
            self._accept(listener)

    def _timeout_ms(self, now_ns: int) -> float:
        """How long nothing can be due, at most a tick."""
        post = self._post
        wait_ns = TICK_S * _NS
        if post is not None and post.up:
            if post.flight is not None:
                wait_ns = min(wait_ns, post.flight.deadline_ns - now_ns)
            elif self._resume_ns is not None:
                wait_ns = min(wait_ns, self._resume_ns - now_ns)
            elif not post.unsent:
                due_s = self._outbox.due_in_s(now_ns)
                wait_ns = min(wait_ns, self._next_beat_ns - now_ns, wait_ns if due_s is None else due_s * _NS)
            if self._read_from_ns - BURST_NS > now_ns:
                wait_ns = min(wait_ns, self._read_from_ns - BURST_NS - now_ns)
        return max(wait_ns, 0) / 1e6 + (wait_ns > 0)  # a millisecond too late rather than too early and again

    def _pace(self, now_ns: int) -> None:
        """Give the post the next message, if it has none and its link is up."""
        post = self._post
        if post is None:
            return
        if post.flight is not None and now_ns >= post.flight.deadline_ns:
            if post.unsent:
                if now_ns >= post.flight.deadline_ns + STUCK_NS:
                    raise FrameError("it takes nothing")
                return
            if post.flight.seq is not None:
                self._outbox.published(post.flight.seq, now_ns)  # waits its turn, so that it can't hold up the rest
            post.free()
        if not post.up or post.flight is not None or post.unsent:
            return
        if self._resume_ns is not None:
            if now_ns < self._resume_ns:
                return
            self._outbox.link_up()
            self._resume_ns, self._resumed_ns, self._next_beat_ns = None, now_ns, now_ns
        self._send_one(post, now_ns)

    def _send_one(self, post: Peer, now_ns: int) -> None:
        mail = self._outbox.next(now_ns)
        due_ns = self._next_beat_ns
        urgent = mail is not None and mail.urgency == 0 and now_ns < due_ns + self._beat_ns
        if now_ns >= due_ns and not urgent:  # an alarm goes before a beat, but not for longer than one beat's time
            self._next_beat_ns = now_ns + self._beat_ns
            post.send(self._make_beat(), None, now_ns + FLIGHT_NS)
        elif mail is not None:
            post.send(mail.envelope, mail.seq, now_ns + FLIGHT_NS)

    def _serve(self, events: int) -> None:
        """Write what is left, take what has come."""
        post = self._post
        assert post is not None
        if events & select.POLLOUT:
            post.write()
        if not events & ~select.POLLOUT:
            return
        data = post.read()
        if not data:
            raise ConnectionResetError
        now_ns = self._clock.boot_ns()
        for frame in post.decoder.feed(data):
            self._read_from_ns = max(self._read_from_ns, now_ns) + FRAME_NS
            self._take(post, frame, now_ns)

    def _take(self, post: Peer, frame: Frame, now_ns: int) -> None:
        match frame:
            case Published(token):
                seq = post.confirmed(token)
                if seq is not None:
                    self._outbox.published(seq, now_ns)
            case Delivered(message):
                try:
                    self._deliver(message)
                except EnvelopeError:
                    self._say("a delivered message was refused")
            case LinkState(up) if up != post.up:
                post.up = up
                post.free()
                self._resume_ns = max(now_ns, self._resumed_ns + RESUME_NS) if up else None
                self._say(f"the link to the broker is {'up' if up else 'down'}")

    def _accept(self, listener: socket.socket) -> None:
        """Serve the newest post, and close the one before."""
        try:
            sock, _ = listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        self._drop()
        sock.setblocking(False)
        self._post = Peer(sock)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do `work` with the post; what goes wrong there ends this connection alone."""
        try:
            work()
        except FrameError as error:
            self._say(f"the post broke the protocol ({error.message}); its connection is closed")
            self._drop()
        except ConnectionError:
            self._say("the post has gone")
            self._drop()

    def _drop(self) -> None:
        if self._post is not None:
            self._post.sock.close()
            self._post, self._resume_ns = None, None

    def _say(self, text: str) -> None:
        """Log `text`, but no more than a line in `SAY_NS`: a post can't fill the journal."""
        now_ns = self._clock.boot_ns()
        if now_ns >= self._say_from_ns:
            also = f" ({self._unsaid} lines left out before)" if self._unsaid else ""
            _log.info("%s%s", text, also)
            self._say_from_ns, self._unsaid = now_ns + SAY_NS, 0
        else:
            self._unsaid += 1


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path`, for this user and group; what an earlier run left there is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(4)
    except OSError as error:
        listener.close()
        hint = "does its folder exist, may this user write there, and is its path shorter than 108 bytes?"
        raise ConfigError(f"can't listen at {path}: {error.strerror or error}", hint) from error
    return listener
