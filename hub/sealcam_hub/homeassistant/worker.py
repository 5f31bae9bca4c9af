"""The thread in `serve` that follows the settings: connects, keeps the bridge going, takes everything back at the end.

What fails is told once and tried again: a broker that is away, or a setting that is wrong, stops nothing; nor does a
live view that can't listen keep states and reports back. A fault of its own ends the hub, whose supervisor starts it
again: a home that relies on it must not be told nothing for ever.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam.wire.errors import ConfigError, LinkDown, SealcamError
from sealcam_hub import doorkeeper
from sealcam_hub.feed import Feed, Subscription
from sealcam_hub.home import Home
from sealcam_hub.homeassistant import accounts, look
from sealcam_hub.homeassistant.bridge import Bridge, names_of
from sealcam_hub.homeassistant.look import Look
from sealcam_hub.homeassistant.mqtt import HomeLink
from sealcam_hub.homeassistant.settings import FILE, Settings, load, save

if TYPE_CHECKING:
    from sealcam_hub.console.view import LiveSource
    from sealcam_hub.homeassistant.live import LiveDoor

_log = logging.getLogger(__name__)

TURN_S = 0.25  # at least, between two looks: what comes meanwhile is one change
IDLE_S = 2.0  # at most: another process may have written the ledger or the settings
AGAIN_S = 5.0
LEAVE_S = 1.0  # for what is retained to be heard of
END_S = 10.0
SUSPECT_S = 60.0  # at least, between two looks at whether that is the cameras' broker
APART_S = 10.0  # at a start the cameras' broker may be reached a little later
_WAKE = "homeassistant"
Stamp = tuple[int, int] | None


class HomeAssistant:
    """Follows the settings of one hub from `start` to `stop`. `send` takes an alias and bytes to the cameras' broker,
    false while that is away."""

    def __init__(self, home: Home, feed: Feed, live: LiveSource, send: Callable[[str, bytes], bool]) -> None:
        self._home, self._feed, self._send = home, feed, send
        self._live = live
        self._door: LiveDoor | None = None
        self._door_told, self._door_again_ns = "", 0
        self._ended = threading.Event()
        self._told = ""
        self._bridge: Bridge | None = None
        self._thread = threading.Thread(target=self._run, name="homeassistant", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Say that nobody is there any more, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def check(self) -> bool:
        """True while it runs.

        Raises:
            SealcamError: it has ended by a fault of its own.
        """
        if not self._thread.is_alive():
            raise SealcamError("Home Assistant is told nothing any more", "the lines above say why")
        return True

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                stamp = _stamp(self._home.folder.path / FILE)  # before it is read: what changes from now on is seen
                settings = load(self._home.folder) if self._home.keys.is_home else None
                self._open_door(settings)
                if settings is None:
                    self._bridge = None
                    self._ended.wait(IDLE_S)
                else:
                    self._connect(settings, stamp)
            except LinkDown as error:
                self._tell(f"Home Assistant's broker can't be reached: {error}; trying again")
                self._ended.wait(AGAIN_S)
            except (SealcamError, OSError) as error:
                self._tell(f"Home Assistant isn't served: {error}")
                self._ended.wait(AGAIN_S)
        if self._door is not None:
            self._door.close()

    def _open_door(self, settings: Settings | None) -> None:
        """Let the live view listen where the settings say; where it can't, that is told once."""
        if self._door is None and settings is not None and settings.live is not None:
            from sealcam_hub.homeassistant.live import LiveDoor  # what listens to nobody needs no web server

            self._door = LiveDoor(self._live)
        if self._door is None:
            return
        try:
            self._door.follow(settings)
            self._door_told = ""
        except (SealcamError, OSError) as error:
            self._door_again_ns = self._home.clock.boot_ns() + int(AGAIN_S * 1e9)
            if str(error) != self._door_told:
                self._door_told = str(error)
                _log.warning("Home Assistant gets no live view: %s; trying again", error)

    def _connect(self, settings: Settings, stamp: Stamp) -> None:
        with self._feed.subscribe() as changes:
            if self._bridge is None:
                self._bridge = Bridge(self._home, Look(self._home), settings)
            names, cameras = names_of(self._home), self._bridge.cameras
            link = HomeLink(settings, self._home.folder, names, lambda: changes.put(_WAKE), cameras)
            with closing(link):
                link.open()
                self._bridge.change(settings)
                probed = self._probe(self._bridge, link, settings)
                self._told = ""
                _log.info("Home Assistant is served at %s", settings.broker)
                self._bridge.begin(link)
                self._serve(self._bridge, link, settings, changes, stamp, probed)
        if not self._ended.is_set() and not settings.leaving:
            self._tell(f"the connection to Home Assistant's broker at {settings.broker} is over; trying again")
            self._ended.wait(TURN_S)

    def _probe(self, bridge: Bridge, link: HomeLink, settings: Settings) -> bool:
        """Whether it is known by now that this isn't the cameras' broker; waits a while for theirs to be there.

        Raises:
            ConfigError: it is.
        """
        if settings.own or settings.leaving:  # its accounts are kept apart by its access list
            return True
        until_ns = self._home.clock.boot_ns() + int(APART_S * 1e9)
        while not (probed := link.probe(self._send)) and self._home.clock.boot_ns() < until_ns:
            if self._ended.wait(TURN_S):
                break
        if link.crossed:
            bridge.begin(link)
            self._withdraw(bridge, link)  # what stands there from another time
            raise _crossed(settings)
        return probed

    def _withdraw(self, bridge: Bridge, link: HomeLink) -> None:
        """Take back what stands there, once what is retained was heard of."""
        self._ended.wait(LEAVE_S)
        bridge.leave(link)
        link.leave()

    def _serve(
        self,
        bridge: Bridge,
        link: HomeLink,
        settings: Settings,
        changes: Subscription,
        stamp: Stamp,
        probed: bool,
    ) -> None:
        file = self._home.folder.path / FILE
        again_ns = 0
        while link.up and not self._ended.is_set():
            if not probed or (link.suspect and self._home.clock.boot_ns() >= again_ns):
                again_ns = self._home.clock.boot_ns() + int(SUSPECT_S * 1e9)
                probed = link.probe(self._send)
            if link.crossed and not settings.leaving:
                self._withdraw(bridge, link)
                raise _crossed(settings)
            if (now := _stamp(file)) != stamp:
                stamp, changed = now, load(self._home.folder)
                if changed is None or changed.broker != settings.broker or changed.bridge != settings.bridge:
                    return
                settings = changed
                bridge.change(settings)
                self._open_door(settings)
            elif self._door_told and self._home.clock.boot_ns() >= self._door_again_ns:
                self._open_door(settings)
            if settings.leaving:
                self._leave(bridge, link, settings)
                return
            bridge.run_once(link)
            self._ended.wait(TURN_S)
            if changes.get(IDLE_S) is not None:
                while changes.get(0) is not None:
                    pass

    def _leave(self, bridge: Bridge, link: HomeLink, settings: Settings) -> None:
        """Take back what stands there, and forget that it ever was."""
        self._withdraw(bridge, link)
        home = self._home
        save(home.folder, None)
        look.forget(home)
        if settings.own:
            doorkeeper.refresh(home)
            for name in (settings.bridge, settings.account):
                doorkeeper.cut(home, name)
            accounts.forget(home.folder)
        self._bridge = None
        _log.info("Home Assistant is served no more: what stood at %s was taken back", settings.broker)

    def _tell(self, text: str) -> None:
        """Once, as long as it is the same trouble."""
        if text != self._told:
            self._told = text
            _log.warning("%s", text)


def _crossed(settings: Settings) -> ConfigError:
    return ConfigError(
        f"the broker at {settings.broker} is the cameras' own, or gets what they get, so nothing is told there; it "
        "needs a broker apart, or `homeassistant on --own`: an account apart at the hub's"
    )


def _stamp(file: Path) -> Stamp:
    """What changes when the file does."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
