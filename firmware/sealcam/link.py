"""The eye's end of the socket to the post: sends one envelope at a time, and believes nothing.

A post can delay, drop, repeat or invent; all it reaches is the pace, because `PUBLISHED` only starts the wait for
a receipt and what is delivered counts by its signature alone. Whatever breaks the protocol closes that one
connection. Framing is `messages`, what goes next and when `pace`, what a delivered message means is the caller's.
design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sealcam.clocks import Clock
from sealcam.freight import NO_FREIGHT, Freight, Load
from sealcam.messages import Delivered, Forget, LinkState, Message, MessageError, Published, Refused
from sealcam.outbox import Outbox
from sealcam.pace import Pace, Parcel
from sealcam.peer import Peer, listen
from sealcam.seldom import Seldom
from sealcam.service import Beat
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import Sealed

_log = logging.getLogger(__name__)

_NS = 1_000_000_000
FLIGHT_NS = 10 * _NS  # without PUBLISHED the place is free again
# A load may take longer on a slow link: envelopes go meanwhile, and no other load before it is through or given up.
LOAD_NS = 60 * _NS
RESUME_NS = _NS  # a post that says "up" more often than this is sent to no sooner
WILL_NS = _NS  # a post that connects more often than this waits for its will: sealing one takes a while
FRAME_NS = _NS // 1000  # messages a post may send in the long run: 1,000 a second, twice what a busy drain needs
BURST_NS = _NS
TICK_S = 0.5  # how often `stop` is looked at
STUCK_NS = 50 * _NS  # a post that has not even read its message for this long after its deadline is hung up on
RENEW_NS = 5 * _NS  # between a change of keys and a new will: what else the hub sends along with it is read first


class Link:
    """Listens on `path` (a Unix socket), serves one post at a time, the newest, and feeds it as `pace` says.

    `make_will` seals what a post leaves with the broker: a new one for each connection. `deliver` is given what came
    for this camera; `EnvelopeError` from it is only counted. Both run in the worker's thread, and so does `freight`,
    which is asked for a load when no envelope is due.
    """

    def __init__(
        self,
        path: Path,
        outbox: Outbox,
        clock: Clock,
        *,
        pace: Pace,
        make_will: Callable[[], Sealed],
        deliver: Callable[[bytes], None],
        freight: Freight = NO_FREIGHT,
    ) -> None:
        self._path = path
        self._outbox = outbox
        self._clock = clock
        self._pace = pace
        self._make_will = make_will
        self._deliver = deliver
        self._freight = freight
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._post: Peer | None = None
        self._willed_ns = -WILL_NS
        self._renew_ns: int | None = None
        self._resume_ns: int | None = None  # when a link that came up is believed
        self._resumed_ns = -RESUME_NS
        self._read_from_ns = 0
        self._seldom = Seldom(_log)
        self._load_until_ns = 0  # when the load that is out is given up
        self._forgets = False

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
        self._pace.beat_soon()
        self.wake()

    def renew_will(self) -> None:
        """Have a new will left with the broker, from any thread: keys have changed.

        The hub may destroy what the old one is sealed to. A broker takes a will only with a new connection.
        """
        self._renew_ns = self._clock.boot_ns() + RENEW_NS
        self.wake()

    def forget(self) -> None:
        """Have the post destroy what a claim gave it, when `run` ends: the camera is reset."""
        self._forgets = True

    @property
    def forgets(self) -> bool:
        """Whether no post was told to, though it should be."""
        return self._forgets

    def run(self, beat: Beat, stop: threading.Event) -> None:
        """Serve until `stop`; beats at least every `TICK_S`.

        Raises:
            ConfigError: the socket can't be made.
            StorageError: the outbox failed.
        """
        listener = listen(self._path)
        try:
            while not stop.is_set():
                beat()
                self._step(listener)
        finally:
            if self._forgets and self._post is not None:
                self._forgets = not self._post.tell(Forget())
            self._drop()
            listener.close()
            self._path.unlink(missing_ok=True)

    def _step(self, listener: socket.socket) -> None:
        now_ns = self._clock.boot_ns()
        if self._renew_ns is not None and now_ns >= self._renew_ns:
            self._renew_ns, self._will = None, None
            self._drop()
        self._guarded(lambda: self._feed(now_ns))
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
        if post is not None and not post.begun:
            wait_ns = min(wait_ns, self._willed_ns + WILL_NS - now_ns)
        elif post is not None and post.up:
            if post.flight is not None:
                wait_ns = min(wait_ns, post.flight.deadline_ns - now_ns)
            elif self._resume_ns is not None:
                wait_ns = min(wait_ns, self._resume_ns - now_ns)
            elif not post.unsent:
                wait_ns = min(wait_ns, *self._dues_ns(post, now_ns))
            if self._read_from_ns - BURST_NS > now_ns:
                wait_ns = min(wait_ns, self._read_from_ns - BURST_NS - now_ns)
        return max(wait_ns, 0) / 1e6 + (wait_ns > 0)  # a millisecond too late rather than too early and again

    def _dues_ns(self, post: Peer, now_ns: int) -> Iterator[int]:
        """How long until an envelope can be due, and a load, where one may go."""
        dues = [self._pace.due_in_ns(now_ns)]
        if post.load is not None:
            dues.append(self._load_until_ns - now_ns)
        elif self._pace.may_carry(now_ns):
            dues.append(self._freight.due_in_ns(now_ns))
        return (due for due in dues if due is not None)

    def _feed(self, now_ns: int) -> None:
        """Give the post its will, then the next message, if it has none and its link is up."""
        post = self._post
        if post is None:
            return
        if not post.begun:
            if now_ns < self._willed_ns + WILL_NS:
                return
            self._willed_ns = now_ns
            post.begin(self._make_will())
        if post.flight is not None and now_ns >= post.flight.deadline_ns:
            if post.unsent:
                if now_ns >= post.flight.deadline_ns + STUCK_NS:
                    raise MessageError("it takes nothing")
                return
            self._waits(post.flight.what, now_ns)  # its turn, so that it can't hold up the rest
            post.free()
        if not post.up or post.flight is not None or post.unsent:
            return
        if self._resume_ns is not None:
            if now_ns < self._resume_ns:
                return
            self._pace.resumed(now_ns)
            self._freight.resumed(now_ns)
            self._resume_ns, self._resumed_ns = None, now_ns
        if post.load is not None and now_ns >= self._load_until_ns:
            self._unload(post, now_ns)
        what = self._pace.take(now_ns) or self._next_load(post, now_ns)
        if what is not None:
            post.send(what, now_ns + FLIGHT_NS)

    def _next_load(self, post: Peer, now_ns: int) -> Load | None:
        """What freight there is, where none is out and the pace has room for it."""
        if post.load is not None or not self._pace.may_carry(now_ns):
            return None
        self._load_until_ns = now_ns + LOAD_NS
        return self._freight.next(now_ns)

    def _waits(self, what: Parcel | Load, now_ns: int) -> None:
        """It was given to the post; an event now waits for its receipt."""
        if isinstance(what, Parcel) and what.seq is not None:
            self._outbox.published(what.seq, now_ns)

    def _unload(self, post: Peer, now_ns: int) -> None:
        """Nobody will say what became of the load that is out."""
        load = post.unload()
        if load is not None:
            self._freight.lost(load, now_ns)

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
        for message in post.decoder.feed(data):
            self._read_from_ns = max(self._read_from_ns, now_ns) + FRAME_NS
            self._take(post, message, now_ns)

    def _take(self, post: Peer, item: Message, now_ns: int) -> None:
        match item:
            case Published(token):
                what = post.confirmed(token)
                self._waits(what, now_ns)
                if isinstance(what, Load) and what is post.load:
                    post.unload()
                    self._freight.out(what, now_ns)
            case Refused(token, limit):
                what = post.confirmed(token)
                self._waits(what, now_ns)
                if isinstance(what, Load) and what is post.load:
                    post.unload()
                    self._freight.refused(what, limit, now_ns)
            case Delivered(message):
                try:
                    self._deliver(message)
                except EnvelopeError:
                    self._say("a delivered message was refused")
            case LinkState(up) if up != post.up:
                post.up = up
                post.free()
                self._unload(post, now_ns)
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
        except MessageError as error:
            self._say(f"the post broke the protocol ({error.message}); its connection is closed")
            self._drop()
        except ConnectionError:
            self._say("the post has gone")
            self._drop()

    def _drop(self) -> None:
        if self._post is not None:
            self._post.sock.close()
            self._unload(self._post, self._clock.boot_ns())
            self._post, self._resume_ns = None, None

    def _say(self, text: str) -> None:
        """A post can't fill the journal."""
        self._seldom.say(text, self._clock.boot_ns())
