"""The place, as its owner drew it: zones, and the masks that nobody may look under.

A file of its own, since the configuration reads it in the post too, which must not load numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.sight.zones import Polygon, Zone


@dataclass(frozen=True, slots=True)
class Place:
    """What the owner drew into the picture."""

    zones: tuple[Zone, ...] = ()
    masks: tuple[Polygon, ...] = ()


NOTHING_DRAWN = Place()
