"""A worker of the hub: messages in batches from the link to the ledger, receipts back, and what is due by time.

The link's thread only queues; when the queue is full it waits, and the broker with it. A batch is whatever came while
the one before was being written: the busier the hub, the more messages share a commit. Knows no MQTT.
"""

from __future__ import annotations

import logging
import queue
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from sealcam.wire.bodies import AnswerBody
from sealcam_hub.clock import Clock
from sealcam_hub.exchange import Exchange
from sealcam_hub.feed import Feed
from sealcam_hub.inbox import Message
from sealcam_hub.notices import NoticeKind, Refusal
from sealcam_hub.once import Once
from sealcam_hub.others import Others
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.receive import Receiver
from sealcam_hub.watch import Watch
from sealcam_hub.wishes import Wishes

_log = logging.getLogger(__name__)

BATCH = 256  # an fsync takes 10 ms on a slow card: under load they are shared
QUEUED = 1024  # at 20 KiB a message 20 MiB; a full queue holds back the broker
TICK_NS = 250_000_000
RENEW_NS = 60_000_000_000
_ORDINARY = (Refusal.EARLY, Refusal.FOREIGN)  # as keys change, and at a new hub
LOOK_NS = 1_000_000_000  # how often one that leads looks at what others have taken in


class Link(Protocol):
    """The way to the cameras, and to other hubs."""

    @property
    def up(self) -> bool:
        """Whether anybody can be heard."""
        ...

    def send(self, alias: str, payload: bytes) -> bool:
        """Send to a camera; false when that isn't possible now."""
        ...

    def ask(self, message: bytes) -> bool:
        """Ask the home hub for something."""
        ...

    def fill(self, link: str, message: bytes) -> bool:
        """Send another hub what it asked for."""
        ...


class RecordingLink:
    """A link to nowhere that keeps what is sent, for tests."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list[tuple[str, bytes]] = []
        self.asks: list[bytes] = []
        self.fills: list[tuple[str, bytes]] = []

    def send(self, alias: str, payload: bytes) -> bool:
        """Keep it while up."""
        if self.up:
            self.sent.append((alias, payload))
        return self.up

    def ask(self, message: bytes) -> bool:
        """Keep it while up."""
        if self.up:
            self.asks.append(message)
        return self.up

    def fill(self, link: str, message: bytes) -> bool:
        """Keep it while up."""
        if self.up:
            self.fills.append((link, message))
        return self.up


class Live(Protocol):
    """The live views, as far as the worker has to do with them."""

    @property
    def commanding(self) -> AbstractContextManager[object]:
        """Held by whoever signs commands, until they are sent: a camera takes rising numbers alone."""
        ...

    def answered(self, alias: str, answer: AnswerBody, /) -> None:
        """A camera's word on a command."""
        ...

    def tick(self) -> None:
        """Do what is due by time."""
        ...


@dataclass(slots=True)
class Pump:
    """Call `deliver` from the link's thread and `run_once` for ever from one other.

    One of a hub's workers leads: it alone does what is due by time, and with `others` looks at what they take in.
    `lane` of `lanes` is this one's.
    """

    receiver: Receiver
    wishes: Wishes
    feed: Feed
    clock: Clock
    exchange: Exchange | None = None
    watch: Watch = field(default_factory=Watch)
    live: Live | None = None
    leads: bool = True
    others: Others | None = None
    lane: int = 0
    lanes: int = 1
    queue: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(QUEUED))
    _arrived_ns: int = 0
    _ticked_ns: int = -TICK_NS
    _renewed_ns: int = -RENEW_NS
    _looked_ns: int = -LOOK_NS
    _once: Once = field(init=False)

    def __post_init__(self) -> None:
        self._once = Once(self.clock.boot_ns)
        lives = [one for one in self.receiver.standings() if one.life.boot is not None and not one.camera.left]
        silent = [one.camera.alias for one in lives if one.life.silent]
        self.watch.expect([one.camera.alias for one in lives], self.clock.boot_ns(), silent)

    def deliver(self, alias: str, payload: bytes) -> None:
        """Queue a message; waits while the queue is full."""
        # No two arrive at once, at whichever worker: pages are cut there.
        now_ns = self.clock.wall_ns() // self.lanes * self.lanes + self.lane
        self._arrived_ns = max(self._arrived_ns + self.lanes, now_ns)
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
        if outcome.refusal is not None and outcome.refusal not in _ORDINARY:
            self._log_refusal(outcome.alias, outcome.refusal)
        for message in (outcome.answer, *outcome.also):
            if message is not None:
                link.send(outcome.alias, message)
        if outcome.answered is not None and self.live is not None:
            self.live.answered(outcome.alias, outcome.answered)
        if outcome.what is What.BEAT:
            self.watch.beat(outcome.alias, self.clock.boot_ns())
        self._publish(outcome.topics)

    def _log_refusal(self, alias: str, refusal: Refusal) -> None:
        """Each kind of each camera once an hour; of what comes under any other name, one kind for all."""
        camera = "" if refusal is Refusal.UNKNOWN else alias
        if self._once.due((camera, refusal)):
            named = f"camera {alias}" if camera else "an alias that is no camera of this hub"
            _log.warning("a message that came under %s was refused (%s); pages and metrics count them", named, refusal)

    def _publish(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            self.feed.publish(topic)

    def _tick(self, link: Link, now_ns: int) -> None:
        if not self.leads:
            self._renew(link, now_ns)
            return
        self._look(now_ns)
        if not link.up:
            self.watch.away(now_ns)
            return
        self.watch.forget(one.camera.alias for one in self.receiver.standings() if one.camera.left)
        for alias in self.watch.silent(now_ns):
            self._publish(self.receiver.tell(alias, NoticeKind.SILENT))
        for alias, (first, last) in self.watch.gaps(self.receiver.gaps(), now_ns):
            self._publish(self.receiver.tell(alias, NoticeKind.GAP, first, last))
        if self.receiver.is_home:
            with nullcontext() if self.live is None else self.live.commanding:
                for alias, command in self.wishes.due():
                    link.send(alias, command)
        if self.live is not None:
            self.live.tick()
        if self.exchange is not None:
            for name, envelope in self.exchange.answers(now_ns):
                link.fill(name, envelope)
            for question in self.exchange.questions(self.receiver.standings(), now_ns):
                link.ask(question)
            for alias, first in self.exchange.hopeless():
                self._publish(self.receiver.give_up(alias, first))
        self._renew(link, now_ns)

    def _look(self, now_ns: int) -> None:
        """Take up what other workers took in: before anything is told to be missing."""
        if self.others is None or now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        for alias in self.receiver.look_again():
            self.watch.beat(alias, now_ns)
            self.feed.publish(f"camera/{alias}")
        news = self.others.news()
        self._publish(news.topics)
        if self.live is not None:
            for alias, answer in news.answers:
                self.live.answered(alias, answer)

    def _renew(self, link: Link, now_ns: int) -> None:
        if now_ns - self._renewed_ns < RENEW_NS:
            return
        self._renewed_ns = now_ns
        if not self.leads:
            self.receiver.look_again()
            return
        for alias, statement in self.receiver.renew():
            link.send(alias, statement)
