"""The verdict says what an incident means for the owner, with a probability and its reasons in words.

The words that judges and what asks them share: features in, judgement out, nothing remembered in between. The judges
are `judge`'s. See design/sight.md, verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sealcam.sight.types import ArmMode, Subject, Verdict


class Mark(StrEnum):
    """The owner's word on an incident."""

    FALSE_ALARM = "false_alarm"
    BENIGN = "benign"
    THREAT = "threat"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Told:
    """What the owner's marks say of something like this: the mark, and how like it is (0 to 1). `place` and `look`
    say by what: the same place, the same look."""

    mark: Mark
    likeness: float
    place: bool
    look: bool


@dataclass(frozen=True, slots=True)
class IncidentFeatures:
    """What is known of an incident when it is judged.

    `confidence` is the best median score of the subject (0 without one); `seen_s` how long the subject was in view,
    from its first to its last sight; `motion_s` the same of any motion; `people` the most persons seen at once; `pir`
    whether the motion sensor fired within the incident; `light` whether the light of the whole picture changed.

    Of the subject's own tracks: `hits` looks that hit them of `looks` since the first; `height` the tallest box, as a
    share of the picture's height; `path` the longest way a track went, in its own heights; `dwell_s` the longest time
    that one stayed within its own size; `approach` the largest growth of a box from its first to its tallest (1: none).
    Of the motion: `spread` the mean share of the picture that moved, while it moved; `inside` the mean share of the
    moved cells that lay in a believed box; `bursts` how many times motion began anew. `zones` are the names of the
    watch and entry zones that the subject stood in, `entered` of those entry zones that it came into from outside.
    `left` and `taken` count what changed at rest after a person had gone. `expected` is whether a visitor is expected
    now. `told` is what the owner's marks say of the like of it.

    `watched` is whether the subject ever stood where the owner watches: outside every ignore zone and, where there are
    watch zones, in one of them or in an entry zone; `ignored` are the names of the ignore zones that it stood in;
    `beside` those of all other zones in which a person whom the incident isn't about stood meanwhile. What
    follows from that no judge decides: `aside` does, after it. `scheduled` is whether the schedule set the arming mode.
    """

    subject: Subject
    confidence: float
    seen_s: float
    motion_s: float
    people: int
    pir: bool
    light: bool
    hits: int = 0
    looks: int = 0
    height: float = 0.0
    path: float = 0.0
    dwell_s: float = 0.0
    approach: float = 1.0
    spread: float = 0.0
    inside: float = 0.0
    bursts: int = 0
    zones: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    left: int = 0
    taken: int = 0
    expected: bool = False
    told: Told | None = None
    watched: bool = True
    ignored: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the probability from 0 to 1 that this is a threat, and the reasons for the owner."""

    verdict: Verdict
    threat: float
    reasons: tuple[str, ...]


class Judge(Protocol):
    """What turns features into a judgement; pure."""

    def judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool = True) -> Judgement:
        """Judge one incident as it is known so far; not `worded`, without reasons, for a part of the cost."""
        ...
