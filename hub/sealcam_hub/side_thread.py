"""A thread beside the hub's worker that does one thing again and again; what fails in it ends the hub.

Crash-only: `check` raises what has ended it, and `serve` ends with that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sealcam.wire.errors import SealcamError, StorageError

END_S = 5.0


class SideThread:
    """Calls `run_once` every `wait_s` seconds until it is stopped; `wait` may end the pause early."""

    def __init__(
        self, name: str, run_once: Callable[[], None], wait_s: float, wait: Callable[[float], object] | None = None
    ) -> None:
        self._name = name
        self._run_once = run_once
        self._wait_s = wait_s
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        self._error: SealcamError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
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
            raise SealcamError(f"the thread for {self._name} has ended", "the lines above say why")
        return True

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._run_once()
                self._wait(self._wait_s)
        except SealcamError as error:
            self._error = error
        except OSError as error:
            self._error = StorageError(
                f"the hub's folder can't be used: {error.strerror or error}", "is its disk well?"
            )
