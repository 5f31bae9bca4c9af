"""What leaves the camera next, and when: as it comes, or at a pace that says nothing (design/wire.md section 11).

An alarm goes first, then a beat that is due, then the rest by urgency. With cover traffic the same order fills the
slots of a clock that never looks at what there is to send. Freight goes when none of these does. How it leaves is
`link`'s, what is queued is `outbox`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sealcam.outbox import Outbox
from sealcam.wire.sealed import Sealed

_NS = 1_000_000_000
BEAT_EVERY_S = 20.0
SLOT_NS = 2 * _NS  # of cover traffic: one envelope each
AHEAD_NS = _NS // 4  # what goes is chosen and sealed so long before its slot: that takes longer for some than others
LATE_NS = _NS // 2  # a slot is missed rather than used later than this


@dataclass(frozen=True, slots=True)
class Parcel:
    """One envelope that goes now; `seq` is none outside the chain."""

    envelope: Sealed
    seq: int | None


class Pace(Protocol):
    """Decides what goes when. Driven by the link's worker; `beat_soon` may come from any thread."""

    def resumed(self, now_ns: int) -> None:
        """The link has come up."""
        ...

    def take(self, now_ns: int) -> Parcel | None:
        """What goes now, none for nothing."""
        ...

    def due_in_ns(self, now_ns: int) -> int | None:
        """Nanoseconds until `take` should be called again, 0 for now; none when nothing is foreseen."""
        ...

    def may_carry(self, now_ns: int) -> bool:
        """Whether freight may go now that `take` had nothing."""
        ...

    def beat_soon(self) -> None:
        """Beat as soon as one can go: what it says has changed."""
        ...


class InstantPace:
    """Everything goes as soon as it can: `make_beat` seals a beat when one is due, so that only the newest exists."""

    def __init__(self, outbox: Outbox, make_beat: Callable[[], Sealed], beat_every_s: float = BEAT_EVERY_S) -> None:
        self._outbox = outbox
        self._make_beat = make_beat
        self._beat_ns = round(beat_every_s * _NS)
        self._next_beat_ns = 0

    def resumed(self, now_ns: int) -> None:
        """All that is queued is due at once, and so is a beat."""
        self._outbox.link_up()
        self._next_beat_ns = now_ns

    def take(self, now_ns: int) -> Parcel | None:
        """An alarm, else a beat that is due, else what else is due; a beat waits no longer than its own time."""
        mail = self._outbox.next(now_ns)
        due_ns = self._next_beat_ns
        urgent = mail is not None and mail.urgency == 0 and now_ns < due_ns + self._beat_ns
        if now_ns >= due_ns and not urgent:
            self._next_beat_ns = now_ns + self._beat_ns
            return Parcel(self._make_beat(), None)
        return None if mail is None else Parcel(mail.envelope, mail.seq)

    def due_in_ns(self, now_ns: int) -> int | None:
        """Until the next beat, or until something that is queued is due."""
        beat_ns = max(0, self._next_beat_ns - now_ns)
        mail_s = self._outbox.due_in_s(now_ns)
        return beat_ns if mail_s is None else min(beat_ns, round(mail_s * _NS))

    def may_carry(self, now_ns: int) -> bool:
        """Whenever nothing else is due."""
        return True

    def beat_soon(self) -> None:
        """Beat as soon as one can go."""
        self._next_beat_ns = 0


class CoverPace:
    """One envelope every two seconds, from `inner` or, when that has none, one of `make_cover`.

    Slots lie on a grid that begins when the link comes up and depends on nothing else. What goes is made ready
    before its slot, and a slot that was missed is not made up for. Freight goes between two slots; where a load took so
    long that one was missed, none goes before the next is used, so that an alarm waits for one load and one slot.
    """

    def __init__(self, inner: Pace, make_cover: Callable[[], Sealed]) -> None:
        self._inner = inner
        self._make_cover = make_cover
        self._slot_ns = 0
        self._ready: Parcel | None = None
        self._missed = False

    def resumed(self, now_ns: int) -> None:
        """Begin the grid."""
        self._inner.resumed(now_ns)
        self._slot_ns, self._ready = now_ns + AHEAD_NS, None

    def take(self, now_ns: int) -> Parcel | None:
        """What was made ready, once its slot has come."""
        if now_ns > self._slot_ns + LATE_NS:
            self._slot_ns += SLOT_NS * -((self._slot_ns - now_ns) // SLOT_NS)  # to the next place on the grid
            self._missed = True
        if self._ready is None and now_ns >= self._slot_ns - AHEAD_NS:
            self._ready = self._inner.take(now_ns) or Parcel(self._make_cover(), None)
        if self._ready is None or now_ns < self._slot_ns:
            return None
        parcel, self._ready = self._ready, None
        self._slot_ns += SLOT_NS
        self._missed = False
        return parcel

    def due_in_ns(self, now_ns: int) -> int | None:
        """Until something is to be made ready, or until its slot."""
        return max(0, self._slot_ns - (AHEAD_NS if self._ready is None else 0) - now_ns)

    def may_carry(self, now_ns: int) -> bool:
        """Between slots, as long as none was missed."""
        return self._ready is None and not self._missed and now_ns < self._slot_ns - AHEAD_NS

    def beat_soon(self) -> None:
        """Let the next slot be a beat's."""
        self._inner.beat_soon()
