"""Candidates are a detector's boxes as tracks want them: faint ones too, with scores that mean the same for each model.

A model's threshold is the score from which its boxes are mostly right when a single frame must decide. Tracks decide
over time, so they take fainter boxes and believe them only if they persist and travel. Scores are bent so that every
model's threshold lies where the default model's does; the settings of sight then hold for each. See design/sight.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sealcam.board.protocols import Frame, Network
from sealcam.sight.detect import Detector
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.spec import ModelSpec
from sealcam.sight.types import Box, Detection

# The default model's threshold, and the score on its scale from which a box is a candidate.
REFERENCE, FAINTEST = 0.37, 0.25
# A model that is missing is looked for after so many seconds.
AGAIN_S = 600.0


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


class Awaited:
    """For a camera without a model: recognises nothing, so that motion alone counts, until `find` gives one. It is
    asked where something moves, `AGAIN_S` after the last time at the soonest."""

    def __init__(self, find: Callable[[], Looker | None]) -> None:
        self._find = find
        self._looker: Looker | None = None
        self._asked_ns: int | None = None  # from the first frame on: it has just been found missing

    @property
    def broken(self) -> bool:
        """The model's."""
        return self._looker is not None and self._looker.broken

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        """Nothing, or what the model finds."""
        if self._looker is None and self._due(frame.t_ns):
            self._looker = self._find()
        return () if self._looker is None else self._looker.detect(frame, focus)

    def keep(self) -> None:
        """As the model."""
        if self._looker is not None:
            self._looker.keep()

    def look(self, box: Box) -> Look | None:
        """None, or what the model says."""
        return None if self._looker is None else self._looker.look(box)

    def _due(self, t_ns: int) -> bool:
        asked_ns = self._asked_ns
        if asked_ns is None or t_ns < asked_ns:  # a source that begins anew begins a wait
            self._asked_ns = t_ns
            return False
        if t_ns - asked_ns < AGAIN_S * 1e9:
            return False
        self._asked_ns = t_ns
        return True


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
