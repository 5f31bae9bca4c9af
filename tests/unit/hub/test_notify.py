"""Notifications leave for a browser and a service on this machine: sealed, once, in time, and with few words."""

from __future__ import annotations

import base64
import json
import logging
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealcam.wire import schema as schema_of
from sealcam.wire.bodies import EventType, IncidentBody, Mode, Stage, Subject, Verdict
from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub import audit_source
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home, open_home
from sealcam_hub.notify_tables import told
from sealcam_hub.notifying import rows
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.notifying.push import KEY, PLAIN_BYTES, Message, Pusher, Sent, checked
from sealcam_hub.notifying.round import Round
from sealcam_hub.notifying.rules import Rank, Rules, clock, due, minute, unpack, zone
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.rekey import rekeyed
from tests.hubs import NS, WALL_NS, Camera, opened
from tests.listener import Listener, listening
from tests.unit.hub.test_upgrade import old_hub

HOUR_S = 3600


class Phone:
    """A browser that is told: has the keys that a real one has, and opens what comes."""

    def __init__(self, listener: Listener, path: str = "/push/phone") -> None:
        self.listener, self.path = listener, path
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = b"a" * 16

    def words(self) -> tuple[str, str, str, str]:
        """What it says of itself when it is added."""
        form = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        point = self._key.public_key().public_bytes(*form)
        coded = [base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in (point, self._auth)]
        return "Anna's phone", f"{self.listener.origin}{self.path}", coded[0], coded[1]

    def got(self) -> list[dict[str, object]]:
        """Everything that came, opened."""
        bodies = [one.body for one in self.listener.heard if one.path == self.path]
        opened = [
            http_ece.decrypt(one, private_key=self._key, auth_secret=self._auth, version="aes128gcm") for one in bodies
        ]
        assert {len(one) for one in opened} <= {PLAIN_BYTES}
        return [json.loads(one) for one in opened]

    def texts(self) -> list[str]:
        return [str(one["words"]) for one in self.got()]


@dataclass
class Room:
    """A hub with a camera, and whom it tells."""

    home: Home
    clock: SimulatedClock
    camera: Camera
    listener: Listener
    feed: Feed
    round: Round
    manage: Notifications
    phone: Phone
    pump: Pump
    link: RecordingLink = field(default_factory=RecordingLink)

    def happens(self, *envelopes: bytes) -> None:
        for envelope in envelopes:
            self.pump.deliver(self.camera.alias, envelope)
        while self.pump.run_once(self.link, 0):
            pass
        self.round.run_once()

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.round.run_once()

    def incident(
        self,
        number: int = 1,
        verdict: Verdict = Verdict.BENIGN,
        subject: Subject = Subject.PERSON,
        stage: Stage = Stage.NEW,
    ) -> bytes:
        at = self.camera.stamp(100 * NS + self.clock.boot_ns())
        body = schema_of.decode(self.camera.body(number, stage), IncidentBody)
        body = replace(body, verdict=verdict, subject=subject, at=at, started_ns=at.boot_ns - NS, ended_ns=at.boot_ns)
        return self.camera.event(EventType.INCIDENT, schema_of.encode(body))

    def threat(self, number: int = 1, subject: Subject = Subject.PERSON, stage: Stage = Stage.NEW) -> bytes:
        return self.incident(number, Verdict.THREAT, subject, stage)

    def add_phone(self) -> None:
        self.manage.add_browser(*self.phone.words())

    def add_service(self, name: str = "Ring", path: str = "/json", after_s: int = 0) -> None:
        self.manage.add_service(name, self.listener.origin.replace("http", "json") + path, after_s)

    def service(self, path: str = "/json") -> list[str]:
        return [json.loads(one.body)["message"] for one in self.listener.heard if one.path.rstrip("/") == path]


def again(home: Home, feed: Feed) -> Round:
    """A hub that has started anew; what is sent is sent at once."""
    return Round(home, feed, spawn=lambda work: work())


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with listening() as listener, opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera, feed = Camera(), Feed()
        camera.claim(home, "Front door")
        camera.clock = home.clock
        manage = Notifications(home)
        manage.host(listener.origin)
        pump = Pump(Receiver(home.store, home.keys, home.clock), home.wishes(), feed, home.clock)
        made = again(home, feed)
        made.run_once()
        yield Room(home, home.clock, camera, listener, feed, made, manage, Phone(listener), pump)


def test_nobody_is_told_anything_before_somebody_was_added(room: Room) -> None:
    room.happens(room.threat())
    assert room.listener.heard == []
    assert not (room.home.folder.path / KEY).exists()
    room.add_phone()
    room.passes(1)
    assert room.phone.got() == []  # what was before that is no news


def test_a_threat_is_told_with_few_words_and_sealed(room: Room) -> None:
    room.add_phone()
    room.happens(room.threat())
    (got,) = room.phone.got()
    assert got["words"] == "Front door: person"
    assert got["path"] == f"/incident/{room.camera.alias}-{1:016x}"
    assert got["loud"] is True
    (heard,) = room.listener.heard
    assert b"person" not in heard.body
    assert "person" not in str(heard.headers)
    token, _, key = heard.headers["authorization"].removeprefix("vapid t=").partition(",k=")
    point = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    vouched = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(token, vouched, ["ES256"], audience=room.listener.origin)
    assert claims["sub"].startswith("mailto:")
    assert 0 < claims["exp"] - time.time() <= 24 * 3600
    assert heard.headers["urgency"] == "high"
    assert room.camera.alias not in heard.headers["topic"]
    assert stat.S_IMODE((room.home.folder.path / KEY).stat().st_mode) == 0o600


def test_an_incident_has_one_notification_that_is_replaced(room: Room) -> None:
    room.add_phone()
    room.add_service()
    room.happens(room.threat(1, subject=Subject.NONE))
    room.happens(room.threat(1, stage=Stage.UPDATE))
    room.happens(room.threat(1, stage=Stage.UPDATE))
    room.happens(room.threat(1, stage=Stage.END))
    got = room.phone.got()
    assert [(one["words"], one["loud"]) for one in got] == [
        ("Front door: movement", True),
        ("Front door: person", False),
    ]
    assert len({one["tag"] for one in got}) == 1
    assert len({one.headers["topic"] for one in room.listener.heard if one.path == room.phone.path}) == 1
    assert room.service() == ["Front door: movement"]


def test_what_becomes_a_threat_rings_again_and_what_was_none_says_so(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, incidents=True, verdict=True))
    room.add_phone()
    room.add_service()
    room.happens(room.incident(1, verdict=Verdict.BENIGN, subject=Subject.PERSON))
    room.happens(room.threat(1, stage=Stage.UPDATE))
    room.happens(room.incident(1, verdict=Verdict.FALSE_ALARM, subject=Subject.PERSON, stage=Stage.END))
    assert [(one["words"], one["loud"]) for one in room.phone.got()] == [
        ("Front door: benign, person", True),
        ("Front door: threat, person", True),
        ("Front door: false alarm", False),
    ]
    assert room.service() == ["Front door: benign, person", "Front door: threat, person"]


def test_false_alarms_and_what_the_owner_did_not_choose_are_not_told(room: Room) -> None:
    room.add_phone()
    room.happens(room.incident(1, verdict=Verdict.BENIGN, subject=Subject.PERSON))
    room.happens(room.incident(2, verdict=Verdict.FALSE_ALARM, subject=Subject.NONE))
    room.manage.change(lambda rules: replace(rules, incidents=True, threats=False))
    room.happens(room.incident(3, verdict=Verdict.FALSE_ALARM, subject=Subject.PERSON))
    room.happens(room.threat(4))
    assert room.phone.got() == []


def test_a_parked_alarm_does_not_wait_for_its_place(room: Room) -> None:
    room.add_phone()
    room.incident(1)  # gets lost
    room.happens(room.threat(2))
    assert room.phone.texts() == ["Front door: person"]


def test_silence_is_told_and_its_end_replaces_it_and_the_next_rings_again(room: Room) -> None:
    room.add_phone()
    room.add_service()
    for _ in range(2):
        room.happens(room.camera.beat())
        room.clock.advance(61)
        room.happens()
    assert [(one["words"], one["loud"]) for one in room.phone.got()] == [
        ("Front door: no sign of life", True),
        ("Front door: is back", False),
        ("Front door: no sign of life", True),
    ]
    assert len({one["tag"] for one in room.phone.got()}) == 1
    assert room.service() == ["Front door: no sign of life"] * 2


def test_tampering_is_a_threat_while_armed(room: Room) -> None:
    quiet = minute("00:00"), minute("23:59")
    room.manage.change(lambda rules: replace(rules, quiet_from=quiet[0], quiet_to=quiet[1]))
    room.add_phone()
    room.happens(room.camera.beat(mode=Mode.HOME), room.camera.health("tamper-covered", "covered"))
    assert room.phone.texts() == []
    room.happens(room.camera.beat(mode=Mode.AWAY), room.camera.health("tamper-moved", "moved"))
    assert room.phone.texts() == ["Front door: tampering"]
    room.happens(room.camera.health("started", "watching began"))
    assert len(room.phone.got()) == 1


def test_a_press_of_the_button_while_armed_is_a_threat_and_no_tampering_that_goes_on(room: Room) -> None:
    room.add_phone()
    room.happens(room.camera.beat(mode=Mode.AWAY), room.camera.health("tamper-button", "pressed while armed away"))
    assert room.phone.texts() == ["Front door: tampering"]
    room.happens(room.camera.health("tamper-covered", "covered"))
    assert len({one["tag"] for one in room.phone.got()}) == 2
    room.happens(room.camera.health("tamper-over", "covered: the view is back"))
    assert room.phone.texts()[-1] == "Front door: tampering is over"


def test_in_quiet_hours_threats_pass_and_the_rest_waits_for_the_morning(room: Room) -> None:
    rules = Rules(incidents=True, quiet_from=minute("22:00"), quiet_to=minute("07:00"), zone="Europe/Berlin")
    start_ns = room.clock.wall_ns()
    until_22 = due(replace(rules, quiet_from=0, quiet_to=minute("22:00")), Rank.INCIDENT, start_ns) - start_ns
    room.clock.advance(until_22 / NS + 60)
    room.manage.change(lambda kept: replace(rules, hosts=kept.hosts))
    room.add_phone()
    room.happens(room.incident(1, verdict=Verdict.BENIGN, subject=Subject.PERSON))
    assert room.phone.texts() == []
    room.happens(room.threat(2))
    assert room.phone.texts() == ["Front door: person"]
    room.passes(9 * HOUR_S - 120)
    assert len(room.phone.got()) == 1
    room.passes(60)
    assert len(room.phone.got()) == 2
    room.clock.advance(15 * HOUR_S)
    room.manage.change(lambda kept: replace(kept, threats_pass=False))
    room.happens(room.threat(3))
    assert len(room.phone.got()) == 2


def test_many_that_waited_come_as_one(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, incidents=True, quiet_from=0, quiet_to=1439))
    room.add_phone()
    room.happens(*(room.incident(n, verdict=Verdict.BENIGN, subject=Subject.PERSON) for n in range(1, 9)))
    room.passes(24 * HOUR_S)
    room.passes(24 * HOUR_S)
    assert room.phone.texts() == ["8 messages are waiting in the console"]


def test_a_threat_that_nobody_sees_goes_to_the_next_one_and_rings_again(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, repeat_s=300))
    room.add_phone()
    room.add_service("Neighbour", "/next", after_s=120)
    room.happens(room.threat())
    room.passes(119)
    assert room.service("/next") == []
    room.passes(2)
    assert room.service("/next") == ["Front door: person"]
    for _ in range(8):
        room.passes(301)
    assert len(room.phone.got()) == 4
    assert len(room.service("/next")) == 4


def test_who_has_looked_stops_the_bell(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, repeat_s=300))
    room.add_phone()
    room.add_service("Neighbour", "/next", after_s=120)
    room.happens(room.threat())
    incident = f"{room.camera.alias}-{1:016x}"
    assert room.manage.unseen() == (f"incident/{incident}",)
    room.manage.seen(incident)
    room.manage.seen(incident)
    room.manage.seen("what nobody was told of")
    assert room.manage.unseen() == ()
    for _ in range(4):
        room.passes(301)
    assert len(room.phone.got()) == 1
    assert room.service("/next") == []


def test_the_next_one_hears_of_threats_alone(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, incidents=True))
    room.add_service("Neighbour", "/next", after_s=120)
    room.happens(room.incident(1, verdict=Verdict.BENIGN, subject=Subject.PERSON))
    room.passes(600)
    assert room.service("/next") == []


def test_what_fails_is_tried_again_and_less_often(room: Room) -> None:
    room.add_phone()
    room.listener.answers = [500, 429]
    room.happens(room.threat())
    room.passes(14)
    assert len(room.listener.heard) == 1
    assert room.manage.targets()[0].failed_ns is not None
    room.passes(1)
    room.passes(59)
    assert len(room.listener.heard) == 2
    room.passes(1)
    assert len(room.listener.heard) == 3
    assert room.manage.targets()[0].failed_ns is None
    room.passes(HOUR_S)
    assert len(room.listener.heard) == 3


def test_a_browser_that_is_gone_is_told_no_more(room: Room) -> None:
    room.add_phone()
    room.listener.answers = [410]
    room.happens(room.threat())
    assert room.manage.targets() == ()
    room.passes(HOUR_S)
    assert len(room.listener.heard) == 1


def test_a_redirect_is_not_followed(room: Room) -> None:
    room.add_phone()
    room.listener.location = f"{room.listener.origin}/elsewhere"
    room.listener.answers = [307]
    room.happens(room.threat())
    assert [one.path for one in room.listener.heard] == [room.phone.path]


def test_a_restart_sends_nothing_twice_and_forgets_nothing(room: Room) -> None:
    room.add_phone()
    room.add_service()
    room.happens(room.threat())
    again(room.home, room.feed).run_once()
    assert (len(room.phone.got()), len(room.service())) == (1, 1)
    for envelope in (room.threat(2), room.camera.beat()):
        room.pump.deliver(room.camera.alias, envelope)  # while no notification is sent
    room.pump.run_once(room.link, 0)
    fresh = again(room.home, Feed())
    fresh.run_once()
    fresh.run_once()
    assert (len(room.phone.got()), len(room.service())) == (2, 2)


def test_what_a_crash_interrupted_goes_again_only_where_it_replaces_itself(room: Room) -> None:
    room.add_phone()
    room.add_service()
    with room.home.store.writing() as connection:
        for target in rows.all_targets(connection):
            news = {"subject": "silent/x", "target": target.id, "rank": 2, "due_ns": 0, "since_ns": WALL_NS}
            connection.execute(told.insert().values(begun=True, said="", loud=True, tries=0, rings=0, **news))
    again(room.home, room.feed).run_once()
    assert room.phone.texts() == ["This hub: no sign of life"]
    assert room.service() == []


def test_a_threat_that_is_to_ring_again_does_so_after_a_crash(room: Room) -> None:
    room.manage.change(lambda rules: replace(rules, repeat_s=300))
    room.add_service()
    with room.home.store.writing() as connection:
        (target,) = rows.all_targets(connection)
        news = {"subject": "tamper/x", "target": target.id, "rank": 3, "due_ns": 0, "since_ns": WALL_NS}
        connection.execute(told.insert().values(begun=True, said="", loud=True, tries=0, rings=0, **news))
    fresh = again(room.home, room.feed)
    fresh.run_once()
    assert room.service() == []
    room.clock.advance(301)
    fresh.run_once()
    assert room.service() == ["This hub: tampering"]


def test_a_slow_target_holds_up_nobody(room: Room) -> None:
    waiting: list[object] = []
    slow = Round(room.home, room.feed, spawn=waiting.append)
    room.add_phone()
    room.happens()
    for number in (1, 2, 3):
        room.pump.deliver(room.camera.alias, room.threat(number))
        room.pump.run_once(room.link, 0)
        slow.run_once()
    assert len(waiting) == 1  # one at a time, and the ledger is read on
    assert room.listener.heard == []


def test_telling_an_incident_is_an_entry_of_the_log(room: Room) -> None:
    room.add_phone()
    room.listener.answers = [500]
    room.happens(room.threat())
    room.passes(20)
    log = audit_source.AuditSource(room.home.store, room.home.keys, room.home.clock).newest(20)
    found = [one for one in log.entries if one.actor == "notifications"]
    assert [(one.detail, one.subject) for one in found] == [
        ("told to Anna's phone, by 127.0.0.1", (1).to_bytes(8, "big"))
    ]


def test_secrets_stay_wrapped_unlogged_and_go_on_after_a_deletion(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    room.add_phone()
    room.add_service(path="/secretpath")
    room.listener.default = 500
    room.happens(room.threat())
    with pytest.raises(SealcamError) as failed:
        room.manage.test(room.manage.named("Ring").id)
    shown = str(failed.value) + repr(room.manage.targets()) + caplog.text
    stored = b"".join(path.read_bytes() for path in room.home.folder.path.glob("ledger.db*"))
    assert "secretpath" not in shown
    assert b"secretpath" not in stored
    assert b"/push/phone" not in stored
    room.listener.default = 201
    with rekeyed(room.home.folder, room.home.store, room.home.keys):
        pass
    room.manage.test(room.manage.named("Ring").id)
    room.manage.test(room.manage.named("Anna's phone").id)
    assert room.service("/secretpath")[-1] == "This is a test"
    assert room.phone.texts()[-1] == "This is a test"


def test_a_browser_names_only_a_push_service_that_is_known() -> None:
    phone = Phone(Listener())
    keys = phone.words()[2:]
    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://web.push.apple.com/x",
    ):
        assert checked(endpoint, *keys, ()).endpoint == endpoint
    for endpoint in (
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com@192.168.0.1/x",
        "https://192.168.0.1/x",
        "https://evilpush.apple.com.example/x",
        "https://[::1/x",
        "ftp://fcm.googleapis.com/",
        "https://fcm.googleapis.com/" + "x" * 3000,
        "",
    ):
        with pytest.raises(ConfigError):
            checked(endpoint, *keys, ())
    for bad in (("AAAA", keys[1]), (keys[0], "AAAA"), ("\u00e9", keys[1]), (keys[0], "!!")):
        with pytest.raises(ConfigError):
            checked("https://fcm.googleapis.com/x", *bad, ())


def test_an_address_that_is_no_service_or_this_machines_own_is_refused(room: Room) -> None:
    for address in ("", "nonsense", "syslog://", "dbus://", "ftp://x", "json://" + "x" * 3000):
        with pytest.raises(ConfigError):
            room.manage.add_service("X", address)
    assert room.manage.targets() == ()


def test_the_same_browser_comes_again_and_names_are_one_targets(room: Room) -> None:
    room.add_phone()
    name, *rest = room.phone.words()
    room.manage.add_browser("Kitchen", *rest)
    assert [one.name for one in room.manage.targets()] == ["Kitchen"]
    with pytest.raises(ConfigError):
        room.add_service("Kitchen")
    for bad in ("", " ", "x" * 65, "a\x00b"):
        with pytest.raises(ConfigError):
            room.manage.add_browser(bad, *rest)
    room.manage.remove(room.manage.named("Kitchen").id)
    with pytest.raises(ConfigError):
        room.manage.named(name)
    with pytest.raises(ConfigError):
        room.manage.remove(99)


def test_nobody_there_is_no_error(room: Room) -> None:
    room.listener.default = 201
    with listening() as other:
        gone = other.origin
    sub = checked(f"{gone}/x", *room.phone.words()[2:], (gone,))
    assert Pusher(room.home.folder).send(sub, Message("x", "y")) is Sent.LATER


def test_an_older_ledger_gets_the_tables(tmp_path: Path) -> None:
    folder, _, _ = old_hub(tmp_path / "hub")
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        again(home, Feed()).run_once()
        assert Notifications(home).targets() == ()


def test_quiet_hours_go_over_midnight_and_by_the_zones_clock() -> None:
    rules = Rules(quiet_from=minute("22:00"), quiet_to=minute("06:30"), zone="Europe/Berlin")
    winter_23 = 1_768_514_400 * NS  # 2026-01-15 22:00 UTC
    assert due(rules, Rank.TROUBLE, winter_23) == winter_23 + round(7.5 * HOUR_S) * NS
    assert due(rules, Rank.THREAT, winter_23) == winter_23
    assert due(rules, Rank.TROUBLE, winter_23 + 8 * HOUR_S * NS) == winter_23 + 8 * HOUR_S * NS
    assert due(replace(rules, zone="UTC"), Rank.TROUBLE, winter_23 - 1) == winter_23 - 1
    assert due(Rules(), Rank.TROUBLE, winter_23) == winter_23
    assert (clock(minute("7:05")), clock(minute("23:59"))) == ("07:05", "23:59")
    for bad in ("24:00", "7", "07:60", "x"):
        with pytest.raises(ConfigError):
            minute(bad)
    for bad in ("Nowhere", "../etc/passwd", "", "\x00"):
        with pytest.raises(ConfigError):
            zone(bad)
    assert unpack(rules.pack()) == rules
    assert unpack(b'{"threats": false, "later": 1}') == Rules(threats=False)
