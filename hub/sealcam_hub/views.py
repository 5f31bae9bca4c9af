"""What the hub shows: frozen values for console, command line and programs.

Made by `ledger` from sealed bytes at the moment they are shown; nothing here is stored. Times are nanoseconds since
1970-01-01 UTC as far as camera and hub know them; probabilities are 0 to 1; words are lower case (`person`,
`false_alarm`, `away`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sealcam_hub.rules import Effect

CameraState = Literal["watching", "private", "cut-off", "silent", "new", "gone", "expelled"]
EventType = Literal[
    "incident",
    "loss",
    "health",
    "hand-over",
    "answer",
    "picture",
    "clip",
    "farewell",
    "privacy",
    "notice",
    "deleted",
    "unknown",
]
ClipPlace = Literal[
    "recording", "camera", "asked", "coming", "here", "stopped", "evicted", "dropped", "deleted", "gone"
]


@dataclass(frozen=True, slots=True)
class ClipView:
    """A clip and where it is.

    `recording`: nothing was said of its end yet; `camera`: it is there alone; `asked`: its camera is asked for it;
    `coming`: a part of it is here; `here`: all of it; `stopped`: it came damaged or found no room, and rests until it
    is asked for; `evicted`: the camera had to drop it before it had come; `dropped`: this hub did, to make room;
    `deleted`: its owner did; `gone`: its camera has left.

    `id` has 32 hex digits. `incident` is none while no event has told of it. `held` are the bytes of its sealed file
    that are here and verified, `size` those of the whole file as far as they are known. `content_bytes` is about what
    its video has. Whatever has `held` can be opened so far. `interrupted`: the camera's power ended it.
    """

    id: str
    incident: str | None
    alias: str
    camera_name: str
    part: int
    state: ClipPlace
    held: int
    size: int | None
    content_bytes: int | None
    interrupted: bool
    why: str = ""  # it is `stopped`, in a word: `damaged` or `full`

    @property
    def percent(self) -> int | None:
        """How much of it is here; none while its size isn't known."""
        if self.state == "here":
            return 100
        return min(99, 100 * self.held // self.size) if self.size else None


@dataclass(frozen=True, slots=True)
class CameraStorage:
    """The disk that has a camera's clips, and what they take of it, in bytes; `low`: it is nearly full."""

    disk: int
    free: int
    clips: int
    clips_most: int
    low: bool


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera as its newest counted beat describes it; `new` has never beaten, `silent` has stopped.

    `private` doesn't capture, `cut-off` has lost its connection and may be back any moment, `gone` has said farewell,
    `expelled` was turned out by the owner.

    `wished` is the mode that the owner asked for and no beat has confirmed yet, `refused` what it wouldn't do.
    `private` is what it last said of privacy, `private_wished` what the owner asks for that it hasn't answered.
    `storage` is none where it doesn't tell.
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
    refused: str | None = None
    private: bool = False
    private_wished: bool | None = None
    storage: CameraStorage | None = None


@dataclass(frozen=True, slots=True)
class ReportView:
    """One event of an incident. `pending` waits for an earlier event of its camera that hasn't come yet.

    `boot_ns` is when it was on the camera's own clock, of the boot that `boot` names (16 bytes; none: not known).
    """

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
    boot: bytes = b""
    boot_ns: int = 0


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
    picture_seq: int = 0  # of the last piece of the newest picture that came in pieces
    clips: tuple[ClipView, ...] = ()  # by part
    effects: frozenset[Effect] = frozenset()  # of the household's rules

    @property
    def veiled(self) -> bool:
        """Whether its pictures are veiled until somebody asks to see them, and leave this hub for nobody."""
        return Effect.VEILED in self.effects


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Something the owner should know about a camera, its link or this hub, in words. `kind` is for programs.

    `alias` is empty for the hub itself. `subject` tells several of one kind apart: `notices.ENDS` says which kind is
    the end of which, and the end has its beginning's subject.
    """

    id: int
    kind: str
    camera_name: str
    text: str
    at_ns: int
    alias: str = ""
    subject: str = ""


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
    clip: str | None = None  # the id of the clip that it tells of


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
