"""What the commands zones, masks and schedule mean to this camera: from the wire's words to sight's (wire.md 5.3).

Whatever can't be carried out as it is said is refused as a whole, with words for the owner. Pure.
"""

from __future__ import annotations

from sealcam.scene_settings import polygon, zone_called
from sealcam.sight.types import ArmMode
from sealcam.sight.zones import Polygon, Zone, ZoneKind
from sealcam.timetable import Entry, Timetable, Window, zone_named
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import MasksWish, ScheduleEntry, ScheduleWindow, ScheduleWish, ZonesWish


def zones_of(wish: ZonesWish) -> tuple[Zone, ...]:
    """The zones of a command.

    Raises:
        ConfigError: one of them is none; its name is in the message.
    """
    found = []
    for zone in wish.zones:
        try:
            found.append(zone_called(zone.name, ZoneKind[zone.kind.name], _area(zone.corners)))
        except ConfigError as error:
            raise ConfigError(f"zone {zone.name[:64]!r}: {error.message}", error.hint) from error
    return tuple(found)


def masks_of(wish: MasksWish) -> tuple[Polygon, ...]:
    """The masks of a command.

    Raises:
        ConfigError: one of them is none; its place in the list, from 1, is in the message.
    """
    found = []
    for number, mask in enumerate(wish.masks, 1):
        try:
            found.append(_area(mask.corners))
        except ConfigError as error:
            raise ConfigError(f"mask {number}: {error.message}", error.hint) from error
    return tuple(found)


def timetable_of(wish: ScheduleWish) -> Timetable | None:
    """The schedule of a command; none where it is empty.

    Raises:
        ConfigError: an entry is none, or there is no such time zone.
    """
    if not wish.entries and not wish.expected:
        return None
    entries = tuple(Entry(_window(entry), ArmMode[entry.mode.name]) for entry in wish.entries)
    return Timetable(entries, tuple(_window(window) for window in wish.expected or ()), zone_named(wish.zone))


def _window(said: ScheduleEntry | ScheduleWindow) -> Window:
    days = frozenset(day for day in range(7) if said.days >> day & 1)
    return Window(days, said.from_minute, said.to_minute)


def _area(corners: tuple[int, ...]) -> Polygon:
    """Corners in per mille, x and y in turn."""
    return polygon(tuple((x / 1000, y / 1000) for x, y in zip(corners[::2], corners[1::2], strict=True)))
