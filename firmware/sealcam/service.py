"""Crash-only supervision: a process is healthy while every worker beats, and otherwise it ends.

A service runs named workers, each a thread with a deadline for its beat. A worker that raises, ends or misses
its beat stops the process with one line that says why; the supervisor above (systemd) starts it again. There
is no restart logic here, with one exception: `LinkDown` is not a failure, so a worker that lets it through is
run again. What to do in a worker is left to `eye` and `post`, how to tell systemd to `notify`. See design/pipeline.md.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from sealcam.clocks import Clock
from sealcam.notify import Notifier, harden, notifier_from_environment
from sealcam.wire.errors import LinkDown, SealcamError, describe

__all__ = ["Beat", "Notifier", "Service", "harden"]

_log = logging.getLogger(__name__)

Beat = Callable[[], None]

TICK_S = 0.2  # how often beats are looked at; also the longest a signal waits
START_S = 60.0  # the first beat may take this long: models are loaded and devices opened before it
GRACE_S = 5.0  # how long workers may take to end after `stop`
RETRY_S = 2.0  # pause before a worker that let `LinkDown` through is run again
_NS = 1_000_000_000


@dataclass(eq=False, slots=True)
class _Worker:
    """One thread, what it runs, and when it beat last."""

    name: str
    run: Callable[[Beat], None]
    deadline_ns: int
    late: Callable[[], None]
    beat_ns: int = 0
    beaten: bool = False
    thread: threading.Thread | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class Service:
    """Named workers of one process, watched together.

    `stop` is set when the process should end, by a signal, a failure or `finish`; workers return soon after.
    """

    def __init__(self, name: str, clock: Clock, notify: Notifier | None = None, *, grace_s: float = GRACE_S) -> None:
        self.stop = threading.Event()
        self._name = name
        self._clock = clock
        self._notify = notify if notify is not None else notifier_from_environment()
        self._grace_s = grace_s
        self._workers: list[_Worker] = []
        self._wake = threading.Event()
        self._signalled = False
        self._code = 0

    def add(
        self,
        worker_name: str,
        run: Callable[[Beat], None],
        deadline_s: float = 10.0,
        late: Callable[[], None] = lambda: None,
    ) -> None:
        """Add a worker, before `run`; its `run(beat)` loops until `stop` and beats at least every `deadline_s`.

        `late` is called where it doesn't, before the process ends, and raises nothing.
        """
        self._workers.append(_Worker(worker_name, run, round(deadline_s * _NS), late))

    def finish(self, code: int = 0) -> None:
        """End in order with `code`; from any thread."""
        self._code = self._code or code
        self.stop.set()
        self._wake.set()

    def status(self, text: str) -> None:
        """Say in `systemctl status` what is going on, in one line."""
        self._notify.send(f"STATUS={text}")

    def run(self) -> int:
        """Run until a worker fails, a signal comes or `finish` is called; the exit code. Raises nothing."""
        with _Signals(self._on_signal):
            self._start()
            failed = self._watch()
            self.stop.set()
            self._notify.send("STOPPING=1")
            self._join(failed)
        return self._code

    def _start(self) -> None:
        now_ns = self._clock.boot_ns()
        for worker in self._workers:
            worker.beat_ns = now_ns
            name = f"{self._name}-{worker.name}"
            worker.thread = threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
            worker.thread.start()

    def _work(self, worker: _Worker) -> None:
        """The body of a worker's thread: the one place where every exception is caught."""

        def beat() -> None:
            worker.beat_ns = self._clock.boot_ns()
            worker.beaten = True

        told = ""
        try:
            while True:
                try:
                    worker.run(beat)
                    return
                except LinkDown as error:
                    if error.message != told:
                        _log.warning("%s: %s; trying again", worker.name, error.message)
                        told = error.message
                    beat()
                    if self._clock.wait(self.stop, RETRY_S):
                        return
        except Exception as error:  # noqa: BLE001  the top loop: whatever it was, the process ends
            worker.error = error
        finally:
            worker.ended.set()
            self._wake.set()

    def _watch(self) -> _Worker | None:
        """Watch beats until the process should end; the worker that failed, if one did."""
        ready = False
        watchdog_ns = last_ns = self._clock.boot_ns()
        while not self.stop.is_set():
            now_ns = self._clock.boot_ns()
            failed = self._failed(now_ns, now_ns - last_ns)
            last_ns = now_ns
            if failed is not None:
                return failed
            if not ready and all(worker.beaten for worker in self._workers):
                ready = True
                self._notify.send("READY=1")
            if now_ns >= watchdog_ns:
                watchdog_ns = now_ns + self._notify.watchdog_ns
                self._notify.send("WATCHDOG=1")
            self._clock.wait(self._wake, TICK_S)
            self._wake.clear()
            if self._signalled:
                self.stop.set()
        return None

    def _failed(self, now_ns: int, gap_ns: int) -> _Worker | None:
        """The first worker that raised, ended by itself or is late, with its line said."""
        for worker in self._workers:
            if worker.ended.is_set() and not self.stop.is_set():
                return self._fail(worker, worker.error or SealcamError(f"worker {worker.name} ended by itself"))
        if gap_ns > 5 * _NS:  # this thread did not run either (suspended, stopped): it can't judge
            for worker in self._workers:
                worker.beat_ns = max(worker.beat_ns, now_ns)
            return None
        for worker in self._workers:
            allowed_ns = worker.deadline_ns if worker.beaten else max(worker.deadline_ns, round(START_S * _NS))
            if now_ns - worker.beat_ns > allowed_ns:
                late_s = (now_ns - worker.beat_ns) / _NS
                worker.late()
                return self._fail(worker, SealcamError(f"worker {worker.name} gave no beat for {late_s:.0f} s"))
        return None

    def _fail(self, worker: _Worker, error: Exception) -> _Worker:
        if isinstance(error, SealcamError):
            self._code = error.exit_code
            said = describe("sealcam", error)
        else:  # a bug. Its message may hold what no log may hold, so only its type and place are told
            self._code = 1
            place = _place(error.__traceback__)
            said = f"sealcam: error: worker {worker.name} failed: {type(error).__name__}{place}"
            _log.debug("worker %s failed", worker.name, exc_info=error)
        sys.stderr.write(said + "\n")
        sys.stderr.flush()
        self._notify.send("STATUS=" + said.splitlines()[0])
        return worker

    def _join(self, failed: _Worker | None) -> None:
        """Give the others time to end; what was failed for being late is not waited for."""
        for worker in self._workers:
            if worker is failed or worker.thread is None:
                continue
            worker.thread.join(self._grace_s)
            if worker.thread.is_alive():
                self._code = self._code or 1
                sys.stderr.write(f"sealcam: error: worker {worker.name} did not end within {self._grace_s:g} s\n")
            elif failed is None and worker.error is not None:
                failed = self._fail(worker, worker.error)

    def _on_signal(self) -> None:
        # Only a flag: setting an Event from a handler can deadlock with this same thread waiting on it.
        self._signalled = True


class _Signals:
    """SIGTERM and SIGINT go to `callback`, where the process's main thread runs this; elsewhere nothing does."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._before: list[tuple[signal.Signals, signal._HANDLER]] = []

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before.append((number, signal.signal(number, self._handle)))

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._callback()


def _place(trace: TracebackType | None) -> str:
    """` at file.py:12`, the innermost place of a traceback, or nothing."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
