"""Ten thousand messages at once, some of them forged, replayed or another home's: nothing lost, nobody let in."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sealcam.wire.sealed import envelope_hash
from sealcam_hub.feed import Feed
from sealcam_hub.pump import QUEUED, Pump, RecordingLink
from tests.hubs import Camera
from tests.receiving import Desk, desk
from tests.waiting import eventually

EVENTS, CAMERAS = 10_000, 10


def sealed(at: Desk, each: int) -> dict[str, list[bytes]]:
    """What each of the home's cameras has to say, by its alias."""
    cameras = [Camera() for _ in range(CAMERAS)]
    for number, one in enumerate(cameras):
        one.claim(at.home, f"Camera {number}")
    return {one.alias: [one.incident(number) for number in range(1, each + 1)] for one in cameras}


def flipped(message: bytes) -> bytes:
    """The same, changed in its last byte."""
    return message[:-1] + bytes([message[-1] ^ 1])


@pytest.mark.slow
def test_ten_thousand_events_at_once_are_each_in_the_ledger_once_and_receipted(tmp_path: Path) -> None:
    with desk(tmp_path / "hub") as at, desk(tmp_path / "another") as other:
        own = sealed(at, EVENTS // CAMERAS)
        foreign = [other.camera.incident(number) for number in range(1, 101)]
        pump, link = Pump(at.receiver, at.home.wishes(), Feed(), at.clock), RecordingLink()
        pushed = threading.Event()

        def push() -> None:
            """As a broker does that has kept all of it: every camera's in turn, and whatever else came in between."""
            for row in zip(*own.values(), strict=True):
                for alias, message in zip(own, row, strict=True):
                    pump.deliver(alias, message)
            for number, (alias, messages) in enumerate(own.items()):
                for message in messages[:10]:
                    pump.deliver(alias, flipped(message))
                    pump.deliver(alias, message)
                for message in foreign[10 * number : 10 * number + 10]:
                    pump.deliver(alias, message)
            pushed.set()

        thread = threading.Thread(target=push, name="broker")
        thread.start()
        deepest = taken = 0
        while not pushed.is_set() or not pump.queue.empty():
            deepest = max(deepest, pump.queue.qsize())
            taken += pump.run_once(link, 0.1)
        thread.join()
        eventually(lambda: pump.run_once(link, 0) == 0)

        assert taken == EVENTS + 300
        assert deepest <= QUEUED, "the rest waits at the broker"
        counts = at.home.ledger().counts()
        assert (counts.incidents, counts.repeats) == (EVENTS, 100)
        assert counts.refused_by_kind == (("forged", 200),)
        assert at.notices() == []
        lines = at.home.ledger().lines(limit=EVENTS + 1)
        assert len(lines) == len({(line.alias, line.seq) for line in lines}) == EVENTS
        receipted = {at.camera.receipted(message) for _, message in link.sent}
        assert receipted == {envelope_hash(one) for messages in own.values() for one in messages}
