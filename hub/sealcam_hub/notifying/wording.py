"""The words of a notification: as few as the owner chose. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sealcam_hub.notice_rows import THE_HUB
from sealcam_hub.notices import ENDS, NoticeKind
from sealcam_hub.notifying.rules import Rank, Rules, zone
from sealcam_hub.views import EventView, IncidentView

LATE_NS = 120_000_000_000
_ARMED = ("away", "night")
_SUBJECTS = {"none": "movement"}
_NOTICES = {
    NoticeKind.CLONE: "clone alarm",
    NoticeKind.UNOPENABLE: "a message can't be opened",
    NoticeKind.GAP: "reports are missing",
    NoticeKind.FILLED: "missing reports are settled",
    NoticeKind.SILENT: "no sign of life",
    NoticeKind.BACK: "is back",
    NoticeKind.FAREWELL: "was reset",
    NoticeKind.FULL: "too much waits",
    NoticeKind.CLIP: "a clip stopped",
    NoticeKind.CLOCK: "a clock is wrong",
    NoticeKind.CLOCK_RIGHT: "the clock is right again",
    NoticeKind.CERTIFICATE: "a certificate ends",
    NoticeKind.RENEWED: "the certificate was renewed",
    NoticeKind.DISK: "no room left",
    NoticeKind.ROOM: "room again",
    NoticeKind.BROKER: "hears no camera",
    NoticeKind.BROKER_BACK: "hears the cameras again",
    NoticeKind.OFFSITE: "the off-site copy lags",
    NoticeKind.OFFSITE_AGAIN: "the off-site copy lags no more",
}
_HEALTH_BEGINS = {"camera-lost": "no picture"}
_TAMPER, _TAMPER_ENDS = "tamper-", ("tamper-over", "tamper-stays")


@dataclass(frozen=True, slots=True)
class News:
    """Something that may be told: what it is about, how much it matters, its words, since when, and where to look.

    `begins`: it is a new one even where one of the same subject was told before.
    """

    subject: str
    rank: Rank
    words: str
    at_ns: int
    path: str = "/"
    begins: bool = False

    @property
    def digest(self) -> str:
        """What changes with the words."""
        return hashlib.sha256(self.words.encode()).hexdigest()[:16]


def of_incident(incident: IncidentView, rules: Rules) -> News:
    """An incident as it stands now."""
    subject = _SUBJECTS.get(incident.subject, incident.subject)
    rank = Rank.QUIETLY
    if incident.verdict == "threat":
        rank = Rank.THREAT
    elif incident.verdict == "benign" and incident.subject == "person":
        rank = Rank.INCIDENT
    if incident.verdict == "false_alarm":
        said = "false alarm"
    else:
        said = f"{incident.verdict}, {subject}" if rules.verdict else subject
    if incident.arrived_ns - incident.started_ns >= LATE_NS:
        at = dt.datetime.fromtimestamp(incident.started_ns // 1_000_000_000, zone(rules.zone))
        said += f" ({at:%H:%M})"
    words = f"{incident.camera_name}: {said}"
    return News(f"incident/{incident.id}", rank, words, incident.arrived_ns, f"/incident/{incident.id}")


def of_line(line: EventView, mode: str | None) -> News | None:
    """A line of the ledger that is no incident, of a camera in that arming mode; none where it is nothing to tell."""
    kind = line.text[1] if len(line.text) > 1 else line.text[0] if line.text else ""
    if line.type == "notice":
        return _notice(line, NoticeKind(kind))
    if line.type != "health":
        return None
    if kind.startswith(_TAMPER):
        over = kind in _TAMPER_ENDS
        rank = Rank.QUIETLY if over else Rank.THREAT if mode in _ARMED else Rank.TROUBLE
        words = f"{line.camera}: {'tampering is over' if kind == 'tamper-over' else 'tampering'}"
        subject = kind if kind == "tamper-button" else "tamper"  # a press has no end of its own
        return News(f"{subject}/{line.alias}", rank, words, line.arrived_ns, begins=not over)
    if kind in _HEALTH_BEGINS:
        words = f"{line.camera}: {_HEALTH_BEGINS[kind]}"
        return News(f"{kind}/{line.alias}", Rank.TROUBLE, words, line.arrived_ns, begins=True)
    return None


def _notice(line: EventView, kind: NoticeKind) -> News:
    begun = ENDS.get(kind, kind)
    which = f"/{line.seq}" if begun is NoticeKind.GAP else ""
    subject = f"{begun.value}/{line.alias or 'hub'}{which}"
    rank = Rank.QUIETLY if kind in ENDS else Rank.TROUBLE
    return News(subject, rank, f"{line.camera}: {_NOTICES[kind]}", line.arrived_ns, begins=kind not in ENDS)


def of_subject(subject: str, names: Mapping[str, str], at_ns: int) -> News:
    """What was told of something that is no incident, by what it is about alone; `names` are the cameras' by alias."""
    kind, _, about = subject.partition("/")
    name = names.get(about.partition("/")[0], THE_HUB)
    if kind in NoticeKind._value2member_map_:
        said = _NOTICES[NoticeKind(kind)]
    else:
        said = _HEALTH_BEGINS.get(kind, "tampering")
    return News(subject, Rank.TROUBLE, f"{name}: {said}", at_ns)


def of_many(count: int) -> str:
    """The words for many at once."""
    return f"{count} messages are waiting in the console"
