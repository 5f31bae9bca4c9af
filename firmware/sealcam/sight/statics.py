"""Statics remember what belongs to the scene, by place and look, beyond the loss of its track and a restart.

A parked car, a bench, a poster. A thing is remembered where it was seen and did not move. Whoever is first seen in
such a place and looks like it must leave it, or stir all by himself, to be believed; what walked or drove in has shown
that already. Boxes are in shares of the picture, so that they outlive its size. See design/sight.md, statics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sealcam.sight.focus import Look
from sealcam.sight.looks import likeness
from sealcam.sight.types import Box, Subject

# Two boxes of this overlap are the same thing in the same place; a detector's boxes of one parked car agree to 0.8.
SAME_PLACE_IOU = 0.5
# Something in the place of a thing that looks less like it than this is something else: people in one place differ
# less than cars do (design/sight.md has the figures). A look that is less like those that are kept than that is kept
# too, up to so many: day, dusk, infrared.
SAME_PERSON, SAME_THING, NEW_LOOK, MOST_LOOKS = 0.93, 0.8, 0.95, 3
# So many things are remembered; the one not seen for longest is forgotten first.
MOST = 64


@dataclass(frozen=True, slots=True, eq=False)
class StaticThing:
    """A thing that did not move: what, where (shares of the picture, 0 to 1), and how it looked, in several lights."""

    subject: Subject
    box: Box
    looks: tuple[Look, ...] = ()


def shared(box: Box, width_px: int, height_px: int) -> Box:
    """The box in shares of a picture."""
    return Box(box.x0 / width_px, box.y0 / height_px, box.x1 / width_px, box.y1 / height_px)


class Statics:
    """The remembered things of one scene, the one not seen for longest first."""

    def __init__(self, things: Iterable[StaticThing] = ()) -> None:
        """Go on with what `things` gave before, in its order."""
        self._things = list(things)[-MOST:]

    def __len__(self) -> int:
        return len(self._things)

    @property
    def things(self) -> tuple[StaticThing, ...]:
        """All of them, to be kept over a restart."""
        return tuple(self._things)

    def remember(self, subject: Subject, box: Box, look: Look | None) -> StaticThing:
        """Keep a thing, or the newer sight of one that is kept already. `box` in shares of the picture."""
        known = self.find(subject, box, look)
        looks = known.looks if known is not None else ()
        if look is not None and all(likeness(look, one) < NEW_LOOK for one in looks):
            looks = (*looks, look)[-MOST_LOOKS:]
        if known is not None:
            self.forget(known)
        thing = replace(known, box=box, looks=looks) if known is not None else StaticThing(subject, box, looks)
        self._things.append(thing)
        del self._things[:-MOST]
        return thing

    def forget(self, thing: StaticThing) -> None:
        """It has gone; one that isn't there is nothing."""
        self._things = [one for one in self._things if one is not thing]

    def find(self, subject: Subject, box: Box, look: Look | None) -> StaticThing | None:
        """The thing of this kind that is known in this place and looks like this (without a look: whatever it looks
        like); the best overlap."""
        overlap, best = SAME_PLACE_IOU, None
        for thing in self._things:
            if thing.subject is subject and (both := thing.box.iou(box)) >= overlap and _like(thing, look):
                overlap, best = both, thing
        return best


def _like(thing: StaticThing, look: Look | None) -> bool:
    if look is None or not thing.looks:
        return True
    least = SAME_PERSON if thing.subject is Subject.PERSON else SAME_THING
    return any(likeness(look, one) >= least for one in thing.looks)
