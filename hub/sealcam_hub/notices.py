"""What the hub tells its owner beyond the cameras' own events, and how it words it.

Kinds, their texts, and the kinds of refusal that are only counted. When a notice is due is decided in `chain` and
`watch`, `beat_alarms` and `upkeep`; it is written by `receive`, `batch` and `troubles`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Refusal(StrEnum):
    """Why a message was not taken. Its sender never learns which."""

    UNKNOWN = "unknown"  # published under an alias that is no camera of this hub
    FORGED = "forged"  # not signed by the camera whose topic it came on: flipped bits, a foreign key
    CROSSED = "crossed"  # signed by another camera of this hub
    UNOPENABLE = "unopenable"  # signed, but no key of this hub opens it
    MALFORMED = "malformed"  # signed and opened, but not what the specification says
    CLONE = "clone"  # signed and opened, but contradicting what this camera said before
    FOREIGN = "foreign"  # signed, and sealed before this hub was among its recipients
    EARLY = "early"  # it names the camera's next key, whose hand-over hasn't come yet
    EXPELLED = "expelled"  # of a camera that the owner has turned out
    FULL = "full"  # so much of this camera waits for what is missing that no more of it may wait


REFUSALS = tuple(Refusal)


class NoticeKind(StrEnum):
    """What a notice is about."""

    CLONE = "clone"
    UNOPENABLE = "unopenable"
    GAP = "gap"
    SILENT = "silent"
    BACK = "back"
    FAREWELL = "farewell"
    FULL = "full"
    CLIP = "clip"
    FILLED = "filled"
    CLOCK = "clock"
    CLOCK_RIGHT = "clock-right"
    CERTIFICATE = "certificate"
    RENEWED = "renewed"
    DISK = "disk"
    ROOM = "disk-room"
    BROKER = "broker"
    BROKER_BACK = "broker-back"
    OFFSITE = "offsite"
    OFFSITE_AGAIN = "offsite-again"


ENDS = {  # which notice says that another one is over
    NoticeKind.BACK: NoticeKind.SILENT,
    NoticeKind.FILLED: NoticeKind.GAP,
    NoticeKind.CLOCK_RIGHT: NoticeKind.CLOCK,
    NoticeKind.RENEWED: NoticeKind.CERTIFICATE,
    NoticeKind.ROOM: NoticeKind.DISK,
    NoticeKind.BROKER_BACK: NoticeKind.BROKER,
    NoticeKind.OFFSITE_AGAIN: NoticeKind.OFFSITE,
}


class Why(StrEnum):
    """Which sentence says a notice of a kind that has several."""

    PLACE = ""
    OLD_KEY = "old-key"
    HAND_OVER = "hand-over"
    BOOT = "boot"
    DAMAGED = "damaged"
    NO_ROOM = "no-room"
    DISK = "disk"
    GAVE_WAY = "gave-way"
    PARTLY = "partly"
    LOST = "lost"
    SET = "set"
    ENDED = "ended"
    OWN = "own"
    OWN_ENDED = "own-ended"
    QUEUED = "queued"
    CARD = "card"
    DROPPED = "dropped"
    OFF = "off"


class Noticed(Protocol):
    """A notice as the ledger keeps it."""

    kind: str
    why: str
    first: int
    last: int
    times: int


_COPY = "somebody may hold a copy of this camera's keys"
_CLONES = {
    Why.PLACE: f"two different events claim place {{first}}: {_COPY}",
    Why.OLD_KEY: f"event {{first}} was signed with a key that is not in force there: {_COPY}",
    Why.HAND_OVER: f"event {{first}} names new keys that this hub didn't ask for, and they were not taken: {_COPY}",
    Why.BOOT: f"two cameras beat as one: {_COPY}",
}
_CLIPS = {
    Why.DAMAGED: "a clip came damaged three times at one place and was stopped: something on the way changes it; "
    "`sealcam-hub clip fetch` asks for it again",
    Why.NO_ROOM: "there is no room left for clips: they stay on the camera as long as it has room; "
    "`sealcam-hub clip room` says what there is, and makes it more",
    Why.DISK: "a clip can't be written, and stays on the camera: the disk fails",
    Why.GAVE_WAY: "the oldest clip of an incident that was no threat was deleted to make room, as its owner chose",
}
_FILLED = {
    Why.PLACE: "what was missing ({run}) has come after all",
    Why.PARTLY: "of what was missing ({run}) some has come, and the rest never will",
    Why.LOST: "what was missing ({run}) will never come, and the ledger goes on behind it",
}
_CLOCKS = {
    Why.PLACE: "the camera's clock and this hub's are {minutes} apart, so one of them is wrong: times of what it "
    "reports can't be trusted, nor its schedule",
    Why.SET: "this hub's clock was set by {minutes}: times from before may be wrong by as much",
}
_CERTIFICATES = {
    Why.PLACE: "the camera's certificate for the broker ends within {days}: claim it again before that, or the broker "
    "shuts it out",
    Why.ENDED: "the camera's certificate for the broker has ended, and the broker lets it in no more: claim it again",
    Why.OWN: "the certificate in {subject} ends within {days}: without a new one nothing connects to it any more",
    Why.OWN_ENDED: "the certificate in {subject} has ended: nothing connects to it any more",
}
_DISKS = {
    Why.PLACE: "this hub's disk is nearly full: {megabytes} left. Once it is full, everything stays with the cameras, "
    "as long as they have room; `sealcam-hub clip room` says what clips take",
    Why.QUEUED: "the camera keeps {megabytes} that it can't deliver, and will soon have to drop some of it",
    Why.CARD: "the camera's own disk is nearly full: {megabytes} are free, and its clips can hardly make more room: "
    "soon nothing is recorded, and reports are lost",
    Why.DROPPED: "the camera had no room left: it dropped reports or clips that had not come here",
}
_COPIED = {
    Why.PLACE: "the off-site copy has caught up",
    Why.OFF: "nothing is copied off site any more",
}
_TEXTS = {
    NoticeKind.OFFSITE: "the off-site copy lags by {hours}: whoever takes this hub and the cameras takes what isn't "
    "there yet; `sealcam-hub offsite status` says what it waits for",
    NoticeKind.CLOCK_RIGHT: "the camera's clock agrees with this hub's again",
    NoticeKind.RENEWED: "the certificate was renewed",
    NoticeKind.ROOM: "there is room again",
    NoticeKind.BROKER: "this hub can't reach its broker: no camera can be heard, and none of them is told as silent",
    NoticeKind.BROKER_BACK: "the broker answers again",
    NoticeKind.UNOPENABLE: "a new message with this camera's signature was sealed to a key that is gone: "
    "somebody may hold a copy of this camera's keys, or it seals to a key this hub has lost",
    NoticeKind.GAP: "{count} have not arrived ({run}): they were held back or lost on the way",
    NoticeKind.SILENT: "the camera has stopped beating: it has no power or no network, or somebody silenced it",
    NoticeKind.BACK: "the camera beats again",
    NoticeKind.FULL: "more of this camera's events wait for earlier ones than this hub keeps, so it takes only what "
    f"is next: they are held back on the way, or {_COPY}",
    NoticeKind.FAREWELL: "the camera has said farewell: it was reset, and its keys and what it kept are destroyed",
}


_SEVERAL = {
    NoticeKind.CLONE: _CLONES,
    NoticeKind.CLIP: _CLIPS,
    NoticeKind.FILLED: _FILLED,
    NoticeKind.CLOCK: _CLOCKS,
    NoticeKind.CERTIFICATE: _CERTIFICATES,
    NoticeKind.DISK: _DISKS,
    NoticeKind.OFFSITE_AGAIN: _COPIED,
}


def notice_text(notice: Noticed, subject: str = "") -> str:
    """The sentence for the owner; `subject` is what of the hub it is about."""
    count = notice.last - notice.first + 1
    kind = NoticeKind(notice.kind)
    text = _SEVERAL[kind][Why(notice.why)] if kind in _SEVERAL else _TEXTS[kind]
    text = text.format(
        first=notice.first,
        count="one event" if count == 1 else f"{count} events",
        run=str(notice.first) if count == 1 else f"{notice.first} to {notice.last}",
        minutes=_of(max(1, notice.first // 60), "minute"),
        hours=_of(max(1, notice.first // 3600), "hour"),
        days=_of(notice.first, "day"),
        megabytes=f"{notice.first} MB",
        subject=subject,
    )
    return f"{text} ({notice.times} times)" if notice.times > 1 else text


def _of(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
