"""The walls: every import contract holds, and breaks when it is violated; what a process really loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")

# contract: (importing module, import that must not be)
VIOLATIONS = {
    "wire": [
        ("sealcam.wire.sealed", "numpy"),
        ("sealcam.wire.keys", "ssl"),
        ("sealcam.wire.bodies", "sealcam.clocks"),
    ],
    "sight": [
        ("sealcam.sight.types", "time"),
        ("sealcam.sight.types", "sealcam.clocks"),
        ("sealcam.sight.types", "ai_edge_litert"),
    ],
    "film": [
        ("sealcam.fmp4", "av"),
        ("sealcam.ring", "time"),
        ("sealcam.filming", "sealcam.board.encoder"),
        ("sealcam.livefilm", "nacl"),
    ],
    "mail": [
        ("sealcam.post", "numpy"),
        ("sealcam.post", "sealcam.eye"),
        ("sealcam.mqtt", "cv2"),
        ("sealcam.outbox", "nacl"),
        ("sealcam.outbox", "sealcam.wire.keys"),
        ("sealcam.link", "sealcam.wire.envelope"),
        ("sealcam.mailslot", "sealcam.board"),
        ("sealcam.messages", "sealcam.sight"),
        ("sealcam.retry", "picamera2"),
        ("sealcam.storage", "gpiozero"),
        ("sealcam.schedule", "av"),
        ("sealcam.livequeue", "sealcam.wire.keys"),
    ],
    "eye": [
        ("sealcam.link", "paho"),
        ("sealcam.link", "sealcam.post"),
        ("sealcam.outbox", "ssl"),
        ("sealcam.outbox", "sealcam.mqtt"),
        ("sealcam.eye", "http"),
        ("sealcam.eye", "urllib"),
        ("sealcam.eye", "requests"),
    ],
    "mqtt": [("sealcam.post", "paho"), ("sealcam.service", "paho")],
    "hub": [
        ("sealcam_hub.pump", "sealcam.outbox"),
        ("sealcam_hub.chain", "sealcam.clocks"),
        ("sealcam_hub.status", "sealcam_provision.run"),
        ("sealcam_hub.media", "sealcam.sight.detect"),
    ],
    "hub-pixels": [("sealcam_hub.media", "sealcam_hub.media_film")],
    "hub-media": [("sealcam_hub.media_film", "nacl"), ("sealcam_hub.media_worker", "sealcam_hub.keys")],
    "hub-training": [("sealcam_hub.training", "sealcam_hub.keys"), ("sealcam_hub.training", "sqlalchemy")],
    "hub-mqtt": [("sealcam_hub.pump", "paho"), ("sealcam_hub.keys", "sqlite3"), ("sealcam_hub.store", "paho")],
    "hub-chain": [("sealcam_hub.chain", "time"), ("sealcam_hub.inbox", "socket"), ("sealcam_hub.watch", "threading")],
    "hub-s3": [("sealcam_hub.offsite", "botocore"), ("sealcam_hub.backup", "s3transfer")],
    "hub-notifying": [("sealcam_hub.notifying.rules", "time"), ("sealcam_hub.nearness", "socket")],
    "provision": [
        ("sealcam_provision.home", "sealcam.keystore"),
        ("sealcam_provision.run", "sealcam_hub.keys"),
    ],
}
FOLDERS = {"sealcam": "firmware", "sealcam_hub": "hub", "sealcam_provision": "provisioning"}


def lint(folder: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    """Check the contracts over the packages in `folder`."""
    packages = os.pathsep.join(str(folder / part) for part in ("firmware", "hub", "provisioning"))
    environment = {**os.environ, "PYTHONPATH": packages, "COLUMNS": "200"}
    command = [str(LINT), "--config", str(ROOT / ".importlinter"), "--no-cache", "--no-logo"]
    command += ["--contract", contract] if contract else []
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("firmware", "hub", "provisioning"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_contract_holds(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


def test_no_contract_is_without_a_violation_that_shows_it_works() -> None:
    text = (ROOT / ".importlinter").read_text()
    named = {line.removeprefix("[importlinter:contract:")[:-1] for line in text.splitlines() if ":contract:" in line}
    assert set(VIOLATIONS) == named


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_contract_breaks_at_each_import_it_forbids(copy: Path, contract: str) -> None:
    violations = VIOLATIONS[contract]
    for module, name in violations:
        file = copy / FOLDERS[module.partition(".")[0]] / Path(*module.split(".")).with_suffix(".py")
        file.write_text(file.read_text() + f"\nimport {name}\n")
    result = lint(copy, contract)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout
    for module, name in violations:
        assert f"{module} -> {name}" in result.stdout


def test_a_contract_breaks_through_a_module_in_between(copy: Path) -> None:
    between = copy / "firmware" / "sealcam" / "helpers.py"
    between.write_text("import nacl\n")
    post = copy / "firmware" / "sealcam" / "post.py"
    post.write_text(post.read_text() + "\nimport sealcam.helpers\n")
    result = lint(copy, "mail")
    assert result.returncode == 1
    assert "sealcam.helpers -> nacl" in result.stdout


def loads(module: str, suspects: tuple[str, ...]) -> set[str]:
    """Which of `suspects` a fresh interpreter has loaded after importing `module`."""
    code = f"import sys, {module}\nprint(*(set({suspects!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


PIXELS_AND_KEYS = ("numpy", "cv2", "av", "gpiozero", "picamera2", "nacl", "cryptography", "sealcam.wire.keys")
NETWORK = ("paho", "paho.mqtt.client", "ssl", "_ssl", "http.client", "urllib.request", "sealcam.mqtt", "sealcam.post")


@pytest.mark.parametrize("module", ["sealcam.post", "sealcam.post_command", "sealcam.outbox", "sealcam.link"])
def test_what_sends_and_keeps_mail_loads_no_pixel_and_no_key(module: str) -> None:
    assert loads(module, PIXELS_AND_KEYS) == set()


@pytest.mark.parametrize("module", ["sealcam.link", "sealcam.outbox", "sealcam.eye", "sealcam.eye_command"])
def test_the_eye_loads_no_network_library(module: str) -> None:
    assert loads(module, NETWORK) == set()
