"""A hub's life as its owner lives it: commands in processes of their own, beside a running `serve`."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import open_home
from sealcam_hub.keys import load_keys
from tests import typing_person
from tests.broker import free_port
from tests.hubs import Camera, make
from tests.unit.hub.test_serve import HUB, Place, post
from tests.waiting import eventually


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Place]:
    mosquitto = shutil.which("mosquitto", path="/usr/bin:/usr/sbin:/usr/local/sbin")
    if mosquitto is None:
        pytest.skip("Mosquitto is not installed")
    port = free_port()
    made = Place(make(tmp_path / "hub", Address("localhost", port)), port, mosquitto)
    try:
        made.start_broker()
        made.start_hub()
        made.until_receiving()
        yield made
    finally:
        made.end()


def types(place: Place) -> list[str]:
    return [json.loads(line)["type"] for line in place.asks("events", "--json").splitlines()]


def test_an_incident_is_deleted_beside_a_running_hub_which_goes_on_under_the_new_key(running: Place) -> None:
    camera = running.claim("Door")
    with post(running, camera) as mail:
        mail.send(camera.incident(1))
        mail.send(camera.incident(2))
        eventually(lambda: len(mail.came) == 2, what="two receipts")
        said = running.asks("delete", f"{camera.alias}-0000000000000001", "--yes")
        assert "best effort" in said
        assert json.loads(running.asks("status", "--json"))["deletions"] == {
            "pending": 1,
            "complete": 0,
            "best_effort": True,
        }
        mail.send(camera.incident(3))
        eventually(lambda: len(mail.came) == 3, what="a receipt after the deletion")
        assert types(running) == ["deleted", "incident", "incident"]
        mail.send(camera.beat())
        eventually(lambda: len(mail.came) == 4, what="the next prekey")
        camera.take_prekey(mail.came[3])
        mail.send(camera.beat())
        eventually(lambda: "1 incidents complete, 0 pending" in running.asks("status"), what="its completion")
        assert running.hub is not None
        assert running.hub.poll() is None


def test_a_camera_is_expelled_beside_a_running_hub(running: Place) -> None:
    camera, other = running.claim("Door"), running.claim("Yard")
    with post(running, camera) as mail, post(running, other) as stays:
        mail.send(camera.incident(1))
        eventually(lambda: len(mail.came) == 1, what="a receipt")
        said = running.asks("expel", "Door", "--yes")
        assert "the broker has ended its session and lets it in no more" in said
        stays.send(other.incident(1))
        eventually(lambda: len(stays.came) == 1, what="another camera's receipt")
    assert types(running) == ["incident", "incident"]


def test_nothing_is_deleted_or_expelled_unasked(tmp_path: Path) -> None:
    folder, camera = make(tmp_path / "hub"), Camera()
    with open_home(folder, SystemClock()) as home:
        camera.claim(home, "Door")
    for words in (["expel", "Door"], ["delete"], ["delete", "00" * 8], ["delete", "x", "--before", "1d"]):
        command = [HUB, "--state", str(folder.path), *words]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 2, words
        assert b"hint:" in done.stderr


def test_a_lost_hub_comes_back_from_its_backup_and_words_typed_at_a_terminal(tmp_path: Path) -> None:
    hub = Path(sys.executable).with_name("sealcam-hub")
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup"
    subprocess.run([hub, "--state", old, "init", "--throwaway"], check=True, capture_output=True)
    words = (old / "throwaway-words.txt").read_text().splitlines()[1]
    camera = Camera()
    with open_home(Folder(old), SystemClock()) as home:
        camera.claim(home, "Door")
    subprocess.run([hub, "--state", old, "backup", "-o", file], check=True, capture_output=True)
    command = [hub, "--state", new, "recover", "--from", file, "--no-wait"]
    done = typing_person.run(command, [("word  1 of 24: ", words)])
    assert done.code == 0, done.error
    pairs = [" ".join(pair) for pair in itertools.pairwise(words.split())]  # single ones are words like any other
    assert not any(pair in " ".join(done.shown.split()) for pair in pairs)
    assert load_keys(Folder(new)).root_public == load_keys(Folder(old)).root_public
    status = subprocess.run([hub, "--state", new, "status", "--json"], check=True, capture_output=True).stdout
    assert [one["name"] for one in json.loads(status)["cameras"]] == ["Door"]
    log = subprocess.run([hub, "--state", new, "audit"], check=True, capture_output=True).stdout.decode()
    assert "recovered" in log
