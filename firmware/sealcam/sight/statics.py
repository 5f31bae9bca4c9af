"""Statics remember what belongs to the scene, beyond the loss of its track: a parked car, a bench, a poster.

A thing is remembered where it was seen and did not move. Whoever is first seen in such a place must first leave it to
be believed; what walked or drove in has shown that already. See design/sight.md, who is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.sight.types import Box, Subject

# Two boxes of this overlap are the same thing in the same place; a detector's boxes of one parked car agree to 0.8.
SAME_PLACE_IOU = 0.5
# So many things are remembered; the one not seen for longest is forgotten first.
MOST = 64


@dataclass(frozen=True, slots=True)
class StaticThing:
    """A thing that did not move: what, where, and when it was last seen (ns on the source's clock)."""

    subject: Subject
    box: Box
    seen_ns: int


class Statics:
    """The remembered things of one scene."""

    def __init__(self) -> None:
        self._things: list[StaticThing] = []

    def __len__(self) -> int:
        return len(self._things)

    def remember(self, subject: Subject, box: Box, t_ns: int) -> None:
        """Keep a thing, or the newer sight of one that is kept already."""
        known = self._find(subject, box)
        if known is not None:
            self._things.remove(known)
        self._things.append(StaticThing(subject, box, t_ns))
        del self._things[:-MOST]

    def holds(self, subject: Subject, box: Box) -> bool:
        """Whether a thing of this kind is known in this place."""
        return self._find(subject, box) is not None

    def _find(self, subject: Subject, box: Box) -> StaticThing | None:
        overlap, best = SAME_PLACE_IOU, None
        for thing in self._things:
            if thing.subject is subject and (shared := thing.box.iou(box)) >= overlap:
                overlap, best = shared, thing
        return best
