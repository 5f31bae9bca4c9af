"""The path of an incident as its reports tell it: read when it is shown, kept nowhere but in the sealed event. Pure.

What a camera says there is drawn only where it makes sense (design/wire.md 5.1); how is `console.tracing`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sealcam.wire.bodies import IncidentPath

MOST_SPOTS = 32
_LEAST_ASPECT, _MOST_ASPECT = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class PathSpot:
    """Where somebody stood at a wall time (ns): the middle of the feet, and the box's size, in parts of the picture."""

    at_ns: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the picture, 0 to 1 from the top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PathView:
    """A path in the order of time. `aspect` is the whole picture's width over its height; `framed` the part of it that
    the incident's still shows (none: not known)."""

    spots: tuple[PathSpot, ...]
    aspect: float
    framed: Frame | None = None


def read(path: IncidentPath, started_ns: int) -> PathView | None:
    """What a report says, which counts from the wall time `started_ns`; none where it makes no sense."""
    after, boxes, aspect = path.after_ms, path.boxes, path.aspect / 1000
    if not 0 < len(after) <= MOST_SPOTS or len(boxes) != 4 * len(after):
        return None
    if not _LEAST_ASPECT <= aspect <= _MOST_ASPECT or any(one > two for one, two in pairwise(after)):
        return None
    parts = [one / 1000 for one in boxes]
    spots = tuple(
        PathSpot(started_ns + ms * 1_000_000, *parts[4 * number : 4 * number + 4]) for number, ms in enumerate(after)
    )
    return PathView(spots, aspect)


def frame(path: IncidentPath | None) -> Frame | None:
    """The part of the picture that a report's still shows; none where it doesn't say, or says nonsense."""
    edges: Sequence[int] = () if path is None or path.framed is None else path.framed
    if len(edges) != 4 or edges[0] >= edges[2] or edges[1] >= edges[3]:
        return None
    return Frame(*(edge / 1000 for edge in edges))
