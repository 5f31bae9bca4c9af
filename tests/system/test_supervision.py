"""`sealcam.service` under real systemd: ready, watchdog, restart, and an orderly end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.container import Container, eventually
from tests.system.root import VENV

UNIT = "sealcam-standin.service"
ORDERS = "/run/standin.orders"
TEXT = f"""
[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart={VENV}/bin/python /mnt/tests/standin.py {ORDERS}
Restart=always
RestartSec=0
WatchdogSec=3
WatchdogSignal=SIGKILL
"""


@pytest.fixture
def standin(container: Container) -> Iterator[str]:
    """A running stand-in; its first main process's number."""
    container.write(f"/run/systemd/system/{UNIT}", TEXT)
    container.run("systemctl", "daemon-reload")
    container.start(UNIT)
    yield container.show(UNIT, "MainPID")
    container.run("systemctl", "stop", UNIT)


def restarted(container: Container, first: str) -> bool:
    return container.show(UNIT, "ActiveState") == "active" and container.show(UNIT, "MainPID") != first


def test_it_is_active_once_its_worker_has_beaten_and_ends_in_order(container: Container, standin: str) -> None:
    assert container.show(UNIT, "ActiveState") == "active"
    container.run("systemctl", "stop", UNIT)
    assert container.show(UNIT, "Result") == "success"
    assert container.show(UNIT, "ExecMainStatus") == "0"


def test_a_killed_process_is_started_again(container: Container, standin: str) -> None:
    container.kill(UNIT, "KILL")
    eventually(lambda: restarted(container, standin), 20, "a new process after kill -9")


def test_a_stopped_process_gets_the_watchdog(container: Container, standin: str) -> None:
    container.kill(UNIT, "STOP")
    eventually(lambda: restarted(container, standin), 30, "a new process after SIGSTOP")
    assert "Watchdog timeout" in container.run("journalctl", "--no-pager", "-o", "cat", "-u", UNIT)


def test_a_hung_worker_ends_its_process_which_is_started_again(container: Container, standin: str) -> None:
    container.write(ORDERS, "hang")
    eventually(lambda: restarted(container, standin), 30, "a new process after a hung worker")
    assert "sealcam: error: worker obey gave no beat for" in container.journal(UNIT)


def test_a_lost_device_is_one_line_with_a_hint(container: Container, standin: str) -> None:
    container.write(ORDERS, "fail")
    eventually(lambda: restarted(container, standin), 20, "a new process after an error")
    said = container.journal(UNIT)
    assert "sealcam: error: the stand-in was told to fail\nhint: tell it something else" in said
