"""How much a second worker adds: the same events, sealed beforehand, taken in by one process and by two.

A hub of its own with its ledger in an empty PostgreSQL database; no broker, since what deals and who seals would take
the processors that are to be measured. A shared subscription deals as it likes, so two ways are measured: each camera's
events to one worker, and mixed, every other one to the other, so that each finds gaps in every chain which the other
fills. No test asserts a speed.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import func, select

from sealcam_hub import database, setup, tables
from sealcam_hub.bench import Figure, known
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import load_keys
from sealcam_hub.postgres import Where
from sealcam_hub.pump import BATCH
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import APPENDED, events

CAMERAS = 32  # even: dealt in turns, each camera's events go to one worker
EACH = 64  # events of each camera in one run
ROUNDS = 5  # of one worker, then two, then two mixed
START_S = 120.0
Ran = tuple[float, float, float]
"""When a worker began and ended, in seconds of the machine's clock, and its processor time."""


@dataclass(frozen=True, slots=True)
class Run:
    """How long a run took, and how much processor time its workers, in seconds."""

    seconds: float
    processor_s: float


def figures(url: str, where: Path | None = None, each: int = EACH, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Of the empty database at `url`; `where` is the disk for the hub's folder.

    Raises:
        ConfigError: that is no address of a database.
        StorageError: it can't be reached, or isn't empty.
    """
    with tempfile.TemporaryDirectory(prefix="sealcam-hub-bench-", dir=where) as path:
        folder = Folder(Path(path))
        setup.make_hub(folder, Address("localhost", 8883), lambda _words: None)
        database.move(folder, load_keys(folder).table.wrap, Where.parse(url))
        with open_home(folder, SystemClock()) as home:
            try:
                yield from _measured(home, each, rounds)
            finally:
                with home.store.writing() as connection:
                    tables.metadata.drop_all(connection)


def _measured(home: Home, each: int, rounds: int) -> Iterator[Figure]:
    one, two, mixed = runs = [list[Run](), list[Run](), list[Run]()]
    for _ in range(rounds):
        for ran, workers, shift in zip(runs, (1, 2, 2), (0, 0, 1), strict=True):
            ran.append(_run(home, _sealed(home, each), workers, shift))
    count = CAMERAS * each
    how = f"{count} events of {CAMERAS} cameras, sealed before, in batches of {BATCH}; PostgreSQL; {rounds} times in "
    how += f"turns, medians; {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}"
    for name, ran in (("one worker", one), ("two workers", two), ("two workers, mixed", mixed)):
        processor_us = 1e6 * statistics.median(each_run.processor_s for each_run in ran) / count
        rate = count / statistics.median(each_run.seconds for each_run in ran)
        yield Figure(f"hub, {name}", round(rate), "1/s", f"{how}; {processor_us:.0f} us of their processor time each")
    for name, ran in (("two workers", two), ("two workers, mixed,", mixed)):
        ratio = statistics.median(alone.seconds / both.seconds for alone, both in zip(one, ran, strict=True))
        yield Figure(f"hub, {name} over one", round(ratio, 2), "x", how)


def _sealed(home: Home, each: int) -> list[Message]:
    """Events of cameras that are new to the hub, in turns."""
    with home.store.reading() as connection:
        last = connection.execute(select(func.max(tables.cameras.c.id))).scalar() or 0
    fleet = {f"{last + at:016x}": known(home, last + at, f"{last + at:016x}")[0] for at in range(1, CAMERAS + 1)}
    turns = [(alias, camera.event(None)) for _ in range(each) for alias, camera in fleet.items()]
    return [Message(alias, made, home.clock.wall_ns() + at) for at, (alias, made) in enumerate(turns)]


def _run(home: Home, messages: Sequence[Message], workers: int, shift: int) -> Run:
    """From the first worker's beginning to the last one's end, after which the ledger has everything."""
    before = _appended(home)
    context = multiprocessing.get_context("spawn")
    ready, ran = context.Barrier(workers), context.Queue()
    shares: list[list[Message]] = [[] for _ in range(workers)]
    for at, one in enumerate(messages):
        shares[(at + shift * (at // CAMERAS)) % workers].append(one)
    processes = [context.Process(target=_work, args=(home.folder.path, share, ready, ran)) for share in shares]
    for process in processes:
        process.start()
    times = [ran.get(timeout=START_S) for _ in processes]
    for process in processes:
        process.join()
    if _appended(home) - before != len(messages):
        raise AssertionError("the hub's own bench lost events")
    begun, ended, processor_s = zip(*times, strict=True)
    return Run(max(ended) - min(begun), sum(processor_s))


def _appended(home: Home) -> int:
    with home.store.reading() as connection:
        query = select(func.count()).select_from(events).where(events.c.status == APPENDED)
        return connection.execute(query).scalar_one()


def _work(path: Path, mine: Sequence[Message], ready: Barrier, ran: Queue[Ran]) -> None:
    """What a worker does with what it is dealt."""
    with open_home(Folder(path), SystemClock()) as home:
        receiver = Receiver(home.store, home.keys, home.clock)
        ready.wait(START_S)
        begun, processor_s = time.monotonic(), time.process_time()
        for first in range(0, len(mine), BATCH):
            receiver.take_all(mine[first : first + BATCH])
        ran.put((begun, time.monotonic(), time.process_time() - processor_s))
