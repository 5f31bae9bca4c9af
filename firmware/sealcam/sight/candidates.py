"""Candidates are a detector's boxes as tracks want them: faint ones too, with scores that mean the same for each model.

A model's threshold is the score from which its boxes are mostly right when a single frame must decide. Tracks decide
over time, so they take fainter boxes and believe them only if they persist and travel. Scores are bent so that every
model's threshold lies where the default model's does; the settings of sight then hold for each. See design/sight.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

from sealcam.board.protocols import Frame, Network
from sealcam.sight.detect import Detector
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.spec import ModelSpec
from sealcam.sight.types import Box, Detection

# The default model's threshold, and the score on its scale from which a box is a candidate.
REFERENCE, FAINTEST = 0.37, 0.25


class Looker(Protocol):
    """What the panel asks first: `Candidates`, or nobody."""

    @property
    def broken(self) -> bool:
        """Whether what it said last is what no working model says."""
        ...

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        """What may be in the frame, best score first; boxes in the frame's pixels."""
        ...

    def keep(self) -> None:
        """Copy what `look` needs."""
        ...

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame that `detect` was last given; none where nothing can be said."""
        ...


class Nobody:
    """For a camera without a model: recognises nothing, so that motion alone counts."""

    broken = False

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        """Nothing."""
        return ()

    def keep(self) -> None:
        """Nothing to copy."""

    def look(self, box: Box) -> Look | None:
        """None."""
        return None


class Candidates:
    """A detector for `Watch`: scores on one scale from 0 to 1, from `FAINTEST` on."""

    def __init__(self, network: Network, spec: ModelSpec, *, share: float = 1.0) -> None:
        """Bind a network to what is known of its model; below 1, `share` shows it the frame from further away.

        Raises:
            ModelError: the network's input or outputs aren't what the specification says.
        """
        self._detector = Detector(network, spec, share=share)
        # score ** power keeps 0 and 1 where they are and moves the model's threshold to REFERENCE.
        self._power = math.log(REFERENCE) / math.log(spec.threshold)
        self._faintest = FAINTEST ** (1 / self._power)

    @property
    def broken(self) -> bool:
        """Whether what the model said last is what no working model says."""
        return self._detector.broken

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        """What may be in the frame, best score first; boxes in the frame's pixels.

        Raises:
            ModelError: the network failed.
        """
        found = self._detector.detect(frame, self._faintest)
        return tuple(replace(one, score=one.score**self._power) for one in found)

    def keep(self) -> None:
        """Copy what `look` needs, before somebody else runs the same network."""
        self._detector.keep()

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame that `detect` was last given; none where the model has no such output."""
        return self._detector.look(box)
