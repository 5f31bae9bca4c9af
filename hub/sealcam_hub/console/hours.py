"""Days and times of day in a form and in words: the weekly schedule's and the household rules'. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sealcam.wire.errors import ConfigError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EVERY, WORKING, WEEKEND = 127, 31, 96
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Hours:
    """Some days (bit 0 Monday) and minutes of the day; an end before the start is of the next day."""

    days: int
    from_minute: int
    to_minute: int


def read(form: Mapping[str, str]) -> Hours:
    """The fields `d0` to `d6`, `from` and `to` of a form.

    Raises:
        ConfigError: no day is chosen, or a time is none.
    """
    days = sum(1 << day for day in range(7) if form.get(f"d{day}"))
    if not days:
        raise ConfigError("no day is chosen", "choose at least one")
    begins, ends = _minute(form.get("from", "")), _minute(form.get("to", ""))
    ends = ends or 1440  # midnight at the end of a day
    if begins == 1440 or begins == ends:
        raise ConfigError("the time has no length", "from 00:00 to 24:00 is all day")
    return Hours(days, begins, ends)


def zone(name: str) -> str:
    """The name of a time zone that there is.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError("there is no such time zone", "such as Europe/Vienna") from error


def days(bits: int) -> str:
    """Some days in words: `Mon to Fri`."""
    for known, words in ((EVERY, "Every day"), (WORKING, "Mon to Fri"), (WEEKEND, "Sat and Sun")):
        if bits == known:
            return words
    return ", ".join(name for day, name in enumerate(DAYS) if bits >> day & 1)


def span(from_minute: int, to_minute: int) -> str:
    """A time of day in words: `22:00 to 06:30`."""
    if (from_minute, to_minute) == (0, 1440):
        return "all day"
    return f"{clock(from_minute)} to {clock(to_minute)}"


def clock(minute: int) -> str:
    """A minute of the day as clocks show it."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text.strip())
    minute = 60 * int(found[1]) + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minute <= 1440:
        raise ConfigError(f"{text[:10]!r} is no time of day", "such as 22:00")
    return minute
