"""A timetable says how a camera is armed at which times of the week, and when a visitor is expected. Pure.

Its times are those of a wall clock in one time zone. An entry runs from its first minute to before its last one; past
midnight where that is earlier, and then it belongs to the day on which it began. Of entries that overlap, the first
counts. When clocks change, minutes that don't exist are skipped, and of those that come twice the first counts. Which
clock may be trusted, and what a command changes, is `orders`'s. See design/sight.md, zones, masks and schedule;
design/wire.md section 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sealcam.sight.types import ArmMode
from sealcam.wire.errors import ConfigError

DAY_MINUTES = 24 * 60
MOST_ENTRIES = 64
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NS = 1_000_000_000
_DAY_NS = DAY_MINUTES * 60 * _NS


@dataclass(frozen=True, slots=True)
class Window:
    """Some days of the week (0 is Monday), from a minute of the day to before another.

    Raises:
        ConfigError: there are no days or no such ones, the minutes lie outside the day, or the window is empty.
    """

    days: frozenset[int]
    from_minute: int
    to_minute: int

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ConfigError("a window of the schedule has no days", f"days are {', '.join(DAYS)}")
        if not (0 <= self.from_minute < DAY_MINUTES and 0 <= self.to_minute <= DAY_MINUTES):
            raise ConfigError("a time of the schedule lies outside the day", "write 22:30; 24:00 is the day's end")
        if self.from_minute == self.to_minute:
            raise ConfigError("a window of the schedule is empty: it ends as it begins", "all day is 00:00 to 24:00")

    def on(self, day: date, zone: ZoneInfo) -> tuple[int, int] | None:
        """When it begins and ends if it begins on that day, ns since 1970 (UTC); none if it doesn't, or is empty."""
        if day.weekday() not in self.days:
            return None
        over = self.to_minute < self.from_minute
        began = instant_ns(day, self.from_minute, zone)
        ended = instant_ns(day + timedelta(days=1) if over else day, self.to_minute, zone)
        return (began, ended) if began < ended else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A mode for a window."""

    window: Window
    mode: ArmMode


@dataclass(frozen=True, slots=True)
class Reading:
    """What the timetable says: the mode (none: nothing), whether a visitor is expected, and until when at the least
    (ns since 1970, UTC)."""

    mode: ArmMode | None
    expected: bool
    until_ns: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """Entries in their order, and the windows in which a visitor is expected, in one time zone.

    Raises:
        ConfigError: there are too many of them.
    """

    entries: tuple[Entry, ...]
    expected: tuple[Window, ...]
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if len(self.entries) > MOST_ENTRIES or len(self.expected) > MOST_ENTRIES:
            raise ConfigError(f"a schedule has at most {MOST_ENTRIES} entries and as many windows")

    def at(self, wall_ns: int) -> Reading:
        """What it says at a time, ns since 1970 (UTC)."""
        spans = [(entry.mode, tuple(self._spans(entry.window, wall_ns))) for entry in self.entries]
        visits = [tuple(self._spans(window, wall_ns)) for window in self.expected]
        edges = [edge for _, found in spans for span in found for edge in span]
        edges += [edge for found in visits for span in found for edge in span]
        return Reading(
            mode=next((mode for mode, found in spans if _within(found, wall_ns)), None),
            expected=any(_within(found, wall_ns) for found in visits),
            until_ns=min([wall_ns + _DAY_NS, *(edge for edge in edges if edge > wall_ns)]),
        )

    def changes(self, since_ns: int, now_ns: int) -> bool:
        """Whether it says another mode anywhere between two times, the second counted in."""
        at_ns, first = since_ns, self.at(since_ns).mode
        while (at_ns := self.at(at_ns).until_ns) <= now_ns:
            if self.at(at_ns).mode is not first:
                return True
        return False

    def _spans(self, window: Window, wall_ns: int) -> Iterator[tuple[int, int]]:
        """Its runs around a time, in order; what begins or ends within a day of it is among them."""
        today = datetime.fromtimestamp(wall_ns // _NS, self.zone).date()
        for ahead in range(-2, 3):
            span = window.on(today + timedelta(days=ahead), self.zone)
            if span is not None:
                yield span


def _within(spans: Sequence[tuple[int, int]], wall_ns: int) -> bool:
    return any(began <= wall_ns < ended for began, ended in spans)


def instant_ns(day: date, minute: int, zone: ZoneInfo) -> int:
    """When a clock in that zone shows a minute of a day for the first time, ns since 1970 (UTC).

    A minute that the clock skips is shown, if you like, as it is put forward (PEP 495 says which offset held before).
    """
    told = datetime.combine(day, time()) + timedelta(minutes=minute)
    before, after = (told.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before.astimezone(zone).replace(tzinfo=None) != told:
        low, high = int(after.timestamp()), int(before.timestamp())
        old = datetime.fromtimestamp(low, zone).utcoffset()
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if datetime.fromtimestamp(middle, zone).utcoffset() == old else (low, middle)
        return high * _NS
    return int(before.timestamp()) * _NS


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that IANA name.

    Raises:
        ConfigError: this system knows no such zone.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        hint = "an IANA name such as Europe/Berlin; they come with Debian's package tzdata"
        raise ConfigError(f"there is no time zone {name[:64]!r} here", hint) from error


def minute_of(text: str) -> int:
    """The minute of the day of a time such as `22:30`; `24:00` is the day's end.

    Raises:
        ConfigError: it is no such time.
    """
    hours, colon, minutes = text.partition(":")
    digits = hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit()
    if not colon or not digits or len(minutes) != 2 or len(hours) > 2 or int(minutes) > 59:
        raise ConfigError(f"{text!r} is not a time of day", "write 22:30")
    minute = int(hours) * 60 + int(minutes)
    if minute > DAY_MINUTES:
        raise ConfigError(f"{text!r} is not a time of day", "write 22:30; 24:00 is the day's end")
    return minute
