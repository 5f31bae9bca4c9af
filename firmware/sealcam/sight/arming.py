"""What the owner's orders and marks make of an incident: arming mode, entry zones, visitors, left and taken, memory.

The judge's odds are those of an armed camera with nobody at home and no zones. These rules move them, each as its line
in the table of design/sight.md (arming) says, and each that moved anything says so in words: nothing weighs in
silently. Zones that are not watched are `aside`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark, Told

# What stays of the threat: at home and with an expected visitor; disarmed; once the owner marked the like of it.
PEOPLE_COME, DISARMED, MARKED = 0.2, 0.05, 0.05
# The least that it is: when something was taken; when the owner marked the like of it a threat.
TAKEN_LEAST, MARKED_LEAST = 0.8, 0.9
# The most that it is where no person was recognised: that one may have been missed is worth a number, not an alarm.
UNSEEN_MOST = 0.45
# Whoever comes into an entry zone means it: the odds of a threat double.
ENTRY_FACTOR = 2.0
# Without a look to go by, only what rests can be the thing that the owner marked: a burglar where the statue stood
# goes on. In own heights, and as growth of the box.
REST_PATH, REST_GROWTH = 0.5, 1.2
# Whom a visit at the door excuses: so many at once, for so many seconds. A window of hours is no key to the house.
VISITORS, VISIT_S = 2, 180.0
# From here on it is called a threat.
THREAT_FROM = 0.5

_ARMED = (ArmMode.AWAY, ArmMode.NIGHT)
_MODES = {ArmMode.AWAY: "armed away", ArmMode.NIGHT: "armed night", ArmMode.HOME: "armed home", ArmMode.OFF: "disarmed"}
_MARKS = {
    Mark.BENIGN: "as benign",
    Mark.OURS: "as yours",
    Mark.FALSE_ALARM: "as a false alarm",
    Mark.THREAT: "as a threat",
}


@dataclass(frozen=True, slots=True)
class Odds:
    """Probabilities of the three verdicts; together 1."""

    threat: float
    benign: float
    false_alarm: float

    @property
    def verdict(self) -> Verdict:
        """What they say: a threat from one half on, else the likelier of the two others."""
        if self.threat >= THREAT_FROM:
            return Verdict.THREAT
        return Verdict.BENIGN if self.benign >= self.false_alarm else Verdict.FALSE_ALARM

    def milder(self, keep: float) -> Odds:
        """So much of the threat stays, the rest is benign."""
        return Odds(self.threat * keep, self.benign + self.threat * (1 - keep), self.false_alarm)

    def quiet(self, keep: float) -> Odds:
        """So much of everything stays, the rest is a false alarm."""
        return Odds(self.threat * keep, self.benign * keep, 1 - (self.threat + self.benign) * keep)

    def at_least(self, threat: float) -> Odds:
        """The threat is at least this; the others share what is left as before."""
        if self.threat >= threat:
            return self
        part = (1 - threat) / (1 - self.threat)
        return Odds(threat, self.benign * part, self.false_alarm * part)

    def at_most(self, threat: float) -> Odds:
        """The threat is at most this; the rest goes to the others as they are shared out."""
        if self.threat <= threat:
            return self
        others = self.benign + self.false_alarm
        benign = self.benign / others if others > 0 else 0.0
        return Odds(threat, (1 - threat) * benign, (1 - threat) * (1 - benign))

    def times(self, factor: float) -> Odds:
        """The odds of a threat, multiplied."""
        part = 1 / (self.threat * factor + 1 - self.threat)
        return Odds(self.threat * factor * part, self.benign * part, self.false_alarm * part)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The odds after the rules, and what the rules have to say: the arming mode first."""

    odds: Odds
    reasons: tuple[str, ...]


def weigh(odds: Odds, features: IncidentFeatures, mode: ArmMode) -> Weighed:
    """Move the odds by the owner's orders and marks, in the order of the table in design/sight.md."""
    words: list[str] = []
    person = features.subject is Subject.PERSON
    warned = _warned(features)
    if not person:
        odds = odds.at_most(UNSEEN_MOST)
    if features.subject is Subject.NONE:  # it may have been a cat; what nobody recognised is called a false alarm
        odds = Odds(odds.threat, 0.0, 1 - odds.threat)
    if person and mode in _ARMED and features.entered:
        odds = odds.times(ENTRY_FACTOR)  # said with the subject: "came into ..."
    if person and mode in _ARMED:
        odds = _visited(odds, features, words, warned=warned)
    else:
        words += _changed(features)
    odds = _remembered(odds, features, words)
    if mode is ArmMode.OFF:
        odds = odds.milder(DISARMED)
    elif mode is ArmMode.HOME and person and not warned:
        odds = odds.milder(PEOPLE_COME)
    return Weighed(odds, (_armed(features, mode, warned=warned), *words))


def _armed(features: IncidentFeatures, mode: ArmMode, *, warned: bool) -> str:
    words = _MODES[mode] + (" by the schedule" if features.scheduled else "")
    if mode is ArmMode.HOME and features.subject is Subject.PERSON and not warned:
        words += ": people are expected"
    return words


def _visited(odds: Odds, features: IncidentFeatures, words: list[str], *, warned: bool) -> Odds:
    """A person while armed: is a visitor expected, and what changed at the door?"""
    if features.taken > 0:
        if odds.threat >= THREAT_FROM:
            odds = odds.at_least(TAKEN_LEAST)
        but = "a visitor is expected now, but " if features.expected else ""
        words.append(but + "; ".join(_changed(features)))
    elif features.expected and (features.people > VISITORS or features.seen_s > VISIT_S):
        but = "so many people come" if features.people > VISITORS else "this takes longer than a visit at the door"
        words.append("; ".join((f"a visitor is expected now, but {but}", *_changed(features))))
    elif features.expected and not warned:
        odds = odds.milder(PEOPLE_COME)
        words.append(", and ".join(("a visitor is expected now", *_changed(features))))
    else:
        words += _changed(features)
    return odds


def _changed(features: IncidentFeatures) -> tuple[str, ...]:
    """What was left or taken, in words."""
    taken, left = (_things(count, what) for count, what in ((features.taken, "taken"), (features.left, "left")))
    return (" and ".join(one for one in (taken, left) if one),) if taken or left else ()


def _things(count: int, what: str) -> str:
    if count <= 0:
        return ""
    return f"something was {what}" if count == 1 else f"{count} things were {what}"


def _warned(features: IncidentFeatures) -> bool:
    """Whether the owner marked the like of it a threat: then nothing makes it milder but disarming."""
    return features.told is not None and features.told.mark is Mark.THREAT and features.subject is not Subject.NONE


def _remembered(odds: Odds, features: IncidentFeatures, words: list[str]) -> Odds:
    """What the owner's marks say of the like of it."""
    told = features.told
    if told is None or not (told.place or told.look):
        return odds
    if told.mark is Mark.THREAT:
        if features.subject is Subject.NONE:
            return odds
        words.append(_marked(told))
        return odds.at_least(MARKED_LEAST) if told.look else odds
    if told.mark is Mark.FALSE_ALARM:
        if not (told.place and (told.look or _rests(features))):
            return odds
        words.append(_marked(told))
        return odds.quiet(MARKED)
    # A coat is no identity: a person is taken for a known one only where that one was marked.
    if features.subject is Subject.PERSON and not (told.place and told.look):
        return odds
    words.append(_marked(told))
    return odds.milder(MARKED)


def _rests(features: IncidentFeatures) -> bool:
    return features.path <= REST_PATH and features.approach <= REST_GROWTH


def _marked(told: Told) -> str:
    here = " here" if told.place else ""
    by = "" if told.look else ", by its place and size"
    return f"you marked something like it{here} {_MARKS[told.mark]}{by}"
