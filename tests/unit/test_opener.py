"""The JavaScript opener on the command line: what was shared opens, what must not be is refused and forgotten."""

from __future__ import annotations

import configparser
import hashlib
import io
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.wire.bodies import Run
from sealcam.wire.clip import BytesSource, ClipWriter
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.home import open_home
from sealcam_hub.recipient import key_name, load_key
from sealcam_hub.shares import Shares, Terms
from tests.hubs import WALL_NS, Camera, make
from tests.opener import OPENER, TOP, find_node, open_clip, run
from tests.scl1 import CLIP, INFO, content
from tests.shared import ISSUED_NS, YEAR_NS, share

VENDOR = TOP / "hub" / "sealcam_hub" / "console" / "static" / "opener" / "vendor"
VECTORS = json.loads((TOP / "tests" / "vectors" / "sev1.json").read_text())
MEBIBYTE = 1 << 20
PLAIN = content(2 * MEBIBYTE + 70_000)  # three segments


@pytest.fixture
def node() -> str:
    return find_node()


def test_a_shared_clip_opens(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, PLAIN), tmp_path / "out"
    ran = open_clip(node, shared, output)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert output.read_bytes() == PLAIN
    assert output.stat().st_mode & 0o777 == 0o600
    assert "state: Complete" in ran.stdout


def test_a_part_of_a_clip_opens_and_the_rest_is_blanked(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, PLAIN, [0, 2]), tmp_path / "out"
    ran = open_clip(node, shared, output)
    assert ran.returncode == 0, ran.stderr
    assert output.read_bytes() == PLAIN[:MEBIBYTE] + PLAIN[2 * MEBIBYTE :]
    assert "segments 0, 2 of a clip" in ran.stdout


def test_a_clip_that_a_power_cut_ended_opens_and_says_so(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, PLAIN, finish=False), tmp_path / "out"
    ran = open_clip(node, shared, output)
    assert ran.returncode == 0, ran.stderr
    assert output.read_bytes() == PLAIN[: len(PLAIN) // 65_536 * 65_536]
    assert "state: Cut" in ran.stdout


def test_an_expired_grant_is_refused_and_what_was_kept_is_deleted(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, b"content", expires_ns=ISSUED_NS + 1), tmp_path / "out"
    other = tmp_path / "mine"
    other.write_bytes(b"something else")
    output.write_bytes(b"opened while it stood")
    bundle = shared.bundle.read_bytes()
    (tmp_path / "out.grant").write_text(json.dumps({"grant": hashlib.sha256(bundle).hexdigest()}))
    marker = tmp_path / "out.grant"
    for path, deleted in ((other, [shared.bundle]), (output, [output, marker, shared.bundle])):
        shared.bundle.write_bytes(bundle)
        ran = open_clip(node, shared, path)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "sealcam-opener: error: Refused: this can't be opened, or must not be.\nhint: " in ran.stderr
        told = ", ".join(map(str, deleted))
        assert ran.stderr.endswith(f"\nThis grant has expired, and what was kept of it is deleted: {told}\n")
        assert not any(one.exists() for one in deleted)
    assert other.exists()
    assert not output.exists()
    assert not (tmp_path / "out.grant").exists()


def test_what_took_the_place_of_an_expired_output_stays(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content", expires_ns=ISSUED_NS + 1)
    digest = hashlib.sha256(shared.bundle.read_bytes()).hexdigest()
    (tmp_path / "out.grant").write_text(json.dumps({"grant": digest}))
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "out").symlink_to("mine")
    assert open_clip(node, shared, tmp_path / "out").returncode == 1
    assert (tmp_path / "out").read_text() == "mine"


def test_an_expired_grant_behind_a_link_is_deleted_too(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content", expires_ns=ISSUED_NS + 1)
    kept = shared.bundle.rename(tmp_path / "kept")
    shared.bundle.symlink_to(kept)
    assert f"is deleted: {shared.bundle}\n" in open_clip(node, shared, tmp_path / "out").stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.scl1", "my.key"]


def test_an_expired_grant_that_is_no_file_is_not_deleted(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content", expires_ns=ISSUED_NS + 1)
    bundle, pipe = shared.bundle.read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [node, str(OPENER / "cli.mjs"), "clip", str(shared.clip), "--grant", str(pipe)]
    command += ["--key", str(shared.key), "--root", shared.root, "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        pipe.write_bytes(bundle)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 1
    assert f"error: the grant has expired, and {pipe} can't be deleted\nhint: delete it yourself" in said
    assert pipe.is_fifo()


def test_a_refusal_leaves_nothing_behind(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, PLAIN), tmp_path / "out"
    damaged = bytearray(shared.clip.read_bytes())
    damaged[-200] ^= 1
    shared.clip.write_bytes(damaged)
    before = sorted(tmp_path.iterdir())
    for given in (shared, replace(shared, root="00" * 32)):
        ran = open_clip(node, given, output)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr.startswith("sealcam-opener: error: Refused")
        assert "hint: " in ran.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_hub_shares_of_a_camera_opens_in_the_other_language(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"")  # for the key
    camera = Camera()
    with open_home(make(tmp_path / "hub"), SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home)
        file, recipients = io.BytesIO(), [camera.prekey.public, *camera.others]
        writer = ClipWriter(file, camera.signer, recipients, clip=CLIP, info=INFO, epoch=1, recipient_set=1)
        writer.write(PLAIN)
        writer.finish()
        clip = file.getvalue()
        recipient = load_key(shared.key).public
        shares = Shares(home.store, home.keys, home.clock)
        terms = Terms(recipient=recipient, name="Insurer", purpose="claim 4711", lasting_ns=100 * YEAR_NS)
        made = shares.create(shares.offer(BytesSource(clip), (Run(first=1, last=2),)), terms)
        root = home.keys.root_fingerprint
    shared.clip.write_bytes(clip)
    shared.bundle.write_bytes(made.bundle)
    ran = open_clip(node, replace(shared, root=root), tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out").read_bytes() == PLAIN[MEBIBYTE:]
    assert "for: claim 4711\n" in ran.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no command"),
        (("fly",), 'no command "fly"'),
        (("clip", "x"), "clip lacks --grant, --key, --root, --output"),
        (("key",), "key lacks --output"),
        (("event", "--key", "x", "--signer", "y"), "event takes one file"),
        (("key", "--wings"), "Unknown option '--wings'"),
        (("event", "x", "--key", "k", "--signer", "12"), "--signer has 64 digits"),
    ],
)
def test_misuse_says_what_is_missing(node: str, words: tuple[str, ...], said: str) -> None:
    ran = run(node, *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("sealcam-opener: error: ")
    assert said in ran.stderr
    assert "hint: " in ran.stderr


def test_an_event_is_printed_without_the_keys_in_it(node: str, tmp_path: Path) -> None:
    one = next(case for case in VECTORS if case["name"] == "an incident, to one recipient")
    (tmp_path / "event").write_bytes(bytes.fromhex(one["envelope_hex"]))
    (tmp_path / "key").write_text(f"SEALCAM-RECIPIENT-SECRET-{one['recipient_secret_hex']}\n")
    ran = run(node, "event", tmp_path / "event", "--key", tmp_path / "key", "--signer", one["signer_public_hex"])
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert (said["type"], said["name"], said["seq"]) == (1, "incident", str(one["seq"]))
    assert "content" not in ran.stdout.lower()


def test_the_key_it_makes_is_one_that_the_hub_knows(node: str, tmp_path: Path) -> None:
    ran = run(node, "key", "-o", tmp_path / "key")
    assert ran.returncode == 0, ran.stderr
    public = load_key(tmp_path / "key").public
    assert f"public key: {public.hex()}\nfingerprint: {key_name(public)}\n" in ran.stdout
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_every_file_of_the_console_is_in_the_package() -> None:
    config = configparser.ConfigParser()
    config.read(TOP / "setup.cfg")
    console = TOP / "hub" / "sealcam_hub" / "console"
    patterns = config["options.package_data"]["sealcam_hub.console"].split(",")
    shipped = {path for pattern in patterns for path in console.glob(pattern.strip())}
    assert VENDOR / "libsodium.mjs" in shipped
    assert {path for path in (console / "static").rglob("*") if path.is_file()} <= shipped


def test_the_vendored_library_is_what_its_sums_say() -> None:
    sums = (VENDOR / "SHA256SUMS").read_text().split()
    named = dict(zip(sums[1::2], sums[::2], strict=True))
    assert set(named) == {"libsodium.mjs", "libsodium-wrappers.mjs", "LICENSE.libsodium"}
    for name, digest in named.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_one_version_is_pinned_and_noticed() -> None:
    package, lock = (json.loads((OPENER / name).read_text()) for name in ("package.json", "package-lock.json"))
    version = package["dependencies"]["libsodium-wrappers"]
    assert f"libsodium.js {version} " in (VENDOR / "NOTICE").read_text()
    for name in ("libsodium", "libsodium-wrappers"):
        locked = lock["packages"][f"node_modules/{name}"]
        assert locked["version"] == version
        assert locked["integrity"].startswith("sha512-")
        assert "resolved" not in locked, "the hash says which package it is, wherever it comes from"


def test_the_vendored_library_is_the_one_that_the_lock_names(node: str) -> None:
    packages = TOP / "build" / "opener" / "node_modules"
    if not packages.is_dir():
        pytest.skip("no build/opener/node_modules (provisioning/testdeps.sh makes it, where npm is)")
    command = [node, str(OPENER / "vendor.mjs"), "--check", str(packages)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
