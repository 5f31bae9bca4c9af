"""The newest message of each link, read once a second: whoever floods takes no more room or time than one message."""

from __future__ import annotations

import threading

MAX_LINKS = 16  # as many hubs as a recipient set may have
READ_NS = 1_000_000_000  # between two messages of a link


class Newest:
    """Messages by link; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, bytes] = {}
        self._read_ns: dict[str, int] = {}

    def put(self, link: str, message: bytes) -> None:
        """Keep it instead of what that link said before."""
        with self._lock:
            if link in self._heard or len(self._heard) < MAX_LINKS:
                self._heard[link] = message

    def due(self, now_ns: int) -> dict[str, bytes]:
        """Take those of links of which none was read in the last second (time since boot)."""
        with self._lock:
            self._read_ns = {one: at_ns for one, at_ns in self._read_ns.items() if now_ns - at_ns < READ_NS}
            due = {one: message for one, message in self._heard.items() if one not in self._read_ns}
            for one in due:
                del self._heard[one]
                self._read_ns[one] = now_ns
        return due
