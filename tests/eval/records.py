"""What one run over a clip gave, as values that go to JSON and back: what was seen, what was said, and some pictures.

A run is kept by what made it (`plan`), so that scoring can change without watching again. Times are seconds on the
clip's clock as its labels have them; boxes are in pixels of its original picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sealcam.sight.types import Box


@dataclass(frozen=True, slots=True)
class Seen:
    """Evidence in one frame: a believed, moving subject, by the number of its track."""

    t_s: float
    track: int
    subject: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Said:
    """One report of an incident; `tracks` are those that were evidence in it so far."""

    t_s: float
    stage: str
    incident: str
    subject: str
    verdict: str
    threat: float
    started_s: float
    ended_s: float
    tracks: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What the gate said of one frame: the share of the picture that moved; `whole`: the light's change."""

    t_s: float
    share: float
    moving: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of one frame as sight got it: a JPEG in base64, and why it was kept."""

    t_s: float
    why: str
    jpeg: str


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one system made of one clip, or of one stretch of it, under one condition.

    `watched_s` is how long the system watched (repeats of a short stretch included), `frames` and `looks` how many
    frames it got and how many of them the detector saw. `heat` is a PNG in base64 of how often each cell moved.
    """

    watched_s: float
    frames: int
    looks: int
    seen: tuple[Seen, ...]
    said: tuple[Said, ...]
    moved: tuple[Moved, ...] = ()
    shots: tuple[Shot, ...] = ()
    heat: str = ""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Run:
        """The run in such a line.

        Raises:
            ValueError: it is something else.
        """
        try:
            table: Mapping[str, Any] = json.loads(text)
            return Run(
                watched_s=table["watched_s"],
                frames=table["frames"],
                looks=table["looks"],
                seen=tuple(Seen(**{**row, "box": Box(**row["box"])}) for row in table["seen"]),
                said=tuple(
                    Said(**{**row, "tracks": tuple(row["tracks"]), "reasons": tuple(row["reasons"])})
                    for row in table["said"]
                ),
                moved=tuple(Moved(**row) for row in table["moved"]),
                shots=tuple(Shot(**row) for row in table["shots"]),
                heat=table["heat"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no run: {error}") from error
