"""The values that sight hands on: boxes, detections, tracks' evidence, and what it says of an incident.

All frozen; boxes are in pixels of the frame they were seen in, x to the right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the configuration reads these types in the post too, which must not load numpy
    from sealcam.board.protocols import Plane


class Subject(StrEnum):
    """What an incident is about, merged from a model's classes."""

    PERSON = "person"
    VEHICLE = "vehicle"
    ANIMAL = "animal"
    NONE = "none"


class Verdict(StrEnum):
    """What it means for the owner."""

    THREAT = "threat"
    BENIGN = "benign"
    FALSE_ALARM = "false_alarm"


class ArmMode(StrEnum):
    """How watchful the owner wants the camera to be."""

    OFF = "off"
    HOME = "home"
    AWAY = "away"
    NIGHT = "night"


class Trigger(StrEnum):
    """What began an incident."""

    MOTION = "motion"
    PIR = "pir"
    START = "start"  # something was already there when watching began


class Stage(StrEnum):
    """Where in its life an incident is: exactly one `new`, any number of `update`, exactly one `end`."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: `x0 <= x < x1`, `y0 <= y < y1`; the edges may be fractions."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in square pixels, 0 for an inverted box."""
        return max(0.0, self.width) * max(0.0, self.height)

    def intersection(self, other: Box) -> float:
        """The area both cover, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that a detector found in one frame: what, where, and its score from 0 to 1."""

    subject: Subject
    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Picture:
    """The best picture of an incident so far: the frame's planes, and where the subject is in it (none: no subject)."""

    y: Plane
    u: Plane
    v: Plane
    box: Box | None
    t_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """What sight says of an incident at one moment; the same `incident` from `new` to `end`.

    Times are nanoseconds on the camera's clock. `ended_ns` is the time of the last evidence (the last sight of the
    subject, or the last motion where there was none), not of the calm that followed; it is set from the first report
    on and grows. `confidence` (of the subject) and `threat` (the probability that this is a threat) lie in 0 to 1.
    `reasons` are sentences for the owner. `picture` is set where there is a better one than in earlier reports.
    """

    stage: Stage
    incident: str
    trigger: Trigger
    t_ns: int
    started_ns: int
    ended_ns: int
    subject: Subject
    confidence: float
    verdict: Verdict
    threat: float
    reasons: tuple[str, ...]
    mode: ArmMode
    detector_runs: int
    picture: Picture | None
