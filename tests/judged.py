"""Features of made incidents for tests of the verdict: a plain one of each subject, changed where a test says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures

PERSON = IncidentFeatures(
    subject=Subject.PERSON,
    confidence=0.7,
    seen_s=6.0,
    motion_s=6.0,
    people=1,
    pir=False,
    light=False,
    hits=50,
    looks=55,
    height=0.4,
    path=2.5,
    dwell_s=2.0,
    approach=1.3,
    spread=0.03,
    inside=0.6,
    bursts=1,
)
# As it is first reported: three hits in 0.3 s, of which the last made it believed.
JUST_SEEN = replace(
    PERSON, confidence=0.6, seen_s=0.3, motion_s=0.3, hits=1, looks=1, path=0.0, dwell_s=0.0, approach=1.0
)
VEHICLE = replace(PERSON, subject=Subject.VEHICLE, people=0, path=5.0)
ANIMAL = replace(PERSON, subject=Subject.ANIMAL, people=0, height=0.2)
NOTHING = IncidentFeatures(
    subject=Subject.NONE, confidence=0.0, seen_s=0.0, motion_s=9.0, people=0, pir=False, light=False, spread=0.01
)
OF = {Subject.PERSON: PERSON, Subject.VEHICLE: VEHICLE, Subject.ANIMAL: ANIMAL, Subject.NONE: NOTHING}


def incident(subject: Subject = Subject.PERSON, **changes: Any) -> IncidentFeatures:
    """The plain incident of a subject with some features changed."""
    return replace(OF[subject], **changes)
