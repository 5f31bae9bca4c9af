"""Reasons in words: at most four, of what the owner can check in the picture, and only what mattered.

First who did what, then how the camera is armed and which of the owner's orders or marks weighed in, then the motion
sensor and what else spoke for the verdict, most telling first, and last what spoke against it. See design/sight.md,
verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures

MOST = 4
# Whoever stays so long in one place, and half of the time, "stayed".
STAYED_S = 5.0

_ARTICLES = {Subject.PERSON: "a person", Subject.VEHICLE: "a vehicle", Subject.ANIMAL: "an animal"}


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a group of features mattered: what it changed of the log-odds of what the judge took it for."""

    group: str
    change: float


@dataclass(frozen=True, slots=True)
class Words:
    """What a group of features shows, and what that leans to: 1 that something is really there, -1 that nothing is."""

    text: str
    leans: int = 0


# Less than this doesn't matter: 0.3 makes a probability of 0.50 one of 0.57, and one of 0.90 one of 0.92. What speaks
# against is said only if it speaks louder: 0.5 makes 0.50 into 0.38.
LEAST_FOR, LEAST_AGAINST = 0.3, 0.5
# The motion sensor sees nothing of the picture: as a second witness it is always heard, and first.
WITNESS = "pir"


def told(
    features: IncidentFeatures, orders: Sequence[str], weights: Sequence[Weight], *, doubted: bool
) -> tuple[str, ...]:
    """The reasons: what was seen, the orders (the arming mode first), and of the weights those that mattered.

    All orders are said, joined where they are too many, and the motion sensor where it fired. `doubted`: the judge
    takes it for a false alarm. A weight whose words would sound like the opposite ("only faintly recognised" for a
    threat) stays unsaid.
    """
    mode, *others = orders
    if len(others) > MOST - 2:
        others = [*others[: MOST - 3], ", and ".join(others[MOST - 3 :])]
    said = [subject(features), mode, *others]
    way = -1 if doubted else 1
    pro: list[tuple[float, str]] = []
    con: list[tuple[float, str]] = []
    for weight in (*weights, *([Weight(WITNESS, 0.0)] if features.pir else [])):
        shown = words(features, weight.group)
        if shown is None:
            continue
        witness = weight.group == WITNESS
        if (witness or weight.change >= LEAST_FOR) and shown.leans * way >= 0:
            pro.append((math.inf if witness else weight.change, shown.text))
        elif (witness or weight.change <= -LEAST_AGAINST) and shown.leans * way <= 0:
            con.append((math.inf if witness else -weight.change, "but " + shown.text))
    ranked = sorted([*pro, *con], key=lambda one: (-one[0], one[1]))[: MOST - len(said)]
    return (*said, *(one[1] for one in ranked if one in pro), *(one[1] for one in ranked if one in con))


def subject(features: IncidentFeatures) -> str:
    """Who did what, for how long, in which of the owner's zones."""
    if features.subject is Subject.NONE:
        if features.motion_s > 0:
            return f"something moved{_for(features.motion_s)}; no person, vehicle or animal was recognised"
        return "nothing was seen to move"
    many = features.subject is Subject.PERSON and features.people > 1
    who = f"{features.people} people" if many else _ARTICLES[features.subject]
    seen = f"{'were' if many else 'was'} seen{_for(features.seen_s)}"
    if features.dwell_s >= STAYED_S and features.dwell_s >= features.seen_s / 2:
        seen = f"stayed{_for(features.dwell_s)}"
    elsewhere = [name for name in features.zones if name not in features.entered]
    if features.entered:
        said = f"{who} came into {_names(features.entered)} and {seen}"
        said += f", also in {_names(elsewhere)}" if elsewhere else ""
    else:
        said = f"{who} {seen} in {_names(elsewhere)}" if elsewhere else f"{who} {seen}"
    # Each zone is named, as the household's rules go by them; of who was in ignored ones alone `aside` tells.
    said += f", and in {_names(features.ignored)}" if features.watched and features.ignored else ""
    return f"{said}, others in {_names(features.beside)}" if features.beside else said


def words(features: IncidentFeatures, group: str) -> Words | None:
    """What this group of features shows in this incident; none where it shows nothing that is worth a word."""
    seen = features.subject is not Subject.NONE
    if group == "pir" and features.pir:
        saw = seen or features.motion_s > 0
        return Words("the motion sensor fired too", 1) if saw else Words("the motion sensor fired")
    if group == "light" and features.light:
        return Words("the light changed", -1)
    if group == "motion" and features.motion_s > 0:
        return _motion(features)
    if not seen:
        return None
    if group == "confidence":
        return Words("clearly recognised", 1) if features.confidence >= 0.6 else Words("only faintly recognised", -1)
    if group == "looks" and 5 <= features.looks < 10**6:
        share = features.hits / features.looks
        return Words(f"seen in {features.hits} of {features.looks} looks", 1 if share >= 0.7 else -1)
    if group == "size":
        return _size(features.height)
    return _way(features) if group == "way" else None


def _motion(features: IncidentFeatures) -> Words | None:
    if features.subject is Subject.NONE:
        if features.spread >= 0.2:
            return Words("much of the picture moved")
        return Words(f"the motion began {features.bursts} times") if 3 <= features.bursts < 10**6 else None
    if features.inside >= 0.5:
        return Words("nearly nothing else moved" if features.inside >= 0.8 else "most of the motion was there", 1)
    return Words("much else moved", -1) if features.inside < 0.25 else None


def _size(height: float) -> Words | None:
    if height >= 0.6:
        return Words("close to the camera")
    return Words("far away", -1) if 0 < height <= 0.15 else None


def _way(features: IncidentFeatures) -> Words | None:
    if features.approach >= 1.5:
        return Words("came nearer", 1)
    if features.path >= 1.5:
        return Words("moved across the picture", 1)
    return Words("hardly left the spot", -1) if features.seen_s >= 2 and features.path < 0.5 else None


def _names(zones: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in zones]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]


def _for(seconds: float) -> str:
    """How long, where it is a second or more, and a number."""
    if not 1 <= seconds < float("inf"):
        return ""
    whole = round(seconds)
    if whole < 120:
        return f" for {whole} s"
    return f" for {round(whole / 60)} min" if whole < 7200 else f" for {round(whole / 3600)} h"
