"""The bridge over one connection: what stands, what happened and what is asked, each brought to the other side.

Called by one thread, again and again. Decides nothing that `states`, `discovery`, `reports`, `board` and `commands`
don't; keeps no secret. design/hub.md, "Home Assistant".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Protocol

from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.home import Home
from sealcam_hub.homeassistant import discovery, states
from sealcam_hub.homeassistant.asking import Asking
from sealcam_hub.homeassistant.board import Board
from sealcam_hub.homeassistant.look import MOST_EARLY, Look, Told
from sealcam_hub.homeassistant.mqtt import Heard, Turned
from sealcam_hub.homeassistant.names import ACTOR, HUB, Names
from sealcam_hub.homeassistant.reports import report
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.views import EventView

AGAIN_NS = 5_000_000_000  # until a report that nobody heard is tried again
BIRTH_NS = 3_000_000_000  # at most, until everything is sent to a Home Assistant that has started
OLD_NS = 24 * 3600 * 1_000_000_000
DEAF_NS = 60_000_000_000  # nobody hears a topic for so long while others are heard: its entity is turned off


class Link(Protocol):
    """A connection to Home Assistant's broker; `mqtt.HomeLink` is the real one."""

    births: int

    @property
    def up(self) -> bool:
        """Whether it is there."""
        ...

    def put(self, topic: str, payload: bytes) -> bool:
        """Let that stand at a topic."""
        ...

    def tell(self, topic: str, payload: bytes) -> bool:
        """Tell whoever listens; whether somebody did."""
        ...

    def heard(self) -> list[Heard]:
        """The commands that came."""
        ...

    def turned(self) -> Mapping[Turned, int]:
        """What was turned away as it came, and how often."""
        ...

    def found(self) -> set[str]:
        """Topics at which something stands that this connection didn't put there."""
        ...


class Bridge:
    """One owner's bridge. What it knows outlives its connections."""

    def __init__(self, home: Home, look: Look, settings: Settings, chance: Callable[[], float] = random.random) -> None:
        self._home, self._look, self._settings, self._chance = home, look, settings, chance
        self._clock: Clock = home.clock
        self._names = names_of(home)
        self._asking = Asking(home, look)
        self._board = Board()
        self._births = 0
        self._anew_ns: int | None = None
        self._again_ns = 0
        self._deaf: dict[str, int | None] = {}  # topics that nobody hears, and since when others were heard meanwhile
        self._tried: set[str] = set()  # those of this round
        self._pictures: dict[str, tuple[str, bytes]] = {}  # by alias: which one, and itself

    def cameras(self) -> frozenset[str]:
        """The aliases of this home's cameras; from any thread."""
        return self._look.aliases()

    def change(self, settings: Settings) -> None:
        """Go on with other settings for the same broker."""
        self._settings = settings

    def begin(self, link: Link) -> None:
        """Begin on a new connection: what stands there isn't known."""
        self._board.forget()
        self._births, self._anew_ns, self._again_ns = link.births, None, 0

    def run_once(self, link: Link) -> None:
        """Bring over what there is.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        self._look.refresh()
        self._asking.turn_away(link.turned())
        self._asking.take(link.heard(), self._settings)
        self._born(link)
        for topic in link.found():
            self._board.found(topic)
        self._show(link, self._wanted())
        self._tell(link)

    def leave(self, link: Link) -> None:
        """Take back everything that stands there."""
        for topic in link.found():
            self._board.found(topic)
        self._show(link, {})

    # What stands.

    def _wanted(self) -> dict[str, bytes]:
        now_ns, names = self._clock.wall_ns(), self._names
        announced = {names.config(HUB): discovery.hub(names)}
        shown = states.shown_hub(
            names, self._look.hub_notices(), now_ns, self._look.hub_lasting(), self._asking.refused("")
        )
        for one in self._look.seen():
            alias = one.camera.alias
            refused, refused_ns = self._asking.refused(alias)
            seen = replace(one, refused=refused, refused_ns=refused_ns)
            announced[names.config(alias)] = discovery.camera(names, seen.camera, self._settings)
            shown |= states.shown(names, seen, self._settings, now_ns)
            picture = self._picture(seen)
            if picture is not None:
                shown[names.topic(alias, "image")] = picture
        return announced | shown

    def _picture(self, seen: states.Seen) -> bytes | None:
        """The last incident's picture; entered into the audit log before it is handed out."""
        last, alias = seen.last, seen.camera.alias
        if last is None or not last.has_thumbnail or not self._settings.allows("image"):
            self._pictures.pop(alias, None)
            return None
        version = f"{last.id}/{last.picture_seq}/{sum(one.has_thumbnail for one in last.reports)}"
        known = self._pictures.get(alias)
        picture = self._look.picture(last.id)  # asked each time: it may have been deleted, or veiled
        if picture is None:
            self._pictures.pop(alias, None)
            return None
        if known is None or known[0] != version:
            home, subject = self._home, bytes.fromhex(last.id[-16:])
            detail = f"the picture of an incident, to {self._settings.broker}"
            audit.opened(home.store, home.keys, home.clock, detail, subject, ACTOR)
        self._pictures[alias] = (version, picture)
        return picture

    def _show(self, link: Link, wanted: Mapping[str, bytes]) -> None:
        for topic, value in self._board.changes(wanted).items():
            if not link.put(topic, value):
                return
            self._board.sent(topic, value)

    def _born(self, link: Link) -> None:
        """Everything again, a moment after Home Assistant has started."""
        now_ns = self._clock.boot_ns()
        if link.births != self._births:
            self._births = link.births
            self._deaf.clear()
            self._anew_ns = now_ns + round(BIRTH_NS * self._chance())
        if self._anew_ns is not None and now_ns >= self._anew_ns:
            self._anew_ns, self._again_ns = None, 0
            self._board.forget()

    # What happened.

    def _tell(self, link: Link) -> None:
        now_ns = self._clock.boot_ns()
        if now_ns < self._again_ns:
            return
        before = told = self._look.told()
        waits, here = False, self._look.aliases()
        self._tried.clear()
        for line in self._look.lines(told.place):
            name = line.hash or f"#{line.place}"
            if name not in told.early and not self._told(link, line, here, pending=False):
                waits = True
            elif waits:  # what nobody hears holds up no other topic
                told = told if name in told.early else replace(told, early=(*told.early, name)[-MOST_EARLY:])
            else:
                told = Told(line.place or told.place, tuple(one for one in told.early if one != name))
        if waits:
            self._again_ns = now_ns + AGAIN_NS
        for line in self._look.pending():
            if line.hash not in told.early and self._told(link, line, here, pending=True):
                told = replace(told, early=(*told.early, line.hash)[-MOST_EARLY:])
        if told != before:
            self._look.save(told)

    def _told(self, link: Link, line: EventView, here: Set[str], *, pending: bool) -> bool:
        """Whether there is nothing more to do about it."""
        made = report(self._names, line, pending)
        if made is None or self._clock.wall_ns() - line.arrived_ns > OLD_NS:
            return True
        if line.alias and line.alias not in here:
            return True  # its entities went with its camera
        return made[0] not in self._tried and self._heard(link, *made)

    def _heard(self, link: Link, topic: str, payload: bytes) -> bool:
        """Whether somebody heard it, or nobody will: its entity is turned off, since others are heard all the time."""
        now_ns = self._clock.boot_ns()
        if link.tell(topic, payload):
            self._deaf.pop(topic, None)
            self._deaf = {one: now_ns if since is None else since for one, since in self._deaf.items()}
            return True
        self._tried.add(topic)  # what follows on it waits for this one
        if topic not in self._deaf:  # it was heard, so Home Assistant may just be going away
            self._deaf = dict.fromkeys([*self._deaf, topic])
        since_ns = self._deaf[topic]
        if since_ns is None or now_ns - since_ns < DEAF_NS:
            return False
        self._tried.discard(topic)
        return True


def names_of(home: Home) -> Names:
    """The names of this hub's owner's things."""
    return Names(home.keys.root_fingerprint[:8])
