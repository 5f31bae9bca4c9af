"""A known picture and a known string go the whole way; nothing but the owner's tools ever shows them again."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.home.conftest import RunningHome

WINDOW = 24  # so many bytes in a row of a JPEG are no accident


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working and a temp folder of the test's own, where a process that dies may leave its memory."""
    place = tmp_path / "work"
    for name in ("", "tmp"):
        (place / name).mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield place
    resource.setrlimit(resource.RLIMIT_CORE, before)


def _cores(place: Path) -> list[Path]:
    return [path for path in place.rglob("core*") if path.is_file()]


def _dumps_can_be_seen(place: Path) -> bool:
    """Whether a program that protects nothing would leave its memory here."""
    folder = place / "control"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", "import os; os.abort()"], cwd=folder, check=False)
    found = _cores(folder)
    for path in found:
        path.unlink()
    return bool(found)


def _canaries(home: RunningHome) -> list[bytes]:
    """Pieces of the pictures that the owner sees, and the words beside them."""
    reports = [event for event in home.chained() if event["type"] == "incident"]
    shown = next(event for event in reports if event["thumbnail_bytes"])
    name = next(line["incident"] for line in reports if line["thumbnail_bytes"])
    target = home.folder.parent / "shown.jpg"
    home.hub("thumbnail", str(name), "-o", str(target))
    picture = target.read_bytes()
    target.unlink()
    assert len(picture) > 40 * WINDOW, "there is no picture to look for"
    pieces = [picture[at : at + WINDOW] for at in range(len(picture) // 4, len(picture) - WINDOW, len(picture) // 40)]
    return pieces + [reason.encode() for reason in shown["reasons"] if len(reason) > 12]


def _leaks(folders: list[Path], canaries: list[bytes]) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if any(canary in path.read_bytes() for canary in canaries)]


def test_nothing_that_was_seen_is_found_on_any_disk_in_any_log_or_in_what_a_dying_process_leaves(
    home: RunningHome, walkers: Path, workplace: Path, tmp_path: Path
) -> None:
    visible = _dumps_can_be_seen(workplace)
    home.start(walkers, once=False)
    home.until_events(4)
    canaries = _canaries(home)
    control = workplace / "control" / "leak.bin"
    control.write_bytes(b"..." + canaries[0] + b"...")
    everything = [home.folder]  # the workplace lies in it
    assert _leaks(everything, canaries) == [control], "the search finds what is there"
    control.unlink()
    for name in ("eye", "post", "hub"):  # each dies as it would by a fault of its own
        os.kill(home.home.parts[name].pid, signal.SIGABRT)
        home.home.parts.pop(name).communicate(timeout=30)
    assert not _cores(workplace)
    assert not _cores(home.folder)
    assert _leaks(everything, canaries) == []
    if not visible:
        pytest.skip("core dumps go elsewhere on this machine: files, logs and temp folders were searched, not dumps")
