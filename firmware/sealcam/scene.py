"""The scene: what the owner told this camera of its place and its times, kept in `STATE/eye/scene` over a restart.

Zones, masks, schedule, how it was armed by hand, and how it was armed last. What was never commanded is as the
configuration says. The file is locked: a thief shall not read when the owner is away. Changed by the link's thread,
read by sight's. Where it and its copy (`scene.before`) are damaged nobody knows what they hid: then everything is
masked until masks are sent again, the camera is armed away, and that is told.
design/sight.md, zones, masks and schedule; design/wire.md section 5.3.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sealcam.orders import Hand, Order, commanded, order, rescheduled
from sealcam.scene_settings import SceneSettings, place_of
from sealcam.scene_wishes import masks_of, timetable_of, zones_of
from sealcam.sight.place import Place
from sealcam.sight.types import ArmMode
from sealcam.sight.zones import Polygon
from sealcam.timetable import Timetable
from sealcam.twofiles import TwoFiles
from sealcam.wire import schema
from sealcam.wire.bodies import Mode
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.schema import body, key
from sealcam.wire.wishes import MasksWish, ScheduleWish, ZonesWish
from sealcam.wrapping import Wrapping

_log = logging.getLogger(__name__)

MAGIC = b"SCENE\x00\x00\x01"
# Where an order couldn't be kept it is tried again after so long.
_AGAIN_NS = 60 * 1_000_000_000
_EVERYTHING = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


@body
class _Kept:
    """What the file holds: wishes as they came (their CBOR), and the owner's hand (`orders.Hand`)."""

    zones: bytes | None = key(1, default=None)
    masks: bytes | None = key(2, default=None)
    schedule: bytes | None = key(3, default=None)
    mode: Mode | None = key(4, default=None)
    at_ns: int | None = key(5, default=None)
    resting: Mode | None = key(6, default=None)
    lost: bool | None = key(7, default=None)  # an earlier file was damaged, and no masks have been sent since
    last: Mode | None = key(8, default=None)  # in force when the time of day was known last, or the hand commanded
    scheduled: bool | None = key(9, default=None)  # and it was an entry of the schedule that set it


# Nobody knows how it was armed: better to be told of the owner than not to be told of a thief.
_LOST = _Kept(mode=Mode.AWAY, resting=Mode.AWAY, lost=True)


@dataclass(frozen=True, slots=True)
class _State:
    """What counts now."""

    kept: _Kept
    place: Place
    timetable: Timetable | None
    hand: Hand


class Scene:
    """What is kept in the file at `path`, over what the configuration says; `now_ns` is the time of day, ns since 1970
    (UTC), or none while it isn't known. Thread-safe.

    Raises:
        StorageError: the file can't be read.
    """

    def __init__(
        self,
        path: Path,
        wrapping: Wrapping,
        settings: SceneSettings,
        configured: ArmMode,
        now_ns: Callable[[], int | None],
    ) -> None:
        self._file = TwoFiles(path, MAGIC, wrapping)
        self._settings, self._configured = settings, configured
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._state = self._read(there=self._file.there)
        self._order, self._order_ns, self._order_until_ns = Order(configured), 0, 0

    def _read(self, *, there: bool) -> _State:
        state = self._file.read(self._understood)
        return state if state is not None else self._stated(_LOST if there else _Kept())

    def _understood(self, data: bytes) -> _State | None:
        try:
            return self._stated(schema.decode(data, _Kept))
        except (EnvelopeError, ConfigError):
            _log.warning("the scene is not as it was written")
            return None

    def _stated(self, kept: _Kept) -> _State:
        """What `kept` comes to.

        Raises:
            ConfigError: an area is none.
            EnvelopeError: a wish isn't as specified.
        """
        place, timetable = self._settings.place, self._settings.timetable
        if kept.zones is not None:
            place = place_of(zones_of(schema.decode(kept.zones, ZonesWish)), place.masks)
        if kept.masks is not None:
            place = place_of(place.zones, masks_of(schema.decode(kept.masks, MasksWish)))
        if kept.lost:
            place = replace(place, masks=(_EVERYTHING,))
        if kept.schedule is not None:
            timetable = _timetable(kept.schedule)
        hand = Hand(_armed(kept.mode), kept.at_ns, _armed(kept.resting))
        return _State(kept, place, timetable, hand)

    @property
    def place(self) -> Place:
        """The zones and masks in force; the same object while nothing has changed."""
        return self._state.place

    @property
    def timetable(self) -> Timetable | None:
        """The schedule in force."""
        return self._state.timetable

    @property
    def lost(self) -> bool:
        """Whether the file and its copy were damaged, so that everything is masked until masks are sent again."""
        return bool(self._state.kept.lost)

    @property
    def restored(self) -> bool:
        """Whether the file was damaged at the start, and its copy counts."""
        return self._file.restored

    def order(self) -> Order:
        """How the camera is armed now."""
        with self._lock:
            return self._ordered()

    def _ordered(self) -> Order:
        now_ns, state = self._now_ns(), self._state
        if now_ns is not None and state.hand.mode is not None and state.hand.at_ns is None:
            # Commanded while the time wasn't known: it holds from now on until the schedule next says another mode.
            state = self._state = replace(state, hand=replace(state.hand, at_ns=now_ns))
            self._order_until_ns = 0
        known = now_ns is not None and self._order_ns <= now_ns < self._order_until_ns
        if not known:
            found = order(state.timetable, state.hand, self._configured, now_ns, _last(state.kept))
            self._order, self._order_until_ns = found
            if now_ns is not None and not self._kept_last():
                self._order_until_ns = min(self._order_until_ns, now_ns + _AGAIN_NS)
            self._order_ns = self._order_until_ns if now_ns is None else now_ns  # what was said in the dark lasts not
        return self._order

    def _kept_last(self) -> bool:
        """The order that a schedule leads to is kept for a start without the time of day; whether that worked."""
        state, now = self._state, self._order
        if state.timetable is None:
            return True
        kept = replace(_by(state.kept, state.hand), last=Mode[now.mode.name], scheduled=now.scheduled or None)
        if kept != state.kept:
            try:
                self._write(kept)
            except StorageError as error:
                _log.warning("a restart would not know how it is armed: %s", error.message)
                return False
            self._state = replace(state, kept=kept)
        return True

    def take_zones(self, wish: ZonesWish) -> None:
        """These zones count from now on, durably.

        Raises:
            ConfigError: one of them is none; nothing has changed.
            StorageError: the disk is full; nothing has changed.
        """
        with self._lock:
            self._keep(replace(self._state.kept, zones=schema.encode(wish)))

    def take_masks(self, wish: MasksWish) -> None:
        """These masks count from now on, durably.

        Raises:
            ConfigError: one of them is none; nothing has changed.
            StorageError: the disk is full; nothing has changed.
        """
        with self._lock:
            self._keep(replace(self._state.kept, masks=schema.encode(wish), lost=None))

    def take_schedule(self, wish: ScheduleWish) -> None:
        """This schedule counts from now on, durably, and over what was commanded by hand.

        Raises:
            ConfigError: an entry is none, or there is no such time zone; nothing has changed.
            StorageError: the disk is full; nothing has changed.
        """
        with self._lock:
            hand = rescheduled(timetable_of(wish), self._state.hand, self._ordered().mode)
            self._keep(replace(_by(self._state.kept, hand), schedule=schema.encode(wish)))

    def arm(self, mode: ArmMode) -> None:
        """The owner's hand arms the camera, from now on and durably.

        Raises:
            StorageError: the disk is full: it is armed so, and a restart would forget it.
        """
        with self._lock:
            state = self._state
            hand = commanded(state.timetable, state.hand, mode, self._now_ns())
            kept = replace(_by(state.kept, hand), last=Mode[mode.name], scheduled=None)
            self._state, self._order_until_ns = replace(state, kept=kept, hand=hand), 0
            self._write(kept)

    def _keep(self, kept: _Kept) -> None:
        state, fresh = self._stated(kept), self._state.hand.fresh
        self._write(kept)
        self._state, self._order_until_ns = replace(state, hand=replace(state.hand, fresh=fresh)), 0

    def _write(self, kept: _Kept) -> None:
        self._file.write(schema.encode(kept))


def _timetable(wish: bytes) -> Timetable | None:
    """The schedule that was kept; none where this system doesn't know its time zone any more."""
    try:
        return timetable_of(schema.decode(wish, ScheduleWish))
    except ConfigError as error:
        _log.warning("the schedule is not applied: %s", error.message)
        return None


def _armed(mode: Mode | None) -> ArmMode | None:
    return None if mode is None else ArmMode[mode.name]


def _last(kept: _Kept) -> Order | None:
    mode = _armed(kept.last)
    return None if mode is None else Order(mode, bool(kept.scheduled))


def _by(kept: _Kept, hand: Hand) -> _Kept:
    mode, resting = (None if one is None else Mode[one.name] for one in (hand.mode, hand.resting))
    return replace(kept, mode=mode, at_ns=hand.at_ns, resting=resting)
