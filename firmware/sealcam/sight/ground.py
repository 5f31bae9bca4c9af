"""The ground is the part of the picture where motion counts: what the owner's zones leave of it.

Made once for each grid of the gate's cells. Who stands where is `way`'s. See design/sight.md, zones, masks and
schedule.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from sealcam.board.protocols import Plane
from sealcam.sight.gate import Motion
from sealcam.sight.masks import filled
from sealcam.sight.settings import SightSettings
from sealcam.sight.zones import Zone, ZoneKind

# So many cells must move on it, at the least, as in the gate.
LEAST_CELLS = 4


class Ground:
    """Where motion counts, by these zones."""

    def __init__(self, zones: Sequence[Zone], settings: SightSettings) -> None:
        self._zones = tuple(zones)
        self._settings = settings
        self._cells: Plane | None = None

    def moved(self, motion: Motion) -> tuple[bool, float]:
        """Whether enough moved where the owner watches, and which share of the picture that was."""
        if not motion.moving or not self._zones:
            return motion.moving, motion.share
        cells = self._cells
        if cells is None or cells.shape != motion.mask.shape:
            cells = self._cells = self._made(*motion.mask.shape)
        moved = cv2.countNonZero(cv2.bitwise_and(motion.mask, cells))
        least = max(LEAST_CELLS, self._settings.motion_min_share * cells.size)
        return moved >= min(least, cells.size), moved / cells.size

    def _made(self, rows: int, columns: int) -> Plane:
        """255 where motion counts. A zone of interest is where feet stand, so what moves above it counts by its foot
        alone, like everything else."""
        named = [zone.area for zone in self._zones if zone.kind is not ZoneKind.IGNORE]
        bounded = any(zone.kind is ZoneKind.WATCH for zone in self._zones)
        cells = filled(named, columns, rows)
        if not bounded:
            cells[:] = 255
        ignored = filled([zone.area for zone in self._zones if zone.kind is ZoneKind.IGNORE], columns, rows)
        cells[ignored > 0] = 0
        return cells
