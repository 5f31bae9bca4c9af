"""A trail is where a track stood over time, thinned so that what lies between two of its spots is near the line.

Near is meant at its time: who waits at the door is two spots there, not none. That is TD-TR (Meratnia and de By,
"Spatiotemporal Compression Techniques for Moving Point Objects", 2004): Ramer-Douglas-Peucker with the distance to
where the line would be at that moment. It only watches: no decision of sight reads it. See design/sight.md, one
incident.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from sealcam.sight.types import Box, Spot, Trail

# So many spots tell an incident's story; so far from the line, in parts of the picture, nobody sees it.
MOST_SPOTS, NEAR = 32, 0.01
# Of a crowd so many trails are kept: those that were seen most often, and those in view.
MOST_TRAILS = 16


class Trails:
    """The trails of those that an incident is about, by their tracks' numbers."""

    def __init__(self) -> None:
        self._spots: dict[int, list[Spot]] = {}
        self._sights: dict[int, int] = {}
        self._aspect = 1.0

    def take(self, track: int, box: Box, size_px: tuple[int, int], t_ns: int) -> None:
        """Take one sight of a track; `size_px` is the frame's width and height."""
        spots = self._spots.get(track)
        if spots is None:
            if not self._room(t_ns):
                return
            spots, self._sights[track] = self._spots.setdefault(track, []), 0
        self._aspect = size_px[0] / size_px[1]
        self._sights[track] += 1
        spots.append(_spot(box, size_px, t_ns))
        if len(spots) >= 2 * MOST_SPOTS:
            spots[:] = thinned(spots)

    def _room(self, t_ns: int) -> bool:
        """Make room for one more, if those in view leave any."""
        if len(self._spots) < MOST_TRAILS:
            return True
        gone = [track for track, spots in self._spots.items() if spots[-1].t_ns < t_ns]
        if not gone:
            return False
        least = min(gone, key=self._sights.__getitem__)
        del self._spots[least], self._sights[least]
        return True

    def main(self) -> Trail | None:
        """The trail of who was seen most often, or none."""
        if not self._sights:
            return None
        most = max(self._sights, key=self._sights.__getitem__)
        return Trail(thinned(self._spots[most]), self._aspect)


def thinned(spots: Sequence[Spot], most: int = MOST_SPOTS, near: float = NEAR) -> tuple[Spot, ...]:
    """The first, the last, and at most `most` in all: always the one next that lies farthest from the line so far,
    until all others are within `near` of it (parts of the picture)."""
    last = len(spots) - 1
    if last < 2 or most < 3:
        return tuple(spots) if last < 2 else (spots[0], spots[last])
    kept = {0, last}
    far = [_farthest(spots, 0, last)]
    while far and len(kept) < most:
        off, at, before, after = heapq.heappop(far)
        if -off <= near:
            break
        kept.add(at)
        for pair in ((before, at), (at, after)):
            if pair[1] - pair[0] > 1:
                heapq.heappush(far, _farthest(spots, *pair))
    return tuple(spots[at] for at in sorted(kept))


def _farthest(spots: Sequence[Spot], first: int, last: int) -> tuple[float, int, int, int]:
    """The spot between two that is farthest from the line at its time: less its distance, its place, and theirs."""
    begin, end = spots[first], spots[last]
    span_ns = max(1, end.t_ns - begin.t_ns)

    def off(at: int) -> float:
        spot = spots[at]
        share = (spot.t_ns - begin.t_ns) / span_ns
        across = spot.x - (begin.x + share * (end.x - begin.x))
        return math.hypot(across, spot.y - (begin.y + share * (end.y - begin.y)))

    at = max(range(first + 1, last), key=off)
    return -off(at), at, first, last


def _spot(box: Box, size_px: tuple[int, int], t_ns: int) -> Spot:
    width_px, height_px = size_px
    x0, x1 = (_part(edge, width_px) for edge in (box.x0, box.x1))
    y0, y1 = (_part(edge, height_px) for edge in (box.y0, box.y1))
    return Spot(t_ns, (x0 + x1) / 2, y1, x1 - x0, y1 - y0)


def _part(edge_px: float, whole_px: int) -> float:
    return min(1.0, max(0.0, edge_px / whole_px))
