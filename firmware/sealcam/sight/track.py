"""A track is one thing over time: its boxes, the scores of the looks at it, and whether it left its place.

It keeps and measures; what follows from that is decided by `tracks`. See design/sight.md, who is believed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from sealcam.sight.course import Course
from sealcam.sight.focus import Look
from sealcam.sight.statics import StaticThing
from sealcam.sight.types import Box, Detection

# The window of a track's looks holds at least so many looks and at most so many seconds, however slowly frames come.
WINDOW_LOOKS, WINDOW_LONGEST_S = 5, 4.0
# A box grew or shrank, so its thing came nearer or went away, from this factor on.
GREW = 1.4
# What something looks like is a running mean: each further look counts so much, at the least.
LOOK_SHARE = 0.2


class Track:
    """One thing over time. Times in ns on the source's clock, boxes in pixels."""

    __slots__ = (
        *("anchor", "believed", "box", "boxes", "course", "first_ns", "known", "label", "look", "looked_ns", "looks"),
        *(
            "middle",
            "moved",
            "moved_ns",
            "newest",
            "number",
            "origin",
            "own_ns",
            "score",
            "seen_ns",
            "stirs",
            "times",
            "subject",
        ),
        *("thing", "travelled_ns", "window"),
    )

    def __init__(self, number: int, detection: Detection, t_ns: int) -> None:
        self.number = number
        self.times = 0  # how often it was lost and came again
        self.subject = detection.subject
        self.label = detection.label
        self.box = detection.box
        self.course = Course(detection.box, t_ns)
        self.boxes: deque[Box] = deque(maxlen=3)
        self.middle = detection.box  # of the last three, so that one bad box is no movement
        self.origin: Box | None = None  # where it was first seen
        self.anchor: Box | None = None  # where it last rested, or had gone to
        self.first_ns = self.seen_ns = self.moved_ns = t_ns
        self.travelled_ns: int | None = None  # when it was last seen to have gone on
        self.window: deque[tuple[int, float]] = deque()
        self.score = 0.0  # the median of the window's hits
        self.stirs = 0
        self.own_ns: deque[int] = deque(maxlen=8)  # when it stirred all by itself
        self.believed = self.moved = False
        self.known = False  # a part of the scene: motion over it proves nothing
        self.thing: StaticThing | None = None  # as which it is remembered
        self.look: Look | None = None  # the mean of what it looked like, of unit length
        self.newest: Look | None = None
        self.looks, self.looked_ns = 0, t_ns

    def hit(self, detection: Detection, t_ns: int) -> None:
        """Take a box that was matched."""
        if self.boxes:
            self.course.take(detection.box, t_ns)
        self.box, self.label, self.seen_ns = detection.box, detection.label, t_ns
        self.boxes.append(detection.box)
        self.middle = _middle(self.boxes)
        self.window.append((t_ns, detection.score))
        if self.origin is None and len(self.boxes) == 3:
            self.origin = self.anchor = self.middle

    def see(self, look: Look, t_ns: int) -> None:
        """Take what it looks like now."""
        self.looks += 1
        self.looked_ns, self.newest = t_ns, look
        if self.look is None:
            self.look = look
            return
        mean = self.look + np.float32(max(LOOK_SHARE, 1 / self.looks)) * (look - self.look)
        length = np.linalg.norm(mean)
        self.look = mean / length if length > 0 else self.look

    def resume(self, lost: Track) -> None:
        """This is the one that was lost: it goes on as that."""
        self.number, self.first_ns, self.times = lost.number, lost.first_ns, lost.times + 1
        self.moved, self.moved_ns = self.moved or lost.moved, max(self.moved_ns, lost.moved_ns)
        self.known, self.thing = lost.known, lost.thing
        self.stirs += lost.stirs
        self.travelled_ns = self.travelled_ns if self.travelled_ns is not None else lost.travelled_ns

    def trim(self, t_ns: int, window_ns: int) -> None:
        """Forget looks that lie before the window."""
        while len(self.window) > WINDOW_LOOKS and t_ns - self.window[0][0] > window_ns:
            self.window.popleft()
        while self.window and t_ns - self.window[0][0] > WINDOW_LONGEST_S * 1e9:
            self.window.popleft()
        self.score = median(self.scores())

    def scores(self) -> list[float]:
        """The scores of the window's hits."""
        return [score for _, score in self.window if score > 0]

    def went(self, since: Box | None, share: float, grew: float = GREW) -> bool:
        """Whether the box went from `since` by a share of its size, or grew or shrank by a factor both ways."""
        if since is None:
            return False
        now = self.middle
        across, down = _shift(since.x0, since.x1, now.x0, now.x1), _shift(since.y0, since.y1, now.y0, now.y1)
        if math.hypot(across, down) >= share * math.sqrt(max(1.0, since.area)):
            return True
        wider, taller = now.width / max(1.0, since.width), now.height / max(1.0, since.height)
        return min(wider, taller) >= grew or max(wider, taller) <= 1 / grew


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two, 0 of none; statistics.median is ten times slower on a handful."""
    if not values:
        return 0.0
    ranked = sorted(values)
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def _middle(boxes: Sequence[Box]) -> Box:
    """The box of the medians of the edges."""
    if len(boxes) == 1:
        return boxes[0]
    return Box(
        median([box.x0 for box in boxes]),
        median([box.y0 for box in boxes]),
        median([box.x1 for box in boxes]),
        median([box.y1 for box in boxes]),
    )


def _shift(then0: float, then1: float, now0: float, now1: float) -> float:
    """How far both edges went the same way."""
    low, high = now0 - then0, now1 - then1
    return min(abs(low), abs(high)) if low * high > 0 else 0.0
