"""Time: what happens is ordered by the time since boot, and every event says how far its wall time can be believed."""

from __future__ import annotations

import ast
import time
import typing
from pathlib import Path

import pytest

import sealcam
from sealcam.clocks import SimulatedClock, SystemClock
from sealcam.stamps import Stamps
from sealcam.wire import bodies
from sealcam.wire.bodies import ClockQuality, Stamp

FIRMWARE = Path(sealcam.__file__).parent
# What says nothing of a time: cover says nothing at all, and a piece belongs to an event that does.
TIMELESS = {"CoverBody", "PieceBody"}
BODIES = [body for name, body in vars(bodies).items() if name.endswith("Body") and isinstance(body, type)]
WALL = {"time", "time_ns", "localtime", "gmtime", "now", "utcnow", "today"}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_event_has_a_stamp_with_the_quality_of_its_clock(body: type) -> None:
    hints = typing.get_type_hints(body)
    assert ("at" in hints) is (body.__name__ not in TIMELESS)
    assert hints.get("at", Stamp) is Stamp
    assert typing.get_type_hints(Stamp)["quality"] is ClockQuality


def test_one_file_of_the_camera_alone_reads_the_wall_clock() -> None:
    readers = set()
    for path in FIRMWARE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WALL:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in {"time", "datetime", "date"}:
                    readers.add(path.relative_to(FIRMWARE).as_posix())
    assert readers == {"clocks.py"}


def test_the_cameras_time_is_the_kernels_since_boot_suspend_included() -> None:
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    found = SystemClock().boot_ns()
    assert before <= found <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def test_a_wall_clock_that_jumps_moves_no_event_and_its_quality_is_that_of_each_moment() -> None:
    clock, quality = SimulatedClock(5_000, 1_000_000_000_000), [ClockQuality.UNKNOWN]
    stamps = Stamps(clock, lambda: quality[0])
    first = stamps.now()
    clock.advance(1)
    clock.step_wall(-500)
    second = stamps.now()
    quality[0] = ClockQuality.SYNCHRONISED
    clock.step_wall(86_400)
    third = stamps.now()
    assert first.boot == second.boot == third.boot
    assert (second.boot_ns - first.boot_ns, third.boot_ns - second.boot_ns) == (1_000_000_000, 0)
    assert second.wall_ns < first.wall_ns < third.wall_ns
    assert [one.quality for one in (first, second, third)] == [
        ClockQuality.UNKNOWN,
        ClockQuality.UNKNOWN,
        ClockQuality.SYNCHRONISED,
    ]
