"""The owner's words on an incident, and how doubtful a camera's own word is. Pure. design/hub.md, "Review"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from sealcam.wire.wishes import Mark


class Word(IntEnum):
    """What may be said of an incident; as the ledger keeps it."""

    FALSE_ALARM = 0
    BENIGN = 1
    THREAT = 2
    OURS = 3
    UNSURE = 4


# What a camera is told; of `UNSURE` it is told nothing.
MARKS = {
    Word.FALSE_ALARM: Mark.FALSE_ALARM,
    Word.BENIGN: Mark.BENIGN,
    Word.THREAT: Mark.THREAT,
    Word.OURS: Mark.OURS,
}


@dataclass(frozen=True, slots=True)
class MarkView:
    """A mark, for showing: `word` in lower case, who said it and when (wall ns)."""

    id: int
    incident: str
    word: str
    who: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many incidents have which word, by it; how many of the newest ones wait for one."""

    marked: int
    by_word: dict[str, int]
    waiting: int


def doubt(threat: float) -> float:
    """The entropy in bits of a threat's probability: 0 where the camera is sure, 1 at one half (Settles, 2009, 3.1)."""
    if not 0.0 < threat < 1.0:
        return 0.0
    return -threat * math.log2(threat) - (1 - threat) * math.log2(1 - threat)
