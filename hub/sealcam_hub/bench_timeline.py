"""How soon the timeline answers among many incidents, whose reports all open.

As `bench`: a hub of its own in a temporary folder, nothing of a real one is touched, and no test asserts a speed.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from sealcam.wire.bodies import Verdict
from sealcam_hub import setup
from sealcam_hub.bench import ALIAS, BenchCamera, Figure, known
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.gists import Wanted
from sealcam_hub.gists_tables import gists
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import content_keys, envelopes, events, incidents
from sealcam_hub.timeline import Timeline

PAGE = 24
TIMES = 20
AT_ONCE = 1000
RARE = 50  # one incident in so many is a threat; the oldest alone is a false alarm
_TAKEN = (Verdict.FALSE_ALARM, Verdict.BENIGN, Verdict.THREAT)


def figures(where: Path | None = None, count: int = 100_000) -> Iterator[Figure]:
    """Of a hub with `count` incidents of one report each; `where` is the disk for its ledger."""
    with tempfile.TemporaryDirectory(prefix="sealcam-hub-bench-", dir=where) as path:
        folder = Folder(Path(path))
        setup.make_hub(folder, Address("localhost", 8883), lambda _words: None)
        with open_home(folder, SystemClock()) as home:
            camera, _ = known(home)
            _fill(home, camera, count)
        with open_home(folder, SystemClock()) as home:
            yield from _measured(home, count)


def _fill(home: Home, camera: BenchCamera, count: int) -> None:
    """Take in three reports, and put the rows of two there again and again: each opens.

    Their places in the chain would take an hour to seal and tell the timeline nothing.
    """
    receiver = Receiver(home.store, home.keys, home.clock)
    timeline = home.timeline()
    timeline.keep_up()
    sent = [camera.event(None, number, verdict) for number, verdict in enumerate(_TAKEN)]
    receiver.take_all([Message(ALIAS, one, number) for number, one in enumerate(sent)])
    timeline.keep_up()
    with home.store.writing() as connection:
        event = _rows(connection, select(events).order_by(events.c.seq))
        gist = _rows(connection, select(gists).order_by(gists.c.incident))
        parts = {
            table: {row["hash"]: row for row in _rows(connection, select(table))} for table in (envelopes, content_keys)
        }
        for first in range(len(_TAKEN), count, AT_ONCE):
            new = [
                (secrets.token_bytes(32), number, number.to_bytes(8, "big"), 2 if number % RARE == 0 else 1)
                for number in range(first, min(first + AT_ONCE, count))
            ]
            copies = [
                event[which] | {"hash": name, "seq": number + 1, "incident": incident, "arrived_ns": number}
                for name, number, incident, which in new
            ]
            connection.execute(insert(events), copies)
            for table, rows in parts.items():
                copies = [rows[event[which]["hash"]] | {"hash": name} for name, _, _, which in new]
                connection.execute(insert(table), copies)
            copies = [{"camera": 1, "incident": incident, "arrived_ns": number} for _, number, incident, _ in new]
            connection.execute(insert(incidents), copies)
            connection.execute(insert(gists), [gist[which] | {"incident": incident} for _, _, incident, which in new])


def _rows(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _measured(home: Home, count: int) -> Iterator[Figure]:
    """Each filter, on pages that lie apart, so that nothing of them was opened before."""
    timeline = home.timeline()
    begun_s = time.process_time()
    while True:
        timeline.keep_up()
        if not timeline.more:
            break
    of = f"{count} incidents"
    took_s = time.process_time() - begun_s
    yield Figure("hub, timeline, taken up", round(took_s, 2), "s", f"{of}, once at the start, on a thread beside")
    asked = (
        ("newest page", Wanted(), PAGE),
        ("page of a camera", Wanted(camera=ALIAS), PAGE),
        ("page of a subject", Wanted(subject="person"), PAGE),
        ("page of a verdict", Wanted(verdict="threat"), PAGE),
        ("page of a day", Wanted(since_ns=count // 4, until_ns=count), PAGE),
        ("page of words", Wanted(words=("person", "armed")), PAGE),
        ("page of the rarest verdict", Wanted(verdict="false_alarm"), 1),
        ("page of words that none has", Wanted(words=("sauna",)), 0),
    )
    for number, (name, wanted, found) in enumerate(asked):
        before = [count - at * count // (2 * TIMES) - 4 * PAGE * number for at in range(TIMES)]
        yield _figure(timeline, name, wanted, found, before, of)
    yield _figure(timeline, "last page", Wanted(), PAGE, [PAGE] * TIMES, of)
    yield _figure(timeline, "newest page again", Wanted(), PAGE, [count] * TIMES, of)


def _figure(timeline: Timeline, name: str, wanted: Wanted, found: int, before: Sequence[int], of: str) -> Figure:
    wall_ms, processor_ms = zip(*(_took_ms(timeline, wanted, one, found) for one in before), strict=True)
    worst = sorted(wall_ms)[int(0.95 * (len(wall_ms) - 1))]
    how = f"{found} of {of}; median of {len(before)}, p95 {worst:.0f} ms, "
    how += f"processor time {statistics.median(processor_ms):.0f} ms"
    return Figure(f"hub, timeline, {name}", round(statistics.median(wall_ms), 1), "ms", how)


def _took_ms(timeline: Timeline, wanted: Wanted, before: int, found: int) -> tuple[float, float]:
    """Wall time and processor time of a page."""
    begun, processor = time.perf_counter(), time.process_time()
    page = timeline.page(wanted, PAGE, before)
    took = 1000 * (time.perf_counter() - begun), 1000 * (time.process_time() - processor)
    if len(page.incidents) != found:
        raise AssertionError("the hub's own timeline lacks incidents")
    return took
