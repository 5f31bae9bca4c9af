"""The kinds of simulated incidents, each with its distributions, and how often each happens.

Durations, ways and sizes are everyday knowledge: a walker goes 0.8 of his height a second. Scores of true and false
boxes follow what the detectors showed on real recordings (models/cards/verdict.md gives the counts).
"""

from __future__ import annotations

from collections.abc import Callable

from sealcam.sight.types import Subject
from sealcam_verdict.life import BENIGN, FALSE_ALARM, THREAT, Dice, Life

# The share of cameras that have a motion sensor.
WITH_PIR = 0.4


def any_kind(dice: Dice) -> Life:
    """An incident of one of the kinds, by their chances."""
    point = dice.within(0.0, sum(chance for chance, _ in KINDS))
    for chance, kind in KINDS:
        point -= chance
        if point < 0:
            return kind(dice)
    return KINDS[-1][1](dice)


def _feels(dice: Dice, chance: float) -> bool:
    """Whether there is a motion sensor and it fires."""
    return dice.whether(WITH_PIR) and dice.whether(chance)


def _passing(dice: Dice) -> Life:
    height = dice.within(0.12, 0.6)
    return Life(
        THREAT,
        Subject.PERSON,
        strength=dice.score(0.68, 0.10, 0.34, 0.95),
        lasts_s=dice.about(5.0, 2.0),
        speed=dice.within(0.4, 1.0),
        grows=dice.within(0.9, 1.5),
        height=height,
        hit_share=dice.within(0.7, 1.0),
        people=2 if dice.whether(0.15) else 1,
        pir=_feels(dice, 0.6),
        body=0.2 * height**2,
    )


def _coming(dice: Dice) -> Life:
    height = dice.within(0.4, 1.0)
    return Life(
        THREAT,
        Subject.PERSON,
        strength=dice.score(0.72, 0.10, 0.36, 0.97),
        lasts_s=dice.about(12.0, 2.0),
        speed=dice.within(0.3, 0.8),
        rests_s=dice.about(6.0, 2.0),
        grows=dice.within(1.4, 4.0),
        height=height,
        hit_share=dice.within(0.75, 1.0),
        people=2 if dice.whether(0.15) else 1,
        pir=_feels(dice, 0.9),
        body=0.2 * height**2,
    )


def _loitering(dice: Dice) -> Life:
    height = dice.within(0.2, 0.9)
    lasts_s = dice.about(35.0, 2.0)
    return Life(
        THREAT,
        Subject.PERSON,
        strength=dice.score(0.70, 0.10, 0.36, 0.97),
        lasts_s=lasts_s,
        speed=dice.within(0.1, 0.5),
        rests_s=lasts_s * dice.within(0.3, 0.9),
        grows=dice.within(1.0, 2.0),
        height=height,
        hit_share=dice.within(0.6, 1.0),
        people=1 + dice.whether(0.2) + dice.whether(0.1),
        pir=_feels(dice, 0.8),
        body=0.1 * height**2,
        bursts_per_s=dice.within(0.2, 0.6),
    )


def _filling(dice: Dice) -> Life:
    """Someone at the camera, larger than the picture; the detector sees a part of him."""
    return Life(
        THREAT,
        Subject.PERSON,
        strength=dice.score(0.58, 0.12, 0.34, 0.95),
        lasts_s=dice.about(6.0, 2.0),
        speed=dice.within(0.02, 0.3),
        rests_s=dice.about(4.0, 2.0),
        grows=dice.within(1.0, 1.6),
        height=dice.within(0.75, 1.0),
        hit_share=dice.within(0.6, 1.0),
        people=1,
        pir=_feels(dice, 0.9),
        light=dice.whether(0.15),
        body=min(dice.about(0.08, 2.5), 0.6),
    )


def _far(dice: Dice) -> Life:
    """Far, in the dark, or half hidden: scores lie low and looks miss him."""
    height = dice.within(0.06, 0.25)
    return Life(
        THREAT,
        Subject.PERSON,
        strength=dice.score(0.47, 0.08, 0.30, 0.75),
        lasts_s=dice.about(6.0, 2.0),
        speed=dice.within(0.3, 1.0),
        rests_s=dice.within(0.0, 3.0),
        grows=dice.within(0.9, 1.5),
        height=height,
        hit_share=dice.within(0.5, 1.0),
        people=1,
        pir=_feels(dice, 0.25),
        body=0.25 * height**2,
    )


def _missed(dice: Dice) -> Life:
    """A person in whom the detector recognised nothing, or an animal: how the model knows that this happens."""
    subject = Subject.ANIMAL if dice.whether(0.2) else Subject.NONE
    height = dice.within(0.05, 1.0)
    return Life(
        THREAT,
        subject,
        strength=dice.score(0.5, 0.06, 0.36, 0.7),
        lasts_s=dice.about(4.0, 2.0),
        speed=dice.within(0.2, 0.9),
        grows=dice.within(1.0, 2.0),
        height=height,
        hit_share=dice.within(0.5, 0.9),
        pir=_feels(dice, 0.7),
        around=0.1 * height**2 if subject is Subject.NONE else 0.0,
        body=0.1 * height**2,
        bursts_per_s=dice.within(0.1, 0.5),
    )


def _vehicle(dice: Dice) -> Life:
    """A car that passes, comes or goes; seen from above or in part it is faint. One in twenty is not recognised."""
    height = dice.within(0.05, 0.8)
    subject = Subject.NONE if dice.whether(0.05) else Subject.VEHICLE
    return Life(
        BENIGN,
        subject,
        strength=dice.score(0.55, 0.16, 0.30, 0.95),
        lasts_s=dice.about(4.0, 2.0),
        speed=dice.about(1.2, 2.5),
        rests_s=dice.about(3.0, 2.0) if dice.whether(0.3) else 0.0,
        grows=dice.within(1.0, 3.0),
        height=height,
        hit_share=dice.within(0.3, 1.0),
        pir=_feels(dice, 0.2),
        light=dice.whether(0.12),
        around=0.3 * height**2 if subject is Subject.NONE else 0.0,
        body=dice.within(0.2, 0.6) * height**2,
    )


def _animal(dice: Dice) -> Life:
    """A cat, dog, fox; one in six is not recognised, one in thirty taken for a person."""
    height = dice.within(0.04, 0.4)
    subject = Subject.ANIMAL
    if dice.whether(0.17):
        subject = Subject.NONE
    elif dice.whether(0.035):
        subject = Subject.PERSON
    return Life(
        BENIGN,
        subject,
        strength=dice.score(0.6 if subject is Subject.ANIMAL else 0.42, 0.08, 0.30, 0.9),
        lasts_s=dice.about(5.0, 2.2),
        speed=dice.within(0.3, 2.5),
        rests_s=dice.about(4.0, 2.0) if dice.whether(0.4) else 0.0,
        grows=dice.within(1.0, 2.0),
        height=height,
        hit_share=dice.within(0.35, 0.95),
        people=int(subject is Subject.PERSON),
        pir=_feels(dice, 0.6),
        around=0.3 * height**2 if subject is Subject.NONE else 0.0,
        body=0.4 * height**2,
        bursts_per_s=dice.within(0.2, 0.6),
    )


def _swaying(dice: Dice) -> Life:
    """Trees, flags, washing."""
    return Life(
        FALSE_ALARM,
        Subject.NONE,
        lasts_s=dice.about(12.0, 3.0),
        around=dice.about(0.02, 3.0),
        pir=_feels(dice, 0.08),
        bursts_per_s=dice.within(0.1, 0.8),
    )


def _falling(dice: Dice) -> Life:
    """Rain, snow, insects near the lens."""
    return Life(
        FALSE_ALARM,
        Subject.NONE,
        lasts_s=dice.about(3.0, 3.0),
        around=dice.about(0.01, 4.0),
        pir=_feels(dice, 0.03),
        bursts_per_s=dice.within(0.3, 1.5),
    )


def _lit(dice: Dice) -> Life:
    """Lamps, clouds, headlights, the infrared filter, shadows."""
    return Life(
        FALSE_ALARM,
        Subject.NONE,
        lasts_s=dice.about(1.0, 2.5),
        around=dice.about(0.1, 2.5),
        pir=_feels(dice, 0.08),
        light=dice.whether(0.7),
        bursts_per_s=dice.within(0.1, 0.6),
    )


def _felt(dice: Dice) -> Life:
    """The motion sensor alone: warm air, the sun on a wall, a radio nearby."""
    return Life(FALSE_ALARM, Subject.NONE, pir=True)


def _mistaken(dice: Dice) -> Life:
    """What the detector took for something: noise that fills the dark picture, a bush, a coat, a shadow."""
    noise = dice.whether(0.2)
    subject = Subject.PERSON
    if dice.whether(0.35):
        subject = Subject.VEHICLE if dice.whether(0.5) else Subject.ANIMAL
    height = dice.within(0.8, 1.0) if noise else dice.within(0.08, 0.5)
    return Life(
        FALSE_ALARM,
        subject,
        strength=dice.score(0.40, 0.07, 0.29, 0.70),
        lasts_s=dice.about(0.8, 2.0),
        speed=dice.within(0.05, 0.8),
        rests_s=dice.about(1.0, 3.0),
        grows=dice.within(1.0, 1.4),
        height=height,
        hit_share=dice.within(0.4, 0.95),
        people=int(subject is Subject.PERSON),
        pir=_feels(dice, 0.06),
        light=dice.whether(0.2),
        ahead_s=dice.about(4.0, 3.0) if dice.whether(0.7) else 0.0,
        around=dice.about(0.04, 3.0) if noise else dice.about(0.01, 4.0),
        body=dice.within(0.02, 0.2) * height**2,
        bursts_per_s=dice.within(0.2, 1.0),
    )


# How often each happens in front of a camera at home that is watching; the probabilities are calibrated to this mix.
KINDS: list[tuple[float, Callable[[Dice], Life]]] = [
    (0.13, _passing),
    (0.10, _coming),
    (0.05, _loitering),
    (0.07, _filling),
    (0.09, _far),
    (0.025, _missed),
    (0.14, _vehicle),
    (0.10, _animal),
    (0.12, _swaying),
    (0.08, _falling),
    (0.07, _lit),
    (0.02, _felt),
    (0.025, _mistaken),
]
