"""The add-on: what is put together is all that it is built from, and what it runs makes a hub and serves it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from sealcam_hub import setup, signing
from tests.waiting import eventually

TOP = Path(__file__).parents[3]
ADDON = TOP / "container" / "sealcam_hub"


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def test_what_the_image_is_built_from_is_put_together(tmp_path: Path) -> None:
    into = tmp_path / "addon"
    done = subprocess.run(
        ("sh", TOP / "container" / "make.sh", into), env=os.environ | {"PYTHON": sys.executable}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    for line in (into / "Dockerfile").read_text().splitlines():
        if copied := re.match(r"COPY (.+) \S+$", line):
            for name in copied[1].split():
                assert list(into.glob(name)), name
    assert (into / "hub.txt").read_bytes() == (TOP / "locks" / "hub.txt").read_bytes()
    again = subprocess.run(("sh", TOP / "container" / "make.sh", into), capture_output=True)
    assert again.returncode == 2


def test_the_lock_has_what_the_hub_needs() -> None:
    told = (TOP / "setup.cfg").read_text()
    wanted = re.search(r"\nhub =\n(.*?)\n\S", told, re.DOTALL)
    assert wanted is not None
    lock = (TOP / "locks" / "hub.txt").read_text()
    for line in wanted[1].splitlines():
        name = re.split(r"[><=;\[ ]", line.strip())[0]
        assert f"\n{name}==" in lock, name


def test_the_configuration_keeps_keys_out_of_backups_and_the_console_shut() -> None:
    said = (ADDON / "config.yaml").read_text()
    assert 'backup_exclude:\n  - "**/*"' in said
    assert "8480/tcp: null" in said
    assert "host_network" not in said
    assert "privileged" not in said


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path, int]]:
    for tool in ("mosquitto", "jq", "bash"):
        if shutil.which(tool) is None and not Path(f"/usr/sbin/{tool}").exists():
            pytest.skip(f"needs {tool}")
    broker, metrics = free(), free()
    (tmp_path / "options.json").write_text(f'{{"broker": "localhost:{broker}"}}')
    variables = {
        "SEALCAM_HUB_STATE": str(tmp_path / "hub"),
        "SEALCAM_SHARE": str(tmp_path / "share"),
        "SEALCAM_OPTIONS": str(tmp_path / "options.json"),
        "SEALCAM_CONSOLE": f"127.0.0.1:{free()}",
        "SEALCAM_METRICS": f"127.0.0.1:{metrics}",
        "SEALCAM_AS_ROOT": "yes",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin",
    }
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            ("bash", ADDON / "run.sh"), env=os.environ | variables, stdout=log, stderr=log, start_new_session=True
        )
    yield started, tmp_path, metrics
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def test_it_makes_a_hub_from_what_the_owners_device_signed_and_serves_it(
    running: tuple[subprocess.Popen[bytes], Path, int],
) -> None:
    started, place, metrics = running
    share, owner = place / "share", setup.owner_keys(setup.new_words())
    eventually(share.exists, what="its folder")
    draft = place / "owner"
    draft.write_text(signing.OwnerFile(owner.root.public, owner.recovery.public).text())
    draft.rename(share / "owner")
    eventually((share / "request").exists, 60, "the request")
    signed = signing.sign(signing.read_request(share / "request"), owner)
    (place / "signed").write_text(signed.text())
    (place / "signed").rename(share / "signed")

    def well() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{metrics}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    eventually(well, 60, (place / "log").read_text())
    eventually(lambda: list(share.iterdir()) == [], what="nothing left there")
    eventually(lambda: "receiving from" in (place / "log").read_text(), 60, "the hub at its broker")
    assert started.poll() is None
    os.kill(int((place / "hub/broker/mosquitto.pid").read_text()), signal.SIGKILL)
    assert started.wait(30) != 0  # one of the two has ended: so does the container
