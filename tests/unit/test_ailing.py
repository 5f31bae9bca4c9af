"""Troubles with models: blindness is as urgent as an alarm while the camera is armed, and is not forgotten before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.ailing import Ailing
from sealcam.clocks import SimulatedClock
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.panel import Trouble
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, HealthBody
from tests.claimed import household

BLIND = Trouble("model-broken", "the first model is broken", blind=True)
WELL = Trouble("model-works", "it works again", blind=False)
SECOND = Trouble("model-second-broken", "the second one is broken")


class _Told:
    """An ailing camera, and what it queues."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self._home, self._outbox = household(folder), outbox
        clock = SimulatedClock(boot_ns=10**12)
        stamps = Stamps(clock, lambda: ClockQuality.UNKNOWN)
        watching = Watching(frames=0, dropped=0, newest_ns=0, mode=ArmMode.HOME)
        sealing = Sealing(self._home.camera, outbox, stamps.now)
        self._ailing = Ailing(Sealer(sealing, clock, lambda: watching, stamps))

    def tell(self, mode: ArmMode, *troubles: Trouble) -> list[tuple[str, bool]]:
        """The codes that were queued, and whether they are urgent."""
        said = self._ailing.tell(troubles, mode)
        found = []
        while (item := self._outbox.next(0)) is not None:
            body = schema.decode(self._home.open(item.envelope).body, HealthBody)
            found.append((body.code, item.urgency == 0))
            self._outbox.published(item.seq, 0)
        assert said == bool(found)
        return found


@pytest.fixture
def told(tmp_path: Path) -> Iterator[_Told]:
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=1 << 22)
    yield _Told(tmp_path, outbox)
    outbox.close()


@pytest.mark.parametrize(
    ("mode", "urgent"),
    [(ArmMode.OFF, False), (ArmMode.HOME, False), (ArmMode.AWAY, True), (ArmMode.NIGHT, True)],
)
def test_blindness_is_urgent_while_armed_away_or_at_night(told: _Told, mode: ArmMode, urgent: bool) -> None:
    assert told.tell(mode, BLIND) == [("model-broken", urgent)]
    assert told.tell(mode) == []
    assert told.tell(mode, WELL, SECOND) == [("model-works", False), ("model-second-broken", False)]


def test_who_arms_a_blind_camera_is_told_that_it_is(told: _Told) -> None:
    told.tell(ArmMode.HOME, BLIND)
    assert told.tell(ArmMode.HOME) == []
    assert told.tell(ArmMode.NIGHT) == [("model-broken", True)]
    assert told.tell(ArmMode.NIGHT) == []


def test_what_healed_before_the_camera_was_armed_is_not_told_again(told: _Told) -> None:
    told.tell(ArmMode.HOME, BLIND)
    told.tell(ArmMode.HOME, WELL)
    assert told.tell(ArmMode.AWAY) == []
    told.tell(ArmMode.HOME, BLIND)
    assert told.tell(ArmMode.AWAY, WELL) == [("model-works", False)]
