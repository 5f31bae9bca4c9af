"""The post: carries sealed mail and freight from the eye's socket to the broker, and what comes for this camera back.

A stateless pump: no device, no pixel, no key but its own TLS key, nothing stored, one message out at a time. Either
side may go and come back in any order. It connects to the broker only while the eye listens, because what the
broker hands over to nobody is lost, and leaves the eye's will there. Framing is `messages`, the broker `mqtt`.
design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import logging
import random
import re
import select
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sealcam.clocks import Clock, SystemClock
from sealcam.mailslot import MailSlot
from sealcam.messages import Carry, Delivered, LinkState, Message, Publish, Published, Refused, Way
from sealcam.mqtt import Came, Done, Session, Up
from sealcam.notify import harden
from sealcam.retry import Retry
from sealcam.service import Beat, Service
from sealcam.tls import Address, tls_context
from sealcam.wire.errors import ConfigError, LinkDown, StorageError

_log = logging.getLogger(__name__)

_NS = 1_000_000_000
TICK_S = 0.5  # how often `stop` and the broker's keepalive are looked at
BEAT_S = 60.0  # finding a host's address and connecting to it may block for a while
GRACE_S = 15.0
LEAVING_S = 0.01  # how often it is looked whether what nobody acknowledges has left
HOLD_BYTES = 256 << 10  # so much for an eye that doesn't read; beyond it the broker isn't read either
_FOLDERS = {Way.CLIP: "clip", Way.LIVE: "live"}
_QOS = {Way.CLIP: 1, Way.LIVE: 0}
_CLAIM = "claim the camera: sealcam-provision claim"


@dataclass(frozen=True, slots=True)
class PostSettings:
    """Where the eye listens, and the post's own folder (`STATE/post`)."""

    socket: Path
    state: Path


def run(settings: PostSettings) -> int:
    """Carry mail until told to stop; the exit code.

    Raises:
        ConfigError: the camera isn't claimed, or a file of the claim is missing or damaged.
    """
    harden()
    address = read_address(settings.state)
    tls_context(address)
    clock = SystemClock()
    service = Service("post", clock, grace_s=GRACE_S)

    def forget() -> None:
        _log.warning("the camera was reset: its certificate and the broker's address are destroyed")
        destroy(settings.state)
        service.finish()

    post = Post(settings.socket, address, clock, random.SystemRandom(), forget)
    service.add("pump", lambda beat: post.run(beat, service.stop), deadline_s=BEAT_S)
    return service.run()


def read_address(state: Path) -> Address:
    """What the claim left in `state`: `post.toml`, `tls.key`, `tls.pem`, `ca.pem`.

    Raises:
        ConfigError: one is missing or damaged, with the hint to claim.
    """
    path = state / "post.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError("this camera isn't claimed yet: it has no certificate", _CLAIM) from error
    except OSError as error:
        raise ConfigError(
            f"can't read {path}: {error.strerror}", "run it as the user the camera was set up for"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{path} is damaged: {error}", _CLAIM) from error
    match values:
        case {"alias": str(alias), "host": str(host), "port": int(port)} if (
            len(values) == 3 and re.fullmatch(r"[0-9a-f]{16}", alias) and host and 0 < port < 65536
        ):
            return Address(alias, host, port, state / "tls.pem", state / "tls.key", state / "ca.pem")
    raise ConfigError(f"{path} must hold alias (16 hex digits), host and port, and no more", _CLAIM)


def destroy(state: Path) -> None:
    """Remove all that a claim left in the post's folder, the key first.

    Raises:
        StorageError: something can't be removed.
    """
    for path in sorted(state.iterdir(), key=lambda path: path.suffix != ".key"):
        try:
            path.unlink()
        except OSError as error:
            raise StorageError(f"can't remove {path}: {error.strerror}") from error


class Post:
    """The pump between one eye and one broker; `run` is its worker. `forget` is called when the camera was reset."""

    def __init__(
        self,
        path: Path,
        address: Address,
        clock: Clock,
        chance: random.Random,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._forget = forget
        self._path = path
        self._address = address
        self._clock = clock
        self._eye: MailSlot | None = None
        self._session: Session | None = None
        self._up = False
        self._out: Publish | Carry | None = None
        self._refused: set[str] = set()  # why the broker refused a message, told once a connection
        self._find_eye = Retry(_log, "the eye is there again", chance, first_s=0.1, last_s=0.5)
        self._find_broker = Retry(_log, "the broker is there again", chance, first_s=0.5, last_s=30.0)

    def run(self, beat: Beat, stop: threading.Event) -> None:
        """Carry until `stop`; beats at least every few seconds, unless the network's name service hangs.

        Raises:
            ConfigError: a file of the claim is gone or damaged.
        """
        try:
            while not stop.is_set():
                beat()
                self._connect()
                beat()
                self._step()
        finally:
            self._lose_eye()

    def _connect(self) -> None:
        """Look for what is missing and due: the eye, then the broker."""
        now_ns = self._clock.boot_ns()
        if self._eye is None and now_ns >= self._find_eye.due_ns:
            try:
                self._eye = MailSlot(self._path)
            except LinkDown as error:
                self._find_eye.failed(error, now_ns)
            else:
                self._find_eye.came(now_ns)
        will = None if self._eye is None else self._eye.will
        if will is not None and self._session is None and now_ns >= self._find_broker.due_ns:
            self._session = Session(self._address, will)
            try:
                self._session.connect()
            except LinkDown as error:
                self._lose_broker(error)

    def _step(self) -> None:
        """Wait until something can be done, and do it."""
        poll = select.poll()
        eye, session = self._eye, self._session
        if eye is not None:
            takes = eye.will is None or (self._up and not eye.inbox and self._out is None)
            poll.register(eye, (select.POLLIN if takes else 0) | (select.POLLOUT if eye.unsent_bytes else 0))
        if session is not None:
            held = eye is not None and eye.unsent_bytes > HOLD_BYTES
            poll.register(session, (0 if held else select.POLLIN) | (select.POLLOUT if session.wants_write else 0))
        ready = dict(poll.poll(self._timeout_ms()))
        if eye is not None:
            try:
                self._serve_eye(eye, ready.get(eye.fileno(), 0))
            except LinkDown as error:
                return self._lose_eye(error)
            finally:
                if eye.forgets:
                    self._forget()
        if session is not None:
            events = ready.get(session.fileno(), 0)
            try:
                self._serve_broker(session, read=bool(events & ~select.POLLOUT), write=bool(events & select.POLLOUT))
                self._publish_next()
            except LinkDown as error:
                self._lose_broker(error)
        return None

    def _timeout_ms(self) -> float:
        """How long there can be nothing to do."""
        if self._session is not None and self._session.has_unread:
            return 0
        leaving = self._session is not None and self._session.leaving
        wait_ns, now_ns = round((LEAVING_S if leaving else TICK_S) * _NS), self._clock.boot_ns()
        if self._eye is None:
            wait_ns = min(wait_ns, self._find_eye.due_ns - now_ns)
        elif self._session is None:
            wait_ns = min(wait_ns, self._find_broker.due_ns - now_ns)
        return max(wait_ns, 0) / 1e6 + 1

    def _serve_broker(self, session: Session, *, read: bool, write: bool) -> None:
        """Take what the broker says."""
        for event in session.step(read=read, write=write):
            match event:
                case Up():
                    self._up = True
                    self._refused.clear()
                    self._find_broker.came(self._clock.boot_ns())
                    self._tell_eye(LinkState(True))
                case Done(refused, limit):
                    self._done(refused, limit)
                case Came(message):
                    self._tell_eye(Delivered(message))

    def _done(self, refused: str | None, limit_bytes: int) -> None:
        """What was out is no longer; the eye isn't told of an envelope refused: it lets it wait, and goes on."""
        out, self._out = self._out, None
        if refused is not None and refused not in self._refused:
            self._refused.add(refused)
            _log.warning("the broker refuses a message (%s); is its access list right?", refused)
        if out is not None and refused is None:
            self._tell_eye(Published(out.token))
        elif isinstance(out, Carry):
            self._tell_eye(Refused(out.token, limit_bytes))

    def _publish_next(self) -> None:
        """Give the broker the next message, when it has none out."""
        if self._session is None or self._eye is None or not self._up:
            return
        if self._out is None and self._eye.inbox:
            self._out = self._eye.inbox.popleft()
            match self._out:
                case Publish(_, envelope):
                    self._session.publish(envelope)
                case Carry(_, way, of, payload):
                    self._session.publish(payload, f"{_FOLDERS[way]}/{of.hex()}", _QOS[way])

    def _serve_eye(self, eye: MailSlot, events: int) -> None:
        if events & select.POLLOUT:
            eye.write()
        if events & ~select.POLLOUT:
            eye.read()

    def _tell_eye(self, message: Message) -> None:
        if self._eye is not None:
            self._eye.send(message)

    def _lose_broker(self, error: LinkDown) -> None:
        """The connection is gone, and what was out with it: the eye has it still.

        One that was up may have left its will, so the eye is hung up on too: a new connection brings a new will.
        """
        if self._up:
            self._lose_eye()
        elif self._session is not None:
            self._session.close()
        self._session, self._out = None, None
        self._find_broker.failed(error, self._clock.boot_ns())

    def _lose_eye(self, error: LinkDown | None = None) -> None:
        """Hang up on both sides."""
        if self._eye is not None:
            self._eye.close()
        if self._session is not None:
            self._session.close()
        self._eye = self._session = self._out = None
        self._up = False
        if error is not None:
            self._find_eye.failed(error, self._clock.boot_ns())
