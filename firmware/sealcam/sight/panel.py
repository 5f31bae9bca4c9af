"""The panel of models: one looks at each frame that is given to it, others where it leaves a doubt, within a budget.

A second look costs as much as the first or more, and most frames don't need one. So it is asked for where something
goes on and nothing is surely recognised (`doubt`), in turn among those who may know better (`advisers`), now and then;
and at every look while it sees what the first one does not. What they see is merged on one scale of scores (`merging`).
Keeps what it needs from one look to the next; a source whose time goes back begins anew. See design/sight.md,
detectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sealcam.board.protocols import Frame
from sealcam.sight.advisers import Adviser
from sealcam.sight.candidates import REFERENCE, Looker
from sealcam.sight.doubt import STIRRED, SURE, Doubt, Kind, doubts
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.merging import agree, merged
from sealcam.sight.soundness import Soundness
from sealcam.sight.types import Box, Detection
from sealcam.wire.errors import ModelError

# Looks that the panel may save up for when they matter: two passing cars' worth at ten a second.
STOCK = 40.0
# Between two looks that only may tell something, so many seconds.
EXPLORE_S = 0.5
# Motion that no box explains deserves another opinion after so many looks; less is a leaf.
PATIENCE = 3
# Who saw what the first model does not is asked at every look for so many seconds more.
ENGAGED_S = 1.0
# A model that nobody asked for so long is let go of.
LET_GO_S = 120.0
# An adviser that broke so often in a row is not asked again.
BROKEN_MOST = 5
_NONSENSE = "says what no working model says; such looks count for nothing"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the owner should know of the models: a code for machines, words for people. `blind`: from now on the camera
    is as good as blind, or (false) no longer; none: neither."""

    code: str
    words: str
    blind: bool | None = None


@dataclass(frozen=True, slots=True)
class PanelStats:
    """Counters: looks of the first model, of the advisers together, and answers that no working model gives."""

    first: int = 0
    further: int = 0
    broken: int = 0


class _Seat:
    """An adviser with what the panel knows of it."""

    def __init__(self, adviser: Adviser) -> None:
        self.adviser = adviser
        self.asked_ns: int | None = None
        self.engaged_until_ns: int | None = None
        self.broken = 0

    def engaged(self, t_ns: int) -> bool:
        return self.engaged_until_ns is not None and t_ns < self.engaged_until_ns

    def waited(self, t_ns: int) -> float:
        return float("inf") if self.asked_ns is None else t_ns - self.asked_ns


class Panel:
    """A detector for `Watch` that is several (`DetectorLike`)."""

    def __init__(
        self,
        first: Looker,
        advisers: Sequence[Adviser] = (),
        *,
        further_hz: float = 2.0,
        explore_s: float = EXPLORE_S,
    ) -> None:
        """`further_hz` is how many looks a second the advisers get together, over long; `explore_s` the time between
        two looks that only may tell something."""
        self._first = first
        self._explore_s = explore_s
        self._seats = [_Seat(adviser) for adviser in advisers]
        self._further_hz, self._eased = further_hz, 1.0
        self._stats = PanelStats()
        self._troubles: list[Trouble] = []
        self._told: set[str] = set()
        self._soundness = Soundness()
        self._looked: list[Looker | Adviser]
        self._begin_anew()

    @property
    def stats(self) -> PanelStats:
        """The counters so far."""
        return self._stats

    @property
    def broken(self) -> int:
        """How many answers of models were none."""
        return self._stats.broken

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        """The subjects in one frame, in its pixels, best first, on the default model's scale of scores.

        Raises:
            ModelError: the first model failed to run.
        """
        self._pass_time(frame.t_ns)
        found = self._first.detect(frame, focus)
        self._stats = replace(self._stats, first=self._stats.first + 1)
        self._looked = [self._first]
        self._see_to_first(frame.t_ns)
        if not self._may_ask(frame.t_ns):
            return found
        open_doubts = self._worth_asking(doubts(frame, focus, found, broken=self._first.broken))
        seat = self._choose(frame, open_doubts)
        if seat is None:
            return found
        further = self._ask(seat, frame, open_doubts)
        if not self._first.broken:
            further = [one for one in further if _concerns(one, focus)]
        if _adds(further, found):
            seat.engaged_until_ns = frame.t_ns + round(ENGAGED_S * 1e9)
        return merged(found, further)

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame that `detect` was last given; none where no model that looked can say."""
        looks = (one.look(box) for one in self._looked)
        return next((look for look in looks if look is not None), None)

    def ease(self, share: float) -> None:
        """Ask the advisers for this share of their usual looks from now on; with none, only a broken model's frames."""
        self._eased = share

    def note(self, trouble: Trouble) -> None:
        """Something to tell that is known from outside: a model that is not there. Each code is told once."""
        if trouble.code not in self._told:
            self._told.add(trouble.code)
            self._troubles.append(trouble)

    def tend(self, t_ns: int) -> tuple[Trouble, ...]:
        """What there is to tell since the last time; lets go of models that were long not asked. Call it each frame."""
        for seat in self._seats:
            if seat.asked_ns is not None and t_ns - seat.asked_ns > LET_GO_S * 1e9:
                seat.adviser.let_go()
                seat.asked_ns = None
        told, self._troubles = tuple(self._troubles), []
        return told

    def _begin_anew(self) -> None:
        self._soundness.begin_anew()
        self._last_ns: int | None = None
        self._stock = STOCK
        self._explored_ns: int | None = None
        self._unnamed = 0
        self._looked = []
        for seat in self._seats:
            seat.adviser.let_go()  # or it would stay until it is asked again, since what it did is forgotten
            seat.asked_ns = seat.engaged_until_ns = None

    def _pass_time(self, t_ns: int) -> None:
        if self._last_ns is not None and t_ns < self._last_ns:
            self._begin_anew()
        seconds = 0.0 if self._last_ns is None else (t_ns - self._last_ns) / 1e9
        self._last_ns = t_ns
        self._stock = min(STOCK, self._stock + seconds * self._further_hz * (self._eased or 1.0))

    def _worth_asking(self, found: Sequence[Doubt]) -> list[Doubt]:
        """The doubts without motion that only just began."""
        unnamed = any(doubt.kind is Kind.UNNAMED for doubt in found)
        self._unnamed = self._unnamed + 1 if unnamed else 0
        return [doubt for doubt in found if doubt.kind is not Kind.UNNAMED or self._unnamed >= PATIENCE]

    def _may_ask(self, t_ns: int) -> bool:
        """Whether anybody could be asked now, whatever the doubts: to find those costs something too."""
        if not self._seats or self._stock < 1 or (self._eased == 0 and not self._first.broken):
            return False
        return self._first.broken or self._due(t_ns) or any(seat.engaged(t_ns) for seat in self._seats)

    def _due(self, t_ns: int) -> bool:
        """Whether it is time again for a look that only may tell something."""
        return self._explored_ns is None or t_ns - self._explored_ns >= round(self._explore_s * 1e9)

    def _choose(self, frame: Frame, open_doubts: Sequence[Doubt]) -> _Seat | None:
        """Whom to ask now: those who lately saw more, else, now and then, who waited longest."""
        able = [seat for seat in self._seats if any(seat.adviser.suits(frame, doubt) for doubt in open_doubts)]
        engaged = [seat for seat in able if seat.engaged(frame.t_ns)]
        if not able or not (engaged or self._first.broken or self._due(frame.t_ns)):
            return None
        if not engaged:
            self._explored_ns = frame.t_ns
        return max(engaged or able, key=lambda seat: seat.waited(frame.t_ns))

    def _ask(self, seat: _Seat, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        """An adviser's answer; one that fails for good leaves the panel, which goes on without."""
        self._stock -= 1
        seat.asked_ns = frame.t_ns
        self._first.keep()
        self._stats = replace(self._stats, further=self._stats.further + 1)
        suited = [doubt for doubt in open_doubts if seat.adviser.suits(frame, doubt)]
        try:
            further = seat.adviser.ask(frame, suited)
        except ModelError as error:
            self._seats.remove(seat)
            self.note(Trouble("model-second-missing", f"goes on without {seat.adviser.name}: {error.message}"))
            return ()
        if seat.adviser.broken:
            self._stats = replace(self._stats, broken=self._stats.broken + 1)
            self.note(Trouble("model-second-broken", f"{seat.adviser.name} {_NONSENSE}"))
            seat.broken += 1
            if seat.broken >= BROKEN_MOST:
                self._seats.remove(seat)
            return ()
        seat.broken = 0
        self._looked.append(seat.adviser)
        return further

    def _see_to_first(self, t_ns: int) -> None:
        """Count what no working model says, and tell of it as long as it is news."""
        broken = self._first.broken
        self._stats = replace(self._stats, broken=self._stats.broken + broken)
        news = self._soundness.take(t_ns, broken=broken)
        if news is True:
            self._troubles.append(Trouble("model-broken", f"the first model {_NONSENSE}", blind=True))
        elif news is False:
            self._troubles.append(Trouble("model-works", "the first model works again", blind=False))


def _concerns(one: Detection, focus: Focus) -> bool:
    """Whether an adviser's box is about what goes on: it moved there, or something is followed there."""
    if focus.motion is None or focus.motion.inside(one.box) >= STIRRED:
        return True
    return any(followed.box.iou(one.box) >= 0.3 for followed in focus.followed)


def _adds(further: Sequence[Detection], found: Sequence[Detection]) -> bool:
    """Whether an adviser sees something, better than faintly, of which the first model is not sure."""
    return any(
        one.score >= REFERENCE and all(other.score < min(SURE, one.score) for other in found if agree(other, one))
        for one in further
    )
