"""Live view where nothing is recorded: an encoder that runs while somebody looks, and keeps nothing.

In the place of `taping`, with its thread between sight and the encoder. Who looks, and what leaves, is `live`'s; the
encoder's failures are `filming`'s. design/clips.md, live view.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from sealcam.board.protocols import Frame
from sealcam.filming import Filming, Tell
from sealcam.filmqueue import FilmQueue
from sealcam.live import Live
from sealcam.livetap import LiveTap
from sealcam.openclip import Recorded
from sealcam.recorder import BACK_S
from sealcam.sight.types import Report
from sealcam.taping import Kit

_log = logging.getLogger(__name__)


class Showing:
    """One eye's pictures for live view. `put`, `rest` and `end` are sight's, and never wait."""

    def __init__(self, kit: Kit, live: Live, tap: LiveTap, tell: Tell) -> None:
        self._live = live
        films = _Films(kit, live, tap, tell)
        self._queue = FilmQueue(films, lambda _: None, most_frames=kit.most_frames, tended=films)

    @property
    def done(self) -> threading.Event:
        """Set when everything up to `end` is shown, and its end is told."""
        return self._queue.done

    def put(self, frame: Frame, reports: Sequence[Report]) -> None:
        """A frame with its masks painted; held by nobody while nobody looks."""
        if self._live.running:
            self._queue.put(frame, ())

    def rest(self, reports: Sequence[Report]) -> None:
        """The source is closed for now."""
        self._queue.rest(())

    def forget(self) -> None:
        """Other masks count from the next frame on."""
        self._queue.forget()

    def end(self, reports: Sequence[Report]) -> None:
        """Nothing follows."""
        self._queue.end(())

    def run(self, beat: Callable[[], None], stop: threading.Event) -> None:
        """Encode what is to be shown until the end; a worker's body.

        Raises:
            StorageError: the owner can't be told any more.
        """
        try:
            self._queue.run(beat, stop)
        finally:
            if self._queue.passed_over:
                _log.warning("live view passed over %d frames: this board encodes too slowly", self._queue.passed_over)


class _Films:
    """What the queue feeds: an encoder for each time that somebody looks."""

    def __init__(self, kit: Kit, live: Live, tap: LiveTap, tell: Tell) -> None:
        self._live, self._tap = live, tap
        settings = kit.settings
        # A second of pictures at the most, and what an encoder may give above its rate.
        self._filming = Filming(kit.encoder, settings.fps, 4 * settings.bytes_per_s, tell, tap)
        self._last_ns: int | None = None

    def take(self, frame: Frame, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        if not self._live.running:
            return ()
        if self._last_ns is not None and frame.t_ns < self._last_ns - BACK_S * 1e9:
            self.stop()
        self._last_ns = frame.t_ns
        self._filming.take(frame)
        return ()

    def tend(self) -> None:
        self._tap.tend()
        if self._last_ns is not None and not self._live.running:
            self.stop()

    def close(self) -> None:
        self._tap.close()

    def hear(self, reports: Sequence[Report]) -> Sequence[Recorded]:
        return ()

    def stop(self, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        self._filming.stop()
        self._last_ns = None
        return ()

    def forget(self) -> Sequence[Recorded]:
        self.stop()
        self._tap.revealed()
        return ()
