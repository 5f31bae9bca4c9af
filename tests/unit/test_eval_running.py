"""`make eval` runs its jobs in several processes: the same results, whole or not at all, and a word of how far."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.wire.errors import ClipError
from tests.eval.plan import Job
from tests.eval.progress import Progress
from tests.eval.running import LIVE, LIVE_AT_ONCE, run
from tests.labelled import job, labelled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a still recording of 2 s and its labels."""
    return labelled(tmp_path)


def test_a_result_and_its_name_are_the_same_however_many_run_at_once(folder: Path) -> None:
    first = job(folder, system="mog2")
    jobs = [replace(first, code=f"{n}") for n in range(3)]
    found = []
    for workers in (1, 2):
        out = folder / f"by-{workers}"
        out.mkdir()
        run(jobs, out, workers, silent(jobs))
        found.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert found[0] == found[1]
    assert set(found[0]) == {f"{one.key}.json" for one in jobs}


def test_the_error_of_a_job_is_told_with_its_hint_and_what_ran_before_it_is_kept(folder: Path) -> None:
    good = job(folder, system="mog2")
    (folder / "broken.mkv").write_bytes(b"no video")
    bad = replace(good, clip=replace(good.clip, path=folder / "broken.mkv", sha256="0" * 64))
    out = folder / "out"
    out.mkdir()
    with pytest.raises(ClipError, match=r"broken\.mkv"):
        run([good, bad, replace(good, code="never begun")], out, 1, silent([]))
    assert [path.name for path in out.iterdir()] == [f"{good.key}.json"]


def silent(jobs: Sequence[Job]) -> Progress:
    """A progress that nobody reads."""
    return Progress(len(jobs), jobs, io.StringIO(), 1, LIVE, LIVE_AT_ONCE)


def test_the_time_that_is_left_counts_who_works_beside_and_what_runs_in_real_time(folder: Path) -> None:
    """Each job is 20 s of footage (a stretch that is played forth and back)."""
    made = job(folder, stretch=job(folder).clip.labels.empty[0])
    ours = [replace(made, code=f"{n}") for n in range(5)]
    live = [replace(made, code=f"{n}", system="motion", model="") for n in range(4)]
    out = io.StringIO()
    progress = Progress(12, [*ours, *live], out, 2, LIVE, LIVE_AT_ONCE)
    progress.begin(ours[0])
    progress.begin(ours[1])
    progress.done(ours[0], 10.0)
    progress.begin(ours[2])
    progress.done(ours[1], 30.0)
    progress.begin(live[0])
    told = [line.partition(": ")[::2] for line in out.getvalue().splitlines()]
    assert [count for count, _ in told] == ["4 of 12", "5 of 12", "6 of 12", "7 of 12"]
    assert told[0][1] == "sealcam nanodet-g, made, real", "nothing is known yet"
    assert told[2][1].endswith("; 40 s left"), "four of ours, 10 s each, two at a time; four live ones, 20 s, at once"
    assert told[3][1] == "motion, made, real; 50 s left", "three of ours, 20 s each on average"
