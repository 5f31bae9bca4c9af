"""A hub of several processes under load, while they are killed and the database is started again.

SEALCAM_SOAK_S seconds (120), SEALCAM_SOAK_CAMERAS cameras (30), SEALCAM_SOAK_RATE events a second of each (1),
SEALCAM_SOAK_KILL_S between two kills (30). What it saw goes to standard output, and as JSON to SEALCAM_SOAK_REPORT.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from sealcam_hub.home import open_home
from sealcam_hub.simulate import Load, simulate
from tests.fleet import Fleet
from tests.postgres import Postgres

BESIDE = 2


def _setting(name: str, default: float) -> float:
    return float(os.environ.get(f"SEALCAM_SOAK_{name}", default))


class Trouble:
    """Kills a process of the fleet now and then, in turns, and stops and starts its database once, half-way."""

    def __init__(self, fleet: Fleet, seconds: float, kill_s: float) -> None:
        self._fleet, self._kill_s = fleet, kill_s
        begun = time.monotonic()
        self._kill_at, self._stop_at, self._end_at = begun + kill_s, begun + seconds / 2, begun + seconds
        self.kills, self.stops = 0, 0

    def __call__(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if now >= self._kill_at and now < self._end_at:
            self._fleet.kill(self.kills % (BESIDE + 1))
            self.kills += 1
            self._kill_at += self._kill_s
        if now >= self._stop_at and not self.stops and self._fleet.postgres is not None:
            self.stops += 1
            self._fleet.postgres.stop()
            self._fleet.postgres.start()
        self._fleet.keep_up()


@pytest.mark.slow
def test_every_event_is_in_the_ledger_once_whoever_dies_meanwhile(tmp_path: Path) -> None:
    seconds, count = _setting("S", 120), int(_setting("CAMERAS", 30))
    with Postgres() as postgres, Fleet(tmp_path / "hub", BESIDE, postgres) as fleet:
        trouble = Trouble(fleet, seconds, _setting("KILL_S", 30))
        with open_home(fleet.folder) as home:
            found = simulate(home, Load(count, seconds, _setting("RATE", 1.0)), trouble)
        report = asdict(found) | {"cameras": count, "kills": trouble.kills, "database_restarts": trouble.stops}
        report |= {
            "workers": BESIDE + 1,
            "restarts": fleet.restarts,
            "memory_mib": [n // 1024 for n in fleet.memory_kib],
        }
        print(json.dumps(report))
        if "SEALCAM_SOAK_REPORT" in os.environ:
            Path(os.environ["SEALCAM_SOAK_REPORT"]).write_text(json.dumps(report) + "\n")
        logs = "\n".join(fleet.log(number) for number in range(BESIDE + 1))
    assert found.wrong == (), logs
    assert found.receipted == found.events > count
    assert "Traceback" not in logs, logs
    assert postgres.password not in logs
