"""The terminal itself, whatever standard input and output are: words must not end up in a file, pipe or journal.

`Terminal` is the seam; `DevTty` the real one; `ScriptedTerminal` a fake for tests.
"""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sealcam.wire.errors import ConfigError

MAX_LINE = 4096


class Terminal(Protocol):
    """A person."""

    def show(self, text: str) -> None:
        """Show them some lines."""
        ...

    def ask(self, prompt: str, *, echo: bool = True) -> str:
        """What they type, without the line's end; unseen where `echo` is false."""
        ...


class DevTty:
    """The terminal that this process was started from.

    Raises:
        ConfigError: there is none.
    """

    def __init__(self, purpose: str) -> None:
        try:
            self._handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"{purpose} only on a terminal, and there is none", "run it in a terminal") from error

    def show(self, text: str) -> None:
        """Show some lines."""
        data = text.encode()
        while data:
            data = data[os.write(self._handle, data) :]

    def ask(self, prompt: str, *, echo: bool = True) -> str:
        """A line from the keyboard; what was typed ahead counts only where it is shown.

        Raises:
            ConfigError: the terminal was closed.
        """
        with self._hidden(echo):  # first: what is typed ahead would be seen, and is thrown away
            self.show(prompt)
            line = os.read(self._handle, MAX_LINE)
        if not echo:
            self.show("\n")
        if not line.endswith(b"\n"):
            raise ConfigError("the terminal was closed", "nothing was done")
        return line.decode("utf-8", "replace").strip()

    @contextmanager
    def _hidden(self, echo: bool) -> Iterator[None]:
        if echo:
            yield
            return
        before = termios.tcgetattr(self._handle)
        hidden = list(before)
        hidden[3] = int(hidden[3]) & ~termios.ECHO
        termios.tcsetattr(self._handle, termios.TCSAFLUSH, hidden)
        try:
            yield
        finally:
            termios.tcsetattr(self._handle, termios.TCSADRAIN, before)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)


class ScriptedTerminal:
    """A person who types what was written down before; `shown` is all that they saw."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self._lines = list(lines)
        self.shown = ""

    def show(self, text: str) -> None:
        """Keep it."""
        self.shown += text

    def ask(self, prompt: str, *, echo: bool = True) -> str:
        """The next line.

        Raises:
            ConfigError: there is none any more.
        """
        self.show(prompt)
        if not self._lines:
            raise ConfigError("the terminal was closed", "nothing was done")
        line = self._lines.pop(0)
        if echo:
            self.show(line + "\n")
        return line.strip()
