"""Simulated incidents: the features of people, vehicles, animals, and of what is none of these, at three moments.

No picture is made; the features themselves are drawn. Every incident is judged as soon as it can be reported, once in
between, and at its end: the model has to be right early. What kinds there are is `kinds`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures
from sealcam_verdict.kinds import any_kind
from sealcam_verdict.life import Dice, Life

# The tracker believes something after 3 hits in at most a second; a faint one after 5.
FIRST_HITS, FAINT_HITS = 3, 5
FAINT_SCORE = 0.45
# The least step that counts as a way, in own heights (`sealcam.sight.way`).
STEP = 0.25


def incidents(seed: int, count: int) -> Iterator[tuple[Life, tuple[IncidentFeatures, ...]]]:
    """So many incidents, each with the features at its moments."""
    dice = Dice(seed)
    for _ in range(count):
        life = _in_weather(dice, any_kind(dice))
        yield life, moments(dice, life)


def moments(dice: Dice, life: Life) -> tuple[IncidentFeatures, ...]:
    """What is known of an incident when it is first reported, later, and at its end."""
    if life.subject is Subject.NONE:
        return tuple(_motion_alone(dice, life, part) for part in (0.2, dice.within(0.2, 1.0), 1.0))
    hits = FAINT_HITS if life.strength < FAINT_SCORE else FIRST_HITS
    first_s = min(hits / 10 / max(life.hit_share, 0.3) * dice.within(0.7, 1.6), max(life.lasts_s, 0.2))
    times = (first_s, dice.within(first_s, max(life.lasts_s, first_s)), max(life.lasts_s, first_s))
    return tuple(_seen(dice, life, seconds, first_s) for seconds in times)


def _seen(dice: Dice, life: Life, seconds: float, first_s: float) -> IncidentFeatures:
    """A subject that has been in view for so long; its way is known since it was believed, after `first_s`."""
    part = min(seconds / max(life.lasts_s, seconds), 1.0)
    known_s = seconds - first_s
    looks = 1 + round(known_s * dice.within(6, 10))
    hits = min(looks, max(1, round(looks * life.hit_share * dice.within(0.85, 1.1))))
    rests_s = life.rests_s * part
    walked_s = max(known_s - rests_s, 0.0)
    # The best median is higher the longer it could be looked at.
    confidence = min(life.strength * (0.92 + 0.08 * part) * dice.within(0.95, 1.05), 0.99)
    moved_s = life.ahead_s + seconds * dice.within(0.85, 1.0)
    # Boxes count as believed from belief on, whatever moved before.
    believed = min((known_s + 0.1) / max(moved_s, 0.1), 1.0)
    spread = min(life.around + life.body * dice.within(0.6, 1.2), 1.0)
    in_passing_s = dice.within(0.7, 1.3) / max(life.speed, 0.05)
    # Steps count from a quarter of a height on; what a box jitters is no step, most of the time.
    path = life.speed * walked_s * dice.within(0.8, 1.2)
    return IncidentFeatures(
        subject=life.subject,
        confidence=confidence,
        seen_s=seconds,
        motion_s=moved_s,
        people=life.people if seconds > 1 else min(life.people, 1),
        pir=life.pir and (seconds > 1 or dice.whether(0.6)),
        light=life.light,
        hits=hits,
        looks=looks,
        height=min(life.height * (life.grows ** (part - 1)) * dice.within(0.95, 1.05), 1.0),
        path=path if path >= STEP else 0.0,
        dwell_s=min(known_s, max(rests_s, in_passing_s)),
        approach=max(1.0, life.grows ** (known_s / max(life.lasts_s, seconds)) * dice.within(0.95, 1.15)),
        spread=spread,
        inside=min(life.body / max(spread, 1e-4) * dice.within(0.5, 1.0) * believed, 1.0),
        bursts=1 + round(life.bursts_per_s * moved_s * dice.within(0.3, 1.7)),
    )


def _motion_alone(dice: Dice, life: Life, part: float) -> IncidentFeatures:
    """Motion in which nothing was recognised."""
    seconds = max(life.lasts_s * part, 0.0)
    return IncidentFeatures(
        subject=Subject.NONE,
        confidence=0.0,
        seen_s=0.0,
        motion_s=seconds,
        people=0,
        pir=life.pir,
        light=life.light,
        spread=min(life.around * dice.within(0.7, 1.3), 1.0),
        bursts=1 + round(life.bursts_per_s * seconds * dice.within(0.3, 1.7)) if seconds > 0 else 0,
    )


def _in_weather(dice: Dice, life: Life) -> Life:
    """The same with what moves beside it (trees, rain, noise in the dark) and lamps that go on with whoever comes.

    People come in every weather, and it is then that a detector sees some where there are none.
    """
    bad = dice.whether(0.15)
    if bad or dice.whether(0.2):
        life = replace(
            life,
            around=life.around + (dice.about(0.04, 3.0) if bad else dice.about(0.008, 3.0)),
            ahead_s=life.ahead_s + (dice.about(4.0, 3.0) if dice.whether(0.6) else 0.0),
            bursts_per_s=life.bursts_per_s + dice.within(0.0, 0.8),
        )
    return replace(life, light=life.light or dice.whether(0.2 if bad else 0.05))
