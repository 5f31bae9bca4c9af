"""The audit log's entries of live views: before the first picture who looks at what, at the end for how long.

One pair for each viewer and camera, however many tabs he has open, however often a page is loaded again, and whatever
is said to the camera meanwhile.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from sealcam.wire.errors import StorageError
from sealcam_hub.audit import CONSOLE, opened
from sealcam_hub.clock import Clock
from sealcam_hub.homeassistant.names import ACTOR
from sealcam_hub.keys import HubKeys
from sealcam_hub.live_keys import Seen
from sealcam_hub.store import Store

_log = logging.getLogger(__name__)

GRACE_NS = 5_000_000_000  # as `live_show`: a page that is loaded again is one look


@dataclass(slots=True)
class _Look:
    seen: Seen
    who: str
    since_ns: int
    tabs: int = 1
    left_ns: int = 0


@dataclass(slots=True)
class LiveLog:
    """Who looks at what. Every method may be called from any thread, and may block for the ledger."""

    store: Store
    keys: HubKeys
    clock: Clock
    _looks: dict[tuple[str, str], _Look] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, who: str, seen: Seen) -> None:
        """Note that `who` is about to be shown that camera.

        Raises:
            StorageError: the entry can't be written, so nothing is to be shown.
        """
        with self._lock:
            look = self._looks.get((who, seen.alias))
            if look is None:
                self._write(f"live view of {seen.name}", seen, who)
                self._looks[who, seen.alias] = _Look(seen, who, self.clock.boot_ns())
            else:
                look.tabs += 1

    def leave(self, who: str, alias: str) -> None:
        """One tab of `who` is gone."""
        with self._lock:
            look = self._looks.get((who, alias))
            if look is not None:
                look.tabs -= 1
                look.left_ns = self.clock.boot_ns()

    def settle(self, all_of_them: bool = False) -> None:
        """Write the last entry of each look that is over."""
        with self._lock:
            now_ns = self.clock.boot_ns()
            for key, look in list(self._looks.items()):
                if all_of_them or (look.tabs <= 0 and now_ns - look.left_ns >= GRACE_NS):
                    del self._looks[key]
                    until_ns = look.left_ns if look.tabs <= 0 else now_ns
                    self._last(look, max(1, round((until_ns - look.since_ns) / 1e9)))

    def _last(self, look: _Look, seconds: int) -> None:
        try:
            self._write(f"live view of {look.seen.name} is over, after {seconds} s", look.seen, look.who)
        except StorageError as error:
            _log.warning("the end of a live view isn't in the audit log: %s", error.message)

    def _write(self, detail: str, seen: Seen, who: str) -> None:
        actor = who if who == ACTOR else CONSOLE  # a browser is named by its session, which is nobody's to read
        opened(self.store, self.keys, self.clock, detail, seen.subject, actor)
