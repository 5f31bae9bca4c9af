"""What keeps the console from its ledger: said to whoever asks, and once in the log, whoever asks how often.

Pages of a dozen open tabs would otherwise fill a journal with one line. What hasn't been met for a while is over, and
is said again if it comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sealcam.wire.errors import StorageError

_log = logging.getLogger(__name__)

CALM_NS = 600 * 1_000_000_000


class Trouble:
    """What was met last, and when; from the server's own thread. `boot` is nanoseconds since boot."""

    def __init__(self, boot: Callable[[], int]) -> None:
        self._boot = boot
        self._met: dict[str, int] = {}

    def met(self, error: StorageError) -> None:
        """Note that a page was kept from the ledger."""
        now_ns, words = self._boot(), str(error)
        if now_ns - self._met.get(words, -CALM_NS) >= CALM_NS:
            _log.error("%s; %s. Pages say so until it is over", words, error.hint or "no page can be shown")
        self._met = {one: at_ns for one, at_ns in self._met.items() if now_ns - at_ns < CALM_NS} | {words: now_ns}
