"""A track is one thing over time: its boxes, the scores of the looks at it, and whether it left its place.

It keeps and measures; what follows from that is decided by `tracks`. See design/sight.md, who is believed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from sealcam.sight.types import Box, Detection

# The window of a track's looks holds at least so many looks and at most so many seconds, however slowly frames come.
WINDOW_LOOKS, WINDOW_LONGEST_S = 5, 4.0
# A box grew or shrank, so its thing came nearer or went away, from this factor on.
GREW = 1.4


class Track:
    """One thing over time."""

    __slots__ = (
        *(
            "anchor",
            "believed",
            "box",
            "boxes",
            "first_ns",
            "known",
            "label",
            "middle",
            "moved",
            "moved_ns",
            "number",
            "origin",
        ),
        *("seen_ns", "stirs", "subject", "travelled_ns", "velocity", "window"),
    )

    def __init__(self, number: int, detection: Detection, t_ns: int, *, known: bool) -> None:
        self.number = number
        self.subject = detection.subject
        self.label = detection.label
        self.box = detection.box
        self.boxes: deque[Box] = deque(maxlen=3)
        self.middle = detection.box  # of the last three, so that one bad box is no movement
        self.origin: Box | None = None  # where it was first seen
        self.anchor: Box | None = None  # where it last rested, or had gone to
        self.first_ns = self.seen_ns = self.moved_ns = t_ns
        self.travelled_ns: int | None = None  # when it was last seen to have gone on
        self.velocity = (0.0, 0.0)
        self.window: deque[tuple[int, float]] = deque()
        self.stirs = 0
        self.believed = self.moved = False
        self.known = known  # born where a static thing is remembered: motion over it proves nothing

    def predicted(self, t_ns: int) -> Box:
        """Where it should be now if it went on as before, for at most half a second."""
        seconds = min((t_ns - self.seen_ns) / 1e9, 0.5)
        dx, dy = self.velocity[0] * seconds, self.velocity[1] * seconds
        return Box(self.box.x0 + dx, self.box.y0 + dy, self.box.x1 + dx, self.box.y1 + dy)

    def hit(self, detection: Detection, t_ns: int) -> None:
        """Take a box that was matched."""
        seconds = (t_ns - self.seen_ns) / 1e9
        if seconds > 0:
            dx = (detection.box.x0 + detection.box.x1 - self.box.x0 - self.box.x1) / 2 / seconds
            dy = (detection.box.y0 + detection.box.y1 - self.box.y0 - self.box.y1) / 2 / seconds
            self.velocity = ((self.velocity[0] + dx) / 2, (self.velocity[1] + dy) / 2)
        self.box, self.label, self.seen_ns = detection.box, detection.label, t_ns
        self.boxes.append(detection.box)
        self.middle = _middle(self.boxes)
        self.window.append((t_ns, detection.score))
        if self.origin is None and len(self.boxes) == 3:
            self.origin = self.anchor = self.middle

    def trim(self, t_ns: int, window_ns: int) -> None:
        """Forget looks that lie before the window."""
        while len(self.window) > WINDOW_LOOKS and t_ns - self.window[0][0] > window_ns:
            self.window.popleft()
        while self.window and t_ns - self.window[0][0] > WINDOW_LONGEST_S * 1e9:
            self.window.popleft()

    def scores(self) -> list[float]:
        """The scores of the window's hits."""
        return [score for _, score in self.window if score > 0]

    def went(self, since: Box | None, share: float) -> bool:
        """Whether the box went from `since` by a share of its size, or came nearer or went away."""
        if since is None:
            return False
        now = self.middle
        across, down = _shift(since.x0, since.x1, now.x0, now.x1), _shift(since.y0, since.y1, now.y0, now.y1)
        if math.hypot(across, down) >= share * math.sqrt(max(1.0, since.area)):
            return True
        wider, taller = now.width / max(1.0, since.width), now.height / max(1.0, since.height)
        return min(wider, taller) >= GREW or max(wider, taller) <= 1 / GREW


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two; statistics.median is ten times slower on a handful."""
    ranked = sorted(values)
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def _middle(boxes: Sequence[Box]) -> Box:
    """The box of the medians of the edges."""
    edges = zip(*((box.x0, box.y0, box.x1, box.y1) for box in boxes), strict=True)
    return Box(*map(median, edges))


def _shift(then0: float, then1: float, now0: float, now1: float) -> float:
    """How far both edges went the same way."""
    low, high = now0 - then0, now1 - then1
    return min(abs(low), abs(high)) if low * high > 0 else 0.0
