"""One connected post as the eye sees it: the socket, the place in flight, and the tokens it may name.

When something is sent and what a message means is `link`'s. design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass

from sealcam.frames import Decoder, FrameError, Publish, Side, encode

READ_BYTES = 64 << 10
MAX_LATE = 16  # tokens whose time ran out, but which the post may still confirm


@dataclass(frozen=True, slots=True)
class Flight:
    """The one message that a post has been given: its token, the sequence (none for a beat), and its deadline."""

    token: int
    seq: int | None
    deadline_ns: int


class Peer:
    """One connected post: what was read of a message, what is not yet written, what it says of its link."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.decoder = Decoder(Side.POST)
        self.unsent = memoryview(b"")
        self.up = False
        self.flight: Flight | None = None
        self.late: dict[int, int | None] = {}  # token: sequence
        self._tokens = 0

    def send(self, envelope: bytes, seq: int | None, deadline_ns: int) -> None:
        """Give it `envelope` under a new token, as much as the socket takes now; the place in flight is taken."""
        self._tokens += 1
        self.flight = Flight(self._tokens, seq, deadline_ns)
        self.unsent = memoryview(encode(Publish(self._tokens, envelope)))
        self.write()

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
            raise FrameError("a file descriptor")
        return data

    def free(self) -> None:
        """Let the place in flight be taken again; a confirmation that comes late still counts."""
        if self.flight is not None:
            self.late[self.flight.token] = self.flight.seq
            if len(self.late) > MAX_LATE:
                del self.late[next(iter(self.late))]
            self.flight = None

    def confirmed(self, token: int) -> int | None:
        """The sequence that `token` stood for, none for a beat."""
        if self.flight is not None and self.flight.token == token:
            seq, self.flight = self.flight.seq, None
            return seq
        if token not in self.late:
            raise FrameError("an unknown token")
        return self.late.pop(token)
