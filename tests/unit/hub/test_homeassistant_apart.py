"""States in plain text stay away from the cameras' broker, by whatever address it is reached."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealcam_hub.clock import SystemClock
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home, open_home
from sealcam_hub.homeassistant import worker as worker_of
from sealcam_hub.homeassistant.bridge import names_of
from sealcam_hub.homeassistant.mqtt import HomeLink
from sealcam_hub.homeassistant.settings import Settings, load, save
from sealcam_hub.homeassistant.worker import HomeAssistant
from tests.broker import Broker, free_port
from tests.hubs import Camera, make
from tests.mqtt_client import Client
from tests.waiting import eventually

PLAIN = """
listener {port} localhost
allow_anonymous true
"""


@dataclass
class House:
    """A home, its cameras' broker, and a client there that hears everything."""

    home: Home
    camera: Camera
    broker: Broker
    client: Client
    reached: bool = True  # whether what the hub sends to cameras comes to this broker
    away: bool = False

    asked: int = 0

    def send(self, alias: str, message: bytes) -> bool:
        self.asked += 1
        if self.reached and not self.away:
            self.client._client.publish(f"sealcam/{alias}/cmd", message, qos=1)
        return not self.away

    def told(self) -> list[str]:
        """The topics at which something stands that Home Assistant would read."""
        return [topic for topic in self.client.stands if not topic.startswith("sealcam/")]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(worker_of, "AGAIN_S", 0.05)
    monkeypatch.setattr(worker_of, "IDLE_S", 0.05)
    monkeypatch.setattr(worker_of, "SUSPECT_S", 0.0)
    other = free_port()
    everything = "topic readwrite #\nuser {hub}\ntopic readwrite #\n"
    with (
        Broker(tmp_path, access=everything, extra=PLAIN.format(port=other)) as broker,
        open_home(make(tmp_path / "hub"), SystemClock()) as home,
        Client(broker.port, broker.context(broker.hub_certificate)) as client,
    ):
        camera = Camera()
        camera.claim(home)
        save(home.folder, Settings("localhost", other, tls=False))
        yield House(home, camera, broker, client)


def served(house: House) -> HomeAssistant:
    return HomeAssistant(house.home, Feed(), live=None, send=house.send)  # type: ignore[arg-type]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if "is the cameras' own" in one.getMessage()]


def test_another_port_of_the_cameras_broker_is_told_nothing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    worker = served(house)
    worker.start()
    try:
        asked = [f"sealcam/{house.camera.alias}/cmd"]
        eventually(lambda: len([one for one in house.client.came if one[0] not in asked]) >= 2, what="two tries")
        assert house.told() == []
        assert len(lines(caplog)) == 1, "it is said once"
        assert worker.check()
    finally:
        worker.stop()


def test_a_hub_that_is_not_at_its_broker_yet_waits_to_know(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.away = True
    worker = served(house)
    worker.start()
    try:
        house.client.says("sealcam/0123456789abcdef/cmd", b"another home's")
        house.away = False
        eventually(lambda: lines(caplog), what="it is said")
        assert house.told() == []
    finally:
        worker.stop()


def test_a_broker_that_comes_to_carry_what_cameras_are_told_has_all_taken_back(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.reached = False
    worker = served(house)
    worker.start()
    try:
        motion = names_of(house.home).topic(house.camera.alias, "motion")
        eventually(lambda: house.client.stands.get(motion) == b"OFF", what="its state")
        house.client.says("sealcam/0123456789abcdef/cmd", b"another home's")
        asked = house.asked
        house.client.says(f"sealcam/{house.camera.alias}/cmd", b"a stranger's, who would have the owner told nothing")
        eventually(lambda: house.asked > asked, what="it is looked at")
        house.client.says("settled", b"")
        eventually(lambda: ("settled", b"") in house.client.came, what="all that came of it")
        assert house.client.stands.get(motion) == b"OFF"
        house.reached = True
        house.client.says(f"sealcam/{house.camera.alias}/cmd", b"as a bridge would")
        eventually(lambda: not house.told(), what="nothing stands")
        eventually(lambda: lines(caplog), what="it is said")
    finally:
        worker.stop()


def test_what_stood_there_before_it_was_found_out_is_taken_back(house: House) -> None:
    names = names_of(house.home)
    for topic in (names.topic(house.camera.alias, "motion"), names.available):
        house.client.says(topic, b"OFF", retain=True)
    eventually(lambda: len(house.told()) == 2, what="they stand")
    worker = served(house)
    worker.start()
    try:
        eventually(lambda: house.told() == [], what="nothing stands")
    finally:
        worker.stop()


def changing(house: House, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    """While it is found out whether that is the cameras' broker, the owner changes a setting."""
    probes = HomeLink.probe

    def probe(link: HomeLink, send: Callable[[str, bytes], bool]) -> bool:
        save(house.home.folder, replace(load(house.home.folder) or Settings("", 0), **changed))  # type: ignore[arg-type]
        return probes(link, send)

    monkeypatch.setattr(HomeLink, "probe", probe)


def test_what_is_turned_off_meanwhile_is_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.reached = False
    changing(house, monkeypatch, leaving=True)
    worker = served(house)
    worker.start()
    try:
        eventually(lambda: load(house.home.folder) is None, what="it is forgotten")
        assert house.told() == []
    finally:
        worker.stop()


def test_what_was_withdrawn_while_the_broker_was_away_holds(house: House) -> None:
    house.reached = False
    right = load(house.home.folder)
    assert right is not None
    save(house.home.folder, replace(right, allowed=("privacy",), port=1))
    worker = served(house)
    worker.start()
    try:
        eventually(lambda: worker._bridge is not None, what="a first try")
        save(house.home.folder, right)
        config = names_of(house.home).config(house.camera.alias)
        eventually(lambda: config in house.client.stands, what="it is announced")
        components = json.loads(house.client.stands[config])["components"]
        assert components["privacy"] == {"platform": "switch"}
    finally:
        worker.stop()
