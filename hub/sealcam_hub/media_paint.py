"""Makes parts of a picture unrecognisable: people under their boxes, and everything outside an area. Pure.

Works in place on planes of YUV 4:2:0 at their full size. What hides is decided from a detector's boxes some time before
and after each picture, so that a miss in between shows nobody. design/hub.md, "Sharing", blurring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from sealcam.board.protocols import Frame, Plane
from sealcam.sight.masks import Masks
from sealcam.sight.types import Box
from sealcam.sight.zones import Polygon
from sealcam_hub.media_messages import Area

HOLD_NS = 600_000_000  # a box counts so long before and after its picture
MOST_WAITING = 64  # pictures that are held meanwhile: a frantic film must not fill the memory
GROWN, LEAST_GROWN_PX = 0.2, 8
CELLS = 5  # along a box's longer side

Planes = tuple[Plane, Plane, Plane]


def full(frame: Frame) -> Planes:
    """The planes of a frame at the film's own size; ours to change."""
    fine = frame.fine
    return (frame.y, frame.u, frame.v) if fine is None else fine.crop(0, 0, fine.width, fine.height)


def shares(box: Box, frame: Frame) -> Area:
    """A box of a frame, grown, as shares of its width and height."""
    wide, high = max(LEAST_GROWN_PX, GROWN * box.width), max(LEAST_GROWN_PX, GROWN * box.height)
    return Area(
        max(0.0, (box.x0 - wide) / frame.width),
        max(0.0, (box.y0 - high) / frame.height),
        min(1.0, (box.x1 + wide) / frame.width),
        min(1.0, (box.y1 + high) / frame.height),
    )


def held(found: Iterable[tuple[Frame, Sequence[Area]]]) -> Iterator[tuple[Frame, tuple[Area, ...]]]:
    """Each frame with all areas that were found in it, and shortly before and after it."""
    waiting: deque[Frame] = deque()
    areas: deque[tuple[int, tuple[Area, ...]]] = deque()
    for frame, here in found:
        waiting.append(frame)
        areas.append((frame.t_ns, tuple(here)))
        while waiting[0].t_ns + HOLD_NS < frame.t_ns or len(waiting) > MOST_WAITING:
            yield _with(waiting.popleft(), areas)
    while waiting:
        yield _with(waiting.popleft(), areas)


def _with(frame: Frame, areas: deque[tuple[int, tuple[Area, ...]]]) -> tuple[Frame, tuple[Area, ...]]:
    while areas[0][0] + HOLD_NS < frame.t_ns:
        areas.popleft()
    near = (some for t_ns, some in areas if t_ns <= frame.t_ns + HOLD_NS)
    return frame, tuple(area for some in near for area in some)


def blur(planes: Planes, areas: Sequence[Area]) -> None:
    """Make a few smooth cells of what lies in each area."""
    for plane in planes:
        height, width = plane.shape
        for area in areas:
            x0, y0 = int(area.x0 * width), int(area.y0 * height)
            x1, y1 = min(width, int(area.x1 * width) + 1), min(height, int(area.y1 * height) + 1)
            if x0 < x1 and y0 < y1:
                _cells(plane[y0:y1, x0:x1])


def _cells(region: Plane) -> None:
    height, width = region.shape
    cell = max(height, width, CELLS) / CELLS
    few = (max(1, round(width / cell)), max(1, round(height / cell)))
    coarse = cv2.resize(region, few, interpolation=cv2.INTER_AREA)
    region[:] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width)


def outside(area: Area) -> Masks:
    """Masks over all that isn't in the area; none of them may be without an extent."""
    x0, y0, x1, y1 = area
    around = (Area(0, 0, 1, y0), Area(0, y1, 1, 1), Area(0, y0, x0, y1), Area(x1, y0, 1, y1))
    return Masks([_rectangle(one) for one in around if one.x0 < one.x1 and one.y0 < one.y1])


def blacken(frame: Frame, planes: Planes, masks: Masks) -> None:
    """Paint planes of any size, in place."""
    y, u, v = planes
    masks.over(Frame(frame.t_ns, frame.index, y, u, v))


def _rectangle(area: Area) -> Polygon:
    x0, y0, x1, y1 = area
    return Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def contiguous(frame: Frame, planes: Planes) -> Frame:
    """A frame of these planes alone, as an encoder takes it."""
    y, u, v = (np.ascontiguousarray(plane) for plane in planes)
    return Frame(frame.t_ns, frame.index, y, u, v)
