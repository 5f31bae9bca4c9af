"""How near is near: when a clock, certificate, disk or copy is worth a word to the owner, and when that is over. Pure.

design/hub.md, "Silence is an alarm".
"""

from __future__ import annotations

from enum import Enum, auto

from sealcam.wire.bodies import ClockQuality, Stamp

CLOCK_OFF_S = 180  # beats that are held back for a minute or two are late and no more
CLOCK_RIGHT_S = 60
QUEUE_NEAR_BYTES = 48 << 20  # three quarters of an outbox of the usual size
QUEUE_EASY_BYTES = 32 << 20
DISK_LEAST_BYTES = 3 << 29
DISK_MOST_BYTES = 4 << 30
DISK_PART = 20
CARD_FREE_MIB, CARD_FREE_EASY_MIB = 48, 64  # a camera's clips leave 96 MiB free, of which reports may take 64
CARD_ROOM_MIB, CARD_ROOM_EASY_MIB = 256, 384  # beside what they leave, one of the longest clips takes 110 MiB
_DAY_NS = 24 * 3600 * 1_000_000_000
MOST_AHEAD_NS = 30 * _DAY_NS
COPY_LATE_S = 3600
COPY_SOON_S = 900
COPY_LATE_ROUNDS = 5  # a hub that was off all night catches up first


class Left(Enum):
    """What is left of a certificate's life."""

    ENOUGH = auto()
    LITTLE = auto()
    NOTHING = auto()


def apart_s(at: Stamp, arrived_ns: int) -> int | None:
    """How far a camera's wall clock is from the hub's, in whole seconds; none where it doesn't claim to be set."""
    if at.quality is not ClockQuality.SYNCHRONISED:
        return None
    return abs(at.wall_ns - arrived_ns) // 1_000_000_000


def between(value: int, near: int, easy: int) -> bool | None:
    """Whether `value` is at `near` or beyond; none between `easy` and `near`, where it stays as it was."""
    return True if value >= near else False if value <= easy else None


def disk_low(free_bytes: int, all_bytes: int) -> bool | None:
    """Whether a disk is nearly full; none where it has a little more than that, and it stays as it was."""
    near = max(DISK_LEAST_BYTES, min(DISK_MOST_BYTES, all_bytes // DISK_PART))
    return True if free_bytes < near else False if free_bytes >= near + near // 4 else None


def card_low(free_mib: int, clips_mib: int) -> bool | None:
    """Whether a camera's disk is nearly full: clips make room for others by themselves, and so count as room for them.

    None where it has a little more than that, and it stays as it was.
    """
    room_mib = free_mib + clips_mib
    if free_mib < CARD_FREE_MIB or room_mib < CARD_ROOM_MIB:
        return True
    return False if free_mib >= CARD_FREE_EASY_MIB and room_mib >= CARD_ROOM_EASY_MIB else None


def certificate_left(begin_ns: int, end_ns: int, now_ns: int) -> Left:
    """What is left of a certificate: little is the last quarter of its life, and at most 30 days."""
    if now_ns >= end_ns:
        return Left.NOTHING
    return Left.LITTLE if end_ns - now_ns <= min(MOST_AHEAD_NS, (end_ns - begin_ns) // 4) else Left.ENOUGH


def days(left_ns: int) -> int:
    """Whole days, rounded up."""
    return max(0, -(-left_ns // _DAY_NS))
