"""`sealcam-hub events`: the ledger's lines, once or for as long as somebody listens.

Reads the ledger like any other program, so it works beside a running `serve`. A pending event is shown when it comes,
marked as such, and not a second time when it gets its place.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from sealcam_hub.ledger import Ledger
from sealcam_hub.views import EventView

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events are wanted: of one camera (alias or name), from a wall time (ns) on."""

    camera: str | None = None
    since_ns: int = 0

    def wants(self, event: EventView) -> bool:
        """Whether the event is among them."""
        mine = self.camera is None or self.camera in (event.alias, event.camera)
        return mine and event.occurred_ns >= self.since_ns


class Reader:
    """Where one reader is in the ledger."""

    def __init__(self, ledger: Ledger, choice: Choice) -> None:
        self._ledger = ledger
        self._choice = choice
        self._place = 0
        self._pending: set[str] = set()  # shown already

    def fresh(self) -> Iterator[tuple[EventView, bool]]:
        """What has come since the last call, and whether it is pending."""
        while lines := self._ledger.lines(self._place):
            for event in lines:
                self._place = event.place or self._place
                if event.hash in self._pending:
                    self._pending.discard(event.hash)
                elif self._choice.wants(event):
                    yield event, False
        for event in self._ledger.pending():
            if event.hash not in self._pending and self._choice.wants(event):
                self._pending.add(event.hash)
                yield event, True


def follow(reader: Reader, show: Callable[[EventView, bool], None]) -> None:
    """Show what comes until SIGINT or SIGTERM, and then what had come by then."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while True:
            last = ended.is_set()
            for event, pending in reader.fresh():
                show(event, pending)
            if last:
                return
            ended.wait(POLL_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
