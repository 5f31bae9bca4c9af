"""The hub's image for Home Assistant OS: built from its container file, made a hub, run, stopped, and killed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam_hub import setup, signing
from tests.system.container import eventually
from tests.system.image import Running, built, done, missing
from tests.system.root import of_this_machine

WAIT_S = 240.0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image's name."""
    if os.geteuid() != 0:
        pytest.skip("needs root: podman runs a container")
    if tool := missing():
        pytest.skip(f"needs {tool} (provisioning/testdeps.sh system installs it)")
    return built(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def running(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A container of it that has become a hub, by what the owner's device signed."""
    place = tmp_path_factory.mktemp("volumes")
    folders = {"/data": place / "data", "/share": place / "share"}
    for folder in folders.values():
        folder.mkdir()
    options = place / "data" / "options.json"
    options.write_text(json.dumps({"broker": "localhost:8883"}))
    options.chmod(0o600)  # as Home Assistant's supervisor leaves it: for root to read
    made = Running(image, f"sealcam-hub-test-{os.getpid()}", folders)
    try:
        owned(place / "share" / "sealcam")
        eventually(made.well, WAIT_S, f"it is well\n{made.log()}")
        yield made
    finally:
        made.remove()
        shutil.rmtree(place)  # what it wrote belongs to a user of its own


def owned(share: Path) -> None:
    """Do what the README asks of the owner, on the owner's device."""
    owner = setup.owner_keys(setup.new_words())
    eventually(share.is_dir, WAIT_S, "its folder")
    put(share / "owner", signing.OwnerFile(owner.root.public, owner.recovery.public).text())
    eventually((share / "request").exists, WAIT_S, "the request")
    put(share / "signed", signing.sign(signing.read_request(share / "request"), owner).text())
    eventually(lambda: not list(share.iterdir()), WAIT_S, "nothing left there")


def put(path: Path, text: str) -> None:
    draft = path.with_name("draft")
    draft.write_text(text)
    draft.rename(path)


def test_the_image_says_how_it_is_and_has_nothing_of_the_machine_that_built_it(image: str) -> None:
    said = json.loads(done("image", "inspect", image))[0]
    assert "/health" in " ".join(said["Healthcheck"]["Test"])
    told = json.dumps([said["Config"], said["History"]])
    for path in of_this_machine():
        if path.suffix == ".conf":
            assert path.read_text() not in told
            assert done("run", "--rm", "--network", "none", "--ulimit", "nofile=4096:4096", "--ulimit",
                        "nproc=4096:4096", image, "sh", "-c", f"cat {path} 2>/dev/null || :") == ""  # fmt: skip


def test_broker_and_hub_run_without_rights_as_a_user_of_their_own(running: Running) -> None:
    script = "for one in /proc/[0-9]*; do [ $one = /proc/$$ ] || tr '\\n' ' ' <$one/status 2>/dev/null && echo; done"
    lines = running.call("sh", "-c", script).stdout.splitlines()
    found = [line for line in lines if line.startswith(("Name:\tbash ", "Name:\tmosquitto ", "Name:\tsealcam-hub "))]
    number = running.call("id", "-u", "sealcam-hub").stdout.strip()
    assert len(found) == 3, lines
    assert number != "0"
    for one in found:
        assert f"Uid:\t{number}\t{number}\t{number}\t{number}" in one
        assert "CapEff:\t0000000000000000" in one
        assert "NoNewPrivs:\t1" in one


def test_the_way_in_is_printed_for_who_asks_and_stands_in_no_log(running: Running) -> None:
    assert "(sealcam-hub link prints the way in)" in running.log()
    assert "/?token=" in running.hub("link")
    assert "token=" not in running.log()


def test_what_cameras_send_is_kept_over_a_stop_and_a_start(running: Running) -> None:
    said = json.loads(running.hub("simulate", "--cameras", "2", "--seconds", "3", "--json"))
    assert said["events"] > 0
    before = running.events()
    assert len(before) == said["events"]
    running.stop()
    assert running.ended() == 0, running.log()
    running.start()
    eventually(running.well, WAIT_S, f"it is well again\n{running.log()}")
    assert running.events() == before
    assert json.loads(running.hub("status", "--json"))["refused"] == 0


def test_when_its_broker_dies_it_ends_and_its_supervisor_starts_it_again(running: Running) -> None:
    before = running.events()
    running.call("sh", "-c", "kill -9 $(cat /data/hub/broker/mosquitto.pid)")
    eventually(lambda: running.ended() is not None, WAIT_S, "its end")
    assert running.ended() != 0
    running.start()
    eventually(running.well, WAIT_S, f"it is well again\n{running.log()}")
    assert running.events() == before
