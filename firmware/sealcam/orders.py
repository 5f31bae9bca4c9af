"""Orders are how the camera is armed now, and by whose word: the owner's hand, the schedule, or the configuration.

A command holds until the schedule next says another mode. Where no entry of the schedule holds, the camera is armed as
the owner last commanded while none held, or as the configuration says. A clock that may be wrong applies no schedule:
then the most watchful of what may be meant counts, until the owner's hand says otherwise.
Pure; what is kept over a restart is `scene`'s. See design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealcam.sight.types import ArmMode
from sealcam.timetable import Timetable

# In these modes somebody who shouldn't be there is a threat; the more watchful of two modes has the higher rank.
ARMED = frozenset((ArmMode.AWAY, ArmMode.NIGHT))
_WATCHFUL = {ArmMode.OFF: 0, ArmMode.HOME: 1, ArmMode.AWAY: 2, ArmMode.NIGHT: 2}


@dataclass(frozen=True, slots=True)
class Order:
    """What is in force: the mode, whether an entry of the schedule sets it, whether a visitor is expected. `ruled`: the
    schedule decides, and not the last command, whether an entry holds now or none. While `waiting` both are so where it
    is not the command that counts. `waiting`: there is a schedule, and
    the time of day isn't known."""

    mode: ArmMode
    scheduled: bool = False
    expected: bool = False
    ruled: bool = False
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """What the owner commanded: the last mode and when (ns since 1970 UTC; none: while the time wasn't known), and the
    last one of a time in which no entry of the schedule held. `fresh`: it commanded since the camera started."""

    mode: ArmMode | None = None
    at_ns: int | None = None
    resting: ArmMode | None = None
    fresh: bool = False


def order(
    timetable: Timetable | None, hand: Hand, configured: ArmMode, wall_ns: int | None, last: Order | None = None
) -> tuple[Order, int]:
    """The order at a time (ns since 1970 UTC; none: it isn't known), and until when it holds at the least; `last` was
    in force when the time was known last, or the hand commanded."""
    by_hand = hand.mode if hand.mode is not None else hand.resting or configured
    if timetable is None:
        return Order(by_hand), _FOREVER_NS
    if wall_ns is None:
        return _waiting(timetable, hand, (by_hand, configured), last), _FOREVER_NS
    reading = timetable.at(wall_ns)
    if not timetable.entries or _holds(timetable, hand, wall_ns):
        return Order(by_hand, expected=reading.expected), reading.until_ns
    mode = reading.mode or hand.resting or configured
    return Order(mode, reading.mode is not None, reading.expected, ruled=True), reading.until_ns


def commanded(timetable: Timetable | None, hand: Hand, mode: ArmMode, wall_ns: int | None) -> Hand:
    """What the owner's hand has done once it commands a mode at a time."""
    rests = timetable is None or wall_ns is None or timetable.at(wall_ns).mode is None
    return Hand(mode, wall_ns, mode if rests else hand.resting, fresh=True)


def rescheduled(timetable: Timetable | None, hand: Hand, mode: ArmMode) -> Hand:
    """The same once another schedule counts, while the camera is armed as `mode`: a schedule is the newer word; without
    one the camera stays as it is."""
    if timetable is None or not timetable.entries:
        return Hand(mode, hand.at_ns, mode, hand.fresh)
    return replace(hand, mode=None, at_ns=None)


def arms(timetable: Timetable | None) -> bool:
    """Whether a schedule would arm the camera at some time of the week."""
    return timetable is not None and any(entry.mode in ARMED for entry in timetable.entries)


def _waiting(timetable: Timetable, hand: Hand, known: tuple[ArmMode, ArmMode], last: Order | None) -> Order:
    """The order while the time isn't known: `known` are the hand's mode and the configured one."""
    by_hand = known[0]
    if hand.fresh or not timetable.entries:
        return Order(by_hand, waiting=True)
    # What the configuration says is how a camera begins; later it would only alarm upon those who are at home.
    meant = known if last is None else (last.mode, last.mode if hand.mode is None else hand.mode)
    mode = max(meant, key=_WATCHFUL.__getitem__)
    scheduled = last is not None and last.scheduled and last.mode is mode
    return Order(mode, scheduled, ruled=scheduled or mode is not by_hand, waiting=True)


def _holds(timetable: Timetable, hand: Hand, wall_ns: int) -> bool:
    """Whether the command still holds."""
    if hand.mode is None:
        return False
    return hand.at_ns is None or not timetable.changes(hand.at_ns, wall_ns)


_FOREVER_NS = 1 << 63
