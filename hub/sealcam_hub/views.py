"""What the hub shows: frozen values for console, command line and programs.

Made by `ledger` from sealed bytes at the moment they are shown; nothing here is stored. Times are nanoseconds since
1970-01-01 UTC as far as camera and hub know them; probabilities are 0 to 1; words are lower case (`person`,
`false_alarm`, `away`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CameraState = Literal["watching", "silent", "new"]
EventType = Literal["incident", "loss", "health", "notice", "unknown"]


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera as its newest counted beat describes it; `new` has never beaten, `silent` has stopped.

    `wished` is the mode that the owner asked for and no beat has confirmed yet.
    """

    alias: str
    name: str
    state: CameraState
    mode: str | None
    last_beat_ns: int | None
    frame_age_ns: int | None
    queued: int | None
    firmware: str | None
    incidents: int
    wished: str | None = None


@dataclass(frozen=True, slots=True)
class ReportView:
    """One event of an incident. `pending` waits for an earlier event of its camera that hasn't come yet."""

    seq: int
    stage: str
    occurred_ns: int
    subject: str
    confidence: float
    verdict: str
    threat: float
    reasons: tuple[str, ...]
    trigger: str
    mode: str
    pending: bool
    has_thumbnail: bool


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as its newest report tells it. `id` is `<alias>-<16 hex digits>`, unique in this hub.

    `arrived_ns` is when its first report came: incidents are listed by it, and it is the cursor for the next page.
    """

    id: str
    alias: str
    camera_name: str
    subject: str
    confidence: float
    verdict: str
    threat: float
    reasons: tuple[str, ...]
    trigger: str
    mode: str
    started_ns: int
    ended_ns: int
    arrived_ns: int
    open: bool
    reports: tuple[ReportView, ...]
    has_thumbnail: bool


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Something the owner should know about a camera or its link, in words. `kind` is for programs."""

    id: int
    kind: str
    camera_name: str
    text: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of the ledger. `report` stands for incidents alone; `text` says what else there is to say.

    `place` is its position in the ledger; a pending event has none yet. `camera_ns` is what the camera's own clock
    said; `occurred_ns` follows it only where that clock was synchronised, and otherwise the time of arrival.
    """

    place: int | None
    camera: str
    alias: str
    seq: int
    type: EventType
    incident: str | None
    report: ReportView | None
    text: tuple[str, ...]
    occurred_ns: int
    started_ns: int | None
    ended_ns: int | None
    arrived_ns: int
    thumbnail_bytes: int
    hash: str
    camera_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a hub has taken in since it was made.

    `opened` are incidents of which at least one report was opened; `refused` are messages, whatever the reason.
    """

    cameras: int
    incidents: int
    opened: int
    refused: int
    repeats: int
    notices: int
    refused_by_kind: tuple[tuple[str, int], ...]
