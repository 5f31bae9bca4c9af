"""What the hub tells its owner beyond the cameras' own events, and how it words it.

Kinds, their texts, and the kinds of refusal that are only counted. When a notice is due is decided in `chain` and
`watch`; it is written by `receive`.
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


REFUSALS = tuple(Refusal)


class NoticeKind(StrEnum):
    """What a notice is about."""

    CLONE = "clone"
    UNOPENABLE = "unopenable"
    GAP = "gap"
    SILENT = "silent"
    BACK = "back"


class Noticed(Protocol):
    """A notice as the ledger keeps it."""

    kind: str
    first: int
    last: int
    times: int


_TEXTS = {
    NoticeKind.CLONE: "two different events claim place {first}: somebody may hold a copy of this camera's keys",
    NoticeKind.UNOPENABLE: "a message with this camera's signature can't be opened: its keys may have been copied",
    NoticeKind.GAP: "{count} have not arrived ({run}): they were held back or lost on the way",
    NoticeKind.SILENT: "the camera has stopped beating: it has no power or no network, or somebody silenced it",
    NoticeKind.BACK: "the camera beats again",
}


def notice_text(notice: Noticed) -> str:
    """The sentence for the owner."""
    count = notice.last - notice.first + 1
    text = _TEXTS[NoticeKind(notice.kind)].format(
        first=notice.first,
        count="one event" if count == 1 else f"{count} events",
        run=str(notice.first) if count == 1 else f"{notice.first} to {notice.last}",
    )
    return f"{text} ({notice.times} times)" if notice.times > 1 else text
