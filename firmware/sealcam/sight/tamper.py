"""Tamper tells within seconds that somebody works on the camera: covered, moved, defocused, blinded, frozen.

What is wrong must stay wrong: lamps, clouds, headlights, the infrared filter and a truck that fills the picture pass
within seconds or leave the scene's structure. Nothing is said before the view is known (eight seconds after watching
begins), nor where there is too little structure to know (a dark night). What the eye makes of it is the eye's.
See design/sight.md, tamper.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sealcam.board.protocols import Frame
from sealcam.sight.floor import Cells
from sealcam.sight.repeats import Repeats
from sealcam.sight.types import Tampering, TamperKind
from sealcam.sight.view import Glance, View

# The view is compared so often; what is wrong is told once it was so in this share of the glances of so long a time,
# and is over once it was well for so long.
EVERY_S, HOLD_S, HOLD_SHARE, OVER_S = 0.5, 7.0, 0.9, 3.0
# Lost in this share of the fields the view is gone; this share is a lamp's when so much of the picture is burnt out.
LOST, LOST_BLINDED, BURNT = 0.7, 0.35, 0.15
# With less than this part of the learnt structure something is in front of the lens, with more it looks elsewhere.
COVERED_STRUCTURE = 0.3
# What is new must stay the same to be a view at all: not a crowd, nor a lorry that passes.
STEADY = 0.6
# Sharpness below this part of the learnt one is no longer the same focus.
UNSHARP = 0.6
# It is well again with so much less lost, so much sharper.
WELL_LOST, WELL_SHARP = 0.5, 0.75
# A view that stays so for so long is taken as the new one.
ADOPT_S = 600.0
# After our own infrared filter moved, nothing is compared for so long.
SETTLE_S = 3.0
# Two frames further apart than this are not neighbours: what was wrong before says nothing of now.
GAP_S = 5.0

_DETAILS = {
    TamperKind.COVERED: "something covers the lens, or there is no light at all",
    TamperKind.MOVED: "the camera looks elsewhere, or something large stands before it",
    TamperKind.DEFOCUSED: "the picture is no longer sharp: the lens was turned, or something is on it",
    TamperKind.BLINDED: "a strong light shines into the lens",
}
_ADOPTED = {
    TamperKind.COVERED: "after ten minutes the lens is still covered, or in the dark: look after the camera",
    TamperKind.MOVED: "after ten minutes the camera still looks elsewhere: what it sees is its view from now on",
    TamperKind.DEFOCUSED: "after ten minutes the picture is still not sharp: look after the camera",
    TamperKind.BLINDED: "after ten minutes a strong light still shines into the lens: look after the camera",
}


@dataclass(slots=True)
class _State:
    """One kind that is going on."""

    kind: TamperKind
    since_ns: int
    well_since_ns: int | None = None


class Tamper:
    """Watches one camera; feed it every frame with the gate's cells. `live`: the source has a sensor's noise."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._views = [View(), View()]
        self._glances: deque[tuple[int, TamperKind | None]] = deque()
        self._looked_ns: int | None = None
        self._resume_ns = 0
        self._view: _State | None = None
        self._repeats = Repeats()
        self._frozen: _State | None = None

    @property
    def active(self) -> tuple[TamperKind, ...]:
        """What is going on now."""
        return tuple(state.kind for state in (self._view, self._frozen) if state is not None)

    def step(self, frame: Frame, cells: Cells) -> tuple[Tampering, ...]:
        """Take the next frame; what began or is over with it."""
        said = self._freezes(frame) if self._live else ()
        if frame.t_ns < self._resume_ns:
            return said
        seconds = EVERY_S if self._looked_ns is None else (frame.t_ns - self._looked_ns) / 1e9
        if self._looked_ns is not None and seconds < EVERY_S:
            return said
        if seconds > GAP_S:
            self._glances.clear()
        self._looked_ns = frame.t_ns
        return said + self._compare(self._views[0].glance(cells, frame.y, min(seconds, GAP_S)), frame.t_ns)

    def switched_ir(self, t_ns: int) -> None:
        """Our own infrared filter moves at this time: there is another view in the other light, learnt by itself."""
        self._resume_ns = t_ns + round(SETTLE_S * 1e9)
        self._looked_ns = None
        self._glances.clear()
        if self._view is None or self._views[1].learnt:
            self._views.reverse()

    def close(self, t_ns: int) -> tuple[Tampering, ...]:
        """Nobody looks any more: of what is still going on nobody will say when it is over."""
        kinds, self._view, self._frozen = self.active, None, None
        return tuple(_stays(kind, t_ns, "watching ended before it did") for kind in kinds)

    def _freezes(self, frame: Frame) -> tuple[Tampering, ...]:
        why = self._repeats.step(frame.y, frame.t_ns)
        if why is not None:
            if self._frozen is None:
                self._frozen = _State(TamperKind.FROZEN, frame.t_ns)
                return (Tampering(TamperKind.FROZEN, on=True, t_ns=frame.t_ns, detail=why),)
            self._frozen.well_since_ns = None
            return ()
        return self._heals_frozen(frame.t_ns)

    def _heals_frozen(self, t_ns: int) -> tuple[Tampering, ...]:
        state = self._frozen
        if state is None or not _well_for(state, t_ns, OVER_S):
            return ()
        self._frozen = None
        return (Tampering(TamperKind.FROZEN, on=False, t_ns=t_ns, detail="the picture is live again"),)

    def _compare(self, glance: Glance, t_ns: int) -> tuple[Tampering, ...]:
        over = self._heal(glance, t_ns)
        if over:
            self._glances.clear()
            return over
        kind = self._lasting(_kind(glance), glance, t_ns)
        if kind is None or self._view is not None or (kind is TamperKind.MOVED and glance.steady < STEADY):
            return ()
        self._view = _State(kind, t_ns)
        return (Tampering(kind, on=True, t_ns=t_ns, detail=_DETAILS[kind]),)

    def _lasting(self, kind: TamperKind | None, glance: Glance, t_ns: int) -> TamperKind | None:
        """What has been wrong for long enough: the kind that most of the last glances saw."""
        while len(self._glances) > 1 and t_ns - self._glances[1][0] >= HOLD_S * 1e9:
            self._glances.popleft()
        if kind is None and (not glance.known or glance.sharpness is None):
            return None  # a part can't be told: no word for or against
        self._glances.append((t_ns, kind))
        wrong = [seen for _, seen in self._glances if seen is not None]
        lasted_s = (t_ns - self._glances[0][0]) / 1e9
        if kind is None or lasted_s < HOLD_S or len(wrong) < HOLD_SHARE * len(self._glances):
            return None
        return max(sorted(set(wrong)), key=wrong.count)

    def _heal(self, glance: Glance, t_ns: int) -> tuple[Tampering, ...]:
        """The end of what goes on, where the view is back, or was taken as the new one."""
        state = self._view
        if state is None:
            return ()
        if t_ns - state.since_ns >= ADOPT_S * 1e9:
            self._view, self._views = None, [View(), View()]
            return (_stays(state.kind, t_ns, _ADOPTED[state.kind]),)
        well = _well(state.kind, glance)
        if well is False:
            state.well_since_ns = None
        if not well or not _well_for(state, t_ns, OVER_S):
            return ()
        self._view = None
        return (Tampering(state.kind, on=False, t_ns=t_ns, detail="the view is as it was"),)


def _stays(kind: TamperKind, t_ns: int, detail: str) -> Tampering:
    return Tampering(kind, on=False, t_ns=t_ns, detail=detail, stays=True)


def _kind(glance: Glance) -> TamperKind | None:
    """What is wrong in one glance."""
    if glance.known and glance.burnt >= BURNT and glance.lost >= LOST_BLINDED:
        return TamperKind.BLINDED
    if glance.known and glance.lost >= LOST:
        return TamperKind.COVERED if glance.structure < COVERED_STRUCTURE else TamperKind.MOVED
    if glance.sharpness is not None and glance.sharpness < UNSHARP:
        return TamperKind.DEFOCUSED
    return None


def _well(kind: TamperKind, glance: Glance) -> bool | None:
    """Whether what was wrong is well again; none where that can't be told."""
    if not glance.known or (kind is TamperKind.DEFOCUSED and glance.sharpness is None):
        return None
    return glance.lost <= WELL_LOST and (glance.sharpness is None or glance.sharpness >= WELL_SHARP)


def _well_for(state: _State, t_ns: int, seconds: float) -> bool:
    """Whether it has been well for so long, this time included."""
    if state.well_since_ns is None:
        state.well_since_ns = t_ns
    return t_ns - state.well_since_ns >= seconds * 1e9
