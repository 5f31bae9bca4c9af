"""The units' own walls: a hostile program is run in the place of each service, under the unit's own settings."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.container import Container
from tests.system.root import REPO, VENV

UNITS = sorted((REPO / "systemd" / "system").glob("*"))
SERVICES = [unit.name for unit in UNITS if unit.suffix == ".service"]
EXPOSURE = {
    "sealcam-eye.service": 1.0,
    "sealcam-post.service": 1.5,
    "sealcam-hub.service": 1.5,
    "sealcam-hub-worker@.service": 1.5,
    "sealcam-hub-broker.service": 1.5,
    "sealcam-wrap.service": 1.5,
    "sealcam-reboot.service": 1.0,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What a program under a unit's settings could reach."""

    found: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.found[name]


def probe(container: Container, service: str, state: str) -> Probe:
    """Run the hostile program once in the place of `service`."""
    text = (REPO / "systemd" / "system" / service).read_text()
    command = f"{VENV}/bin/python /mnt/tests/probe.py {state}"
    for pattern, ours in (
        (r"^ExecStart=.*$", f"ExecStart={command}"),
        (r"^Type=.*$", "Type=oneshot"),
        (r"^(ConditionPathExists|Restart|WatchdogSec|WatchdogSignal|RestartPreventExitStatus)=.*\n", ""),
    ):
        text = re.sub(pattern, ours, text, flags=re.MULTILINE)
    name = service.replace(".service", "-probe.service")
    container.write(f"/run/systemd/system/{name}", text)
    container.run("systemctl", "daemon-reload")
    container.start(name)
    said = container.journal(name).splitlines()
    return Probe(json.loads(next(line for line in said if line.startswith("{"))))


@pytest.fixture(scope="module")
def eye(container: Container) -> Probe:
    return probe(container, "sealcam-eye.service", "/var/lib/sealcam/eye")


@pytest.fixture(scope="module")
def post(container: Container) -> Probe:
    return probe(container, "sealcam-post.service", "/var/lib/sealcam/post")


@pytest.fixture(scope="module")
def hub(container: Container) -> Probe:
    return probe(container, "sealcam-hub.service", "/var/lib/sealcam-hub")


def test_the_eye_has_no_network_and_cannot_make_a_socket_for_one(eye: Probe) -> None:
    assert eye["interfaces"] == ["lo"]
    assert eye["families"]["unix"] == "yes"
    for family in ("inet", "inet6", "packet", "vsock"):
        assert eye["families"][family] == "Address family not supported by protocol", family


def test_the_eye_reaches_no_bus_no_resolver_and_no_broker(eye: Probe, container: Container) -> None:
    container.run("test", "-S", "/run/dbus/system_bus_socket")  # it is there for others
    assert set(eye["sockets"].values()) <= {"No such file or directory", "Permission denied"}
    assert eye["broker"] != "yes"
    assert eye["names"] != "yes"


def test_the_eye_sees_its_own_state_alone(eye: Probe) -> None:
    assert eye["read"]["/var/lib/sealcam/eye"] == "yes"
    assert eye["read"]["/var/lib/sealcam/post"] == "Permission denied"
    assert eye["read"]["/var/lib/sealcam-hub"] == "Permission denied"


def test_the_post_cannot_open_the_eyes_state_nor_see_a_device(post: Probe) -> None:
    assert post["read"]["/var/lib/sealcam/post"] == "yes"
    assert post["read"]["/var/lib/sealcam/eye"] == "Permission denied"
    assert post["read"]["/var/lib/sealcam-hub"] == "Permission denied"
    assert set(post["devices"]) <= {
        "console", "core", "fd", "full", "log", "null", "ptmx", "random", "stderr", "stdin", "stdout", "tty",
        "urandom", "zero",
    }  # fmt: skip


def test_the_post_has_the_internets_families_and_no_other(post: Probe) -> None:
    assert [post["families"][family] for family in ("unix", "inet", "inet6")] == ["yes"] * 3
    assert post["families"]["packet"] != "yes"
    assert post["families"]["vsock"] != "yes"


def test_the_hub_cannot_open_a_cameras_state(hub: Probe) -> None:
    assert hub["read"]["/var/lib/sealcam-hub"] == "yes"
    assert hub["read"]["/var/lib/sealcam/eye"] != "yes"
    assert hub["read"]["/var/lib/sealcam/post"] != "yes"


@pytest.mark.parametrize(
    ("name", "own"),
    [("eye", "/var/lib/sealcam/eye"), ("post", "/var/lib/sealcam/post"), ("hub", "/var/lib/sealcam-hub")],
)
def test_nobody_writes_elsewhere_executes_what_it_wrote_or_leaves_its_box(
    request: pytest.FixtureRequest, name: str, own: str
) -> None:
    found: Probe = request.getfixturevalue(name)
    assert {place for place, result in found["write"].items() if result == "yes"} == {own}
    assert set(found["execute"].values()) <= {"Permission denied", "No such file or directory"}
    assert found["execute"][own] == "Permission denied"
    assert found["root"] != "yes"
    assert found["ptrace"] != "yes"
    assert found["writable code"] != "yes"
    assert found["namespace"] != "yes"
    assert found["core limit"] == [0, 0]


def test_systemd_finds_nothing_wrong_with_the_units(container: Container) -> None:
    done = container.call("systemd-analyze", "verify", *(f"/usr/lib/systemd/system/{unit.name}" for unit in UNITS))
    said = [line for line in (done.stdout + done.stderr).decode().splitlines() if "sealcam" in line]
    assert said == []
    assert done.returncode == 0


@pytest.mark.parametrize("service", SERVICES)
def test_a_units_exposure_stays_below_its_bound(service: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    unit = REPO / "systemd" / "system" / service
    argv = ("systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= EXPOSURE[service]
