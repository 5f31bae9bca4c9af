"""The recording side of an eye in one piece: recorder and the thread between sight and it.

Sight hands over its frames and what it said; clips appear in the folder, their keys and fates in the outbox. The parts
decide: `recorder` what becomes a clip, `clip_store` what is kept, `filmqueue` what waits. design/clips.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealcam.board.protocols import Encoder, Frame
from sealcam.clip_settings import ClipSettings
from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder
from sealcam.filming import NO_TAP
from sealcam.filmqueue import MOST_FRAMES, FilmQueue
from sealcam.keystore import Keystore
from sealcam.livetap import LiveTap
from sealcam.openclip import Recorded
from sealcam.recorder import Parts, Recorder
from sealcam.sealer import Sealer
from sealcam.sealing import Sealing
from sealcam.sight.types import Report
from sealcam.stamps import Stamps
from sealcam.wire.errors import StorageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kit:
    """What the configuration says of recording: the settings, an encoder for each stretch, the camera's name.

    `most_frames` may wait for the encoder: a few, where frames come in real time.
    """

    settings: ClipSettings
    encoder: Callable[[], Encoder]
    name: str | None = None
    most_frames: int = MOST_FRAMES


class Taping:
    """One eye's recording. `put`, `rest` and `end` are sight's, never wait, and come after the owner was told."""

    def __init__(
        self,
        kit: Kit,
        folder: ClipFolder,
        store: ClipStore,
        keys: Keystore,
        sealing: Sealing,
        sealer: Sealer,
        stamps: Stamps,
        live: LiveTap | None = None,
    ) -> None:
        """Clips go to `folder` and are taken up in `store`; `live` is shown what is encoded."""
        self._folder, self._store, self._keys, self._sealing, self._sealer = folder, store, keys, sealing, sealer
        parts = Parts(
            settings=kit.settings,
            encoder=kit.encoder,
            folder=folder,
            seal=sealing.clip_seal,
            stamp=stamps.at,
            voice=sealer,
            recover=self._recover,
            name=kit.name,
            room=self._make_room,
            tap=live or NO_TAP,
        )
        self._longest_bytes = kit.settings.longest_bytes
        self._stale = False  # the index lacks a clip that is there
        self._queue = FilmQueue(Recorder(parts), self._keep, most_frames=kit.most_frames, tended=live)

    @property
    def done(self) -> threading.Event:
        """Set when everything up to `end` is recorded and told."""
        return self._queue.done

    def put(self, frame: Frame, reports: Sequence[Report]) -> None:
        """A frame with its masks painted, and what was said of it."""
        self._queue.put(frame, reports)

    def rest(self, reports: Sequence[Report]) -> None:
        """The source is closed for now; these were its last reports."""
        self._queue.rest(reports)

    def forget(self) -> None:
        """Other masks count from the next frame on: what was seen before is in no later clip."""
        self._queue.forget()

    def end(self, reports: Sequence[Report]) -> None:
        """Nothing follows."""
        self._queue.end(reports)

    def run(self, beat: Callable[[], None], stop: threading.Event) -> None:
        """Record until the end; a worker's body.

        Raises:
            SealcamError: the owner can't be told any more.
        """
        try:
            self._queue.run(lambda: self._keeps_up(beat), stop)
        finally:
            if self._queue.passed_over:
                _log.warning("recording passed over %d frames: this board encodes too slowly", self._queue.passed_over)

    def _keeps_up(self, beat: Callable[[], None]) -> None:
        """The recorder is alive; tell whether it is fast enough."""
        beat()
        self._queue.lag.tell(self._sealer.health)

    def _keep(self, recorded: Sequence[Recorded]) -> None:
        """Take up what has ended; where the index can't be written, the folder is read before the next clip begins."""
        try:
            self._store.keep(recorded)
        except StorageError as error:
            _log.warning("%s", error.message)
            self._stale = True

    def _make_room(self) -> None:
        if self._stale:
            self._store.take_stock()
            self._stale = False
        self._store.make_room(self._longest_bytes)

    def _recover(self) -> None:
        """Close and tell what a failed disk left open; no keys change meanwhile."""
        seal = self._sealing.clip_seal()
        try:
            self._folder.recover(self._keys.publics, seal.signer, seal.epoch, self._sealer.clip)
        finally:
            seal.term.close()
        self._store.take_stock()


class NotTaping:
    """No clips are recorded: takes everything, keeps nothing."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.done.set()

    def put(self, frame: Frame, reports: Sequence[Report]) -> None:
        """Nothing is kept of it."""

    def rest(self, reports: Sequence[Report]) -> None:
        """Nothing runs."""

    def forget(self) -> None:
        """Nothing is known."""

    def end(self, reports: Sequence[Report]) -> None:
        """Nothing runs."""
