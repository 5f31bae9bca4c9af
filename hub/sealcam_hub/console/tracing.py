"""How the path of an incident is drawn on its still, and told in words for who doesn't see it. Pure.

Lines and labels stand in percent of the drawing, so that they are as thick and as large on a phone as on a desktop;
the drawing has the picture's own shape, and is the smallest that holds still and path. design/hub.md, "The path".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sealcam_hub.paths import Frame, PathSpot, PathView
from sealcam_hub.views import IncidentView

WIDTH = 1000.0  # of the drawing, in its own units
MARGIN, APART = 0.03, 0.14  # around path and still, in parts of the picture; between two labels, of the drawing
MOST_LABELS, MOST_STEPS = 6, 6
ARROW_FROM = 0.06  # a line shorter than this, in parts of the drawing, has no arrow
STAYED_NS = 3_000_000_000
_BORDER = 0.01


@dataclass(frozen=True, slots=True)
class Line:
    """From one spot to the next, in percent; `turn` is the arrow's angle in degrees, none where there is none."""

    x1: float
    y1: float
    x2: float
    y2: float
    turn: float | None

    @property
    def middle(self) -> tuple[float, float]:
        """Where its arrow stands."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2


@dataclass(frozen=True, slots=True)
class Label:
    """A time at a spot, in seconds since the incident began; `anchor` and `below` keep it inside the drawing."""

    x: float
    y: float
    text: str
    anchor: str
    below: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Where somebody was from one time to another (wall, ns), in words."""

    place: str
    at_ns: int
    until_ns: int

    @property
    def stayed_ns(self) -> int:
        """How long, where that is worth a word, else 0."""
        lasted = self.until_ns - self.at_ns
        return lasted if lasted >= STAYED_NS else 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """`height` goes with `WIDTH`; `still` is where the picture lies in them: x, y, width, height."""

    height: float
    still: tuple[float, float, float, float]
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    start: tuple[float, float]
    end: tuple[float, float]


def values(path: PathView | None, incident: IncidentView) -> dict[str, object]:
    """What the page of an incident needs for it: `drawn` on the still, `walked` in words."""
    if path is None:
        return {"drawn": None, "walked": ()}
    drawn = drawing(path, incident.started_ns) if incident.has_thumbnail else None
    return {"drawn": drawn, "walked": steps(path)}


def drawing(path: PathView, started_ns: int) -> Drawing | None:
    """The path on its still, or none where nobody knows what part of the picture the still is."""
    if path.framed is None:
        return None
    view = _extent(path.framed, path.spots)
    side, height = view.right - view.left, WIDTH / path.aspect

    def place(x: float, y: float) -> tuple[float, float]:
        return round(100 * (x - view.left) / side, 2), round(100 * (y - view.top) / side, 2)

    at = [place(spot.x, spot.y) for spot in path.spots]
    left, top = place(path.framed.left, path.framed.top)
    right, bottom = place(path.framed.right, path.framed.bottom)
    across, down = WIDTH / 100, height / 100
    return Drawing(
        height=round(height, 2),
        still=(left * across, top * down, (right - left) * across, (bottom - top) * down),
        lines=tuple(_line(one, two, path.aspect) for one, two in pairwise(at) if one != two),
        labels=_labels(path.spots, at, started_ns),
        start=at[0],
        end=at[-1],
    )


def _extent(framed: Frame, spots: Sequence[PathSpot]) -> Frame:
    """The smallest part of the picture, of the picture's own shape, that holds still and path."""
    left, right = min(framed.left, *(one.x for one in spots)), max(framed.right, *(one.x for one in spots))
    top, bottom = min(framed.top, *(one.y for one in spots)), max(framed.bottom, *(one.y for one in spots))
    side = min(1.0, max(right - left, bottom - top) + 2 * MARGIN)
    x = min(max(0.0, (left + right - side) / 2), 1.0 - side)
    y = min(max(0.0, (top + bottom - side) / 2), 1.0 - side)
    return Frame(x, y, x + side, y + side)


def _line(one: tuple[float, float], two: tuple[float, float], aspect: float) -> Line:
    across, down = two[0] - one[0], (two[1] - one[1]) / aspect
    long = math.hypot(across, down) >= 100 * ARROW_FROM
    return Line(*one, *two, round(math.degrees(math.atan2(down, across)), 1) if long else None)


def _labels(spots: Sequence[PathSpot], at: Sequence[tuple[float, float]], started_ns: int) -> tuple[Label, ...]:
    """Times at the end, the start, and on the way as far as they stand apart."""
    last = len(at) - 1
    chosen: list[int] = []
    for number in dict.fromkeys((last, 0, *range(1, last))):
        apart = all(math.dist(at[number], at[other]) >= 100 * APART for other in chosen)
        if len(chosen) < MOST_LABELS and apart:
            chosen.append(number)
    return tuple(_label(*at[number], (spots[number].at_ns - started_ns) / 1e9) for number in sorted(chosen))


def _label(x: float, y: float, seconds: float) -> Label:
    text = f"{max(0.0, seconds):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    return Label(x, y, text, "start" if x < 12 else "end" if x > 88 else "middle", y < 15)


def steps(path: PathView) -> tuple[Step, ...]:
    """The path in words: each place once while somebody is there; the first and the last of too many."""
    found: list[Step] = []
    for spot in path.spots:
        place = _place(spot)
        if found and found[-1].place == place:
            found[-1] = Step(place, found[-1].at_ns, spot.at_ns)
        else:
            found.append(Step(place, spot.at_ns, spot.at_ns))
    if len(found) > MOST_STEPS:
        found = [*found[: MOST_STEPS // 2], *found[-(MOST_STEPS // 2) :]]
    return tuple(found)


def _place(spot: PathSpot) -> str:
    if spot.x - spot.width / 2 <= _BORDER:
        return "at the left edge"
    if spot.x + spot.width / 2 >= 1 - _BORDER:
        return "at the right edge"
    across = "on the left" if spot.x < 1 / 3 else "on the right" if spot.x > 2 / 3 else "in the middle"
    return f"{across}, close up" if spot.y > 0.9 else f"{across}, far back" if spot.y < 0.4 else across
