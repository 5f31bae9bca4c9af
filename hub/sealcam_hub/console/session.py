"""Who may look: one browser's session, made of a passphrase or passkey, and a guest's, made of the one-time link.

A guest sees nothing yet: it may choose the passphrase where there is none, and type it without waiting for what
others guessed wrong. Cookies come in as strings and go out as strings; `door_cookie` moves them, `origin` says what
is our own name and page.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sealcam_hub.console.throttle import Throttle
from sealcam_hub.person import OWNER, Person

SECRET_BYTES = 32
LIFE_NS = 30 * 24 * 3600 * 1_000_000_000  # a console that hangs on the wall asks for the passphrase once a month
GUEST_NS = 3600 * 1_000_000_000
MOST = 64  # of one person: the one that was used longest ago makes room


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody came in: as whom, by what in words, from what browser, with which passkey if with one.

    `mark` is which passphrase held then: under another one the session is over.
    """

    mark: bytes
    person: Person = OWNER
    how: str = "the passphrase"
    browser: str = ""
    credential: bytes | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is in: what its forms must carry, until when (wall ns), how it came, its own throttle.

    `name` is what a form calls it that ends it; it opens nothing.
    """

    csrf: str
    until_ns: int
    throttle: Throttle
    entry: Entry
    began_ns: int
    name: str

    @property
    def person(self) -> Person:
        """Whose it is."""
        return self.entry.person


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session, for showing; times are wall ns."""

    name: str
    person: Person
    how: str
    browser: str
    began_ns: int
    seen_ns: int


@dataclass(frozen=True, slots=True)
class Guest:
    """One browser that came with the one-time link: what its forms must carry, until when, and its own throttle."""

    csrf: str
    until_ns: int
    throttle: Throttle


class Sessions:
    """Everybody's sessions, in memory: a hub that starts again asks for the passphrase.

    `mark(id)` says which passphrase of a person holds, none where there is no such person; `clock()` is wall time in
    nanoseconds.
    """

    def __init__(self, mark: Callable[[int], bytes | None], clock: Callable[[], int]) -> None:
        self._mark = mark
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}
        self._seen_ns: dict[bytes, int] = {}
        self._guests: dict[bytes, Guest] = {}

    def begin(self, entry: Entry, throttle: Throttle) -> str:
        """A new session's secret for the cookie."""
        secret, now_ns = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        csrf, name = secrets.token_urlsafe(SECRET_BYTES), secrets.token_hex(8)
        key = _digest(secret)
        with self._lock:
            theirs = [one for one, session in self._sessions.items() if session.person.id == entry.person.id]
            for oldest in sorted(theirs, key=lambda one: self._seen_ns[one])[: max(0, len(theirs) - MOST + 1)]:
                self._forget(oldest)
            self._sessions[key] = Session(csrf, now_ns + LIFE_NS, throttle, entry, now_ns, name)
            self._seen_ns[key] = now_ns
        return secret

    def invite(self, throttle: Throttle) -> str:
        """A new guest's secret for the cookie."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        guest = Guest(secrets.token_urlsafe(SECRET_BYTES), self._clock() + GUEST_NS, throttle)
        with self._lock:
            self._guests[_digest(secret)] = guest
        return secret

    def find(self, secret: str | None) -> Session | None:
        """The session a cookie belongs to; none when there is none, or its time, passphrase or person is over. May
        block.

        Raises:
            StorageError: which passphrase holds can't be read.
        """
        if not secret:
            return None
        key = _digest(secret)
        with self._lock:
            session = self._sessions.get(key)
        if session is None:
            return None
        stands = session.until_ns > self._clock() and session.entry.mark == self._mark(session.person.id)
        with self._lock:
            if not stands or key not in self._sessions:  # somebody may have ended it meanwhile
                self._forget(key)
                return None
            self._seen_ns[key] = self._clock()
        return session

    def guest(self, secret: str | None) -> Guest | None:
        """The guest a cookie belongs to; none when there is none or its time is over."""
        if not secret:
            return None
        key = _digest(secret)
        with self._lock:
            guest = self._guests.get(key)
            if guest is not None and guest.until_ns <= self._clock():
                del self._guests[key]
                return None
            return guest

    def end(self, secret: str | None) -> None:
        """Let a cookie open nothing any more."""
        if secret:
            with self._lock:
                self._forget(_digest(secret))
                self._guests.pop(_digest(secret), None)

    def all(self) -> tuple[SessionView, ...]:
        """Those that aren't over by time, the one that was used last first."""
        with self._lock:
            there = [(self._seen_ns[key], one) for key, one in self._sessions.items() if one.until_ns > self._clock()]
        views = (SessionView(s.name, s.person, s.entry.how, s.entry.browser, s.began_ns, seen) for seen, s in there)
        return tuple(sorted(views, key=lambda one: -one.seen_ns))

    def end_where(self, which: Callable[[Session], bool]) -> int:
        """End the sessions that `which` chooses; how many."""
        with self._lock:
            chosen = [key for key, session in self._sessions.items() if which(session)]
            for key in chosen:
                self._forget(key)
        return len(chosen)

    def _forget(self, key: bytes) -> None:
        self._sessions.pop(key, None)
        self._seen_ns.pop(key, None)


def same(offered: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(_digest(offered), _digest(expected))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
