"""The cameras' pages: areas and hours as they are typed, what becomes a wish, and what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sealcam.wire.bodies import Mode
from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.wishes import (
    CommandType,
    ForgetWish,
    Mask,
    MasksWish,
    PrivacyWish,
    ScheduleEntry,
    ScheduleWindow,
    ScheduleWish,
    Zone,
    ZoneKind,
    ZonesWish,
)
from sealcam_hub.console import areas, hours
from sealcam_hub.console.cameras import CamerasPart
from sealcam_hub.views import CameraStorage
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_fake import PORCH, FakeLog, FakeSource, camera, incident
from tests.unit.hub.console_rooms_fake import FACTS, FakeCameras

HERE = f"/cameras/{PORCH}"
DRAWN = "watch Drive: 10,20 90,20 90,80.5\nmask: 0,0 30,0 30,40"
ZONES = ZonesWish(zones=(Zone(name="Drive", kind=ZoneKind.WATCH, corners=(100, 200, 900, 200, 900, 805)),))
MASKS = MasksWish(masks=(Mask(corners=(0, 0, 300, 0, 300, 400)),))


class Room:
    """The pages over one camera; `still` says whether a picture of it has come."""

    def __init__(self, *, still: bool = True) -> None:
        self.source, self.log = FakeSource([incident(1)]), FakeLog()
        self.cameras = FakeCameras(self.source)
        part = CamerasPart(
            self.cameras, self.source.cameras, lambda _alias: self.source.shown[0] if still else None, "Europe/Vienna"
        )
        self.visitor = Visitor(console(self.source, log=self.log, parts=(part,))).sign_in()

    def send(self, where: str, **fields: str) -> int:
        return self.visitor.post(f"{HERE}/{where}", {"csrf": self.visitor.csrf(), **fields}).status_code

    def page(self) -> str:
        answer = self.visitor.get(HERE)
        assert answer.status_code == 200
        return answer.text


# Areas as text.


def test_areas_are_read_as_they_were_written() -> None:
    assert areas.read(DRAWN) == (ZONES, MASKS)
    assert areas.written(ZONES.zones, MASKS.masks) == DRAWN
    assert areas.read(f"\n {DRAWN} \n\n") == (ZONES, MASKS)
    assert areas.read("") == (ZonesWish(zones=()), MasksWish(masks=()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("guard Drive: 0,0 1,0 1,1", "line 1 draws no area"),
        ("mask: 0,0 1,0 1,1\nwatch: 0,0 1,0 1,1", "line 2: an area has a name"),
        ("watch A: 0,0 1,0", "line 1: an area has 3 to 32 corners"),
        ("mask: " + "1,1 " * 33, "line 1: an area has 3 to 32 corners"),
        ("mask: 0,0 1,0 1;1", "line 1: '1;1' is no corner"),
        ("mask: 0,0 1,0 100.1,1", "is no corner"),
        ("mask: 0,0 1,0 -1,1", "is no corner"),
        ("watch A: 0,0 1,0 1,1\nentry A: 0,0 1,0 1,1", "line 2: another area is named A"),
        ("mask: 0,0 1,0 1,1\n" * 65, "at most 64"),
    ],
)
def test_what_draws_nothing_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        areas.read(text)


# Hours as a form.


def test_days_and_times_read_from_a_form_and_back_in_words() -> None:
    form = {"d0": "1", "d4": "1", "from": "22:00", "to": "06:30"}
    assert hours.read(form) == hours.Hours(0b10001, 1320, 390)
    assert hours.read({"d6": "1", "from": "00:00", "to": "00:00"}) == hours.Hours(64, 0, 1440)
    assert (hours.days(0b10001), hours.days(31), hours.days(127)) == ("Mon, Fri", "Mon to Fri", "Every day")
    assert (hours.span(1320, 390), hours.span(0, 1440)) == ("22:00 to 06:30", "all day")


@pytest.mark.parametrize(
    "form",
    [
        {"from": "22:00", "to": "06:30"},
        {"d0": "1", "from": "25:00", "to": "06:30"},
        {"d0": "1", "from": "7:5", "to": "06:30"},
        {"d0": "1", "from": "07:00", "to": "07:00"},
        {"d0": "1", "from": "07:60", "to": "08:00"},
        {"d0": "1"},
    ],
)
def test_a_time_that_is_none_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        hours.read(form)


# The pages.


def test_what_was_drawn_becomes_a_wish_and_only_what_is_new() -> None:
    room = Room()
    assert room.send("areas", areas=DRAWN) == 303
    assert room.cameras.wishes == [ZONES, MASKS]
    assert room.send("areas", areas=DRAWN + "\nmask: 50,50 60,50 60,60") == 303
    assert len(room.cameras.wishes) == 3
    assert isinstance(room.cameras.wishes[2], MasksWish)
    assert room.send("areas", areas="") == 303
    assert room.cameras.wishes[3:] == [ZonesWish(zones=()), MasksWish(masks=())]


def test_the_page_says_whether_the_camera_has_deleted_its_own_copies() -> None:
    room = Room()
    assert "clips that you deleted" not in room.page()
    room.cameras.wish(PORCH, ForgetWish(clips=(bytes(16),)))
    assert "it hasn't answered yet, asked" in room.page()
    room.cameras.answers(CommandType.FORGET, "done")
    assert "deleted there too, asked" in room.page()
    room.cameras.told = replace(FACTS, left=3)
    assert "3 more are to go: it is asked again by itself, asked" in room.page()
    room.cameras.answers(CommandType.FORGET, "refused", "this camera can't do that")
    assert "stay, sealed, until it makes room: This camera can" in room.page()


def test_an_old_page_undoes_nothing_that_it_never_showed() -> None:
    room = Room()
    times = {"mode": "night", "d0": "1", "from": "22:00", "to": "06:00", "zone": "UTC"}
    room.send("schedule", **times)
    room.send("schedule", **times)
    room.send("areas", areas=DRAWN)
    shown = re.findall(r'name="shown" value="([0-9a-f]{16})"', room.page())
    remove = {"shown": shown[1], "remove": "e0"}
    assert [room.send("schedule", **remove) for _ in range(2)] == [303, 400]  # pressed twice: one line went
    assert room.send("schedule", shown=shown[-1], **times) == 400
    assert room.send("areas", shown=shown[0], areas=DRAWN + "\nmask: 50,50 60,50 60,60") == 303
    answer = room.visitor.post(f"{HERE}/areas", {"csrf": room.visitor.csrf(), "areas": "", "shown": shown[0]})
    assert "This was changed since the page was loaded" in answer.text
    assert "mask: 50,50" not in answer.text  # what was typed stays to be sent again


def test_a_wish_is_pending_until_the_camera_has_answered_and_its_answer_is_said() -> None:
    room = Room()
    assert "Nothing has been sent from here yet" in room.page()
    room.send("areas", areas=DRAWN)
    assert "Pending: the zones" in room.page()
    assert "Pending: the masks" in room.page()
    room.cameras.answers(CommandType.ZONES, "done")
    room.cameras.answers(CommandType.MASKS, "refused", "mask 1: its corners <cross>")
    page = room.page()
    assert "The camera has taken the zones" in page
    assert "Mask 1: its corners &lt;cross&gt;." in page
    assert "What it had before still holds" in page
    assert DRAWN.replace("\n", "\n") in page


def test_what_is_wrong_is_told_and_what_was_typed_stays() -> None:
    room = Room()
    answer = room.visitor.post(f"{HERE}/areas", {"csrf": room.visitor.csrf(), "areas": "watch <A>: 0,0"})
    assert answer.status_code == 400
    assert "watch &lt;A&gt;: 0,0" in answer.text
    assert "Line 1: an area has 3 to 32 corners." in answer.text
    assert room.cameras.wishes == []


def test_a_schedule_grows_and_shrinks_line_by_line() -> None:
    room = Room()
    times = {"from": "22:00", "to": "06:30", "d0": "1", "d1": "1", "zone": "Europe/Vienna"}
    assert room.send("schedule", mode="night", **times) == 303
    assert room.send("schedule", mode="visit", **times | {"from": "09:00", "to": "10:00"}) == 303
    night = ScheduleEntry(days=3, from_minute=1320, to_minute=390, mode=Mode.NIGHT)
    visit = ScheduleWindow(days=3, from_minute=540, to_minute=600)
    assert room.cameras.wishes[-1] == ScheduleWish(entries=(night,), zone="Europe/Vienna", expected=(visit,))
    page = room.page()
    for text in ("Visitor expected", "Mon, Tue, 22:00 to 06:30", "Europe/Vienna", "Pending: the schedule"):
        assert text in page
    assert room.send("schedule", remove="e0") == 303
    assert room.send("schedule", remove="v0") == 303
    assert room.cameras.wishes[-1] == ScheduleWish(entries=(), zone="Europe/Vienna")
    assert room.send("schedule", remove="e0") == 400
    assert room.send("schedule", mode="asleep", **times) == 400
    assert room.send("schedule", mode="night", **times | {"zone": "Mars/Olympus"}) == 400
    assert len(room.cameras.wishes) == 4


def test_privacy_is_a_wish_like_any_other_and_the_first_page_offers_it() -> None:
    room = Room()
    assert room.send("privacy", on="yes", to="now") == 303
    assert room.cameras.wishes == [PrivacyWish(on=True)]
    assert room.send("privacy", on="perhaps") == 400
    room.source.there = [camera(private=False, private_wished=True)]
    front = room.visitor.get("/").text
    assert "Asked to stop capture" in front
    assert f'action="/cameras/{PORCH}/privacy"' in front
    room.source.there = [camera(state="private", private=True)]
    assert "Begin capture again" in room.visitor.get("/").text


def test_the_page_tells_keys_storage_and_health_and_the_log_of_the_picture() -> None:
    room = Room()
    page = room.page()
    for text in ("a1" * 8, "b2" * 32, "412.0 MB", "31 clips", "The picture was dark for 4 min", "0.1.0"):
        assert text in page
    assert room.log.seen == [room.source.shown[0].id]


def test_without_a_picture_areas_can_be_drawn_all_the_same() -> None:
    room = Room(still=False)
    page = room.page()
    assert "No picture of this camera has come yet" in page
    assert "data-draw" in page
    assert room.log.seen == []


def test_the_list_leads_to_each_and_says_what_to_do_where_there_is_none() -> None:
    room = Room()
    assert f'href="{HERE}"' in room.visitor.get("/cameras").text
    room.source.there = []
    assert "sealcam-provision claim" in room.visitor.get("/cameras").text
    assert room.visitor.get(HERE).status_code == 404
    assert room.visitor.get("/cameras/../etc").status_code == 404


@pytest.mark.parametrize("where", ["areas", "schedule", "privacy"])
def test_nothing_is_asked_of_a_camera_by_another_site_or_without_a_session(where: str) -> None:
    room = Room()
    fields = {"csrf": room.visitor.csrf(), "areas": DRAWN, "on": "yes", "remove": "e0"}
    assert room.visitor.post(f"{HERE}/{where}", fields, sec_fetch_site="cross-site").status_code == 403
    assert room.visitor.post(f"{HERE}/{where}", fields | {"csrf": "another"}).status_code == 403
    assert room.cameras.wishes == []


def test_a_hub_that_may_not_ask_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()

    def refuse(_alias: str, _body: object) -> None:
        raise StorageError("the disk is full", "free some space")

    monkeypatch.setattr(room.cameras, "wish", refuse)
    assert room.send("areas", areas=DRAWN) == 503


def test_a_cameras_page_says_how_full_its_own_disk_is_and_that_it_does_not_tell() -> None:
    room = Room()
    assert re.search(r"<dt>Its own disk</dt><dd>not told</dd>", room.page())
    told = CameraStorage(31_268_536_320, 125_829_120, 41_943_040, 4_294_967_296, low=False)
    room.source.there = [replace(one, storage=told) for one in room.source.there]
    page = room.page()
    assert "125.8 MB free of 31.3 GB</dd>" in page
    assert "41.9 MB of at most 4295.0 MB" in page
    assert '<progress max="31268536320" value="31142707200"' in page
    assert "nearly full" not in room.visitor.get("/cameras").text
    room.source.there = [replace(one, storage=replace(told, low=True)) for one in room.source.there]
    assert "31.3 GB: <strong>nearly full</strong>" in room.page()
    assert "Its own disk is nearly full: 125.8 MB free." in room.visitor.get("/cameras").text
