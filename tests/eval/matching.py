"""Which sighting shows which labelled life: at one moment, and over the time in which both are there.

A sighting *covers* a label when it is of the same subject, and their boxes overlap by an IoU of at least 0.3, or the
middle of one lies in the other and neither is more than four times as large. Covering decides whether somebody was
found; for identities every sighting is given to one life at most, and a life goes on with its track while it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sealcam.sight.types import Box
from tests.eval.lives import ClipLabels, Life, Static
from tests.eval.records import Seen

IOU, TIMES = 0.3, 4.0


def covers(seen: Box, drawn: Box) -> bool:
    """True where a sighting's box shows what was drawn."""
    if seen.iou(drawn) >= IOU:
        return True
    if not (seen.area > 0 and 1 / TIMES <= seen.area / max(drawn.area, 1e-9) <= TIMES):
        return False
    return _middle_in(seen, drawn) or _middle_in(drawn, seen)


def _middle_in(one: Box, other: Box) -> bool:
    x, y = (one.x0 + one.x1) / 2, (one.y0 + one.y1) / 2
    return other.x0 <= x < other.x1 and other.y0 <= y < other.y1


@dataclass(frozen=True, slots=True)
class Covered:
    """At this moment this track covered this life; `own`: it was the track given to it."""

    t_s: float
    life: str
    track: int
    own: bool


def covered(seen: Sequence[Seen], labels: ClipLabels) -> tuple[Covered, ...]:
    """Every moment at which a sighting covered a life that could be seen, in time order.

    Who is hidden isn't found by the one who hides him.
    """
    last: dict[str, int] = {}
    found: list[Covered] = []
    for t_s, group in groupby(sorted(seen, key=lambda s: s.t_s), key=lambda s: s.t_s):
        now = list(group)
        lives = labels.visible_at(t_s)
        own = _given(now, lives, t_s, last)
        last.update(own)
        for life, sighting in _pairs(now, lives, t_s):
            found.append(Covered(t_s, life.name, sighting.track, own.get(life.name) == sighting.track))
    return tuple(found)


def _pairs(seen: Sequence[Seen], lives: Sequence[Life], t_s: float) -> Iterator[tuple[Life, Seen]]:
    for life in lives:
        box = life.box_at(t_s)
        for sighting in seen:
            if box is not None and sighting.subject == str(life.subject) and covers(sighting.box, box):
                yield life, sighting


def _given(seen: Sequence[Seen], lives: Sequence[Life], t_s: float, last: dict[str, int]) -> dict[str, int]:
    """Each life's own track: the one that it had, else the best overlap that is free."""
    pairs = list(_pairs(seen, lives, t_s))

    def worth(pair: tuple[Life, Seen]) -> tuple[bool, float]:
        life, sighting = pair
        box = life.box_at(t_s)
        return last.get(life.name) == sighting.track, sighting.box.iou(box) if box is not None else 0.0

    given: dict[str, int] = {}
    for life, sighting in sorted(pairs, key=worth, reverse=True):
        if life.name not in given and sighting.track not in given.values():
            given[life.name] = sighting.track
    return given


def on_static(sighting: Seen, static: Static) -> bool:
    """True where a sighting shows a thing that is parked there."""
    return sighting.subject == str(static.subject) and sighting.box.iou(static.box) >= IOU
