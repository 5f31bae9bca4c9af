"""Who was lost and comes again is the same track: after a pillar, a passer-by, some looks without a hit.

A lost track is kept for a while. One that has just come to be believed is that one if somebody could have gone from
there to here meanwhile, is as large, and looks like it; where the detector sees no looks, only if it is found almost
where it was. See design/sight.md, tracks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sealcam.sight.looks import likeness
from sealcam.sight.track import Track
from sealcam.sight.types import Box

# So many lost tracks are kept for so long.
MOST, AGAIN_S = 16, 6.0
# How far something may have gone, in roots of its area: at once, and by each second; and by how much its height may
# have changed, as a factor.
NEAR, FASTEST, TALLER = 0.7, 2.0, 1.4
# Someone seen a few seconds ago looks like this at the least, by the mean of some looks (the measured distributions
# are in design/sight.md). Without looks: no farther than this share of the way, and no later than this.
LIKE, BLIND_SHARE, BLIND_S = 0.9, 0.4, 2.0


class Lost:
    """The tracks that were lost lately."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []

    def add(self, tracks: Iterable[Track]) -> None:
        """Keep these, the newest of all."""
        self._tracks = [*self._tracks, *tracks][-MOST:]

    def take(self, track: Track, unseen: Iterable[Track]) -> Track | None:
        """The one that `track` continues, of those lost and of those `unseen` in this look; it is no more lost."""
        self._tracks = [one for one in self._tracks if track.first_ns - one.seen_ns <= AGAIN_S * 1e9]
        best, best_odds = None, 0.0
        for one in (*self._tracks, *unseen):
            odds = _odds(one, track)
            if odds > best_odds:
                best, best_odds = one, odds
        if best is not None:
            self._tracks = [one for one in self._tracks if one is not best]
        return best


def _odds(lost: Track, found: Track) -> float:
    """How well one continues the other, above 0 if it may."""
    gap_s = (found.first_ns - lost.seen_ns) / 1e9
    if lost.subject is not found.subject or not 0 < gap_s <= AGAIN_S:
        return 0.0
    then, now = lost.box, found.origin or found.box
    if not 1 / TALLER <= now.height / max(1.0, then.height) <= TALLER:
        return 0.0
    reach = (NEAR + FASTEST * gap_s) * math.sqrt(max(1.0, then.area))
    share = _way(then, now) / reach
    if lost.look is None or found.look is None:
        return 1 - share if share <= BLIND_SHARE and gap_s <= BLIND_S else 0.0
    alike = likeness(lost.look, found.look)
    return 2 - share + alike if share <= 1 and alike >= LIKE else 0.0


def _way(then: Box, now: Box) -> float:
    """The pixels between the middles of two boxes."""
    return math.hypot(now.x0 + now.x1 - then.x0 - then.x1, now.y0 + now.y1 - then.y0 - then.y1) / 2
