"""The thread in which `serve` keeps the off-site copy up; a store that fails is told, and fails nothing else.

It looks every few seconds whether anything has changed, and tries a store that fails again after 15 s, doubling up to
10 minutes. One line in the log as a failure begins and one as it ends; how it stands is a row in `values`, for
`sealcam-hub status` and the console.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from sqlalchemy import Connection, select

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub import offsite_rows, offsite_settings
from sealcam_hub.home import Home
from sealcam_hub.offsite_copier import Copier, Remote
from sealcam_hub.offsite_settings import Settings
from sealcam_hub.rekey import put
from sealcam_hub.store import Store
from sealcam_hub.tables import values

_log = logging.getLogger(__name__)

LOOK_S = 5.0
SWEEP_NS = 3600 * 1_000_000_000  # what ages or unlocks changes nothing in the ledger
FIRST_RETRY_S, MOST_RETRY_S = 15.0, 600.0
END_S = 5.0
_ROW = "offsite-state"


class Closing(Remote, Protocol):
    """A store that is let go of."""

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class State:
    """How the copy stands: since when it is kept there, when all was there last, since when and why it fails.

    Wall times; 0: not.
    """

    begun_ns: int = 0
    done_ns: int = 0
    failing_ns: int = 0
    why: str = ""


def state(connection: Connection) -> State:
    """How the copy stands."""
    found = connection.execute(select(values.c.value).where(values.c.name == _ROW)).scalar()
    return State() if found is None else State(**json.loads(found))


def waits_s(lag: offsite_rows.Lag, now: State, now_ns: int) -> int:
    """For how long the copy could have had all that it hasn't, or has failed, in seconds; 0 where it has all."""
    since = [max(lag.oldest_ns, now.begun_ns)] if lag.oldest_ns is not None else []
    since += [now.failing_ns] if now.failing_ns else []
    return max((now_ns - one) // 1_000_000_000 for one in since) if since else 0


class OffsiteWorker:
    """Runs one hub's copier where its owner has named a store; `opens` makes the store's client."""

    def __init__(self, home: Home, opens: Callable[[Settings], Closing] | None = None) -> None:
        self._home = home
        self._opens = opens or _s3
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = State()
        self._seen: tuple[object, ...] = ()
        self._next_ns = self._swept_ns = 0
        self._retry_s = FIRST_RETRY_S
        self._copier: tuple[Settings, Copier, Closing] | None = None

    def start(self) -> None:
        """Begin."""
        with self._home.store.reading() as connection:
            self._state = state(connection)
        self._thread = threading.Thread(target=self._run, name="offsite", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the object that is being sent, or leave it."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def check(self) -> bool:
        """True while it runs.

        Raises:
            SealcamError: it has ended by a fault of its own.
        """
        if self._thread is not None and not self._thread.is_alive():
            raise SealcamError("nothing is copied off site any more", "the lines above say why")
        return True

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.look()
        self._close()

    def look(self) -> None:
        """Look once whether there is something to copy, and copy it."""
        try:
            chosen = self._chosen()
            if chosen is None:
                return self._close()
            now_ns = self._home.clock.boot_ns()
            with self._home.store.reading() as connection:
                seen = (chosen, *offsite_rows.signature(connection))
            failing = bool(self._state.failing_ns)
            due = seen != self._seen or failing or now_ns - self._swept_ns >= SWEEP_NS
            if not due or (failing and now_ns < self._next_ns and self._seen and seen[0] == self._seen[0]):
                return None
            self._seen, self._swept_ns = seen, now_ns
            self._begin(chosen)
            self._opened(chosen).run(lambda: not self._ended.is_set() and chosen == self._chosen())
            self._done()
        except SealcamError as error:
            self._failed(error)
        return None

    def _opened(self, chosen: Settings) -> Copier:
        if self._copier is None or self._copier[0] != chosen:
            self._close()
            remote, home = self._opens(chosen), self._home
            made = Copier(home.store, home.vault().files, home.keys, chosen, home.clock, remote)
            self._copier = (chosen, made, remote)
        return self._copier[1]

    def _chosen(self) -> Settings | None:
        return offsite_settings.load(self._home.folder)

    def _begin(self, chosen: Settings) -> None:
        """What another store holds counts no more."""
        with self._home.store.writing() as connection:
            if offsite_rows.adopt(connection, chosen.where):
                self._state = State(begun_ns=self._home.clock.wall_ns())
                _put(connection, self._state)

    def _close(self) -> None:
        if self._copier is not None:
            self._copier[2].close()
            self._copier = None

    def _done(self) -> None:
        if self._state.failing_ns:
            _log.info("the off-site copy goes on")
        self._retry_s = FIRST_RETRY_S
        self._say(State(self._state.begun_ns, self._home.clock.wall_ns()))

    def _failed(self, error: SealcamError) -> None:
        self._next_ns = self._home.clock.boot_ns() + int(self._retry_s * 1e9)
        self._retry_s = min(2 * self._retry_s, MOST_RETRY_S)
        if self._state.failing_ns and self._state.why == str(error):
            return
        if not self._state.failing_ns or isinstance(error, ConfigError):
            _log.warning("the off-site copy waits: %s; it goes on by itself", error)
        since = self._state.failing_ns or self._home.clock.wall_ns()
        self._say(replace(self._state, failing_ns=since, why=str(error)))

    def _say(self, now: State) -> None:
        self._state = now
        with suppress(SealcamError):  # a ledger that can't be written ends this process elsewhere
            _keep(self._home.store, now)


def _keep(store: Store, now: State) -> None:
    with store.writing() as connection:
        _put(connection, now)


def _put(connection: Connection, now: State) -> None:
    put(connection, _ROW, json.dumps(asdict(now)).encode())


def forget(connection: Connection) -> None:
    """No store is named any more."""
    _put(connection, State())


def _s3(chosen: Settings) -> Closing:
    from sealcam_hub.offsite_s3 import S3Store  # 38 MB that a hub without a store doesn't spend

    return S3Store(chosen)
