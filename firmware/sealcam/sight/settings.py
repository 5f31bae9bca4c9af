"""How watchful sight is: every number a person may set, with its unit, in one frozen value.

The configuration's `[sight]` table maps onto these fields one to one, so they are plain scalars. Numbers that nobody
should need to set stand as constants beside the code that uses them. See design/sight.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from sealcam.sight.types import Subject
from sealcam.wire.errors import ConfigError

_SCORE = (0.9, "no detector is surer of what it sees, so nothing would be reported")
# The most that a setting may be, and what would happen beyond: a camera that nobody meant to make blind.
_MOST = {
    "person_score": _SCORE,
    "vehicle_score": _SCORE,
    "animal_score": _SCORE,
    "detector_hz": (120.0, "no camera here takes so many frames"),
    "idle_detector_hz": (120.0, "no camera here takes so many frames"),
    "confirm_hits": (30, "who passes quickly isn't seen so often"),
    "confirm_window_s": (10.0, "who has gone would still be judged"),
    "calm_s": (600.0, "one incident would go on for hours"),
    "settle_s": (3600.0, "a parked car would keep an incident open for hours"),
    "motion_report_s": (600.0, "motion would never be reported"),
    "motion_min_step": (64.0, "a person in dusk differs by less from what is behind"),
    "motion_min_share": (0.2, "a person rarely fills that much of the picture"),
    "picture_first_s": (600.0, "there would be no better picture"),
    "picture_every_s": (3600.0, "there would be no better picture"),
}


@dataclass(frozen=True, slots=True)
class SightSettings:
    """The settings of sight; the defaults suit a door or a yard at 5 to 30 frames a second.

    Raises:
        ConfigError: a value is not a finite positive number, or so large that the camera would be blind.
    """

    detector_hz: float = 10.0
    """At most so many looks of the detector per second while something happens."""
    idle_detector_hz: float = 3.0
    """The same once motion has gone on for a while and nothing was recognised in it: a tree, rain."""
    person_score: float = 0.45
    """The median score a track needs to be believed a person."""
    vehicle_score: float = 0.45
    """The same for a vehicle."""
    animal_score: float = 0.5
    """The same for an animal."""
    confirm_hits: int = 3
    """A track needs so many hits within `confirm_window_s`."""
    confirm_window_s: float = 1.0
    """Seconds over which hits and scores are judged; longer where frames come slower than four a second."""
    calm_s: float = 5.0
    """An incident ends when its subject (or, where there is none, the motion) has been away so many seconds."""
    settle_s: float = 30.0
    """A thing that came and then rested so many seconds belongs to the scene: it keeps no incident open."""
    motion_report_s: float = 3.0
    """Motion in which nothing is recognised is reported once it has gone on for so many seconds."""
    motion_min_step: float = 6.0
    """Luma levels (0 to 255) a patch must differ from the background, at the least, to count as motion."""
    motion_min_share: float = 0.0006
    """The share of the picture that must move, at the least: 0.0006 is about 12 by 12 pixels of 640 by 360."""
    picture_first_s: float = 1.0
    """Seconds after the first report before a better picture is sent."""
    picture_every_s: float = 10.0
    """Seconds between later better pictures."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
                raise ConfigError(f"{field.name} must be a positive number, not {value!r}")
            most, why = _MOST[field.name]
            if value > most:
                words = f"{field.name} is at most {most:g}, not {value!r}: {why}"
                raise ConfigError(words, f"leave it out for the usual {field.default}")

    def score_for(self, subject: Subject) -> float:
        """The median score a track of this subject needs."""
        if subject is Subject.PERSON:
            return self.person_score
        return self.vehicle_score if subject is Subject.VEHICLE else self.animal_score
