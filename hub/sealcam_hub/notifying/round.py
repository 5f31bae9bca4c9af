"""One round of notifications: what is new in the ledger becomes rows, what is due leaves; `serve` has the thread.

Reads the ledger as any page does, so that the hub's worker never waits. Each target has at most one delivery under
way, on a thread of its own. design/hub.md, "Notifications".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sealcam.wire.errors import SealcamError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit
from sealcam_hub.feed import REFRESH, Feed, Subscription
from sealcam_hub.home import Home
from sealcam_hub.notifying import push, rows, service, wording
from sealcam_hub.notifying.push import Message, Pusher, Sent
from sealcam_hub.notifying.rows import INCIDENT, Due, Kind, Target
from sealcam_hub.notifying.rules import Rank, Rules
from sealcam_hub.notifying.wording import News
from sealcam_hub.views import EventView

_log = logging.getLogger(__name__)

WAIT_S = 2.0
MOST_AT_ONCE = 5
MANY = "many"
MOST_WORDS = 1000
ACTOR = "notifications"
_LINES = 256
Spawn = Callable[[Callable[[], None]], None]


def on_a_thread(work: Callable[[], None]) -> None:
    """Do it meanwhile; it ends with the hub."""
    threading.Thread(target=work, name="notification", daemon=True).start()


@dataclass(slots=True)
class Round:
    """Call `run_once` and `wait` in turn from one thread."""

    home: Home
    feed: Feed
    spawn: Spawn = on_a_thread
    _news: Subscription = field(init=False)
    _topics: set[str] = field(default_factory=set)
    _words: dict[str, News] = field(default_factory=dict)  # of what is no incident: the ledger has no name for it
    _busy: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _settled: bool = False

    def __post_init__(self) -> None:
        self._news = self.feed.subscribe()

    def wait(self, seconds: float) -> None:
        """Until something has changed, or so long."""
        topic = self._news.get(seconds)
        if topic is not None:
            self._topics.add(topic)

    def close(self) -> None:
        """Hear of no more changes."""
        self._news.close()

    def run_once(self) -> None:
        """Look, and tell.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        while (topic := self._news.get(0)) is not None:
            self._topics.add(topic)
        if not self._settled:
            with self.home.store.writing() as connection:
                rows.settle(connection, self.home.clock.wall_ns())
            self._settled = True
            self._topics.add(REFRESH)
        topics, self._topics = self._topics, set()
        with self.home.store.reading() as connection:
            who, chosen, place = rows.all_targets(connection), rows.rules(connection), rows.place(connection)
        last = self.home.ledger().last_place()
        if place is None or not who:
            if place != last:
                with self.home.store.writing() as connection:
                    rows.set_place(connection, last)
            return
        self._collect(who, chosen, place, topics)
        for target in who:
            self._deliver(target)

    def _collect(self, who: Sequence[Target], chosen: Rules, place: int, topics: set[str]) -> None:
        ledger = self.home.ledger()
        incidents = {topic.removeprefix(INCIDENT) for topic in topics if topic.startswith(INCIDENT)}
        if REFRESH in topics:
            incidents |= {_incident(line) for line in ledger.pending() if line.incident}
        found: list[News] = []
        while lines := ledger.lines(place, _LINES):
            place = lines[-1].place or place
            modes = {one.alias: one.mode for one in ledger.cameras()}
            for line in lines:
                if line.incident:
                    incidents.add(_incident(line))
                elif (news := wording.of_line(line, modes.get(line.alias))) is not None:
                    found.append(news)
        views = [view for one in sorted(incidents) if (view := ledger.incident(one)) is not None]
        found += [wording.of_incident(view, chosen) for view in views]
        if not found:
            with self.home.store.reading() as connection:
                if rows.place(connection) == place:
                    return
        now_ns = self.home.clock.wall_ns()
        with self.home.store.writing() as connection:
            for news in found:
                rows.note(connection, chosen, who, news, now_ns)
            rows.set_place(connection, place)
        if len(self._words) > MOST_WORDS:
            self._words.clear()
        self._words.update((news.subject, news) for news in found if not news.subject.startswith(INCIDENT))

    def _deliver(self, target: Target) -> None:
        now_ns = self.home.clock.wall_ns()
        with self.home.store.reading() as connection:
            if not rows.is_due(connection, target, now_ns):
                return
        with self._lock:
            if target.id in self._busy:
                return
            self._busy.add(target.id)
        self.spawn(lambda: self._send(target, now_ns))

    def _send(self, target: Target, now_ns: int) -> None:
        """Send what is due, on a thread of its own: what fails here is tried again, and ends nothing."""
        try:
            with self.home.store.writing() as connection:
                some = rows.all_due(connection, target, now_ns)
                secret = rows.secret(connection, self.home.keys.table, target.id)
            if secret is not None:
                for batch in _batches(some):
                    if not self._send_batch(target, secret, batch):
                        break
        except SealcamError as error:
            _log.warning("a notification waits: %s", error.message)
        finally:
            with self._lock:
                self._busy.discard(target.id)

    def _send_batch(self, target: Target, secret: bytes, batch: Sequence[Due]) -> bool:
        looked = [(one, self._told(one)) for one in batch]
        news = [(one, said) for one, said in looked if said is not None]
        batch = [one for one, _ in news]
        with self.home.store.writing() as connection:
            for one, said in looked:
                if said is None:
                    rows.forget(connection, one.subject)
            rows.begin(connection, target, batch)
            for one in batch:
                if one.rings == 0 and one.tries == 0 and one.subject.startswith(INCIDENT):
                    name = bytes.fromhex(one.subject[-16:])
                    detail = f"told to {target.name}, by {target.place}"
                    audit.append(
                        connection, self.home.keys, self.home.clock.wall_ns(), Action.OPENED, ACTOR, detail, name
                    )
        if not news:
            return True
        if len(news) == 1:
            ((one, said),) = news
            message = Message(said.words, one.subject, said.path, one.loud)
        else:
            message = Message(wording.of_many(len(batch)), MANY)
        result = deliver(Pusher(self.home.folder), target.kind, secret, message)
        now_ns = self.home.clock.wall_ns()
        with self.home.store.writing() as connection:
            if result is Sent.GONE:
                rows.remove(connection, target.id)
                _log.warning("%s takes no notifications any more, and was removed", target.name)
            elif result is Sent.DONE:
                done = [(one, said.digest) for one, said in news]
                rows.sent(connection, rows.rules(connection), target, done, now_ns)
            else:
                rows.failed(connection, target, batch, now_ns)
        return result is Sent.DONE

    def _told(self, one: Due) -> News | None:
        """What there is to say of it now; none of an incident that was deleted."""
        if one.subject.startswith(INCIDENT):
            view = self.home.ledger().incident(one.subject.removeprefix(INCIDENT))
            if view is None:
                return None
            with self.home.store.reading() as connection:
                return wording.of_incident(view, rows.rules(connection))
        names = {camera.alias: camera.name for camera in self.home.ledger().cameras()}
        return self._words.get(one.subject) or wording.of_subject(one.subject, names, one.since_ns)


def deliver(pusher: Pusher, kind: Kind, secret: bytes, message: Message) -> Sent:
    """Send one message to a target of that kind."""
    if kind is Kind.PUSH:
        return pusher.send(push.subscription(secret), message)
    return service.send(secret.decode(), message)


def _incident(line: EventView) -> str:
    return f"{line.alias}-{line.incident}"


def _batches(some: Sequence[Due]) -> list[list[Due]]:
    """Threats one by one; what else there is one by one, or all as a number where it is a lot."""
    loud = [one for one in some if one.rank is Rank.THREAT]
    rest = [one for one in some if one.rank is not Rank.THREAT]
    return [[one] for one in loud] + ([rest] if len(rest) > MOST_AT_ONCE else [[one] for one in rest])
