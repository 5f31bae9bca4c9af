"""The path of an incident as the wire says it: as much of it as finds room, so that no envelope is larger for it.

Which spots there are is sight's (`sight.trail`); what room there is, the padding's (design/wire.md 4.3 and 5.1). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sealcam.sight.picture import framed
from sealcam.sight.trail import MOST_SPOTS, thinned
from sealcam.sight.types import Picture, Report, Spot
from sealcam.wire import schema
from sealcam.wire.bodies import IncidentBody, IncidentPath
from sealcam.wire.envelope import padded_size
from sealcam.wire.filler import FRAME_BYTES

_KEY_BYTES = 1  # of its key in the report's map
_MOST_MS, _MOST_ASPECT = (1 << 32) - 1, (1 << 16) - 1


def fitted(report: Report, body: IncidentBody, picture: Picture | None, least: int = 0) -> IncidentPath | None:
    """The path of `report` that fits into what padding leaves behind `body`, or none; bodies are padded to at least
    `least` bytes. `picture` is what this report shows, or the pieces that follow it."""
    trail = report.trail
    if trail is None or not trail.spots:
        return None
    size = len(schema.encode(body)) + FRAME_BYTES
    room = max(padded_size(size), least) - size - _KEY_BYTES
    shows = None if picture is None else tuple(_mille(edge) for edge in framed(picture))
    aspect = min(_MOST_ASPECT, round(1000 * trail.aspect))

    def made(most: int) -> IncidentPath:
        after, boxes = _numbers(thinned(trail.spots, most), report.started_ns)
        return IncidentPath(after_ms=after, boxes=boxes, aspect=aspect, framed=shows)

    for most in range(min(MOST_SPOTS, len(trail.spots)), min(2, len(trail.spots)) - 1, -1):
        path = made(most)
        if len(schema.encode(path)) <= room:
            return path
    return None


def _numbers(spots: Sequence[Spot], started_ns: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    after = tuple(min(_MOST_MS, max(0, spot.t_ns - started_ns) // 1_000_000) for spot in spots)
    return after, tuple(_mille(part) for spot in spots for part in (spot.x, spot.y, spot.width, spot.height))


def _mille(part: float) -> int:
    return round(1000 * part)
