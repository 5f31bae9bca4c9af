"""The post's end of the socket to the eye: takes what is to be published, and gives back what comes.

Nothing is kept when the connection ends: the eye has everything still. When there is reading or writing to do is
`post`'s. design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from pathlib import Path

from sealcam.messages import Carry, Decoder, Forget, Message, MessageError, Publish, Side, Will, encode
from sealcam.wire.errors import LinkDown

READ_BYTES = 64 << 10


class MailSlot:
    """One connection to the eye at `path`: its will, what it wants published, and what it has not yet taken."""

    def __init__(self, path: Path) -> None:
        """Connect.

        Raises:
            LinkDown: nobody listens there.
        """
        self.will: bytes | None = None  # none until it has come
        self.inbox: deque[Publish | Carry] = deque()
        self.forgets = False  # whether the camera was reset
        self._decoder = Decoder(Side.EYE)
        self._unsent = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LinkDown(f"the eye isn't at {path}: {error.strerror}", "is sealcam-eye running?") from error
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The socket to poll."""
        return self._socket.fileno()

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the eye to read."""
        return len(self._unsent)

    def send(self, message: Message) -> None:
        """Send one message when the eye takes it."""
        self._unsent += encode(message)

    def write(self) -> None:
        """Write as much as the eye takes.

        Raises:
            LinkDown: the eye has gone.
        """
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            with suppress(LinkDown):
                self.read()  # its last word may still be here
            raise LinkDown("the eye has gone") from error

    def read(self) -> None:
        """Take what the eye has sent.

        Raises:
            LinkDown: the eye has gone, or broke the protocol.
        """
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkDown("the eye has gone") from error
        if not data:
            raise LinkDown("the eye has gone")
        try:
            for message in self._decoder.feed(data):
                self._take(message)
        except MessageError as error:
            raise LinkDown(f"the eye broke the protocol ({error.message})", "are both of one version?") from error

    def _take(self, message: Message) -> None:
        """The will comes first, and once."""
        match message, self.will:
            case Will(envelope), None:
                self.will = envelope
            case ((Publish() | Carry()), bytes()):
                self.inbox.append(message)
            case Forget(), bytes():
                self.forgets = True
            case _:
                raise MessageError("its will comes first, and once")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
