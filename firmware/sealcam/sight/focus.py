"""Focus is what sight knows of a frame before the detector looks: where it moved, and what is being followed.

A detector may spend its time by it: look closer where something small moves, ask a second model where it doubts. What
it sees is another's. See design/sight.md, detectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame
from sealcam.sight.gate import Motion
from sealcam.sight.types import Box, Detection, Subject

# What something looks like, as a vector of unit length pooled from a detector's backbone: the cosine of two is their
# dot product. Not a picture: it can't be turned back into one at this size.
Look = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Followed:
    """A track as the detector may know it: what, where it is expected, whether it is believed, its median score."""

    subject: Subject
    box: Box
    believed: bool
    score: float


@dataclass(frozen=True, slots=True)
class Focus:
    """What is known of one frame beforehand; `motion` is none where nobody asked the gate."""

    motion: Motion | None
    followed: tuple[Followed, ...]


UNKNOWN = Focus(motion=None, followed=())


class DetectorLike(Protocol):
    """What finds subjects in a frame."""

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        """The subjects in one frame, in its pixels, best first."""
        ...

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame that `detect` was last given; none where the model has no such output."""
        ...
