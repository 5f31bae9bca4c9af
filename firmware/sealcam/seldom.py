"""Lines in the journal that somebody else causes, and so must not fill it: one in so many seconds, the rest counted."""

from __future__ import annotations

import logging

EVERY_NS = 5 * 1_000_000_000


class Seldom:
    """Logs to `log`, but no more than a line in `EVERY_NS`."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._from_ns = 0
        self._unsaid = 0

    def say(self, text: str, now_ns: int) -> None:
        """Log `text`, or count it."""
        if now_ns >= self._from_ns:
            also = f" ({self._unsaid} lines left out before)" if self._unsaid else ""
            self._log.info("%s%s", text, also)
            self._from_ns, self._unsaid = now_ns + EVERY_NS, 0
        else:
            self._unsaid += 1
