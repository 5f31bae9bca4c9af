"""Surroundings are what is known of the place before the first frame: what the owner drew, and what was remembered.

They are handed to the watch, and may be handed in anew while it runs. Where they are kept is the eye's business.
See design/sight.md, zones, masks and schedule; memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.sight.place import NOTHING_DRAWN, Place
from sealcam.sight.statics import StaticThing


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a watch knows beforehand. `statics` is what belonged to the scene before a restart."""

    place: Place = NOTHING_DRAWN
    statics: tuple[StaticThing, ...] = ()


NEW_PLACE = Surroundings()
