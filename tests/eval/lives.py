"""What a person drew over a clip, as values: who is in view, from when to when, where, how high, and behind what.

Reading and checking the files is `labels.py`'s; what of it had to be found, and whether it was, is for the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sealcam.sight.types import Box, Subject

_SAME_S = 1e-6  # a frame's time worked out in another way (147 * 0.1) is still the time that was written down (14.7)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the clip's clock in seconds, both ends in it: `from_s <= t <= to_s`."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Its length in seconds."""
        return self.to_s - self.from_s

    def holds(self, t_s: float) -> bool:
        """True for a moment inside, or at either end to the microsecond."""
        return self.from_s - _SAME_S <= t_s <= self.to_s + _SAME_S


@dataclass(frozen=True, slots=True)
class Key:
    """A box drawn at one moment; between two keys every edge moves in a straight line."""

    t_s: float
    box: Box


@dataclass(frozen=True, slots=True)
class Life:
    """One moving subject under one name, in view from its first key to its last."""

    name: str
    subject: Subject
    note: str
    keys: tuple[Key, ...]
    hidden: tuple[Stretch, ...]  # more than half behind something or someone

    @property
    def in_view(self) -> Stretch:
        """From its first key to its last, hidden stretches and all."""
        return Stretch(self.keys[0].t_s, self.keys[-1].t_s)

    def box_at(self, t_s: float) -> Box | None:
        """Where it is, also where it is hidden; None before its first key and after its last."""
        if not self.in_view.holds(t_s):
            return None
        t_s = min(max(t_s, self.in_view.from_s), self.in_view.to_s)
        before, after = next((a, b) for a, b in pairwise(self.keys) if t_s <= b.t_s)
        share = (t_s - before.t_s) / (after.t_s - before.t_s)
        a, b = before.box, after.box
        return Box(
            a.x0 + share * (b.x0 - a.x0),
            a.y0 + share * (b.y0 - a.y0),
            a.x1 + share * (b.x1 - a.x1),
            a.y1 + share * (b.y1 - a.y1),
        )

    def visible_at(self, t_s: float) -> bool:
        """True where it is in view and at least half of it can be seen."""
        return self.in_view.holds(t_s) and not any(stretch.holds(t_s) for stretch in self.hidden)

    def height_at(self, t_s: float) -> float:
        """Its height in pixels, 0 where it isn't in view."""
        box = self.box_at(t_s)
        return box.height if box else 0.0

    def stretches_at_height(self, px: float) -> tuple[Stretch, ...]:
        """When it is visible and at least `px` high without a break, in time order."""
        return tuple(_without(_joined(self._high(px)), self.hidden))

    def first_at_height(self, px: float) -> float | None:
        """The moment it first is visible and at least `px` high, None if it never is."""
        stretches = self.stretches_at_height(px)
        return stretches[0].from_s if stretches else None

    def _high(self, px: float) -> Iterator[Stretch]:
        """The part of each piece between two keys in which it is at least `px` high."""
        for a, b in pairwise(self.keys):
            h0, h1 = a.box.height, b.box.height
            if max(h0, h1) < px:
                continue
            crossing = a.t_s if h0 == h1 else a.t_s + (px - h0) / (h1 - h0) * (b.t_s - a.t_s)
            yield Stretch(a.t_s if h0 >= px else crossing, b.t_s if h1 >= px else crossing)


@dataclass(frozen=True, slots=True)
class Static:
    """Something parked in view for the whole clip, that never should alert."""

    name: str
    subject: Subject
    box: Box


@dataclass(frozen=True, slots=True)
class ClipLabels:
    """All that was drawn for one clip; boxes are in pixels of its original picture."""

    clip: str
    width_px: int
    height_px: int
    note: str  # how it was drawn, and how exact it is
    lives: tuple[Life, ...]
    statics: tuple[Static, ...]
    empty: tuple[Stretch, ...]  # nothing in view but the statics

    @property
    def persons(self) -> tuple[Life, ...]:
        """The walkers, in the order of the file."""
        return tuple(life for life in self.lives if life.subject is Subject.PERSON)

    def visible_at(self, t_s: float) -> tuple[Life, ...]:
        """Who and what moves in view at this moment and isn't hidden."""
        return tuple(life for life in self.lives if life.visible_at(t_s))


def _joined(stretches: Iterator[Stretch]) -> list[Stretch]:
    """Stretches in time order, those that touch made into one."""
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and stretch.from_s <= joined[-1].to_s:
            joined[-1] = Stretch(joined[-1].from_s, stretch.to_s)
        else:
            joined.append(stretch)
    return joined


def _without(stretches: list[Stretch], holes: tuple[Stretch, ...]) -> Iterator[Stretch]:
    """What is left of the stretches once the holes are cut out; the holes are in time order."""
    for stretch in stretches:
        start = stretch.from_s
        for hole in holes:
            if hole.to_s < start or hole.from_s > stretch.to_s:
                continue
            if hole.from_s > start:
                yield Stretch(start, hole.from_s)
            start = max(start, hole.to_s)
        if start < stretch.to_s:
            yield Stretch(start, stretch.to_s)
