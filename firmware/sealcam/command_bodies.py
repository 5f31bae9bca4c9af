"""What each command of the home hub must look like (design/wire.md section 5.3). Pure.

A body that breaks a rule is unreadable. What a camera does about one that it can read is `commands`'.
"""

from __future__ import annotations

from sealcam.wire import schema
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.wishes import (
    ArmBody,
    CommandType,
    FetchWish,
    ForgetWish,
    LiveWish,
    MarksWish,
    MasksWish,
    ModelWish,
    PrivacyWish,
    ScheduleWish,
    TokenWish,
    ZonesWish,
)

BODIES: dict[CommandType, type] = {
    CommandType.ARM: ArmBody,
    CommandType.PRIVACY: PrivacyWish,
    CommandType.LIVE: LiveWish,
    CommandType.FETCH: FetchWish,
    CommandType.ZONES: ZonesWish,
    CommandType.MASKS: MasksWish,
    CommandType.SCHEDULE: ScheduleWish,
    CommandType.MARKS: MarksWish,
    CommandType.MODEL: ModelWish,
    CommandType.TOKEN: TokenWish,
    CommandType.FORGET: ForgetWish,
}
_LEAST_CORNERS, _MOST_CORNERS = 3, 32


def read(kind: CommandType, body: bytes) -> object:
    """The wish that the CBOR `body` of a command holds: an instance of `BODIES[kind]`.

    Raises:
        EnvelopeError: it isn't as specified.
    """
    wish: object = schema.decode(body, BODIES[kind])
    match wish:
        case ZonesWish():
            for zone in wish.zones:
                _check_corners(zone.corners)
        case MasksWish():
            for mask in wish.masks:
                _check_corners(mask.corners)
        case _:
            pass
    return wish


def _check_corners(corners: tuple[int, ...]) -> None:
    if len(corners) % 2 or not _LEAST_CORNERS <= len(corners) // 2 <= _MOST_CORNERS:
        raise EnvelopeError
