"""Metrics and health: numbers on the loopback, and nothing of what was seen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub import offsite_settings
from sealcam_hub.folder import Address
from sealcam_hub.metrics import Pulse, check_loopback, served
from tests.hubs import JPEG
from tests.receiving import Desk, desk


@contextmanager
def free() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = int(one.getsockname()[1])
    yield Address("127.0.0.1", port)


def ask(address: Address, path: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, f"http://{address}{path}", trust_env=False)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "hub") as made:
        yield made


def test_it_counts_and_names_nobody(at: Desk) -> None:
    at.take(at.camera.incident(1, picture=JPEG), at.camera.health(), b"no envelope at all")
    offsite_settings.save(
        at.home.folder, offsite_settings.Settings("https://s3.example.net", "a-bucket", "a-key", "a-secret")
    )
    with free() as address, served(at.home, address):
        said = ask(address, "/metrics")
        assert said.status_code == 200
        lines = said.text.splitlines()
    for wanted in (
        "sealcam_hub_up 1.0",
        "sealcam_hub_incidents 1.0",
        'sealcam_hub_refused_total{kind="forged"} 1.0',
        'sealcam_hub_refused_total{kind="clone"} 0.0',
        "sealcam_hub_clips 0.0",
        "sealcam_hub_clips_bytes 0.0",
        "sealcam_hub_offsite_waiting_events 2.0",
        "sealcam_hub_offsite_failing 0.0",
    ):
        assert wanted in lines, said.text
    assert 'sealcam_hub_cameras{state="new"} 1.0' in lines
    for secret in ("Door", at.camera.alias, at.camera.kid.hex(), at.home.keys.kid.hex(), "a-bucket", "a-secret"):
        assert secret not in said.text


def test_health_follows_the_worker(at: Desk) -> None:
    with free() as address, served(at.home, address) as pulse:
        assert (ask(address, "/health").status_code, ask(address, "/health").text) == (200, "ok\n")
        at.clock.advance(31)
        assert ask(address, "/health").status_code == 503
        assert "sealcam_hub_up 0.0" in ask(address, "/metrics").text
        pulse.beat()
        assert ask(address, "/health").status_code == 200
        for method, path in (("POST", "/health"), ("GET", "/"), ("GET", "/metrics/.."), ("PUT", "/metrics")):
            assert ask(address, path, method).status_code == 404


def test_a_page_that_leads_its_own_name_here_reads_nothing(at: Desk) -> None:
    with free() as address, served(at.home, address):
        for host, code in (
            ("evil.example", 421),
            ("evil.example:9480", 421),
            ("[::1", 421),
            ("localhost", 200),
            ("[::1]:9480", 200),
        ):
            said = httpx.get(f"http://{address}/metrics", headers={"Host": host}, trust_env=False)
            assert (said.status_code, "incidents" in said.text) == (code, code == 200), host


def test_it_is_off_unless_asked_for_and_never_for_others(at: Desk) -> None:
    with served(at.home, None) as pulse:
        assert isinstance(pulse, Pulse)
    for host in ("0.0.0.0", "::", "192.168.1.2", "hub.local", ""):
        with pytest.raises(ConfigError, match="this machine alone"):
            check_loopback(Address(host, 9480))
    for host in ("127.0.0.1", "::1", "localhost"):
        check_loopback(Address(host, 9480))


def test_a_port_that_is_taken_is_said(at: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(SealcamError, match="can't be served"), served(at.home, address):
            pass
