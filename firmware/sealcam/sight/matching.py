"""Matching says which box continues which track: the likeliest pair first, by place and size alone.

Greedy instead of an assignment solver: a handful of boxes that are looked at ten times a second lie where they are
expected, and where two cross, the best pair is right more often than the best sum. Looks do not help here: where
boxes contend they overlap, and each shows both. In plain numbers: of ten tracks and ten boxes few are near each other,
and numpy takes longer to begin than this to end. See design/sight.md, tracks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sealcam.sight.course import Course, off
from sealcam.sight.types import Detection, Subject

# A box belongs to a track within so many standard deviations of where it is expected, and if the root of its area
# changed by no more than this factor; that factor's usual standard deviation (both natural logarithms).
REACH, SHAPE_MOST, SHAPE_USUAL = 3.0, 0.6, 0.25
# What a track that is believed already has over one that is not (natural logarithm of the odds).
BELIEVED = 1.0
# Boxes of two subjects with this overlap are one thing, and the better score says what.
ONE_THING_IOU = 0.6
# Larger coordinates are no pixels.
MOST_PX = 1e6


def distinct(detections: Sequence[Detection]) -> list[Detection]:
    """The detections, best first, without those of another subject in the place of a better one; no broken values."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda d: -d.score if d.score == d.score else 0.0):
        edges = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
        whole = math.isfinite(one.score) and all(abs(edge) <= MOST_PX for edge in edges) and one.box.area > 0
        if whole and not any(o.subject is not one.subject and o.box.iou(one.box) >= ONE_THING_IOU for o in kept):
            kept.append(one)
    return kept


def match(tracks: Sequence[tuple[Subject, Course, bool]], seen: Sequence[Detection]) -> list[tuple[int, int]]:
    """Pairs of an index in `tracks` (what, its course up to now, whether it is believed) and one in `seen`, each used
    once, the likeliest first, equals in their order."""
    odds = [
        (-value, row, column)
        for row, (subject, course, believed) in enumerate(tracks)
        for column, value in _odds(subject, course, seen, BELIEVED if believed else 0.0)
    ]
    pairs = []
    rows, columns = set[int](), set[int]()
    for _, row, column in sorted(odds):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs.append((row, column))
    return pairs


def _odds(
    subject: Subject, course: Course, seen: Sequence[Detection], head_start: float
) -> Iterator[tuple[int, float]]:
    """The boxes that may continue this course, with the logarithm of how likely each does."""
    then, doubt, size_px = course.box, course.doubt, course.size_px
    reach_px = REACH * math.sqrt(doubt) * size_px
    area, known = max(1.0, then.area), head_start - math.log(doubt)
    left, right = then.x0 - 2 * reach_px, then.x1 + 2 * reach_px
    for column, one in enumerate(seen):
        now = one.box
        if now.x0 > right or now.x1 < left or one.subject is not subject:
            continue
        across, down = off(then.x0, then.x1, now.x0, now.x1), off(then.y0, then.y1, now.y0, now.y1)
        away_px = math.hypot(across, down)
        if away_px > reach_px:
            continue
        shape = math.log(max(1.0, now.area) / area) / 2
        if abs(shape) <= SHAPE_MOST:
            yield column, known - ((away_px / size_px) ** 2 / doubt + (shape / SHAPE_USUAL) ** 2) / 2
