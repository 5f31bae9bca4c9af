"""`sealcam-provision run`, what `make run` calls: it ends cleanly, whoever ends it, and two of them don't collide."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sealcam_provision import home as homes


def _start(*words: str) -> tuple[subprocess.Popen[str], str]:
    """A run, and its folder, once its console is there."""
    argv = (homes.program("sealcam-provision"), "run", *words)
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    folder = ""
    assert run.stdout is not None
    for line in run.stdout:
        folder = next(iter(re.findall(r" in (build/run/\d+)", line)), folder)
        if "console " in line:
            return run, str(Path(__file__).parents[2] / folder)
    raise AssertionError(f"it ended with {run.wait()}")


def _processes(folder: str) -> list[str]:
    """What still runs in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in command:
            found.append(command)
    return found


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    """A suite that was started in the background ignores Ctrl+C, and what it starts would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_nothing_running_and_says_its_last_line(walkers: Path, number: int) -> None:
    run, folder = _start("--camera", str(walkers))
    assert _processes(folder)
    run.send_signal(number)
    said, _ = run.communicate(timeout=90)
    assert re.fullmatch(r"sealcam: \d+ incidents sealed, \d+ opened, 0 refused", said.strip().splitlines()[-1])
    assert not _processes(folder)


def test_an_eye_that_dies_is_one_clear_error_and_no_traceback(walkers: Path) -> None:
    run, folder = _start("--camera", str(walkers))
    _kill(" eye ", folder)
    said, _ = run.communicate(timeout=90)
    assert run.returncode == 1
    assert "sealcam-provision: error: eye: " in said
    assert "Traceback" not in said
    assert not _processes(folder)


def test_a_port_that_is_none_is_misuse() -> None:
    argv = (homes.program("sealcam-provision"), "run", "--console-port", "99999")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a port is a number from 0 to 65535" in done.stderr


def _kill(word: str, folder: str) -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in command and word in command:
            os.kill(int(path.parent.name), signal.SIGKILL)


def test_two_runs_at_once_do_not_collide(walkers: Path) -> None:
    with ThreadPoolExecutor(2) as together:
        starts = [together.submit(_start, "--camera", str(walkers), "--once") for _ in range(2)]
        (one, first), (other, second) = (start.result() for start in starts)
    assert first != second
    for run in (one, other):
        said, _ = run.communicate(timeout=120)
        assert run.returncode == 0, said
        assert said.strip().splitlines()[-1] == "sealcam: 1 incidents sealed, 1 opened, 0 refused"
