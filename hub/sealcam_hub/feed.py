"""Tells whoever shows something that it has changed: topics in, topics out, never content.

Within one process and between its threads. A topic is `incident/<id>`, `camera/<alias>` or `notice`; a subscriber
that falls behind loses the single topics and is told `refresh` instead, so that nobody slow holds up the hub.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType

REFRESH = "refresh"
BOUND = 64


class Subscription:
    """One reader's place in the feed; a context manager that gives it back."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._topics: deque[str] = deque()
        self._ready = threading.Condition()

    def put(self, topic: str) -> None:
        """Add a topic, once; when there are too many, they all become one `refresh`."""
        with self._ready:
            if topic in self._topics or REFRESH in self._topics:
                return
            if len(self._topics) >= BOUND:
                self._topics.clear()
                topic = REFRESH
            self._topics.append(topic)
            self._ready.notify()

    def get(self, timeout: float | None = None) -> str | None:
        """The oldest topic not yet read; none when nothing came within `timeout` seconds."""
        with self._ready:
            self._ready.wait_for(lambda: bool(self._topics), timeout)
            return self._topics.popleft() if self._topics else None

    def close(self) -> None:
        """Take no more topics."""
        self._feed.leave(self)

    def __enter__(self) -> Subscription:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take no more topics."""
        self.close()


class Feed:
    """Every subscriber gets every topic published after it came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """A new place in the feed."""
        subscription = Subscription(self)
        with self._lock:
            self._subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a place; doing so twice is harmless."""
        with self._lock:
            self._subscriptions.discard(subscription)

    def publish(self, topic: str) -> None:
        """Tell everyone that `topic` has changed; never waits for a reader."""
        with self._lock:
            readers = tuple(self._subscriptions)
        for reader in readers:
            reader.put(topic)
