"""What Home Assistant is told and may ask, without a broker: states, announcements, reports, commands, codes."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire.errors import ConfigError
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.homeassistant import code, commands, discovery, states
from sealcam_hub.homeassistant.board import Board
from sealcam_hub.homeassistant.code import Keypad
from sealcam_hub.homeassistant.commands import Arm, Privacy, RefusedError, Sensitivity
from sealcam_hub.homeassistant.names import HUB, Names
from sealcam_hub.homeassistant.reports import report
from sealcam_hub.homeassistant.settings import ALLOWED, Settings
from sealcam_hub.homeassistant.states import Seen
from sealcam_hub.views import CameraView, EventView, IncidentView, NoticeView, ReportView

NOW_NS = 1_800_000_000_000_000_000
NAMES = Names("0123abcd")
ALIAS = "00112233445566ff"
NOTHING = Settings("localhost", 1883)
ALL = replace(NOTHING, allowed=ALLOWED, code="$argon2id$")
CAMERA = CameraView(
    alias=ALIAS,
    name="Door",
    state="watching",
    mode="away",
    last_beat_ns=NOW_NS,
    frame_age_ns=50_000_000,
    queued=0,
    firmware="0.1.0",
    incidents=3,
)
REPORT = ReportView(
    seq=7,
    stage="new",
    occurred_ns=NOW_NS,
    subject="person",
    confidence=0.9,
    verdict="benign",
    threat=0.3,
    reasons=("a person was seen",),
    trigger="motion",
    mode="away",
    pending=False,
    has_thumbnail=False,
)
INCIDENT = IncidentView(
    id=f"{ALIAS}-0000000000000001",
    alias=ALIAS,
    camera_name="Door",
    subject="person",
    confidence=0.9,
    verdict="benign",
    threat=0.3,
    reasons=("a person was seen",),
    trigger="motion",
    mode="away",
    started_ns=NOW_NS,
    ended_ns=NOW_NS,
    arrived_ns=NOW_NS,
    open=True,
    reports=(REPORT,),
    has_thumbnail=False,
)
LINE = EventView(
    place=4,
    camera="Door",
    alias=ALIAS,
    seq=7,
    type="incident",
    incident="0000000000000001",
    report=REPORT,
    text=(),
    occurred_ns=NOW_NS,
    started_ns=NOW_NS,
    ended_ns=NOW_NS,
    arrived_ns=NOW_NS,
    thumbnail_bytes=0,
    hash="ab" * 32,
)


def shown(**changed: Any) -> dict[str, str]:
    told = states.shown(NAMES, Seen(CAMERA, **changed), NOTHING, NOW_NS)
    return {topic.rsplit("/", 1)[1]: value.decode() for topic, value in told.items()}


def components(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(discovery.camera(NAMES, CAMERA, settings))["components"]
    return found


def notice(kind: str, age_ns: int = 0) -> NoticeView:
    return NoticeView(1, kind, "Door", "in words", NOW_NS - age_ns)


# States.


def test_an_open_incident_is_motion_and_its_subject() -> None:
    still, moved = shown(), shown(open=(INCIDENT,), last=INCIDENT)
    assert [still[one] for one in ("motion", "person", "vehicle", "threat")] == ["OFF", "OFF", "OFF", "OFF"]
    assert [moved[one] for one in ("motion", "person", "vehicle", "threat")] == ["ON", "ON", "OFF", "OFF"]
    assert json.loads(moved["last"])["summary"] == "person: benign"
    assert "last" not in still


@pytest.mark.parametrize(
    ("threat", "level", "on"), [(0.3, 0, False), (0.3, 70, True), (0.29, 70, False), (1.0, 0, False)]
)
def test_sensitivity_adds_to_the_cameras_verdict(threat: float, level: int, on: bool) -> None:
    one = replace(INCIDENT, threat=threat)
    assert shown(open=(one,), sensitivity=level)["threat"] == ("ON" if on else "OFF")


@given(st.floats(0, 1), st.integers(0, 100))
def test_sensitivity_never_hides_a_threat(threat: float, level: int) -> None:
    one = replace(INCIDENT, verdict="threat", threat=threat)
    assert shown(open=(one,), sensitivity=level)["threat"] == "ON"


@pytest.mark.parametrize("state", ["silent", "cut-off", "new"])
def test_a_camera_that_is_not_heard_is_not_there_and_a_problem(state: Any) -> None:
    told = states.shown(NAMES, Seen(replace(CAMERA, state=state)), NOTHING, NOW_NS)
    assert told[NAMES.topic(ALIAS, "available")] == b"offline"
    assert told[NAMES.topic(ALIAS, "connectivity")] == b"OFF"
    assert told[NAMES.topic(ALIAS, "problem")] == b"ON"


def test_a_camera_without_a_mode_shows_none() -> None:
    told = states.shown(NAMES, Seen(replace(CAMERA, mode=None, last_beat_ns=None)), NOTHING, NOW_NS)
    assert NAMES.topic(ALIAS, "mode") not in told
    assert NAMES.topic(ALIAS, "last_beat") not in told


def test_the_firmware_that_runs_is_shown_and_none_is_called_the_newest() -> None:
    topic = NAMES.topic(ALIAS, "firmware")
    told = json.loads(states.shown(NAMES, Seen(CAMERA), NOTHING, NOW_NS)[topic])
    assert told["installed_version"] == "0.1.0"
    assert "latest_version" not in told
    assert topic not in states.shown(NAMES, Seen(replace(CAMERA, firmware=None)), NOTHING, NOW_NS)


@pytest.mark.parametrize(
    ("now", "wished", "state"),
    [
        ("off", None, "disarmed"),
        ("away", "off", "disarming"),
        ("home", "night", "arming"),
        ("night", None, "armed_night"),
    ],
)
def test_the_panel_shows_what_holds_or_is_on_its_way(now: str, wished: str | None, state: str) -> None:
    assert states.mode(now, wished) == state


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((), None),
        (("tamper-covered",), "covered"),
        (("tamper-covered", "tamper-over"), None),
        (("tamper-moved", "tamper-stays"), "moved"),
        (("tamper-moved", "tamper-stays", "started"), None),
        (("tamper-moved", "tamper-over", "tamper-frozen", "live-began"), "frozen"),
        (("tamper-button",), None),
        (("tamper-covered", "tamper-button"), "covered"),
    ],
)
def test_tampering_lasts_until_it_is_over_or_the_camera_starts_again(codes: tuple[str, ...], kind: str | None) -> None:
    assert states.tampered(codes) == kind


def test_what_ails_a_camera_is_a_problem_until_it_says_otherwise() -> None:
    def problems(*codes: str) -> list[str]:
        return states.problems(Seen(CAMERA, codes=codes), NOW_NS)

    assert problems("encoder-slow", "pir-unreliable") == ["encoder-slow", "pir-unreliable"]
    assert problems("encoder-slow", "encoder-slow-over") == []
    assert problems("camera-lost", "camera-restart", "started") == ["camera-lost"]
    assert problems("camera-lost", "camera-restart", "started", "camera-back") == []
    assert problems("live-began", "something-new") == []


def test_notices_are_problems_for_a_day_or_until_they_are_over() -> None:
    day_ns = 24 * 3600 * 1_000_000_000
    assert states.standing([notice("gap"), notice("clone")], NOW_NS) == ["gap", "clone"]
    assert states.standing([notice("filled"), notice("gap")], NOW_NS) == []
    assert states.standing([notice("gap"), notice("filled")], NOW_NS) == ["gap"]
    two = [replace(notice("filled"), subject="20"), *(replace(notice("gap"), subject=one) for one in ("20", "5"))]
    assert states.standing(two, NOW_NS) == ["gap"]  # the older one stands
    assert states.standing([notice("gap", day_ns)], NOW_NS) == []
    assert states.standing([notice("silent"), notice("farewell")], NOW_NS) == []
    assert states.standing([notice("offsite", day_ns)], NOW_NS, ("offsite", "disk")) == ["offsite", "disk"]
    assert states.standing([notice("disk")], NOW_NS, ("disk", "silent")) == ["disk"]


def test_a_stale_picture_and_a_refused_wish_are_problems() -> None:
    camera = replace(CAMERA, frame_age_ns=60_000_000_000, refused="arm: failed")
    assert states.problems(Seen(camera), NOW_NS) == ["stale-picture", "refused-command"]
    assert states.problems(Seen(replace(camera, state="private", refused=None)), NOW_NS) == []


# Announcements.


def test_every_component_has_an_id_a_state_or_command_and_availability_in_list_form() -> None:
    device = json.loads(discovery.camera(NAMES, CAMERA, ALL))
    assert "availability_topic" not in json.dumps(device)
    assert device["origin"]["name"] == "Sealcam"
    assert device["device"]["name"] == "Door"
    ids = []
    for key, one in device["components"].items():
        if set(one) == {"platform"}:
            continue
        assert one["availability_mode"] == "all", key
        assert {"topic": NAMES.available} in one["availability"]
        assert any(name.endswith("_topic") for name in one), key
        ids.append(one["unique_id"])
    assert len(ids) == len(set(ids))


def test_what_is_not_allowed_has_its_platform_alone() -> None:
    few, all_of_them = components(NOTHING), components(ALL)
    assert [key for key, one in few.items() if set(one) == {"platform"}] == ["privacy", "sensitivity", "image"]
    assert [key for key, one in all_of_them.items() if set(one) == {"platform"}] == [
        "privacy_state",
        "sensitivity_state",
    ]
    assert set(few) == set(all_of_them)  # whatever was there can be taken away


def test_the_panel_asks_for_a_code_only_where_it_may_disarm() -> None:
    assert "code" not in components(NOTHING)["arm"]
    assert "code" not in components(replace(NOTHING, allowed=("disarm",)))["arm"]  # no code was set
    panel = components(ALL)["arm"]
    assert (panel["code"], panel["code_arm_required"], panel["code_disarm_required"]) == ("REMOTE_CODE", False, True)


def test_no_announcement_holds_a_secret() -> None:
    settings = replace(ALL, username="user", password="pass-word", token="ab" * 32, code="$argon2id$secret")
    told = (discovery.camera(NAMES, CAMERA, settings) + discovery.hub(NAMES)).decode()
    for secret in ("pass-word", "ab" * 32, "argon2id"):
        assert secret not in told
        assert secret not in repr(settings)


# Reports.


def test_a_report_is_an_event_with_a_stable_id() -> None:
    made = report(NAMES, LINE, False)
    assert made is not None
    topic, payload = made
    told = json.loads(payload)
    assert topic == NAMES.event(ALIAS, "incident")
    assert (told["event_type"], told["incident"], told["pending"]) == ("new", f"{ALIAS}-0000000000000001", False)


def test_notices_and_health_are_events_and_the_rest_is_not() -> None:
    line = replace(LINE, type="notice", report=None, incident=None, text=("the camera beats again", "back"))
    made = report(NAMES, line, False)
    assert made is not None
    assert json.loads(made[1])["event_type"] == "back"
    hubs = report(NAMES, replace(line, alias="", text=("no room", "disk")), False)
    assert hubs is None or hubs[0] == NAMES.event(HUB, "notice")
    health = report(NAMES, replace(line, type="health", text=("covered", "tamper-covered")), False)
    assert health is not None
    assert json.loads(health[1])["event_type"] == "health"
    assert json.loads(health[1])["code"] == "tamper-covered"
    assert report(NAMES, replace(line, type="privacy", text=("capture was stopped", "on")), False) is None
    assert report(NAMES, replace(line, text=("from a newer hub", "unheard-of")), False) is None


# Commands.


@pytest.mark.parametrize(
    ("control", "payload", "asked"),
    [
        ("arm", b'{"action": "ARM_AWAY", "code": null}', Arm("away")),
        ("arm", b'{"action": "ARM_NIGHT"}', Arm("night")),
        ("arm", b'{"action": "DISARM", "code": "123456"}', Arm("off", "123456")),
        ("privacy", b"ON", Privacy(True)),
        ("privacy", b"OFF", Privacy(False)),
        ("sensitivity", b"40", Sensitivity(40)),
    ],
)
def test_what_home_assistant_sends_is_read(control: str, payload: bytes, asked: object) -> None:
    assert commands.read(control, payload) == asked


@pytest.mark.parametrize(
    ("control", "payload"),
    [
        ("arm", b"DISARM"),
        ("arm", b"[]"),
        ("arm", b'{"action": "TRIGGER"}'),
        ("arm", b'{"action": ["DISARM"]}'),
        ("arm", b'{"action": "DISARM", "code": 123456}'),
        ("arm", b'{"action": "ARM_AWAY", "more": 1}'),
        ("arm", b"[" * 1000),
        ("arm", b'{"action": "ARM_AWAY", "code": "' + b"1" * 2000 + b'"}'),
        ("arm", b"\xff\xfe"),
        ("privacy", b"on"),
        ("privacy", b""),
        ("sensitivity", b"101"),
        ("sensitivity", b"-1"),
        ("sensitivity", "４０".encode()),
        ("sensitivity", b"1e1"),
        ("firmware", b"install"),
    ],
)
def test_what_it_does_not_send_is_refused(control: str, payload: bytes) -> None:
    with pytest.raises(RefusedError):
        commands.read(control, payload)


@given(st.sampled_from([*commands.CONTROLS, "other"]), st.binary(max_size=2000))
def test_garbage_is_read_or_refused(control: str, payload: bytes) -> None:
    with contextlib.suppress(RefusedError):
        commands.read(control, payload)


@pytest.mark.parametrize(
    ("now", "wished", "mode", "verdict"),
    [
        ("off", None, "away", "take"),
        ("off", None, "home", "take"),
        ("home", None, "night", "take"),
        ("away", None, "night", "take"),
        ("away", None, "away", "nothing"),
        ("off", "away", "away", "nothing"),
        ("away", None, "home", "code"),
        ("away", None, "off", "code"),
        ("home", None, "off", "code"),
        ("off", "away", "off", "code"),  # what is on its way counts too
        ("off", "away", "home", "code"),
        ("away", "off", "away", "take"),
        (None, None, "off", "code"),  # it may be anything
        (None, None, "home", "code"),
        (None, None, "away", "take"),
    ],
)
def test_only_what_makes_it_more_watchful_is_free(now: str | None, wished: str | None, mode: str, verdict: str) -> None:
    assert commands.judge(Arm(mode), replace(CAMERA, mode=now, wished=wished), ALL) == verdict


def test_disarming_needs_permission_and_a_code_that_was_set() -> None:
    for settings in (NOTHING, replace(ALL, code=""), replace(ALL, allowed=("privacy", "sensitivity", "image"))):
        with pytest.raises(RefusedError):
            commands.judge(Arm("off", "123456"), CAMERA, settings)


@pytest.mark.parametrize("asked", [Privacy(True), Privacy(False), Sensitivity(0)])
def test_privacy_and_sensitivity_need_permission_and_a_camera_that_is_disarmed(asked: commands.Asked) -> None:
    off = replace(CAMERA, mode="off")
    assert commands.judge(asked, off, ALL) == "take"
    for camera, settings in (
        (off, NOTHING),
        (CAMERA, ALL),
        (replace(CAMERA, mode="home"), ALL),
        (replace(CAMERA, mode=None), ALL),
        (replace(off, wished="away"), ALL),
    ):
        with pytest.raises(RefusedError):
            commands.judge(asked, camera, settings)


@pytest.mark.parametrize("typed", ["12345", "1234567890123", "12345a", "", "１２３４５６"])
def test_a_code_has_6_to_12_digits(typed: str) -> None:
    with pytest.raises(ConfigError, match="6 to 12 digits"):
        code.kept(typed)


def test_wrong_codes_make_the_next_one_wait() -> None:
    clock = SimulatedClock()
    keypad, kept = Keypad(clock.boot_ns), code.kept("271828")
    assert "271828" not in kept
    assert keypad.opens("271828", kept)
    assert [keypad.opens(f"00000{n}", kept) for n in range(3)] == [False] * 3
    assert not keypad.opens("271828", kept)  # not even the right one, until it has waited
    clock.advance(2)
    assert keypad.opens("271828", kept)
    assert keypad.opens("271828", kept)


# What stands.


def test_only_what_differs_is_sent_and_what_should_not_be_is_emptied() -> None:
    board = Board()
    board.found("old")
    first = board.changes({"a": b"1", "b": b"2"})
    assert first == {"old": b"", "a": b"1", "b": b"2"}
    assert next(iter(first)) == "old"
    for topic, value in first.items():
        board.sent(topic, value)
    assert board.changes({"a": b"1", "b": b"3"}) == {"b": b"3"}
    board.found("a")  # somebody else wrote there
    assert board.changes({"a": b"1", "b": b"2"}) == {"a": b"1"}
    board.forget()
    assert board.changes({"a": b"1"}) == {"b": b"", "a": b"1"}


def test_names_tell_ours_from_others() -> None:
    assert NAMES.mine(NAMES.config(ALIAS))
    assert NAMES.mine(NAMES.config(HUB))
    assert NAMES.mine(NAMES.topic(ALIAS, "motion"))
    assert NAMES.mine(NAMES.available)
    for topic in (
        "homeassistant/device/sealcam-ffffffff-00112233445566ff/config",
        "homeassistant/device/other/config",
        NAMES.command(ALIAS, "arm"),
        f"{NAMES.topic(ALIAS, 'motion')}/x",
        f"sealcam/{ALIAS}/ev",
    ):
        assert not NAMES.mine(topic)
    assert NAMES.asked(NAMES.command(ALIAS, "arm")) == (ALIAS, "arm")
    assert NAMES.asked(NAMES.topic(ALIAS, "arm")) is None
