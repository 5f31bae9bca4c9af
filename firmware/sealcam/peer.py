"""One connected post as the eye sees it: the socket, the place in flight, and the tokens it may name.

When something is sent and what a message means is `link`'s. design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sealcam.freight import Load
from sealcam.messages import Carry, Decoder, Forget, MessageError, Publish, Side, Will, encode
from sealcam.pace import Parcel
from sealcam.wire.errors import ConfigError

READ_BYTES = 64 << 10
MAX_LATE = 16  # tokens whose time ran out, but which the post may still confirm


@dataclass(frozen=True, slots=True)
class Flight:
    """The one message that a post has been given: its token, what it is, and its deadline."""

    token: int
    what: Parcel | Load
    deadline_ns: int


class Peer:
    """One connected post: what was read of a message, what is not yet written, what it says of its link."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.decoder = Decoder(Side.POST)
        self.unsent = memoryview(b"")
        self.begun = False
        self.up = False
        self.flight: Flight | None = None
        self.late: dict[int, Parcel | Load] = {}  # by token
        self.load: Load | None = None  # the one that is out, in flight or late
        self._tokens = 0

    def begin(self, will: bytes) -> None:
        """Give it the will to leave with the broker, before anything else."""
        self.begun = True
        self.unsent = memoryview(encode(Will(will)))
        self.write()

    def send(self, what: Parcel | Load, deadline_ns: int) -> None:
        """Give it `what` under a new token, as much as the socket takes now; the place in flight is taken."""
        self._tokens += 1
        self.flight = Flight(self._tokens, what, deadline_ns)
        if isinstance(what, Load):
            self.load = what
            message: Carry | Publish = Carry(self._tokens, what.way, what.id, what.payload)
        else:
            message = Publish(self._tokens, what.envelope)
        self.unsent = memoryview(encode(message))
        self.write()

    def tell(self, message: Forget) -> bool:
        """Say a last word; whether the socket took it."""
        if not self.begun or self.unsent:
            return False
        self.unsent = memoryview(encode(message))
        try:
            self.write()
        except OSError:
            return False
        return not self.unsent

    def write(self) -> None:
        """Write what is left, as much as the socket takes."""
        with suppress(BlockingIOError):
            self.unsent = self.unsent[self.sock.send(self.unsent) :]

    def read(self) -> bytes:
        """What has come, empty at the end of the connection.

        No room is given for control data: file descriptors are closed by the kernel, which tells of it by a flag.
        """
        data, _, flags, _ = self.sock.recvmsg(READ_BYTES, 0)
        if flags & socket.MSG_CTRUNC:
            raise MessageError("a file descriptor")
        return data

    def free(self) -> None:
        """Let the place in flight be taken again; a confirmation that comes late still counts."""
        if self.flight is not None:
            self.late[self.flight.token] = self.flight.what
            if len(self.late) > MAX_LATE:
                del self.late[next(iter(self.late))]
            self.flight = None

    def confirmed(self, token: int) -> Parcel | Load:
        """What `token` stood for."""
        if self.flight is not None and self.flight.token == token:
            what, self.flight = self.flight.what, None
            return what
        if token not in self.late:
            raise MessageError("an unknown token")
        return self.late.pop(token)

    def unload(self) -> Load | None:
        """The load that was out, and is no longer, whatever the post may say of it yet."""
        load, self.load = self.load, None
        return load


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, for this user and group; what an earlier run left there is replaced.

    Raises:
        ConfigError: it can't be made.
    """
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
