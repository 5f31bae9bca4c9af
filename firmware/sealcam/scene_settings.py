"""`[scene]`: zones, masks and the schedule in the configuration, for a camera without a hub, and for replay.

What the hub commands later counts instead, part by part (`scene`). Corners are shares of the picture's width and height
from the top left; times are those of the wall clock in `zone`. design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sealcam.sight.place import Place
from sealcam.sight.types import ArmMode
from sealcam.sight.zones import Polygon, Zone, ZoneKind
from sealcam.timetable import DAYS, Entry, Timetable, Window, minute_of, zone_named
from sealcam.wire.errors import ConfigError

Corners = tuple[tuple[float, ...], ...]
MOST_NAME = 64
# Each is drawn once for each size of picture, and asked for each subject: more than a person draws by hand.
MOST_AREAS = 64


def polygon(corners: Corners) -> Polygon:
    """The area with these corners.

    Raises:
        ConfigError: it is none.
    """
    points = []
    for corner in corners:
        if len(corner) != 2:
            raise ConfigError(f"a corner is two numbers, not {len(corner)}", "write [0.25, 0.5]")
        points.append((corner[0], corner[1]))
    return Polygon(tuple(points))


def zone_called(name: str, kind: ZoneKind, area: Polygon) -> Zone:
    """A zone, if it may be called that.

    Raises:
        ConfigError: it has no name, or a long one, or one that can't be printed.
    """
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise ConfigError(f"a zone's name has 1 to {MOST_NAME} printable letters", "such as: the street")
    return Zone(name, kind, area)


def place_of(zones: tuple[Zone, ...], masks: tuple[Polygon, ...]) -> Place:
    """Zones and masks, if they aren't too many and each zone has a name of its own.

    Raises:
        ConfigError: they are, or two have one; the name is in the message.
    """
    if len(zones) > MOST_AREAS or len(masks) > MOST_AREAS:
        raise ConfigError(f"a camera has at most {MOST_AREAS} zones and as many masks")
    for name, count in Counter(zone.name for zone in zones).items():
        if count > 1:
            raise ConfigError(
                f"{count} zones are named {name!r}", "give each a name of its own: reasons tell them by it"
            )
    return Place(zones, masks)


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """`[[scene.zones]]`: a named part of the picture."""

    name: str
    kind: ZoneKind
    corners: Corners

    def __post_init__(self) -> None:
        _ = self.zone

    @property
    def zone(self) -> Zone:
        """As sight takes it."""
        return zone_called(self.name, self.kind, polygon(self.corners))


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """`[[scene.masks]]`: a part of the picture that nobody sees."""

    corners: Corners

    def __post_init__(self) -> None:
        _ = self.area

    @property
    def area(self) -> Polygon:
        """As sight takes it."""
        return polygon(self.corners)


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """`[[scene.schedule.expected]]`: when a visitor is expected."""

    from_: str
    to: str
    days: tuple[str, ...] = DAYS
    """`mon` to `sun`."""

    def __post_init__(self) -> None:
        for day in self.days:
            if day not in DAYS:
                raise ConfigError(f"there is no day {day!r}", f"days are {', '.join(DAYS)}")
        _ = self.window

    @property
    def window(self) -> Window:
        """As the timetable takes it."""
        return Window(frozenset(map(DAYS.index, self.days)), minute_of(self.from_), minute_of(self.to))


@dataclass(frozen=True, slots=True)
class EntrySettings:
    """`[[scene.schedule.entries]]`: how the camera is armed when. Of entries that overlap, the first counts."""

    from_: str
    to: str
    mode: ArmMode
    days: tuple[str, ...] = DAYS
    """`mon` to `sun`; past midnight it is the day on which it began."""

    def __post_init__(self) -> None:
        _ = self.entry

    @property
    def entry(self) -> Entry:
        """As the timetable takes it."""
        return Entry(WindowSettings(self.from_, self.to, self.days).window, self.mode)


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """`[scene.schedule]`: by which clock."""

    zone: str
    """The IANA name of the time zone, such as `Europe/Berlin`."""
    entries: tuple[EntrySettings, ...] = ()
    expected: tuple[WindowSettings, ...] = ()

    def __post_init__(self) -> None:
        _ = self.timetable

    @property
    def timetable(self) -> Timetable:
        """As the orders take it."""
        entries = tuple(one.entry for one in self.entries)
        return Timetable(entries, tuple(one.window for one in self.expected), zone_named(self.zone))


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """`[scene]`: what the camera knows of its place."""

    zones: tuple[ZoneSettings, ...] = ()
    masks: tuple[MaskSettings, ...] = ()
    schedule: ScheduleSettings | None = field(default=None)

    def __post_init__(self) -> None:
        _ = self.place

    @property
    def place(self) -> Place:
        """As sight takes it."""
        return place_of(tuple(one.zone for one in self.zones), tuple(one.area for one in self.masks))

    @property
    def timetable(self) -> Timetable | None:
        """As the orders take it."""
        return None if self.schedule is None else self.schedule.timetable
