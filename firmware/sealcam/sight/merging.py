"""Merges what several models see in one frame: boxes on one scale of scores (`candidates`) become one list.

The first model's box stays where two agree, since a box that changes with the model would seem to move; the better
score counts. See design/sight.md, detectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sealcam.sight.types import Detection

# Two boxes of a subject are of one thing when they overlap so much, or when one lies in the other so far: another
# model sees a part of it, or more of it. Two people may overlap more; within one model that is `detect`'s matter.
SAME_IOU, WITHIN = 0.45, 0.8


def merged(first: Sequence[Detection], further: Sequence[Detection]) -> tuple[Detection, ...]:
    """Both lists as one, best score first; each of `further` raises the first's box that it agrees with, or is new."""
    kept, new = list(first), []
    for one in further:
        same = [(other.box.iou(one.box), index) for index, other in enumerate(first) if agree(other, one)]
        if not same:
            new.append(one)
            continue
        _, rival = max(same)
        if one.score > kept[rival].score:
            kept[rival] = replace(kept[rival], score=one.score)
    return tuple(sorted(kept + new, key=lambda detection: -detection.score))


def agree(one: Detection, other: Detection) -> bool:
    """Whether two detections are of one thing."""
    if one.subject is not other.subject:
        return False
    shared = one.box.intersection(other.box)
    if shared == 0:
        return False
    area, others = one.box.area, other.box.area
    return shared >= SAME_IOU * (area + others - shared) or shared >= WITHIN * min(area, others)
