"""Many simulated cameras against a hub that runs, and whether every event is in its ledger exactly once.

For measuring and for soaks: the envelopes, the broker and the hub are real. It enrols cameras, which is no thing to do
to the hub of a home: one that has other cameras is refused.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import func, select

from sealcam.wire.errors import ConfigError
from sealcam_hub.home import Home
from sealcam_hub.notices import NoticeKind
from sealcam_hub.simulated import SimulatedCamera
from sealcam_hub.simulated_link import SimulatedLink
from sealcam_hub.tables import APPENDED, cameras, events, journal, notices

NAME = "Simulated"
PAUSE_S = 0.005
_WRONG = (NoticeKind.GAP, NoticeKind.CLONE, NoticeKind.UNOPENABLE, NoticeKind.FULL)


@dataclass(frozen=True, slots=True)
class Load:
    """How much: `rate` events a second of each camera, 0 as fast as they are receipted; `window` may wait for it.

    Raises:
        ConfigError: nothing would be sent.
    """

    cameras: int
    seconds: float
    rate: float = 0.0
    window: int = 4
    picture_bytes: int = 8192
    drain_s: float = 60.0

    def __post_init__(self) -> None:
        if self.cameras < 1 or self.window < 1 or not self.seconds > 0 or not self.rate >= 0:
            raise ConfigError(
                "nothing would be sent", "one camera, one event that waits, and some seconds at the least"
            )


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; delays from the first sending to the receipt. `wrong` says what isn't as it should be."""

    events: int
    receipted: int
    sent_again: int
    seconds: float
    rate: float
    p50_ms: float
    p95_ms: float
    worst_ms: float
    wrong: tuple[str, ...]


def simulate(home: Home, load: Load, each: Callable[[], None] = lambda: None) -> Result:
    """Run so many cameras for so long; `each` is called all the time meanwhile.

    Raises:
        ConfigError: the hub has cameras that aren't simulated.
        StorageError: the ledger can't be read or written.
    """
    before = _only_simulated(home)
    numbers = range(before + 1, before + load.cameras + 1)
    fleet = [SimulatedCamera(home, f"{NAME} {number}", load.window, load.picture_bytes) for number in numbers]
    authority, clock = home.folder.path / "ca" / "ca.pem", home.clock
    with ExitStack() as stack:

        def linked(camera: SimulatedCamera) -> SimulatedLink:
            def hear(message: bytes) -> None:
                camera.hear(message, clock.boot_ns())

            return stack.enter_context(SimulatedLink(camera, home.settings.broker, authority, hear))

        pairs = [(camera, linked(camera)) for camera in fleet]
        begun_ns = clock.boot_ns()
        _run(home, load, pairs, begun_ns, each)
        seconds = (clock.boot_ns() - begun_ns) / 1e9
        until_ns = clock.boot_ns() + int(load.drain_s * 1e9)
        while any(camera.waiting for camera in fleet) and clock.boot_ns() < until_ns:
            _repeat(home, pairs)
            each()
            time.sleep(PAUSE_S)
    return _result(fleet, seconds, (*_unreceipted(fleet), *check(home, fleet)))


def _only_simulated(home: Home) -> int:
    with home.store.reading() as connection:
        names = connection.execute(select(cameras.c.name)).scalars().all()
    if not all(name.startswith(f"{NAME} ") for name in names):
        raise ConfigError("this hub has real cameras", "make one for the purpose: sealcam-hub --state DIR init")
    return len(names)


def _run(
    home: Home,
    load: Load,
    pairs: Sequence[tuple[SimulatedCamera, SimulatedLink]],
    begun_ns: int,
    each: Callable[[], None],
) -> None:
    gap_ns = int(1e9 / load.rate) if load.rate else 0
    spread_ns = gap_ns // max(1, len(pairs))
    next_ns = [begun_ns + number * spread_ns for number in range(len(pairs))]
    while (now_ns := home.clock.boot_ns()) - begun_ns < load.seconds * 1e9:
        for number, (camera, link) in enumerate(pairs):
            if now_ns < next_ns[number] or not link.up:
                continue
            made = camera.event(home.clock.boot_ns(), home.clock.wall_ns())
            if made is not None:
                next_ns[number] += max(gap_ns, 0)
                link.send(made)
        _repeat(home, pairs)
        each()
        time.sleep(PAUSE_S)


def _repeat(home: Home, pairs: Sequence[tuple[SimulatedCamera, SimulatedLink]]) -> None:
    for camera, link in pairs:
        for message in camera.due(home.clock.boot_ns(), home.clock.wall_ns()) if link.up else ():
            link.send(message)


def _unreceipted(fleet: Sequence[SimulatedCamera]) -> tuple[str, ...]:
    return tuple(f"{one.name}: {one.waiting} events have no receipt" for one in fleet if one.waiting)


def check(home: Home, fleet: Sequence[SimulatedCamera]) -> tuple[str, ...]:
    """What of these cameras' events isn't in the ledger exactly once, in its place, and quietly.

    Raises:
        StorageError: the ledger can't be read.
    """
    wrong = []
    with home.store.reading() as connection:
        for one in fleet:
            camera = connection.execute(select(cameras.c.id).where(cameras.c.alias == one.alias)).scalar_one()
            kept = select(events.c.seq, events.c.hash, events.c.status).where(events.c.camera == camera)
            rows = connection.execute(kept.order_by(events.c.seq)).all()
            if [(row.seq, row.hash) for row in rows] != list(enumerate(one.sent, 1)):
                wrong.append(f"{one.name}: {len(rows)} events in the ledger, {len(one.sent)} sent")
            if any(row.status != APPENDED for row in rows):
                wrong.append(f"{one.name}: not all of them are appended")
            lines = select(func.count(), func.count(journal.c.event.distinct())).select_from(journal)
            lines = lines.join(events, events.c.hash == journal.c.event).where(events.c.camera == camera)
            counted = tuple(connection.execute(lines).one())
            if counted != (len(one.sent), len(one.sent)):
                wrong.append(f"{one.name}: {counted[0]} lines of {counted[1]} events in the journal")
            told = select(notices.c.kind).where(notices.c.camera == camera)
            found = connection.execute(told.where(notices.c.kind.in_([kind.value for kind in _WRONG]))).scalars()
            wrong += [f"{one.name}: told of a {kind}" for kind in found]
    return tuple(wrong)


def _result(fleet: Sequence[SimulatedCamera], seconds: float, wrong: tuple[str, ...]) -> Result:
    delays_ms = sorted(delay / 1e6 for one in fleet for delay in one.delays_ns) or [0.0]
    return Result(
        events=sum(len(one.sent) for one in fleet),
        receipted=sum(len(one.delays_ns) for one in fleet),
        sent_again=sum(one.again for one in fleet),
        seconds=round(seconds, 1),
        rate=round(sum(len(one.sent) for one in fleet) / seconds, 1),
        p50_ms=round(statistics.median(delays_ms), 1),
        p95_ms=round(delays_ms[int(0.95 * (len(delays_ms) - 1))], 1),
        worst_ms=round(delays_ms[-1], 1),
        wrong=wrong,
    )
