"""The doorstep remembers how a place looked before somebody came, and says what was left or taken once they have gone.

No class of any model is asked: a thing is whatever changed, holds still, and has edges where there were none (left) or
had them where there are none now (taken). Only where somebody was, only where the place was seen before, never while
the light changes. What follows from it for the owner is the verdict's. See design/sight.md, left and taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam.sight.gate import Motion
from sealcam.sight.things import Grey, Happened, happened, near
from sealcam.sight.types import Box

# The picture that is remembered is so wide at most: a parcel at the door has some hundred pixels in it.
WIDTH_PX = 320
# How often the place is looked at: while all is calm, after somebody has gone, and while somebody is in view.
CALM_EVERY_S, GONE_EVERY_S, BUSY_EVERY_S = 1.0, 0.25, 0.5
# Long before watching began.
NEVER_S = -1e6
# The memory follows what it sees within so many seconds; a pixel counts once it was calm, and looked alike, for so many
# looks in a row: who stood there when watching began is no part of the place.
FOLLOW_S, KNOWN_LOOKS = 20.0, 3
# Somebody was here when seen so often; what they reached is their boxes, widened by this share of their height.
SEEN_OFTEN, REACH = 3, 0.25
# They have gone when not seen for so long; then the thing must hold still for so long. Nobody waits longer than the
# last figure for a verdict: an incident ends five seconds after its subject was last seen.
GONE_S, STILL_S, GIVE_UP_S = 0.7, 1.5, 30.0
# A pixel changed by so many levels, and by so many times the noise; it may change by so much from look to look.
CHANGED, CHANGED_NOISE, STIRRED = 10.0, 4.0, 8.0
# Of the picture, the least and the most that a thing may cover; the share of its own rectangle that it must fill; its
# height may be at most this share of the person's.
LEAST_SHARE, MOST_SHARE, FILLS, TALLEST = 0.0008, 0.12, 0.45, 0.75
# More than this share of the picture changed: that was the light, or the camera.
LIGHT_SHARE = 0.25
# Two sights of one thing overlap by this.
SAME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """Something was left or taken: where, in pixels of the frame, and when that was sure (ns on the source's clock)."""

    happened: Happened
    box: Box
    t_ns: int


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A change that must hold still before it is believed; `box` in pixels of the small picture."""

    happened: Happened
    box: Box
    since_ns: int


class Doorstep:
    """Watches one place; feed it every frame in order."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._size: tuple[int, int] | None = None
        self._reference: Grey = np.empty((0, 0), np.float32)
        self._looks: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._noise = 1.0
        self._looked_ns: int | None = None
        self._first_ns = 0
        self._leave_visit()

    def _leave_visit(self) -> None:
        self._visited_s: Grey = np.full(self._looks.shape, NEVER_S, np.float32)
        self._seen, self._tallest_px = 0, 0.0
        self._seen_ns: int | None = None
        self._suspects: tuple[_Suspect, ...] = ()
        self._previous: Grey | None = None

    def step(self, frame: Frame, motion: Motion, people: Sequence[Box], others: Sequence[Box]) -> tuple[Change, ...]:
        """What turned out to have been left or taken by now.

        `people` are the boxes of persons in this frame who are believed in; `others` those of everything else that is
        followed, such as a car: what changes there is the car's.
        """
        if self._size != (frame.height, frame.width) or motion.whole:
            self._forget()
            self._size = (frame.height, frame.width)
            self._looks = np.zeros(_size(frame), np.uint8)
            self._visited_s = np.full(self._looks.shape, NEVER_S, np.float32)
            self._first_ns = frame.t_ns
        if people:
            self._note(frame, people)
        every_s = CALM_EVERY_S if self._seen_ns is None else BUSY_EVERY_S if people else GONE_EVERY_S
        if self._looked_ns is not None and 0 <= frame.t_ns - self._looked_ns < every_s * 1e9:
            return ()
        seconds = CALM_EVERY_S if self._looked_ns is None else (frame.t_ns - self._looked_ns) / 1e9
        self._looked_ns = frame.t_ns
        now = _small(frame)
        if self._reference.shape != now.shape:
            self._reference = now.copy()
        changes = self._judge(frame, now, others) if self._seen >= SEEN_OFTEN else ()
        after_s = 0.0 if self._seen_ns is None else (frame.t_ns - self._seen_ns) / 1e9
        if after_s > (GIVE_UP_S if self._seen >= SEEN_OFTEN else GONE_S):
            self._leave_visit()
            self._first_ns = frame.t_ns
        self._follow(frame, now, motion, others, min(max(seconds, 0.0), FOLLOW_S))
        return changes

    def _note(self, frame: Frame, people: Sequence[Box]) -> None:
        """Somebody is here: note where, and when."""
        self._seen += 1
        self._seen_ns = frame.t_ns
        for box in people:
            self._tallest_px = max(self._tallest_px, box.height * self._scale(frame))
            _paint(self._visited_s, _widened(box, REACH * box.height), self._scale(frame), self._now_s(frame))

    def _now_s(self, frame: Frame) -> float:
        """Seconds since watching began: small numbers, of which float32 keeps hundredths for a day."""
        return (frame.t_ns - self._first_ns) / 1e9

    def _scale(self, frame: Frame) -> float:
        return float(self._looks.shape[1] / frame.width)

    def _judge(self, frame: Frame, now: Grey, others: Sequence[Box]) -> tuple[Change, ...]:
        """What differs from before and holds still, where nobody is any more; the memory takes over what was told."""
        previous, self._previous = self._previous, now
        if previous is None:
            return ()
        gone_s = self._now_s(frame) - self._visited_s
        was = _as_lit(self._reference, now, gone_s > GIVE_UP_S)
        bar = max(CHANGED, CHANGED_NOISE * self._noise)
        differs = (_around(np.abs(now - was)) > bar) & (self._looks >= KNOWN_LOOKS)
        if differs.mean() > LIGHT_SHARE:
            self._suspects = ()
            return ()
        stirs = (np.abs(now - previous) > max(STIRRED, CHANGED_NOISE * self._noise)).astype(np.uint8)
        covered = gone_s < GONE_S
        found = (differs & ~covered & (gone_s <= GIVE_UP_S)).astype(np.uint8)
        for box in others:
            _paint(found, box, self._scale(frame), value=0)
        told: list[Change] = []
        suspects = [one for one in self._suspects if _inside(covered, one.box)]  # somebody stands before it again
        for suspect in self._things(found, stirs, now, was, frame.t_ns):
            known = next((s for s in self._suspects if _same(s, suspect)), None)
            suspect = suspect if known is None else replace(suspect, since_ns=known.since_ns)
            if frame.t_ns - suspect.since_ns < STILL_S * 1e9:
                suspects.append(suspect)
                continue
            told.append(Change(suspect.happened, _scaled(suspect.box, 1 / self._scale(frame)), frame.t_ns))
            _take_over(self._reference, now, suspect.box)
        self._suspects = tuple(suspects)
        return tuple(told)

    def _things(self, found: Plane, stirs: Plane, now: Grey, was: Grey, t_ns: int) -> list[_Suspect]:
        """What may be a thing, among the pixels that changed."""
        kernel = np.ones((3, 3), np.uint8)
        solid = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_OPEN, kernel), cv2.MORPH_CLOSE, np.ones((7, 7)))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(solid, np.uint8))
        things = []
        for index in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[index])
            least, most = LEAST_SHARE * found.size, MOST_SHARE * found.size
            if not least <= area <= most or area < FILLS * width * height or height > TALLEST * self._tallest_px:
                continue
            shape = (labels == index).astype(np.uint8)
            if cv2.countNonZero(cv2.bitwise_and(stirs, shape)) > 0.1 * area:
                continue  # it moves: somebody is still there, or a leaf
            around = near(x, y, width, height)
            what = happened(shape[around], now[around], was[around], self._noise)
            if what is not None:
                things.append(_Suspect(what, Box(x, y, x + width, y + height), t_ns))
        return things

    def _follow(self, frame: Frame, now: Grey, motion: Motion, others: Sequence[Box], seconds: float) -> None:
        """Let the memory follow where all is calm: where nothing moves, and nobody has just been."""
        rows, columns = now.shape
        moved = cv2.dilate(motion.mask, np.ones((3, 3), np.uint8))
        busy = np.asarray(cv2.resize(moved, (columns, rows), interpolation=cv2.INTER_NEAREST), np.uint8)
        for box in others:
            _paint(busy, box, self._scale(frame), value=255)
        busy[self._now_s(frame) - self._visited_s <= GIVE_UP_S] = 255
        calm = busy == 0
        share = min(1.0, seconds / FOLLOW_S)
        step = now - self._reference
        unlike = np.abs(step) > max(CHANGED, CHANGED_NOISE * self._noise)
        fresh = calm & ((self._looks == 0) | (unlike & (self._looks < KNOWN_LOOKS)))
        self._reference[fresh], step[fresh], self._looks[fresh] = now[fresh], 0.0, 0
        self._reference[calm] += np.float32(share) * step[calm]
        self._looks[calm] = np.minimum(self._looks[calm], 254) + 1
        if calm.any():
            self._noise += 0.2 * (min(float(np.median(np.abs(step[calm]))) * 1.5, 8.0) - self._noise)


def _size(frame: Frame) -> tuple[int, int]:
    """Rows and columns of what is remembered of a frame."""
    if frame.width <= WIDTH_PX:
        return frame.height, frame.width
    return max(1, round(frame.height * WIDTH_PX / frame.width)), WIDTH_PX


def _small(frame: Frame) -> Grey:
    """The luma at most `WIDTH_PX` wide, float32, lightly smoothed."""
    y = frame.y
    rows, columns = _size(frame)
    if columns < frame.width:
        size = (columns, rows)
        y = np.asarray(cv2.resize(y, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.blur(y, (3, 3)), np.float32)


def _as_lit(reference: Grey, now: Grey, outside: NDArray[np.bool_]) -> Grey:
    """The memory under the light of now, judged where nobody was: one gain for the whole picture."""
    if outside.sum() < 0.1 * outside.size:
        return reference
    gain = float(np.median((now[outside] + 1.0) / (reference[outside] + 1.0)))
    lit: Grey = reference * np.float32(min(max(gain, 0.5), 2.0))
    return lit


def _around(values: Grey) -> Grey:
    """Each pixel's mean with its neighbours: another pattern of the same brightness differs nearly everywhere."""
    return np.asarray(cv2.blur(values, (5, 5)), np.float32)


def _same(one: _Suspect, other: _Suspect) -> bool:
    return one.happened is other.happened and one.box.iou(other.box) >= SAME_IOU


def _widened(box: Box, by: float) -> Box:
    return Box(box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by)


def _scaled(box: Box, by: float) -> Box:
    return Box(box.x0 * by, box.y0 * by, box.x1 * by, box.y1 * by)


def _inside(mask: NDArray[np.bool_], box: Box) -> bool:
    """Whether any of the box is set."""
    return bool(mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].any())


def _paint(mask: Plane | Grey, box: Box, scale: float, value: float) -> None:
    rows, columns = mask.shape
    small = _scaled(box, scale)
    x0, x1 = (min(max(round(edge), 0), columns) for edge in (small.x0, small.x1))
    y0, y1 = (min(max(round(edge), 0), rows) for edge in (small.y0, small.y1))
    mask[y0:y1, x0:x1] = value


def _take_over(reference: Grey, now: Grey, box: Box) -> None:
    x0, y0, x1, y1 = int(box.x0), int(box.y0), int(box.x1), int(box.y1)
    reference[y0:y1, x0:x1] = now[y0:y1, x0:x1]
