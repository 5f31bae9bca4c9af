"""A course is where something goes: a Kalman filter over the middle of its box says where to expect it.

Both axes share one covariance, in units of the thing's own size, so that far and near things are alike and a step
costs a few multiplications. A box of which only one edge moved was cut by something in front: half of such a jump
counts. Which box continues the course is `matching`'s. See design/sight.md, tracks.
"""

from __future__ import annotations

import math

from sealcam.sight.types import Box

# All in sizes (SIZE times the root of the box's area) and seconds: how far a detector's box lies beside its thing; how
# much the velocity changes (squared, a second); the speed that something new may have. Half the errors or twice as
# many identities hang on the first alone; chosen on walkers between 40 and 200 px high, design/sight.md has the table.
SIZE, BESIDE, CHANGE, SPEED = 1.5, 0.15, 0.5, 1.0
# Nobody is expected to go on unseen for longer than this, only the doubt grows.
COAST_S = 0.6
# The size follows new boxes by this share.
SIZE_SHARE = 0.3


class Course:
    """The course of one thing; times in ns on the source's clock."""

    __slots__ = (
        "_boxes",
        "_mixed",
        "_place",
        "_seen_ns",
        "_speed",
        "_t_ns",
        "_tall",
        "_vx",
        "_vy",
        "_wide",
        "_x",
        "_y",
    )

    def __init__(self, box: Box, t_ns: int) -> None:
        self._x, self._y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        self._wide, self._tall = box.width, box.height
        self._vx = self._vy = 0.0
        self._place, self._mixed, self._speed = BESIDE**2, 0.0, SPEED**2
        self._t_ns = self._seen_ns = t_ns
        self._boxes = 1

    def advance(self, t_ns: int) -> None:
        """Let time pass up to `t_ns`; a time that lies before changes nothing."""
        seconds = (t_ns - self._t_ns) / 1e9
        if seconds <= 0:
            return
        last_ns = self._seen_ns + round(COAST_S * 1e9)
        going_s = max(0, min(t_ns, last_ns) - min(self._t_ns, last_ns)) / 1e9
        self._x += self._vx * going_s
        self._y += self._vy * going_s
        self._place += 2 * self._mixed * seconds + self._speed * seconds**2 + CHANGE * seconds**3 / 3
        self._mixed += self._speed * seconds + CHANGE * seconds**2 / 2
        self._speed += CHANGE * seconds
        self._t_ns = t_ns

    @property
    def box(self) -> Box:
        """Where it is expected, as large as it usually is."""
        across, down = self._wide / 2, self._tall / 2
        return Box(self._x - across, self._y - down, self._x + across, self._y + down)

    @property
    def doubt(self) -> float:
        """The variance of a box's place around the expected one, in sizes squared."""
        return self._place + BESIDE**2

    @property
    def size_px(self) -> float:
        """The unit of everything here."""
        return SIZE * math.sqrt(max(1.0, self._wide * self._tall))

    def take(self, box: Box, t_ns: int) -> None:
        """Go on through a box that was matched."""
        self.advance(t_ns)
        expected, doubt = self.box, self.doubt
        across, down = off(expected.x0, expected.x1, box.x0, box.x1), off(expected.y0, expected.y1, box.y0, box.y1)
        nearer, faster = self._place / doubt, self._mixed / doubt
        self._x += nearer * across
        self._y += nearer * down
        self._vx += faster * across
        self._vy += faster * down
        self._speed -= faster * self._mixed
        self._place *= 1 - nearer
        self._mixed *= 1 - nearer
        self._boxes += 1
        share = max(SIZE_SHARE, 1 / self._boxes)
        self._wide += share * (box.width - self._wide)
        self._tall += share * (box.height - self._tall)
        self._seen_ns = t_ns


def off(then0: float, then1: float, now0: float, now1: float) -> float:
    """How far a side lies from where it was expected: the mean of its middle's way and the shortest of its parts'."""
    low, high = now0 - then0, now1 - then1
    middle = (low + high) / 2
    # Of the two edges the one that went less; the middle lies between them unless they went opposite ways.
    least = low if abs(low) < abs(high) else high
    return middle if abs(middle) <= abs(least) else (middle + least) / 2
