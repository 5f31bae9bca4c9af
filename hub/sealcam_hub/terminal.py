"""Questions and progress on a terminal; where there is none, nothing is asked and nothing is drawn."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Folder

Adder = Callable[[str, Callable[[argparse.Namespace, Folder], int], str], argparse.ArgumentParser]
"""Adds a command to the parser: its name, what runs it, and what it does in words."""


def confirmed(question: str, yes: bool = False) -> bool:
    """Whether the person at the terminal says yes, or has said so with `--yes`.

    Raises:
        ConfigError: there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError("this must be confirmed, and there is no terminal to ask on", "say --yes if you mean it")
    sys.stderr.write(f"{question} Type yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def say(line: str) -> None:
    """A line of a command's answer."""
    sys.stdout.write(line + "\n")


class Progress:
    """A bar on standard error while inside; call it with how many are done and how many there are."""

    def __init__(self, words: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task(words, total=None)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """So far."""
        self._bar.update(self._task, completed=done, total=total)
