"""The hub's one worker: messages in batches from the link to the ledger, receipts back, and what is due by time.

The link's thread only queues; when the queue is full it waits, and the broker with it. A batch is whatever came while
the one before was being written: the busier the hub, the more messages share a commit. Knows no MQTT.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from typing import Protocol

from sealcam_hub.batch import Outcome, What
from sealcam_hub.clock import Clock
from sealcam_hub.feed import Feed
from sealcam_hub.inbox import Message
from sealcam_hub.notices import NoticeKind
from sealcam_hub.receive import Receiver
from sealcam_hub.watch import Watch
from sealcam_hub.wishes import Wishes

BATCH = 256  # an fsync takes 10 ms on a slow card: under load they are shared
QUEUED = 1024  # at 20 KiB a message 20 MiB; a full queue holds back the broker
TICK_NS = 250_000_000
RENEW_NS = 60_000_000_000


class Link(Protocol):
    """The way to the cameras."""

    @property
    def up(self) -> bool:
        """Whether anybody can be heard."""
        ...

    def send(self, alias: str, payload: bytes) -> bool:
        """Send to a camera; false when that isn't possible now."""
        ...


class RecordingLink:
    """A link to nowhere that keeps what is sent, for tests."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list[tuple[str, bytes]] = []

    def send(self, alias: str, payload: bytes) -> bool:
        """Keep it while up."""
        if self.up:
            self.sent.append((alias, payload))
        return self.up


@dataclass(slots=True)
class Pump:
    """Call `deliver` from the link's thread and `run_once` for ever from one other."""

    receiver: Receiver
    wishes: Wishes
    feed: Feed
    clock: Clock
    watch: Watch = field(default_factory=Watch)
    queue: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(QUEUED))
    _arrived_ns: int = 0
    _ticked_ns: int = -TICK_NS
    _renewed_ns: int = -RENEW_NS

    def __post_init__(self) -> None:
        lives = [one for one in self.receiver.standings() if one.life.boot is not None]
        silent = [one.camera.alias for one in lives if one.life.silent]
        self.watch.expect([one.camera.alias for one in lives], self.clock.boot_ns(), silent)

    def deliver(self, alias: str, payload: bytes) -> None:
        """Queue a message; waits while the queue is full."""
        self._arrived_ns = max(self._arrived_ns + 1, self.clock.wall_ns())  # no two arrive at once: pages are cut there
        self.queue.put(Message(alias, payload, self._arrived_ns))

    def run_once(self, link: Link, wait_s: float) -> int:
        """Take the messages that wait, or wait for one; how many there were.

        Raises:
            StorageError: the disk is full or the ledger broken: nothing of the batch was receipted.
        """
        batch = self._batch(wait_s)
        if batch:
            for outcome in self.receiver.take_all(batch):
                self._told(outcome, link)
        now_ns = self.clock.boot_ns()
        if now_ns - self._ticked_ns >= TICK_NS:
            self._ticked_ns = now_ns
            self._tick(link, now_ns)
        return len(batch)

    def _batch(self, wait_s: float) -> list[Message]:
        batch: list[Message] = []
        try:
            batch.append(self.queue.get(timeout=wait_s))
            while len(batch) < BATCH:
                batch.append(self.queue.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _told(self, outcome: Outcome, link: Link) -> None:
        if outcome.answer is not None:
            link.send(outcome.alias, outcome.answer)
        if outcome.what is What.BEAT:
            self.watch.beat(outcome.alias, self.clock.boot_ns())
        self._publish(outcome.topics)

    def _publish(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            self.feed.publish(topic)

    def _tick(self, link: Link, now_ns: int) -> None:
        if not link.up:
            self.watch.away(now_ns)
            return
        for alias in self.watch.silent(now_ns):
            self._publish(self.receiver.tell(alias, NoticeKind.SILENT))
        for alias, (first, last) in self.watch.gaps(self.receiver.gaps(), now_ns):
            self._publish(self.receiver.tell(alias, NoticeKind.GAP, first, last))
        for alias, command in self.wishes.due():
            link.send(alias, command)
        if now_ns - self._renewed_ns >= RENEW_NS:
            self._renewed_ns = now_ns
            for alias, prekey in self.receiver.renew():
                link.send(alias, prekey)
