"""Where a subject stands is its feet, and whoever's feet nobody sees is not set aside for where they seem to be.

Somebody so near that the picture's lower border cuts the box may stand anywhere below it: that counts as watched,
unless ignored zones cover most of all that is seen of him. Somebody whose box has just become much shorter while its
top stayed is hidden below, by a hedge or a car: the feet are taken to be where they would be at the earlier height,
and both places count. See design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sealcam.sight.track import median
from sealcam.sight.types import Box
from sealcam.sight.zones import Point, Zone, ZoneKind, cover, feet, watched

# Medians are of so many sights.
SETTLED = 3
# The border cuts a box that ends this near to it: a detector's edges err by a part of the box, 2 % of it on a real
# man at a door, and by a pixel or two of those that the model sees.
EDGE_OF_BOX, EDGE_OF_PICTURE = 0.04, 0.01
# Ignored zones cover most of a box from this share on.
MOST = 2 / 3
# A box is cut short below this share of the tallest, which fades by so much a second: who walks away shrinks too.
SHORT, FADE_PER_S = 0.75, 0.15


class Standing:
    """Where one subject stands now, by its last sights: medians, so that a single bad box moves nobody."""

    __slots__ = (
        *("_cut", "_faded", "_feet", "_full", "_full_foot", "_heights", "_seen_ns"),
        *("box", "height", "place", "unseen"),
    )

    def __init__(self) -> None:
        self.height = 0.0  # of the box, a share of the picture's
        self.place: Point = (0.0, 0.0)  # where the feet are, as far as is known
        self.unseen = False  # whether the picture's border cuts them off
        self.box = Box(0.0, 0.0, 0.0, 0.0)  # the newest, in shares
        self._feet: deque[Point] = deque(maxlen=SETTLED)
        self._heights: deque[float] = deque(maxlen=SETTLED)
        self._cut: deque[bool] = deque(maxlen=SETTLED)
        self._full = self._faded = self._full_foot = 0.0
        self._seen_ns = 0

    def take(self, box: Box, t_ns: int, size_px: tuple[int, int]) -> None:
        """Take its box in a look, in pixels of a picture of this width and height."""
        width_px, height_px = size_px
        self.box = Box(box.x0 / width_px, box.y0 / height_px, box.x1 / width_px, box.y1 / height_px)
        self._feet.append(feet(box, width_px, height_px))
        self._heights.append(self.box.height)
        self._cut.append(1.0 - self.box.y1 <= max(EDGE_OF_PICTURE, EDGE_OF_BOX * self.box.height))
        self.height = median(self._heights)
        self.unseen = 2 * sum(self._cut) > len(self._cut)
        self.place = self._expected(t_ns)

    def watched(self, zones: Sequence[Zone]) -> bool:
        """Whether it counts; on the safe side where the feet are not seen."""
        if self.unseen:
            return cover(_ignored(zones), self.box) < MOST
        return watched(zones, self.place) or watched(zones, self._seen())

    def ignored(self, zones: Sequence[Zone]) -> tuple[str, ...]:
        """The ignored zones in which it is."""
        if not self.unseen:
            return tuple(zone.name for zone in _ignored(zones) if zone.area.contains(self.place))
        if self.watched(zones):
            return ()
        return tuple(zone.name for zone in _ignored(zones) if cover((zone,), self.box) > 0)

    def _seen(self) -> Point:
        """The middle of the box's lower edge."""
        return median([x for x, _ in self._feet]), median([y for _, y in self._feet])

    def _expected(self, t_ns: int) -> Point:
        """Where the feet are: no higher than they were at its tallest while the box is too short for that."""
        x, y = self._seen()
        self._faded *= max(0.0, 1.0 - FADE_PER_S * max(0, t_ns - self._seen_ns) / 1e9)
        self._seen_ns = t_ns
        if self.height >= self._faded:
            self._full = self._faded = self.height
            self._full_foot = y
        if self.height >= SHORT * self._faded:
            return x, y
        top = y - self.height
        return x, max(y, min(top + self._full, self._full_foot))  # who crouches stands where he stood


def _ignored(zones: Sequence[Zone]) -> list[Zone]:
    return [zone for zone in zones if zone.kind is ZoneKind.IGNORE]
