"""The figures of two workers are taken on a database that is empty before and afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from sealcam_hub import bench_workers
from sealcam_hub.postgres import Postgres as Database
from sealcam_hub.postgres import Where
from tests.postgres import Postgres


@pytest.mark.slow
def test_two_workers_take_in_what_one_did_and_leave_nothing(tmp_path: Path) -> None:
    with Postgres() as postgres:
        address = postgres.create()
        found = list(bench_workers.figures(address, tmp_path, each=2, rounds=1))
        engine = Database(Where.parse(address)).engine
        with engine.connect() as connection:
            assert inspect(connection).get_table_names() == []
        engine.dispose()
    assert [one.name for one in found] == [
        "hub, one worker",
        "hub, two workers",
        "hub, two workers, mixed",
        "hub, two workers over one",
        "hub, two workers, mixed, over one",
    ]
    assert all(one.value > 0 for one in found)
    assert list(tmp_path.iterdir()) == []
