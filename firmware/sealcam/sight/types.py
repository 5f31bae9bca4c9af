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
        width, height = self.x1 - self.x0, self.y1 - self.y0
        return width * height if width > 0 and height > 0 else 0.0

    def intersection(self, other: Box) -> float:
        """The area both cover, in square pixels."""
        # Compared by hand: it runs some hundred times a frame in a crowd, and min() and max() take three times as long.
        x0 = self.x0 if self.x0 > other.x0 else other.x0
        x1 = self.x1 if self.x1 < other.x1 else other.x1
        if x1 <= x0:
            return 0.0
        y0 = self.y0 if self.y0 > other.y0 else other.y0
        y1 = self.y1 if self.y1 < other.y1 else other.y1
        return (x1 - x0) * (y1 - y0) if y1 > y0 else 0.0

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.intersection(other)
        if shared == 0:
            return 0.0
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that a detector found in one frame: what, where, and its score from 0 to 1."""

    subject: Subject
    label: str
    score: float
    box: Box


class TamperKind(StrEnum):
    """What somebody did to the camera."""

    COVERED = "covered"
    MOVED = "moved"
    DEFOCUSED = "defocused"
    BLINDED = "blinded"
    FROZEN = "frozen"  # the same picture again and again: a stuck sensor, or a recording in its place


@dataclass(frozen=True, slots=True)
class Tampering:
    """Tampering of one kind began (`on`) or is over, at a time in ns on the camera's clock; `detail` is for people.
    `stays`: it isn't over, but nobody asks after it any more."""

    kind: TamperKind
    on: bool
    t_ns: int
    detail: str
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """The best picture of an incident so far: the frame's planes, and where the subject is in it (none: no subject)."""

    y: Plane
    u: Plane
    v: Plane
    box: Box | None
    t_ns: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stood at a time (ns on the camera's clock): the middle of its box's lower edge, and the box's
    size, in parts of the picture, 0 to 1."""

    t_ns: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a track stood, as few spots in the order of time; `aspect` is the picture's width over its height."""

    spots: tuple[Spot, ...]
    aspect: float


@dataclass(frozen=True, slots=True)
class Report:
    """What sight says of an incident at one moment; the same `incident` from `new` to `end`.

    Times are nanoseconds on the camera's clock. `ended_ns` is the time of the last evidence (the last sight of the
    subject, or the last motion where there was none), not of the calm that followed; it is set from the first report
    on and grows. `confidence` (of the subject) and `threat` (the probability that this is a threat) lie in 0 to 1.
    `reasons` are sentences for the owner. `picture` is set where there is a better one than in earlier reports.
    `tracks` are the numbers of the tracks that were evidence in this incident so far, in the order they became it.
    `judged` is what the judge knew, as the verdict model's inputs in per mille (`judge_features`). `trail` is that of
    the main track: who was seen most often of those that it is about.
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
    tracks: tuple[int, ...] = ()
    judged: tuple[int, ...] = ()
    trail: Trail | None = None
