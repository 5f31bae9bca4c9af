"""The thread in which `serve` takes clips in: it settles the vault first, so that a large one holds up no event."""

from __future__ import annotations

import threading

from sealcam.wire.errors import SealcamError, StorageError
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.intake import Send
from sealcam_hub.vault_settle import settle

WAIT_S = 0.25
END_S = 5.0
LATE_NS = 120_000_000_000  # for one piece: a slow card's sync takes seconds, and a key table's lock a minute


class IntakeWorker:
    """Runs the intake of one hub; `deliver` never waits and may be called from any thread."""

    def __init__(self, home: Home, feed: Feed) -> None:
        self._home = home
        self._intake = home.intake(feed)
        self.deliver = self._intake.deliver
        self._ended = threading.Event()
        self._error: SealcamError | None = None
        self._beat_ns: int | None = None  # none while it settles, which takes as long as it takes
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._send: Send = lambda _alias, _message: False

    def start(self, send: Send) -> None:
        """Begin; `send` brings a statement to a camera."""
        self._send = send
        self._thread.start()

    def stop(self) -> None:
        """End after the piece that is being taken."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def check(self) -> bool:
        """True while it runs.

        Raises:
            SealcamError: it has failed; why.
        """
        if self._error is not None:
            raise self._error
        if not self._thread.is_alive():
            raise SealcamError("clips are taken in no more", "the lines above say why")
        if self._beat_ns is not None and self._home.clock.boot_ns() - self._beat_ns > LATE_NS:
            raise SealcamError("clips are taken in no more: the disk doesn't answer", "is it all right?")
        return True

    def _run(self) -> None:
        try:
            settle(self._home.vault(), self._home.clock)
            while not self._ended.is_set():
                self._beat_ns = self._home.clock.boot_ns()
                self._intake.run_once(self._send, WAIT_S)
        except SealcamError as error:
            self._error = error
        except OSError as error:
            message = f"the folder of clips can't be used: {error.strerror or error}"
            self._error = StorageError(message, f"check who owns {self._home.folder.clips}, and its disk")
