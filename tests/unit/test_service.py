"""The supervision of a process: beats, failures, signals, and what systemd is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sealcam.clocks import SimulatedClock, SystemClock
from sealcam.notify import RecordingNotifier, SystemdNotifier
from sealcam.service import Beat, Service
from sealcam.wire.errors import ConfigError, HardwareError, LinkDown


def service(
    clock: SystemClock | SimulatedClock | None = None, grace_s: float = 5.0
) -> tuple[Service, RecordingNotifier]:
    told = RecordingNotifier()
    return Service("test", clock or SystemClock(), told, grace_s=grace_s), told


class GatedClock(SimulatedClock):
    """Simulated time that stands still until `gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.gate.wait(10)
        return super().wait(event, timeout_s)


class HastyClock(SystemClock):
    """Real time in which nobody waits long, and which sleeps for an hour when told to."""

    def __init__(self) -> None:
        self.slept_ns = 0

    def boot_ns(self) -> int:
        return super().boot_ns() + self.slept_ns

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(0.001)


def until_stop(made: Service) -> Callable[[Beat], None]:
    def run(beat: Beat) -> None:
        beat()
        made.stop.wait()

    return run


def test_ready_is_told_once_and_only_when_every_worker_has_beaten() -> None:
    made, told = service()
    first_beat, second_may = threading.Event(), threading.Event()
    seen_early: list[bool] = []

    def first(beat: Beat) -> None:
        beat()
        first_beat.set()
        made.stop.wait()

    def second(beat: Beat) -> None:
        first_beat.wait()
        told.wait_for("WATCHDOG=1")
        seen_early.append("READY=1" in told.messages)
        beat()
        told.wait_for("READY=1")
        second_may.set()
        made.finish()

    made.add("first", first)
    made.add("second", second)
    assert made.run() == 0
    assert second_may.is_set()
    assert seen_early == [False]
    assert told.messages.count("READY=1") == 1
    assert told.messages[-1] == "STOPPING=1"


def test_a_worker_that_raises_ends_the_process_with_its_error_and_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, told = service()

    def lost(beat: Beat) -> None:
        raise HardwareError("the camera is gone", hint="plug it in again")

    made.add("other", until_stop(made))
    made.add("camera", lost)
    assert made.run() == 1
    assert capsys.readouterr().err == "sealcam: error: the camera is gone\nhint: plug it in again\n"
    assert "STATUS=sealcam: error: the camera is gone" in told.messages
    assert made.stop.is_set()


def test_a_configuration_error_keeps_its_own_exit_code() -> None:
    made, _ = service()

    def wrong(beat: Beat) -> None:
        raise ConfigError("no such zone")

    made.add("sight", wrong)
    assert made.run() == 2


def test_a_bug_is_told_by_type_and_place_and_never_by_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    made, _ = service()

    def wrong(beat: Beat) -> None:
        raise KeyError("a key that no log may hold")

    made.add("sight", wrong)
    assert made.run() == 1
    said = capsys.readouterr().err
    assert said.startswith("sealcam: error: worker sight failed: KeyError at test_service.py:")
    assert "no log" not in said
    assert said.count("\n") == 1


def test_a_worker_that_ends_by_itself_ends_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    made, _ = service()
    made.add("camera", lambda beat: None)
    made.add("other", until_stop(made))
    assert made.run() == 1
    assert "worker camera ended by itself" in capsys.readouterr().err


def test_a_worker_that_misses_its_beat_ends_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    clock = GatedClock()
    made, _ = service(clock, grace_s=0.0)
    hung = threading.Event()

    def hang(beat: Beat) -> None:
        beat()
        clock.gate.set()
        hung.wait()

    made.add("camera", hang, deadline_s=3.0)
    assert made.run() == 1
    hung.set()
    assert capsys.readouterr().err == "sealcam: error: worker camera gave no beat for 3 s\n"


def test_only_a_process_whose_workers_all_beat_feeds_the_watchdog() -> None:
    clock = GatedClock()
    told = RecordingNotifier(watchdog_ns=1_000_000_000)
    made = Service("test", clock, told, grace_s=0.0)
    hung = threading.Event()

    def hang(beat: Beat) -> None:
        beat()
        clock.gate.set()
        hung.wait()

    made.add("camera", hang, deadline_s=3.0)
    assert made.run() == 1
    hung.set()
    assert 3 <= told.messages.count("WATCHDOG=1") <= 4  # one a second, and none after the missed beat
    assert told.messages[-1] == "STOPPING=1"


def test_a_first_beat_may_take_longer_than_the_deadline_but_not_for_ever() -> None:
    clock = SimulatedClock()
    made = Service("test", clock, RecordingNotifier(), grace_s=0.0)
    hung = threading.Event()
    made.add("camera", lambda beat: (None, hung.wait())[0], deadline_s=1.0)
    assert made.run() == 1
    hung.set()
    assert 60 < clock.boot_ns() / 1e9 < 62


def test_a_machine_that_slept_does_not_blame_its_workers() -> None:
    clock = HastyClock()
    made, told = service(clock)

    def run(beat: Beat) -> None:
        beat()
        told.wait_for("READY=1")
        clock.slept_ns = 3600 * 1_000_000_000
        told.wait_for("WATCHDOG=1")
        seen = told.messages.count("WATCHDOG=1")
        with told.told:
            told.told.wait_for(lambda: told.messages.count("WATCHDOG=1") > seen or made.stop.is_set(), 10)
        made.finish()

    made.add("camera", run)
    assert made.run() == 0


def test_a_lost_link_is_not_a_failure_and_the_worker_runs_again() -> None:
    made, _ = service(HastyClock())
    runs: list[str] = []

    def link(beat: Beat) -> None:
        runs.append("run")
        if len(runs) < 3:
            raise LinkDown("the broker is away")
        made.finish()

    made.add("link", link)
    assert made.run() == 0
    assert len(runs) == 3


def test_a_worker_that_does_not_end_in_time_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    made, _ = service(grace_s=0.01)
    let_go = threading.Event()

    def stubborn(beat: Beat) -> None:
        beat()
        let_go.wait()

    def ends(beat: Beat) -> None:
        beat()
        made.finish()

    made.add("stubborn", stubborn)
    made.add("ends", ends)
    assert made.run() == 1
    let_go.set()
    assert "worker stubborn did not end within 0.01 s" in capsys.readouterr().err


def test_finish_gives_the_exit_code() -> None:
    made, _ = service()

    def ends(beat: Beat) -> None:
        made.finish(3)

    made.add("ends", ends)
    assert made.run() == 3


def test_a_status_is_told_to_systemd() -> None:
    made, told = service()
    made.status("watching")
    assert told.messages == ["STATUS=watching"]


@pytest.mark.parametrize("abstract", [False, True])
def test_messages_reach_path_and_abstract_sockets(tmp_path: Path, abstract: bool) -> None:
    name = f"@sealcam-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind("\0" + name[1:] if abstract else name)
        ours.settimeout(10)
        notifier = SystemdNotifier(name)
        notifier.send("READY=1")
        assert ours.recv(100) == b"READY=1"
        notifier.close()


def test_a_supervisor_that_is_away_is_not_a_failure(tmp_path: Path) -> None:
    notifier = SystemdNotifier(str(tmp_path / "nobody"))
    notifier.send("READY=1")
    notifier.close()


PROGRAM = """
import sys
from sealcam.clocks import SystemClock
from sealcam.service import Service, harden
harden()
made = Service("program", SystemClock())
def run(beat):
    while not made.stop.is_set():
        beat()
        made.stop.wait(1)
    sys.stderr.write("ended in order\\n")
made.add("worker", run)
sys.exit(made.run())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_real_process_in_order(tmp_path: Path, number: signal.Signals) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(address)
        ours.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"}
        with subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE) as program:
            while ours.recv(100) != b"READY=1":
                pass
            limits = Path(f"/proc/{program.pid}/limits").read_text()
            program.send_signal(number)
            while ours.recv(100) != b"STOPPING=1":
                pass
            assert program.wait(60) == 0
            assert program.stderr is not None
            assert program.stderr.read() == b"ended in order\n"
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
