"""What the hub asks of one camera inside an `SCM1`: arm, privacy, live, fetch and the rest (design/wire.md 5.3).

No command carries a key that protects pixels. What a camera doesn't have it answers with `Outcome.UNSUPPORTED`.
"""

from __future__ import annotations

from enum import IntEnum

from sealcam.wire.bodies import Mode, Run
from sealcam.wire.schema import body, key


class CommandType(IntEnum):
    """The first byte of a command's plaintext."""

    ARM = 0x01
    PRIVACY = 0x02
    LIVE = 0x03
    FETCH = 0x04
    ZONES = 0x05
    MASKS = 0x06
    SCHEDULE = 0x07
    MARKS = 0x08
    MODEL = 0x09
    TOKEN = 0x0A
    FORGET = 0x0B


class Mark(IntEnum):
    """The owner's word on an incident."""

    FALSE_ALARM = 0
    BENIGN = 1
    THREAT = 2
    OURS = 3


class ZoneKind(IntEnum):
    """What a zone does to what happens in it."""

    WATCH = 0
    IGNORE = 1
    ENTRY = 2


@body
class ArmBody:
    """Command 0x01: how watchful the camera shall be from now on."""

    mode: Mode = key(1)


@body
class PrivacyWish:
    """Command 0x02: stop capture at the source, or begin again."""

    on: bool = key(1)


@body
class LiveWish:
    """Command 0x03: show the picture live for so many seconds; 0 ends the session."""

    session: bytes = key(1, size=16)
    seconds: int = key(2, limit=3600)


@body
class ClipRange:
    """Chunks of a clip; without `chunks` all of it."""

    clip: bytes = key(1, size=16)
    chunks: Run | None = key(2, default=None)


@body
class FetchWish:
    """Command 0x04: send again these events that are still queued, and send these clips."""

    events: tuple[Run, ...] = key(1)
    clips: tuple[ClipRange, ...] = key(2)


@body
class Zone:
    """A part of the picture: corners x, y, x, y ... in per mille of width and height, 3 to 32 of them."""

    name: str = key(1)
    kind: ZoneKind = key(2)
    corners: tuple[int, ...] = key(3, limit=1000)


@body
class ZonesWish:
    """Command 0x05: these zones instead of all before."""

    zones: tuple[Zone, ...] = key(1)


@body
class Mask:
    """A part of the picture that nobody sees: corners as in a zone."""

    corners: tuple[int, ...] = key(1, limit=1000)


@body
class MasksWish:
    """Command 0x06: these masks instead of all before."""

    masks: tuple[Mask, ...] = key(1)


@body
class ScheduleEntry:
    """A mode on some days (bit 0 Monday ... bit 6 Sunday) from a minute of the day to before another."""

    days: int = key(1, limit=127)
    from_minute: int = key(2, limit=1439)
    to_minute: int = key(3, limit=1440)
    mode: Mode = key(4)


@body
class ScheduleWindow:
    """A time in which a visitor is expected: days and minutes as in an entry."""

    days: int = key(1, limit=127)
    from_minute: int = key(2, limit=1439)
    to_minute: int = key(3, limit=1440)


@body
class ScheduleWish:
    """Command 0x07: this schedule instead of the one before, in the time zone of that IANA name."""

    entries: tuple[ScheduleEntry, ...] = key(1)
    zone: str = key(2)
    expected: tuple[ScheduleWindow, ...] | None = key(3, default=None)


@body
class MarkedIncident:
    """The owner's word on one incident."""

    incident: bytes = key(1, size=8)
    mark: Mark = key(2)


@body
class MarksWish:
    """Command 0x08: the owner's marks, for the camera to learn from; `taken_back` are incidents without one again."""

    marks: tuple[MarkedIncident, ...] = key(1)
    taken_back: tuple[bytes, ...] | None = key(2, size=8, default=None)


@body
class ModelWish:
    """Command 0x09: judge by the model of that name, if its content has this SHA-256. Without content: by the one that
    the camera was shipped with, of that SHA-256, or whichever it is where the SHA-256 is zeros."""

    name: str = key(1)
    sha256: bytes = key(2, size=32)
    content: bytes | None = key(3, default=None)


@body
class TokenWish:
    """Command 0x0a: a technician may work here: a statement of kind technician-token."""

    token: bytes = key(1)


@body
class ForgetWish:
    """Command 0x0b: delete these clips, of which the owner has destroyed the keys."""

    clips: tuple[bytes, ...] = key(1, size=16)
