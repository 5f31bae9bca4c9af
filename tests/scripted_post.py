"""A post that says what the test wants, on the eye's real socket."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from sealcam.messages import Carry, Decoder, Message, Publish, Published, Side, Will, encode


class ScriptedPost:
    """One connection to the eye."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # waits for a place in the queue, which a socket with a time-out doesn't
        self.socket.settimeout(10)
        self._decoder = Decoder(Side.EYE)
        self._frames: list[Message] = []
        self.will = b""

    def say(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(encode(message) for message in messages))

    def hear(self) -> Publish:
        """The next message from the eye, an envelope; the will comes before the first."""
        message = self.hear_any()
        assert isinstance(message, Publish)
        return message

    def hear_load(self) -> Carry:
        """The next message from the eye, a load."""
        message = self.hear_any()
        assert isinstance(message, Carry)
        return message

    def hear_any(self) -> Publish | Carry:
        """The next message from the eye."""
        message = self._next()
        if not self.will:
            assert isinstance(message, Will)
            self.will = message.envelope
            message = self._next()
        assert isinstance(message, Publish | Carry)
        return message

    def _next(self) -> Message:
        while not self._frames:
            data = self.socket.recv(1 << 16)
            assert data, "the eye hung up"
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    def confirm(self) -> bytes:
        """Take one message and say that the broker has it."""
        publish = self.hear()
        self.say(Published(publish.token))
        return publish.envelope

    def hung_up(self) -> bool:
        """Whether the eye closes the connection, or has."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(1 << 16):
                pass
        return True

    def silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        self.socket.settimeout(seconds)
        try:
            if not self.will:
                first = self._next()
                assert isinstance(first, Will)
                self.will = first.envelope
            return not self._frames and not self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> ScriptedPost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
