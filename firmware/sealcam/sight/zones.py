"""Zones are parts of the picture with a name and a meaning; a subject is where its feet are.

Pure geometry in shares of the picture's width and height, 0 to 1 from the top left, so that it holds for every size of
picture; nothing here loads numpy, since the configuration reads it too. Where a subject's feet are is `standing`'s to
say, what zones do to an incident `aside`'s. See design/sight.md, zones, masks and schedule; design/wire.md section 5.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from sealcam.sight.types import Box
from sealcam.wire.errors import ConfigError

LEAST_CORNERS, MOST_CORNERS = 3, 32
# Less than this share of the picture (2 by 1 pixels of 640 by 360) is a slip of the hand, not an area.
LEAST_AREA = 0.00001
# Areas are compared at so many heights, or points a side.
_GRID = 12
# What the owner is told of such zones.
NOTHING_WATCHED = "they leave nothing of the picture watched: nobody who comes alarms"

Point = tuple[float, float]
_SHARES = "corners are shares of width and height, 0 to 1 from the top left"


class ZoneKind(StrEnum):
    """What a zone does to whoever stands in it."""

    WATCH = "watch"
    IGNORE = "ignore"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area without holes; its border belongs to it. Corners in their order, either way round; the first is not
    repeated at the end (where it is, or any corner is twice in a row, it counts once).

    Raises:
        ConfigError: too few or too many corners, one that lies outside the picture, edges that cross or touch, or next
            to no area.
    """

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        for x, y in self.corners:
            if not (0 <= x <= 1 and 0 <= y <= 1):  # also false where one is not a number
                raise ConfigError(f"the corner {x}, {y} lies outside the picture", _SHARES)
        object.__setattr__(self, "corners", _distinct(self.corners))
        if not LEAST_CORNERS <= len(self.corners) <= MOST_CORNERS:
            said = f"an area has {LEAST_CORNERS} to {MOST_CORNERS} different corners, not {len(self.corners)}"
            raise ConfigError(said, _SHARES)
        crosses = len(self.corners) > LEAST_CORNERS and self._crosses_itself()
        if self.area < LEAST_AREA and not crosses:
            raise ConfigError("an area is next to nothing", "its corners lie on one line, or too close together")
        if crosses:
            raise ConfigError("the edges of an area cross or touch", "name its corners in order around it")

    @property
    def area(self) -> float:
        """The share of the picture that it covers."""
        twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in self._edges())
        return abs(twice) / 2

    def contains(self, point: Point) -> bool:
        """Whether the point lies in it or on its border."""
        inside = False
        for a, b in self._edges():
            if _on(a, b, point):
                return True
            if (a[1] > point[1]) != (b[1] > point[1]):
                at = a[0] + (point[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
                inside ^= point[0] < at
        return inside

    def spans(self, y: float) -> Iterable[tuple[float, float]]:
        """From where to where it reaches at this height, from left to right."""
        edges = [(a, b) for a, b in self._edges() if (a[1] > y) != (b[1] > y)]
        xs = sorted(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) for a, b in edges)
        return zip(xs[::2], xs[1::2], strict=True)

    def touched(self, start: Point, end: Point) -> bool:
        """Whether the straight way between two points touches it: in a look's time a strip may be crossed."""
        return self.contains(start) or self.contains(end) or any(_meet(a, b, start, end) for a, b in self._edges())

    def _edges(self) -> Iterable[tuple[Point, Point]]:
        return zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True)

    def _crosses_itself(self) -> bool:
        edges = list(self._edges())
        for (i, one), (j, other) in combinations(enumerate(edges), 2):
            if j - i in (1, len(edges) - 1):  # neighbours: they may go on, or turn, but not run back
                a, b, c = (one[0], one[1], other[1]) if j - i == 1 else (other[0], one[0], one[1])
                if _turn(a, b, c) == 0 and (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0:
                    return True
            elif _meet(*one, *other):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area. `WATCH`: where there are such, only who stands in one (or in an entry zone) counts. `IGNORE`: who
    stays in it never alarms; it counts over the others. `ENTRY`: who comes into it from outside does so on purpose."""

    name: str
    kind: ZoneKind
    area: Polygon


def feet(box: Box, width_px: int, height_px: int) -> Point:
    """Where someone with this box stands, in shares: the middle of its lower edge, within the picture."""
    x, y = (box.x0 + box.x1) / 2 / width_px, box.y1 / height_px
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)


def watched(zones: Sequence[Zone], point: Point) -> bool:
    """Whether who stands there counts. Without zones the whole picture is watched."""
    if any(zone.kind is ZoneKind.IGNORE and zone.area.contains(point) for zone in zones):
        return False
    if all(zone.kind is not ZoneKind.WATCH for zone in zones):
        return True
    return any(zone.area.contains(point) for zone in zones)


def cover(zones: Sequence[Zone], box: Box) -> float:
    """The share of the box (in shares of the picture, what of it lies within) that these zones cover together."""
    x0, y0, x1, y1 = max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, 1.0), min(box.y1, 1.0)
    if x1 <= x0 or y1 <= y0:
        return 0.0
    covered = 0.0
    for row in range(_GRID):
        y, upto = y0 + (2 * row + 1) / (2 * _GRID) * (y1 - y0), x0
        for start, end in sorted(span for zone in zones for span in zone.area.spans(y)):
            covered += max(0.0, min(end, x1) - max(start, upto))
            upto = max(upto, end)
    return covered / (_GRID * (x1 - x0))


def nothing_watched(zones: Sequence[Zone]) -> bool:
    """Whether zones leave (next to) nothing of the picture watched, as an ignored zone over everything does."""
    named = [zone.area.corners for zone in zones if zone.kind is not ZoneKind.IGNORE]
    points = [*_points(0.0, 0.0, 1.0, 1.0), *(corner for corners in named for corner in corners)]
    for corners in named:
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        points += _points(min(xs), min(ys), max(xs), max(ys))
    return not any(watched(zones, point) for point in points)


def _points(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    """Points that lie evenly in a rectangle."""
    steps = [(2 * step + 1) / (2 * _GRID) for step in range(_GRID)]
    return [(x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for y in steps for x in steps]


def _distinct(corners: Sequence[Point]) -> tuple[Point, ...]:
    """Without a corner that repeats the one before it, around the end too."""
    kept = [corner for at, corner in enumerate(corners) if at == 0 or corner != corners[at - 1]]
    while len(kept) > 1 and kept[-1] == kept[0]:
        kept.pop()
    return tuple(kept)


def _turn(a: Point, b: Point, c: Point) -> float:
    """Which way a-b-c turns: above 0, below 0, or 0 on one line."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _on(a: Point, b: Point, point: Point) -> bool:
    """Whether a point lies on the edge from a to b, but for rounding."""
    if abs(_turn(a, b, point)) > 1e-12 + 1e-9 * math.dist(a, b):
        return False
    return (
        min(a[0], b[0]) - 1e-9 <= point[0] <= max(a[0], b[0]) + 1e-9
        and min(a[1], b[1]) - 1e-9 <= point[1] <= max(a[1], b[1]) + 1e-9
    )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the edges a-b and c-d have a point in common."""
    one, two, three, four = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if ((one > 0 > two) or (one < 0 < two)) and ((three > 0 > four) or (three < 0 < four)):
        return True
    return _on(a, b, c) or _on(a, b, d) or _on(c, d, a) or _on(c, d, b)
