"""Between sight and the recorder: sight hands over and never waits, the recorder encodes in a thread of its own.

A few frames may wait; when the recorder can't keep up, frames are passed over and counted, and what was said never is.
design/clips.md, bad input.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Protocol

from sealcam.board.protocols import Frame
from sealcam.lagging import Lag
from sealcam.openclip import Recorded
from sealcam.sight.types import Report

# Each may hold on to a whole picture of some megabytes.
MOST_FRAMES = 4
# How often the recorder shows that it is alive while nothing comes.
IDLE_S = 0.5
# How long after the process was asked to end sight's last word is waited for.
LAST_WORD_S = 1.0


class Films(Protocol):
    """What the queue feeds: a `Recorder`."""

    def take(self, frame: Frame, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        """Record a frame."""
        ...

    def hear(self, reports: Sequence[Report]) -> Sequence[Recorded]:
        """Hear what was said."""
        ...

    def stop(self, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        """The source rests."""
        ...

    def forget(self) -> Sequence[Recorded]:
        """Keep nothing of before for later clips."""
        ...


class Tended(Protocol):
    """What wants to be looked after in the recorder's thread: live view."""

    def tend(self) -> None:
        """Do what is due."""
        ...

    def close(self) -> None:
        """Nothing follows."""
        ...


class NobodyToTend:
    """Nothing is ever due."""

    def tend(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class _Mark(Enum):
    REST = auto()
    FORGET = auto()
    END = auto()


_Item = Frame | tuple[Report, ...] | _Mark


class FilmQueue:
    """One writer (sight) and one reader (`run`). `passed_over` counts frames that there was no time for; `tended` is
    looked after whether anything comes or not."""

    def __init__(
        self,
        films: Films,
        keep: Callable[[Sequence[Recorded]], None],
        *,
        most_frames: int = MOST_FRAMES,
        tended: Tended | None = None,
    ) -> None:
        self._films, self._keep, self._most_frames = films, keep, most_frames
        self._tended = tended or NobodyToTend()
        self._changed = threading.Condition()
        self._items: deque[_Item] = deque()
        self._frames = 0
        self.passed_over = 0
        self.lag = Lag()
        """Whether the reader keeps up."""
        self.done = threading.Event()
        """Everything up to `end` is recorded."""

    def put(self, frame: Frame, reports: Sequence[Report]) -> None:
        """Hand over a frame, with its masks, and what was said of it (and was told to the owner already)."""
        with self._changed:
            room = self._frames < self._most_frames
            self.lag.take(frame.t_ns, passed_over=not room)
            if room:
                self._frames += 1
                self._items.append(frame)
            else:
                self.passed_over += 1
            self._say(reports)

    def rest(self, reports: Sequence[Report]) -> None:
        """The source is closed, for now; these were its last reports."""
        with self._changed:
            self._say(reports)
            self._items.append(_Mark.REST)

    def forget(self) -> None:
        """Other masks count from the next frame on."""
        with self._changed:
            self._items.append(_Mark.FORGET)

    def end(self, reports: Sequence[Report]) -> None:
        """Nothing follows."""
        with self._changed:
            self._say(reports)
            self._items.append(_Mark.END)
            self._changed.notify_all()

    def run(self, beat: Callable[[], None], stop: threading.Event) -> None:
        """Record what comes until the end, then wait for `stop`; the body of the recorder's thread.

        Raises:
            SealcamError: as `Recorder.take`.
        """
        waited_s = 0.0
        while True:
            beat()
            self._tended.tend()
            item = self._next()
            if item is _Mark.END or (item is None and stop.is_set() and waited_s >= LAST_WORD_S):
                break
            waited_s = waited_s + IDLE_S if item is None and stop.is_set() else 0.0
            if item is not None:
                self._keep(self._record(item))
        self._keep(self._films.stop())
        beat()
        self._tended.close()
        self.done.set()
        while not stop.wait(IDLE_S):
            beat()

    def _record(self, item: _Item) -> Sequence[Recorded]:
        if isinstance(item, Frame):
            return self._films.take(item)
        if isinstance(item, _Mark):
            return self._films.forget() if item is _Mark.FORGET else self._films.stop()
        return self._films.hear(item)

    def _say(self, reports: Sequence[Report]) -> None:
        if reports:
            self._items.append(tuple(reports))
        self._changed.notify_all()

    def _next(self) -> _Item | None:
        """What comes next, or none where nothing comes for a while."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._items), IDLE_S):
                return None
            item = self._items.popleft()
            self._frames -= isinstance(item, Frame)
            return item
