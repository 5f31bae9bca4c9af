"""A way is what one subject did since it was first believed: how tall, how far, how long in one spot, in which zones.

Measured so that a detector's jitter is no walk: feet and heights are medians of the last three sights (`standing`),
and a step counts once it is a part of the subject's own height. What it means is the judge's. See design/sight.md, one
incident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sealcam.sight.standing import SETTLED, Standing
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import Box
from sealcam.sight.zones import Point, Zone, ZoneKind

# A step counts from this share of the subject's height on; within one height it is still the same spot.
STEP, SPOT = 0.25, 1.0
# A way is forgotten when its track was not seen for so long; the track itself is lost sooner (`tracks`).
FORGET_S = 10.0


class Way:
    """The way of one track. `looks` are the looks since its first sight up to its newest, `hits` those that saw it."""

    __slots__ = (
        *("_first_look", "_spot", "_spot_ns", "_standing", "_step", "approach", "box", "dwell_s", "entered"),
        *("first_ns", "height", "hits", "ignored", "looks", "number", "path", "seen_ns", "subject", "watched", "zones"),
        *("_first_height",),
    )

    def __init__(self, sighting: Sighting, look: int) -> None:
        self.number, self.subject, self.first_ns = sighting.track, sighting.subject, sighting.first_ns
        self.box, self.seen_ns = sighting.box, sighting.first_ns
        self.hits, self.looks = 0, 0
        self.height, self.path, self.dwell_s, self.approach = 0.0, 0.0, 0.0, 1.0
        self.watched = False
        self.zones: dict[str, None] = {}
        self.entered: dict[str, None] = {}
        self.ignored: dict[str, None] = {}
        self._first_look = look
        self._standing = Standing()
        self._first_height = 0.0
        self._step: Point | None = None
        self._spot: Point = (0.0, 0.0)
        self._spot_ns = 0

    def take(self, sighting: Sighting, t_ns: int, look: int, size_px: tuple[int, int], zones: Sequence[Zone]) -> None:
        """Take its sight in this look (numbered); `size_px` is the frame's width and height."""
        before = self._standing.place if self.hits else None
        self.box, self.seen_ns = sighting.box, t_ns
        self.hits += 1
        self.looks = look - self._first_look + 1
        self._standing.take(sighting.box, t_ns, size_px)
        self._grow(self._standing.height)
        self._go(sighting.box, t_ns)
        self._stand(before, zones)

    def _grow(self, height: float) -> None:
        self.height = max(self.height, height)
        if self.hits <= SETTLED:
            self._first_height = height
        if self._first_height > 0:
            self.approach = max(self.approach, height / self._first_height)

    def _go(self, box: Box, t_ns: int) -> None:
        """Steps and spots are of the middle of the box, in pixels, against its height."""
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        tall_px = max(1.0, box.height)
        if self._step is None:
            self._step = self._spot = middle
            self._spot_ns = t_ns
            return
        went_px = math.dist(middle, self._step)
        if went_px >= STEP * tall_px:
            self.path += went_px / tall_px
            self._step = middle
        if math.dist(middle, self._spot) > SPOT * tall_px:
            self._spot, self._spot_ns = middle, t_ns
        self.dwell_s = max(self.dwell_s, (t_ns - self._spot_ns) / 1e9)

    def _stand(self, before: Point | None, zones: Sequence[Zone]) -> None:
        now = self._standing.place
        self.watched = self.watched or self._standing.watched(zones)
        self.ignored |= dict.fromkeys(self._standing.ignored(zones))
        for zone in zones:
            if zone.kind is ZoneKind.IGNORE:
                continue
            inside = zone.area.contains(now)
            entry = zone.kind is ZoneKind.ENTRY
            came = before is not None and not zone.area.contains(before) and zone.area.touched(before, now)
            if inside or (entry and came):
                self.zones[zone.name] = None
            if entry and came:
                self.entered[zone.name] = None


class Ways:
    """The ways of all that is believed now, across incidents: who walks from one into the next goes on."""

    def __init__(self) -> None:
        self._ways: dict[int, Way] = {}
        self._look = 0

    def step(
        self, sightings: Sequence[Sighting], t_ns: int, size_px: tuple[int, int], zones: Sequence[Zone]
    ) -> tuple[Way, ...]:
        """Take one look's sights; the way of each, in their order."""
        self._look += 1
        if len(self._ways) > len(sightings):
            self._ways = {n: way for n, way in self._ways.items() if t_ns - way.seen_ns <= FORGET_S * 1e9}
        found = []
        for sighting in sightings:
            way = self._ways.get(sighting.track)
            if way is None:
                way = self._ways[sighting.track] = Way(sighting, self._look)
            way.take(sighting, t_ns, self._look, size_px, zones)
            found.append(way)
        return tuple(found)
