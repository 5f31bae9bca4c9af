"""Advisers: whom the panel may ask about a doubt, besides its first model: another model, a nearer look, a further one.

Another model is loaded when it is first asked, and let go of when it was not asked for long: its memory is as much as
everything else's. See design/sight.md, detectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sealcam.board.protocols import Frame
from sealcam.sight.candidates import Candidates
from sealcam.sight.doubt import Doubt, Kind
from sealcam.sight.focus import Look
from sealcam.sight.tiles import Tiles
from sealcam.sight.types import Box, Detection

# How much of the model's input the frame takes, either way, when it is looked at from a step back.
BACK_SHARE = 0.5


class Adviser(Protocol):
    """Somebody to ask about doubts. `name` is for counters and messages."""

    name: str

    @property
    def broken(self) -> bool:
        """Whether its last answer was what no working model says."""
        ...

    def suits(self, frame: Frame, doubt: Doubt) -> bool:
        """Whether it may know better about this doubt than the first model does."""
        ...

    def ask(self, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        """What it sees, in the frame's pixels and on the one scale of scores.

        Raises:
            ModelError: it can't be loaded, or it failed.
        """
        ...

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame that it was last asked about; none where it has no such output."""
        ...

    def let_go(self) -> None:
        """Free the memory; it may be asked again."""
        ...


class ModelAdviser:
    """Another model, over the whole frame."""

    def __init__(self, name: str, load: Callable[[], Candidates], freed: Callable[[], None] = lambda: None) -> None:
        """`load` opens the model, and `freed` is called once it was let go of."""
        self.name = name
        self._load = load
        self._freed = freed
        self._candidates: Candidates | None = None

    @property
    def broken(self) -> bool:
        """Whether its last answer was what no working model says."""
        return self._candidates is not None and self._candidates.broken

    def suits(self, frame: Frame, doubt: Doubt) -> bool:
        """For every doubt but what fills the picture: a step back finds that more often than any other model did."""
        return doubt.kind is not Kind.FILLED

    def ask(self, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        """What it sees in the frame.

        Raises:
            ModelError: it can't be loaded, or it failed.
        """
        if self._candidates is None:
            self._candidates = self._load()
        return self._candidates.detect(frame)

    def look(self, box: Box) -> Look | None:
        """What is in this box, where the model has such an output."""
        return None if self._candidates is None else self._candidates.look(box)

    def let_go(self) -> None:
        """Unload the model."""
        if self._candidates is not None:
            self._candidates = None
            self._freed()


class BackAdviser:
    """The same model again, a step back: who fills the picture is hardly in any picture that models learn from."""

    name = "a step back"

    def __init__(self, candidates: Candidates) -> None:
        """`candidates` of the first model, with `BACK_SHARE`."""
        self._candidates = candidates

    @property
    def broken(self) -> bool:
        """Whether its last answer was what no working model says."""
        return self._candidates.broken

    def suits(self, frame: Frame, doubt: Doubt) -> bool:
        """For what fills the picture."""
        return doubt.kind is Kind.FILLED

    def ask(self, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        """What it sees in the frame, drawn smaller.

        Raises:
            ModelError: the network failed.
        """
        return self._candidates.detect(frame)

    def look(self, box: Box) -> Look | None:
        """None: its map is of the smaller picture."""
        return None

    def let_go(self) -> None:
        """Nothing to free: the model is the first one's."""


class TileAdviser:
    """The same model again, nearer: for what is small."""

    name = "tiles"

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    @property
    def broken(self) -> bool:
        """Whether its last answer was what no working model says."""
        return self._tiles.broken

    def suits(self, frame: Frame, doubt: Doubt) -> bool:
        """Where a tile shows the place much larger; a model that broke needs another one."""
        return doubt.kind is not Kind.BROKEN and self._tiles.gains(frame, doubt.box)

    def ask(self, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        """What it sees in the tile around the first doubt that a tile is worth.

        Raises:
            ModelError: the network failed.
        """
        return self._tiles.detect(frame, [doubt.box for doubt in open_doubts if doubt.kind is not Kind.BROKEN])

    def look(self, box: Box) -> Look | None:
        """None: its map is of the tile."""
        return None

    def let_go(self) -> None:
        """Nothing to free: the model is the first one's."""
