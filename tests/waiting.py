"""Waiting in tests: for a condition, until a deadline, on an event nobody sets instead of a sleep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

STEP_S = 0.003


def eventually(condition: Callable[[], object], timeout_s: float = 20.0, what: str = "it") -> None:
    """Return once `condition()` is true; fail the test when it isn't within `timeout_s`."""
    until = time.monotonic() + timeout_s
    never = threading.Event()
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen within {timeout_s:g} s"
        never.wait(STEP_S)
