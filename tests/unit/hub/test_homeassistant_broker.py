"""The bridge at a real broker: what stands there, what is told until somebody hears it, and what it is asked."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from sealcam.wire.bodies import Mode, Stage
from sealcam.wire.errors import LinkDown, StorageError
from sealcam.wire.wishes import CommandType
from sealcam_hub import deletion, expulsion
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.home import Home
from sealcam_hub.homeassistant import code
from sealcam_hub.homeassistant import look as look_file
from sealcam_hub.homeassistant.bridge import Bridge, names_of
from sealcam_hub.homeassistant.commands import CONTROLS
from sealcam_hub.homeassistant.look import Look
from sealcam_hub.homeassistant.mqtt import MOST_WAITING, HomeLink
from sealcam_hub.homeassistant.names import ACTOR, HUB, STATUS, Names
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.ledger import Ledger
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import cameras
from tests.broker import Broker, free_port
from tests.hubs import JPEG, Camera, opened
from tests.mqtt_client import Client
from tests.receiving import Desk
from tests.waiting import eventually

CODE = "271828"


class Room(Desk):
    """A hub, its camera and a bridge."""

    broker: Broker
    names: Names
    settings: Settings
    bridge: Bridge

    def link(self) -> HomeLink:
        """A new connection of the bridge."""
        link = HomeLink(self.settings, self.home.folder, self.names, lambda: None, self.bridge.cameras)
        link.open()
        self.bridge.begin(link)
        return link

    def client(self, *topics: str) -> Client:
        """Somebody who may do everything there."""
        return Client(self.broker.port, self.broker.context(self.broker.hub_certificate), topics or ("#",))

    def settled(self, link: HomeLink, client: Client) -> None:
        """Wait until everything that was put has come to a client that hears everything."""
        assert link._sent is not None
        link._sent.wait_for_publish(20)  # then the broker has all of it, and what is said now comes after it
        count = len(client.came)
        client.says("settled", b"")
        eventually(lambda: ("settled", b"") in client.came[count:], what="all that was put")

    def topic(self, what: str) -> str:
        return self.names.topic(self.camera.alias, what)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    everything = "user {hub}\ntopic readwrite #\n"
    with Broker(tmp_path, access=everything) as broker, opened(tmp_path / "hub") as home:
        camera = Camera()
        camera.claim(home)
        camera.clock = home.clock  # type: ignore[assignment]
        made = Room(home, Receiver(home.store, home.keys, home.clock), camera, home.clock)  # type: ignore[arg-type]
        pem, key = broker.hub_certificate
        (home.folder.path / "link" / "bridge.pem").write_bytes(pem.read_bytes())
        (home.folder.path / "link" / "bridge.key").write_bytes(key.read_bytes())
        shutil.copy(broker.ca_pem, home.folder.path / "ca" / "ca.pem")
        made.broker, made.names = broker, names_of(home)
        made.settings = Settings("localhost", broker.port, own=True, bridge="bridge-test", code=code.kept(CODE))
        made.bridge = Bridge(home, Look(home), made.settings, chance=lambda: 1.0)
        made.take(camera.beat(Mode.AWAY))
        yield made


def test_states_stand_at_the_broker_and_only_changes_are_sent(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.bridge.run_once(link)
        room.settled(link, client)
        assert client.stands[room.topic("mode")] == b"armed_away"
        assert client.stands[room.names.available] == b"online"
        assert client.stands[room.topic("motion")] == b"OFF"
        before = len(client.came)
        room.take(room.camera.incident(1))
        room.bridge.run_once(link)
        told = room.names.event(room.camera.alias, "incident")
        eventually(lambda: client.events(told), what="a report")
        room.settled(link, client)
        assert client.stands[room.topic("threat")] == b"ON"
        changed = {topic.rsplit("/", 1)[1] for topic, payload in client.came[before:] if payload}
        assert changed == {"motion", "person", "threat", "last", "incidents", "event"}
        assert client.events(told)[0]["event_type"] == "new"
        link.close()
        eventually(lambda: client.stands.get(room.names.available) == b"offline", what="a goodbye")


def test_a_report_waits_until_somebody_hears_it_and_is_told_once(room: Room) -> None:
    link = room.link()
    room.take(room.camera.incident(1), room.camera.incident(1, Stage.END))
    room.bridge.run_once(link)  # nobody listens
    topic = room.names.event(room.camera.alias, "incident")
    with room.client(topic) as client:
        room.bridge.run_once(link)
        assert client.came == []  # it is tried again later, or when Home Assistant says that it has started
        room.clock.advance(6)
        room.bridge.run_once(link)
        eventually(lambda: [one["event_type"] for one in client.events(topic)] == ["new", "end"], what="both reports")
        link.close()
        room.bridge = Bridge(room.home, Look(room.home), room.settings)  # the hub was started again
        link = room.link()
        room.take(room.camera.incident(2))
        room.bridge.run_once(link)
        eventually(lambda: len(client.events(topic)) == 3, what="the next one")
        assert str(client.events(topic)[2]["incident"]).endswith("-0000000000000002")
        link.close()


def test_a_topic_that_nobody_hears_holds_up_no_other_and_is_passed_over(room: Room) -> None:
    """As where Home Assistant's owner has turned one entity off."""
    topic = room.names.event(room.camera.alias, "incident")
    with room.client(topic) as client:
        link = room.link()
        room.bridge.run_once(link)
        room.take(room.camera.health("tamper-covered"), room.camera.incident(1), room.camera.incident(1, Stage.END))
        for _ in range(20):
            room.clock.advance(6)
            room.bridge.run_once(link)
        eventually(lambda: [one["event_type"] for one in client.events(topic)] == ["new", "end"], what="both reports")
        room.take(room.camera.health("tamper-over"), room.camera.incident(2))
        place = room.bridge._look.told().place
        for _ in range(20):
            room.clock.advance(6)
            room.bridge.run_once(link)
        assert room.bridge._look.told().place == place + 2
        eventually(lambda: len(client.events(topic)) == 3, what="the next one")
        link.close()


def test_what_a_locked_ledger_kept_back_is_shown_once_it_is_open(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_ledger: Ledger, _name: str) -> None:
        raise StorageError("the ledger is locked")

    with room.client() as client:
        link = room.link()
        room.bridge.run_once(link)
        room.take(room.camera.incident(1))
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "incident", locked)
            with pytest.raises(StorageError):
                room.bridge.run_once(link)
        room.bridge.run_once(link)
        room.settled(link, client)
        assert client.stands[room.topic("motion")] == b"ON"
        link.close()


def test_a_quiet_cameras_last_incident_stands_after_a_start(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    shed = Camera()
    shed.claim(room.home, "Shed")
    room.receiver.take(shed.alias, shed.incident(1), room.clock.wall_ns())
    room.take(room.camera.incident(1), room.camera.incident(2))
    monkeypatch.setattr(look_file, "FIRST", 1)
    look = Look(room.home)
    look.refresh()
    last = {one.camera.name: one.last for one in look.seen()}
    assert last["Shed"] is not None
    assert last["Shed"].id.startswith(shed.alias)


def test_a_quiet_cameras_last_incident_is_found_after_a_locked_ledger(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.take(room.camera.incident(1))
    monkeypatch.setattr(look_file, "FIRST", 0)
    look = Look(room.home)

    def locked(_ledger: Ledger, _incident: str) -> None:
        raise StorageError("the ledger is locked")

    with monkeypatch.context() as held:
        held.setattr(Ledger, "incident", locked)
        with pytest.raises(StorageError):
            look.refresh()
    look.refresh()
    assert look.seen()[0].last is not None


def test_a_report_that_waits_for_an_earlier_one_is_told_at_once_and_once(room: Room) -> None:
    topic = room.names.event(room.camera.alias, "incident")
    with room.client(topic) as client:
        link = room.link()
        first, second = room.camera.incident(1), room.camera.incident(2)
        room.take(second)
        room.bridge.run_once(link)
        eventually(lambda: [one["pending"] for one in client.events(topic)] == [True], what="the second")
        room.take(first)
        room.bridge.run_once(link)
        eventually(lambda: len(client.events(topic)) == 2, what="the first")
        assert [one["number"] for one in client.events(topic)] == [2, 1]
        link.close()


def test_after_a_birth_everything_is_sent_again(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.bridge.run_once(link)
        room.settled(link, client)
        config = room.names.config(room.camera.alias)
        client.says(STATUS, b"online")
        eventually(lambda: link.births == 1, what="the birth")
        room.bridge.run_once(link)
        count = [topic for topic, _ in client.came].count(config)
        room.clock.advance(3)
        room.bridge.run_once(link)
        eventually(lambda: [topic for topic, _ in client.came].count(config) == count + 1, what="the announcement")
        link.close()


def test_what_should_not_stand_is_emptied_and_what_somebody_wrote_is_put_right(room: Room) -> None:
    old = "ffeeddccbbaa9988"
    with room.client() as client:
        client.says(room.names.config(old), b"{}", retain=True)
        client.says(room.names.topic(old, "motion"), b"ON", retain=True)
        foreign = "homeassistant/device/somebody-else/config"
        client.says(foreign, b"{}", retain=True)
        link = room.link()
        eventually(lambda: len(link._found) == 2, what="what stands")
        room.bridge.run_once(link)
        gone = {room.names.config(old), room.names.topic(old, "motion")}
        eventually(lambda: not gone & client.stands.keys(), what="it is gone")
        assert foreign in client.stands
        client.says(room.topic("motion"), b"ON", retain=True)
        eventually(lambda: link._found, what="the false word")
        room.bridge.run_once(link)
        eventually(lambda: client.stands.get(room.topic("motion")) == b"OFF", what="the true one")
        link.close()


def test_a_camera_that_goes_and_a_bridge_that_is_turned_off_leave_nothing(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.bridge.run_once(link)
        with room.home.store.writing() as connection:
            expulsion.expel(connection, room.camera.alias)
        room.bridge.run_once(link)
        room.settled(link, client)
        assert not [one for one in client.stands if room.camera.alias in one]
        assert room.names.config(HUB) in client.stands
        room.bridge.leave(link)
        link.leave()
        eventually(lambda: not client.stands, what="nothing")


def test_a_camera_by_another_name_is_announced_by_it(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.bridge.run_once(link)
        with room.home.store.writing() as connection:
            connection.execute(update(cameras).values(name="Porch"))
        room.bridge.run_once(link)
        config = room.names.config(room.camera.alias)
        eventually(lambda: json.loads(client.stands.get(config, b"{}")).get("device", {}).get("name") == "Porch")
        assert [one for one in client.stands if one.startswith("homeassistant/")] == [room.names.config(HUB), config]
        link.close()


def test_an_incident_that_is_deleted_stands_nowhere_any_more(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.take(room.camera.incident(1), room.camera.incident(1, Stage.END))
        room.bridge.run_once(link)
        eventually(lambda: room.topic("last") in client.stands, what="the incident")
        home = room.home
        with home.store.reading() as connection:
            doomed = deletion.named(connection, [f"{room.camera.alias}-{1:016x}"])
        deletion.Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
        room.clock.advance(11)
        room.bridge.run_once(link)
        eventually(lambda: room.topic("last") not in client.stands, what="nothing of it")
        link.close()


def test_the_picture_goes_only_where_it_is_allowed_and_is_in_the_audit_log(room: Room) -> None:
    with room.client() as client:
        link = room.link()
        room.take(room.camera.incident(1, picture=JPEG))
        room.bridge.run_once(link)
        room.bridge.change(replace(room.settings, allowed=("image",)))
        assert actors(room.home) == []
        for _ in range(3):
            room.bridge.run_once(link)
        eventually(lambda: client.stands.get(room.topic("image")) == JPEG, what="the picture")
        assert actors(room.home) == ["opened"]
        room.bridge.change(room.settings)
        room.bridge.run_once(link)
        eventually(lambda: room.topic("image") not in client.stands, what="no picture")
        link.close()


def actors(home: Home) -> list[str]:
    """What Home Assistant did, by the audit log."""
    page = AuditSource(home.store, home.keys, home.clock).newest(100)
    return [one.action for one in page.entries if one.actor == ACTOR]


def came(link: HomeLink) -> int:
    """How much has come on command topics and wasn't taken yet."""
    return len(link._waiting) + sum(link._turned.values())


def test_a_flood_of_garbage_is_counted_and_keeps_no_command_away(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    hubs = room.names.topic(HUB, "refused")
    with room.client(room.topic("refused"), hubs) as client:
        link = room.link()
        for number in range(300):
            client.says(room.names.command(room.camera.alias, "arm"), b"garbage")
            client.says(room.names.command(f"{number:016x}", "arm"), b'{"action":"ARM_NIGHT"}')
        for _ in range(MOST_WAITING + 8):
            client.says(room.names.command(room.camera.alias, "arm"), b'{"action":"ARM_AWAY"}')
        eventually(lambda: came(link) == 608 + MOST_WAITING, what="all of it")
        room.bridge.run_once(link)
        eventually(lambda: client.stands.get(room.topic("refused")) == b"308", what="the camera's count")
        eventually(lambda: client.stands.get(hubs) == b"300", what="the hub's count")
        assert len([one for one in caplog.records if "refused" in one.getMessage()]) == 3
        client.says(room.names.command(room.camera.alias, "arm"), b'{"action":"ARM_NIGHT"}')
        eventually(lambda: came(link) == 1, what="one more")
        room.bridge.run_once(link)
        assert [str(one.kind.name) for one in room.home.wishes().list()] == ["ARM"]
        link.close()


def test_commands_are_taken_or_refused_and_each_reason_is_logged_once(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    def says(what: str, *payloads: bytes, retain: bool = False) -> None:
        for payload in payloads:
            client.says(room.names.command(room.camera.alias, what), payload, retain=retain)
        eventually(lambda: came(link) == len(payloads), what="the commands")
        room.bridge.run_once(link)

    def wished() -> list[str]:
        return [str(one.kind.name) for one in room.home.wishes().list()]

    with room.client(room.topic("refused")) as client:
        link = room.link()
        says("arm", b'{"action":"DISARM"}', b'{"action":"DISARM","code":"271828"}', b"garbage", b"\xff" * 5000)
        says("privacy", b"ON")
        says("sensitivity", b"100")
        says("nothing", b"ON")
        assert wished() == []
        eventually(lambda: client.stands.get(room.topic("refused")) == b"7", what="the count")
        lines = [one.getMessage() for one in caplog.records if "refused" in one.getMessage()]
        assert len(lines) == len(set(lines)) == 6
        assert CODE not in caplog.text
        says("arm", b"garbage", b"more garbage", b"\xff")
        assert len([one for one in caplog.records if "refused" in one.getMessage()]) == 6
        room.bridge.change(replace(room.settings, allowed=("disarm", "privacy", "sensitivity")))
        says("arm", b'{"action":"DISARM","code":"271828"}', retain=True)
        assert wished() == [
            "ARM"
        ]  # it came live; as a retained one it would come again and again, and count for nothing
        link.close()
        room.home.wishes().ask(room.camera.alias, "away")
        link = room.link()
        eventually(lambda: came(link), what="the retained one")
        room.bridge.run_once(link)
        assert [one.kind for one in room.home.wishes().list()] == [CommandType.ARM]
        assert "retained" in caplog.records[-1].getMessage()
        link.close()


def test_with_disarming_allowed_no_set_topic_takes_less_than_the_code(room: Room) -> None:
    room.bridge.change(replace(room.settings, allowed=("disarm", "privacy", "sensitivity", "image")))
    disarms = [{"action": "DISARM"}, {"action": "ARM_HOME"}]
    codes: list[object] = [None, "", " ", "000000", "27182", f"{CODE}8", f" {CODE}", f"{CODE}\n", int(CODE), [CODE]]
    codes += [{"code": CODE}, True, "\uff12\uff17\uff11\uff18\uff12\uff18", "$argon2id$", "x" * 900]
    payloads = [json.dumps(one).encode() for one in disarms]
    payloads += [json.dumps(one | {"code": code}).encode() for one in disarms for code in codes]
    payloads += [b"", b"DISARM", b"OFF", b"ON", b"0", b"100", b"null", b"[]", b"{}", b"\x00", b"\xff" * 64]
    payloads += [b"disarm " + CODE.encode(), CODE.encode(), b'{"action":"DISARM","code":"' + CODE.encode()]
    with room.client(room.topic("refused")) as client:
        link = room.link()
        for what in (*CONTROLS, "disarm"):
            for payload in payloads:
                client.says(room.names.command(room.camera.alias, what), payload)
            eventually(lambda: came(link) == len(payloads), what="all of them")
            asked = link.heard()
            assert bool(asked) == (what in CONTROLS)
            for one in asked:
                room.clock.advance(3600)  # so that none is refused for coming too soon after a wrong code
                link._waiting.append(one)
                room.bridge.run_once(link)
                assert list(room.home.wishes().list()) == [], (what, one.asked)
        assert room.home.ledger().cameras()[0].mode == "away"
        link.close()


def test_a_broker_that_is_not_there_is_no_failure(room: Room) -> None:
    room.settings = replace(room.settings, port=free_port())
    with pytest.raises(LinkDown):
        room.link()
    room.settings = replace(room.settings, port=room.broker.port)
    link = room.link()
    room.broker.kill()
    eventually(lambda: not link.up, what="the loss")
    assert not link.put("a", b"b")
    assert not link.tell("a", b"b")
    link.close()
    room.broker.start()
