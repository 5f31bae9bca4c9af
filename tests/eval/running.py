"""Runs jobs, a process for each core, and keeps each result by its job's key: whole, or not at all.

A job sees one process and one thread, so that its result is the same however many run beside it. What runs when it
was interrupted is run again; what was kept stays. See design/sight.md, how it is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

import cv2

from sealcam_verdict.train import model_for
from tests.eval import mog2, motion, watching
from tests.eval.plan import Job
from tests.eval.progress import Progress
from tests.eval.records import Run

# These take the time that the footage lasts, and little else: so many run at once, once the cores have nothing else.
LIVE, LIVE_AT_ONCE = frozenset({"motion"}), 4
SYSTEMS: dict[str, Callable[[Job], Run]] = {"sealcam": watching.watch, "mog2": mog2.watch, "motion": motion.watch}
# Hours of work go behind whatever somebody does meanwhile.
NICE = 10


def run(jobs: Iterable[Job], folder: Path, workers: int, progress: Progress) -> None:
    """Run every job and keep its result in `folder`; several at once, begun in their order.

    Raises:
        SealcamError: a job's; those that ran beside it are finished and kept, the rest is not begun.
    """
    jobs = list(jobs)
    live = [job for job in jobs if job.system in LIVE]
    busy = [job for job in jobs if job.system not in LIVE]
    if busy:
        _prepare(busy)
        # Spawned, not forked: a runtime's threads don't live on in a fork, and a job begins the same everywhere.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(busy)), context, _begin_worker) as pool:
            _through(pool, busy, folder, workers, progress)
    if live:
        with ThreadPoolExecutor(LIVE_AT_ONCE) as pool:
            _through(pool, live, folder, LIVE_AT_ONCE, progress)


def kept(folder: Path, job: Job) -> Path:
    """Where a job's result is kept."""
    return folder / f"{job.key}.json"


def run_and_keep(folder: Path, job: Job) -> float:
    """Run a job in this thread; its file is there whole, or not at all. How long it took, in seconds."""
    begun = time.monotonic()
    found = SYSTEMS[job.system](job)
    partial = folder / f"{job.key}.{os.getpid()}.new"
    partial.write_text(found.to_json(), encoding="utf-8")
    partial.replace(kept(folder, job))
    return time.monotonic() - begun


def _through(pool: Executor, jobs: Sequence[Job], folder: Path, at_once: int, progress: Progress) -> None:
    """As many at a time as run at once, so that nothing waits in the pool when it ends early."""
    waiting = iter(jobs)
    running: dict[Future[float], Job] = {}
    while True:
        for job in islice(waiting, at_once - len(running)):
            progress.begin(job)
            running[pool.submit(run_and_keep, folder, job)] = job
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            progress.done(running.pop(future), future.result())


def _prepare(jobs: Sequence[Job]) -> None:
    """Train the verdict models that the jobs are judged by, once: every worker finds them where training keeps them."""
    for name in dict.fromkeys(job.clip.path.name for job in jobs if job.system == "sealcam"):
        model_for(name)


def _begin_worker() -> None:
    """One thread, behind others, and gone with the process that began it, or at once where that one is interrupted."""
    cv2.setNumThreads(1)
    os.nice(max(0, NICE - os.nice(0)))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
