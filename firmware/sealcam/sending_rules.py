"""Which clips go to the hub by themselves, and when: `[clips] send`, and the hours of the night. Pure.

How they go is `sending`'s. design/clips.md, transfer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import IntEnum

from sealcam.clip_settings import Send
from sealcam.kept import Kept, Rank, Sent

_NS = 1_000_000_000


class Urge(IntEnum):
    """Which goes first."""

    ASKED = 0
    THREAT = 1
    OTHER = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says. `window` are the first and the last minute of the day, the second not counted in;
    past midnight where it is the smaller. `cover`: nobody shall see when something happened."""

    send: Send
    window: tuple[int, int] | None
    cover: bool = False

    def urge(self, one: Kept, *, night: bool) -> Urge | None:
        """How much a clip wants to go, none: it stays. `night`: the window is open."""
        if one.asked:
            return Urge.ASKED
        if one.sent is not Sent.NOT or self.send is Send.NEVER or (self.cover and not night):
            return None
        if one.rank is Rank.THREAT:
            return Urge.THREAT
        if self.send is Send.ALL or (night and one.rank is Rank.BENIGN):
            return Urge.OTHER
        return None

    def open(self, wall_ns: int | None, zone: tzinfo | None) -> bool:
        """Whether the window is open at a time, ns since 1970 (UTC); while nobody knows the time it is not.

        Without a `zone` it is this system's own.
        """
        if self.window is None or wall_ns is None:
            return False
        told = datetime.fromtimestamp(wall_ns // _NS, zone)
        minute, (first, last) = 60 * told.hour + told.minute, self.window
        return first <= minute < last if first < last else minute >= first or minute < last
