"""Whether the first model works, from one look to the next: what the owner hears when it breaks, and when it is well.

One wrong answer between right ones is no news twice: after the first time it must go on for a while, and so must the
right answers before it is called well. Pure. See design/sight.md, detectors.
"""

from __future__ import annotations

# So long without a right answer it is broken again; so long without a wrong one it works again.
BROKEN_S, WORKS_S = 10.0, 10.0


class Soundness:
    """Takes every look of one model."""

    def __init__(self) -> None:
        self._said_broken = self._ever = False
        self._broken_since_ns: int | None = None
        self._well_since_ns: int | None = None

    def take(self, t_ns: int, *, broken: bool) -> bool | None:
        """Whether the look at this time was broken; what is news: true that the model is broken, false that it works
        again."""
        if broken:
            self._well_since_ns = None
            if self._broken_since_ns is None:
                self._broken_since_ns = t_ns
            return self._breaks(t_ns, self._broken_since_ns)
        if self._well_since_ns is None:
            self._well_since_ns = t_ns
        return self._heals(t_ns, self._well_since_ns)

    def begin_anew(self) -> None:
        """The source's time has gone back: nothing has lasted yet."""
        self._broken_since_ns = self._well_since_ns = None

    def _breaks(self, t_ns: int, since_ns: int) -> bool | None:
        if self._said_broken or (self._ever and t_ns - since_ns < BROKEN_S * 1e9):
            return None
        self._said_broken = self._ever = True
        return True

    def _heals(self, t_ns: int, since_ns: int) -> bool | None:
        if t_ns - since_ns < WORKS_S * 1e9:
            return None
        self._broken_since_ns = None
        if not self._said_broken:
            return None
        self._said_broken = False
        return False
