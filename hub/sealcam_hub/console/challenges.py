"""Challenges for passkeys: random, for one purpose, good for five minutes and once; nothing is kept of those unused.

A challenge carries its time and a MAC under a key of this process, so that whoever asks for thousands fills nothing.
Only those that were answered well are remembered, for as long as they would hold. Pure: the time is handed in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

LIFE_NS = 300 * 1_000_000_000
_RANDOM, _TIME, _MAC = 16, 8, 32


class Challenges:
    """Makes and takes them; `boot()` is nanoseconds since boot."""

    def __init__(self, boot: Callable[[], int]) -> None:
        self._boot = boot
        self._key = secrets.token_bytes(32)
        self._used: dict[bytes, int] = {}

    def new(self, purpose: str) -> bytes:
        """A further one."""
        head = secrets.token_bytes(_RANDOM) + max(0, self._boot()).to_bytes(_TIME, "big")
        return head + self._mac(head, purpose)

    def holds(self, challenge: bytes, purpose: str) -> bool:
        """Whether it is one of ours for that purpose, still good and not used up."""
        head, mac = challenge[: _RANDOM + _TIME], challenge[_RANDOM + _TIME :]
        if len(challenge) != _RANDOM + _TIME + _MAC or not hmac.compare_digest(mac, self._mac(head, purpose)):
            return False
        age_ns = self._boot() - int.from_bytes(head[_RANDOM:], "big")
        return 0 <= age_ns < LIFE_NS and challenge not in self._used

    def use(self, challenge: bytes) -> bool:
        """Use one up that was answered well; false where somebody was faster."""
        now_ns = self._boot()
        self._used = {one: at_ns for one, at_ns in self._used.items() if now_ns - at_ns < LIFE_NS}
        fresh = challenge not in self._used
        self._used.setdefault(challenge, now_ns)
        return fresh

    def _mac(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, head + purpose.encode(), hashlib.sha256)
