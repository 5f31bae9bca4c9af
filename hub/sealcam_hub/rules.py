"""Household rules: where and when clips are never kept, never shared, or previews are veiled. Pure.

A rule is of cameras, of one zone of theirs, and of times; everything it doesn't name it leaves open. No model says
what is intimate: the owner does. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sealcam.wire.errors import ConfigError

EVERY_DAY = 127
DAY_MINUTES = 1440
MOST_RULES = 64
MOST_NAME = 64
_MINUTE_NS = 60 * 1_000_000_000


class Effect(StrEnum):
    """What a rule does to an incident that it is about."""

    NOT_KEPT = "not-kept"  # its clips; so they aren't shared either
    NOT_SHARED = "not-shared"
    VEILED = "veiled"  # its pictures


@dataclass(frozen=True, slots=True)
class Rule:
    """Which incidents, and what becomes of them.

    `cameras` are aliases (none: every camera), `zone` the name of a zone as reasons tell it (empty: anywhere), `days`
    has bit 0 for Monday, minutes are those of the clock in `clock` (an IANA name); a time whose end lies before its
    start runs into the next day, which then needs no bit of its own.
    """

    effects: frozenset[Effect]
    cameras: tuple[str, ...] = ()
    zone: str = ""
    days: int = EVERY_DAY
    from_minute: int = 0
    to_minute: int = DAY_MINUTES
    clock: str = "UTC"

    @property
    def always(self) -> bool:
        """Whether it holds at any time."""
        return self.days == EVERY_DAY and (self.from_minute, self.to_minute) == (0, DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What rules ask of an incident: its camera's alias, wall times in ns, and all that its reports gave as reasons."""

    alias: str
    started_ns: int
    ended_ns: int
    reasons: tuple[str, ...]


def check(rule: Rule) -> Rule:
    """The rule, if it is one.

    Raises:
        ConfigError: it does nothing, never holds, or names a time zone that there isn't.
    """
    if not rule.effects:
        raise ConfigError("a rule does something", "choose what becomes of such incidents")
    if not 0 < rule.days <= EVERY_DAY:
        raise ConfigError("a rule holds on some day", "choose at least one")
    if not (0 <= rule.from_minute < DAY_MINUTES and 0 < rule.to_minute <= DAY_MINUTES):
        raise ConfigError("a time of day goes from 00:00 to 24:00", "such as 22:00 to 06:30")
    if rule.from_minute == rule.to_minute:
        raise ConfigError("the time begins when it ends", "from 00:00 to 24:00 is all day")
    if len(rule.zone) > MOST_NAME or not (rule.zone == "" or rule.zone.isprintable()):
        raise ConfigError(f"a zone's name has at most {MOST_NAME} printable letters", "as it was drawn")
    _clock(rule.clock)
    return rule


def effects(rules: Iterable[Rule], one: Occurrence) -> frozenset[Effect]:
    """What becomes of an incident by all rules together."""
    found: frozenset[Effect] = frozenset().union(*(rule.effects for rule in rules if concerns(rule, one)))
    return found | {Effect.NOT_SHARED} if Effect.NOT_KEPT in found else found


def concerns(rule: Rule, one: Occurrence) -> bool:
    """Whether a rule is about an incident."""
    if rule.cameras and one.alias not in rule.cameras:
        return False
    if rule.zone and not any(f"“{rule.zone}”".casefold() in reason.casefold() for reason in one.reasons):
        return False
    return rule.always or _within(rule, one.started_ns, one.ended_ns)


def _within(rule: Rule, started_ns: int, ended_ns: int) -> bool:
    """Whether any minute of an incident is one of the rule's."""
    zone = _clock(rule.clock)
    first = started_ns // _MINUTE_NS
    last = max(first, ended_ns // _MINUTE_NS)
    if last - first >= 7 * DAY_MINUTES:
        return True
    return any(_holds(rule, datetime.fromtimestamp(60 * minute, zone)) for minute in range(first, last + 1))


def _holds(rule: Rule, at: datetime) -> bool:
    minute, over_night = 60 * at.hour + at.minute, rule.to_minute < rule.from_minute
    if minute >= rule.from_minute and (over_night or minute < rule.to_minute):
        return bool(rule.days >> at.weekday() & 1)
    if over_night and minute < rule.to_minute:
        return bool(rule.days >> (at - timedelta(days=1)).weekday() & 1)
    return False


def _clock(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"there is no time zone {name[:64]!r}", "such as Europe/Vienna") from error


def encode(rule: Rule) -> bytes:
    """A rule as bytes."""
    return json.dumps(asdict(rule) | {"effects": sorted(rule.effects)}).encode()


def decode(data: bytes) -> Rule:
    """The rule again."""
    said = json.loads(data)
    cameras: Sequence[str] = said["cameras"]
    effects_ = frozenset(Effect(one) for one in said["effects"])
    return Rule(**said | {"cameras": tuple(cameras), "effects": effects_})
