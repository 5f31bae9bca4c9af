"""What is told, when, and to whom. Pure: times are handed in, wall time in nanoseconds.

design/hub.md, "Notifications".
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
from zoneinfo import ZoneInfo

from sealcam.wire.errors import ConfigError

_SECOND_NS = 1_000_000_000
_MINUTES = 24 * 60
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_RETRIES_S = (15, 60, 240, 960, 3600)
GIVE_UP_NS = 24 * 3600 * _SECOND_NS
MOST_RINGS = 4  # the first, and three times again
REPEATS_S = (0, 120, 300, 600, 1800)
AFTERS_S = (0, 120, 300, 600, 1800)


class Rank(IntEnum):
    """How much it matters."""

    QUIETLY = 0  # it changes what was told, and is nothing to tell by itself
    INCIDENT = 1
    TROUBLE = 2
    THREAT = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner chose. Quiet hours go from one minute of the day to another; the same twice: there are none.

    `verdict` adds it to the words. `repeat_s`: how long a threat waits to be seen before it is told again; 0: never.
    `hosts` are origins of push services beside the browser makers'.
    """

    threats: bool = True
    incidents: bool = False
    troubles: bool = True
    verdict: bool = False
    quiet_from: int = 0
    quiet_to: int = 0
    zone: str = "UTC"
    threats_pass: bool = True
    repeat_s: int = 0
    hosts: tuple[str, ...] = ()

    def wants(self, rank: Rank) -> bool:
        """Whether something of that rank is told."""
        chosen = {Rank.INCIDENT: self.incidents, Rank.TROUBLE: self.troubles, Rank.THREAT: self.threats}
        return chosen.get(rank, False)

    def pack(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self)).encode()


def unpack(data: bytes) -> Rules:
    """What `pack` made; what this hub doesn't know is left out."""
    found = json.loads(data)
    known = {one.name: found[one.name] for one in fields(Rules) if one.name in found}
    return replace(Rules(**known), hosts=tuple(known.get("hosts", ())))


def minute(text: str) -> int:
    """The minute of the day that `HH:MM` names.

    Raises:
        ConfigError: it names none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ConfigError("that is no time of day", "such as 22:30")
    return int(match[1]) * 60 + int(match[2])


def clock(at: int) -> str:
    """A minute of the day as `HH:MM`."""
    return f"{at // 60:02d}:{at % 60:02d}"


def zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        ConfigError: there is none.
    """
    try:
        return ZoneInfo(name.strip())
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ConfigError("there is no such time zone", "such as Europe/Berlin") from error
    except KeyError as error:
        raise ConfigError("there is no such time zone", "such as Europe/Berlin") from error


def due(rules: Rules, rank: Rank, now_ns: int) -> int:
    """When something that is to be told now may be: at once, or at the end of the quiet hours."""
    if rules.quiet_from == rules.quiet_to or (rank is Rank.THREAT and rules.threats_pass):
        return now_ns
    now = dt.datetime.fromtimestamp(now_ns // _SECOND_NS, zone(rules.zone))
    at = now.hour * 60 + now.minute
    since, left = (at - rules.quiet_from) % _MINUTES, (rules.quiet_to - at) % _MINUTES
    if since >= (rules.quiet_to - rules.quiet_from) % _MINUTES:
        return now_ns
    return now_ns + (left * 60 - now.second) * _SECOND_NS


def again(tries: int) -> int:
    """How long to wait after so many tries in vain, in ns."""
    return _RETRIES_S[min(tries, len(_RETRIES_S)) - 1] * _SECOND_NS
