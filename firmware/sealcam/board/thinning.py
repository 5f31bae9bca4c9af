"""Which pictures of a camera that gives more than was asked for are looked at: each costs a scaling. Pure."""

from __future__ import annotations


class Thinning:
    """Keeps to `fps` pictures a second on the average, by the pictures' own times."""

    def __init__(self, fps: int) -> None:
        self._period_ns = 1_000_000_000 // fps
        self._last_ns: int | None = None
        self._due_ns = 0

    def keeps(self, t_ns: int) -> bool:
        """Whether the next picture, taken at this time, is one of them.

        One that comes a quarter of a period early is: a camera that keeps to the rate itself loses none to its jitter.
        After a clock that was set back, or a pause, it begins anew.
        """
        last_ns, self._last_ns = self._last_ns, t_ns
        if last_ns is not None and t_ns >= last_ns and t_ns < self._due_ns - self._period_ns // 4:
            return False
        on_time = last_ns is not None and last_ns <= t_ns < self._due_ns + self._period_ns
        self._due_ns = (self._due_ns if on_time else t_ns) + self._period_ns
        return True
