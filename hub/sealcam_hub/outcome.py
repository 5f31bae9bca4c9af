"""What became of a message, as `batch` decides it and `receive` and `pump` act on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealcam.wire.bodies import AnswerBody
from sealcam_hub.notices import Refusal


class What(StrEnum):
    """What became of a message."""

    APPENDED = "appended"
    PARKED = "parked"
    LATE = "late"
    REPEAT = "repeat"
    BEAT = "beat"
    STALE = "stale"
    COVER = "cover"
    WILL = "will"
    CLONE = "clone"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, what to send back, and the feed's topics that changed.

    `answer` is a receipt for what is stored, or for whatever a camera under cover sends; `also` are statements that
    the camera lacks; `answered` is its word on a command.
    """

    alias: str
    what: What
    answer: bytes | None = None
    refusal: Refusal | None = None
    topics: tuple[str, ...] = ()
    also: tuple[bytes, ...] = ()
    answered: AnswerBody | None = None
