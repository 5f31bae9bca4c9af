"""What the console shows: incidents, cameras and notices as the ledger has them; and what it says without them."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from sealcam.wire.errors import StorageError
from sealcam_hub.console import words
from sealcam_hub.console.guard import OPENER_POLICY
from sealcam_hub.console.pages import MOST_SEARCHED, SIZE, days, strip, window
from sealcam_hub.views import IncidentView, NoticeView
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_fake import NOW_NS, PORCH, SECOND_NS, FakeSource, camera, incident, notice, report

HOSTILE = """"><script>alert(1)</script><img src=x onerror='alert(1)'>&{{7*7}}"""
JPEG = b"\xff\xd8\xff\xe0 a picture"


def shown(source: FakeSource, path: str = "/") -> str:
    """What a signed-in owner gets."""
    answer = Visitor(console(source)).sign_in().get(path)
    assert answer.status_code == 200
    return answer.text


def keys(page: str) -> list[int]:
    """The numbers of the incidents on a page, in their order."""
    return [int(found, 16) for found in re.findall(rf'class="card [^>]*data-key="{PORCH}-([0-9a-f]{{16}})"', page)]


# Cards.


def test_a_card_shows_what_happened_and_why_it_is_called_so() -> None:
    page = shown(FakeSource([incident(1)]))
    for text in ("Front door", "Person", "Threat", "A person was seen for 12 s.", "Armed away.", "87 %", "91 %"):
        assert text in page
    assert "2 reports" in page
    assert "12 s" in page
    assert 'datetime="2025-11-22T11:01:00.000Z"' in page
    assert "11:01:00 UTC" in page
    assert "Still going on" not in page


@pytest.mark.parametrize(
    ("verdict", "word"), [("threat", "Threat"), ("benign", "Benign"), ("false_alarm", "False alarm")]
)
def test_a_verdict_is_a_word_and_a_sign_not_a_colour_alone(verdict: str, word: str) -> None:
    page = shown(FakeSource([incident(1, verdict=verdict)]))
    badge = re.search(rf'<span class="badge badge--{verdict}"><svg.*?</svg>([^<]+)</span>', page, re.DOTALL)
    assert badge is not None
    assert badge[1].strip() == word


def test_an_open_incident_says_that_it_goes_on() -> None:
    page = shown(FakeSource([incident(1, open=True)]))
    assert "Still going on" in page
    assert "Since <time" in page


def test_an_incident_without_a_subject_claims_no_certainty_about_one() -> None:
    page = shown(FakeSource([incident(1, subject="none", confidence=0.0, verdict="false_alarm", threat=0.02)]))
    assert "Movement only" in page
    assert "sure" not in page


def test_a_late_arrival_says_how_late() -> None:
    late = incident(1, arrived_ns=NOW_NS + 3 * 3600 * SECOND_NS)
    assert "Arrived 2 h 59 min after it began" in shown(FakeSource([late]))


def test_the_newest_stands_first_under_its_day() -> None:
    yesterday = incident(1, arrived_ns=NOW_NS - 24 * 3600 * SECOND_NS)
    page = shown(FakeSource([yesterday, incident(2), incident(3)]))
    assert keys(page) == [3, 2, 1]
    assert page.index(">Today<") < page.index(">Yesterday<")


def test_a_day_further_back_has_its_name() -> None:
    old = incident(1, arrived_ns=NOW_NS - 400 * 24 * 3600 * SECOND_NS)
    assert days([old], NOW_NS)[0].title == "Friday, 18 October 2024"


# Filters and pages.


@pytest.mark.parametrize(
    ("show", "expected"), [("all", [3, 2, 1]), ("threats", [1]), ("benign", [2]), ("false-alarms", [3])]
)
def test_a_filter_shows_one_verdict(show: str, expected: list[int]) -> None:
    source = FakeSource([incident(1), incident(2, verdict="benign"), incident(3, verdict="false_alarm")])
    page = shown(source, f"/?show={show}")
    assert keys(page) == expected
    assert re.search(r'aria-current="page">([^<]+)', page)


def test_older_incidents_follow_page_by_page_each_once() -> None:
    visitor = Visitor(console(FakeSource([incident(n) for n in range(60)]))).sign_in()
    seen: list[int] = []
    path: str | None = "/"
    while path:
        page = visitor.get(path).text
        seen += keys(page)
        link = re.search(r'data-older href="([^"]+)"', page)
        path = link[1].replace("&amp;", "&") if link else None
    assert seen == list(range(59, -1, -1))


def test_a_filter_finds_what_lies_far_back() -> None:
    source = FakeSource([incident(n, verdict="threat" if n == 0 else "benign") for n in range(400)])
    assert keys(shown(source, "/?show=threats")) == [0]


def test_a_search_is_bounded_and_goes_on_from_where_it_was() -> None:
    source = FakeSource([incident(n, verdict="benign") for n in range(MOST_SEARCHED + 100)])
    first = window(source, "threats", None)
    assert source.asked == MOST_SEARCHED
    assert first.incidents == ()
    assert first.older == incident(100).arrived_ns
    assert window(source, "threats", first.older).older is None


def test_a_batch_in_which_something_cannot_be_opened_does_not_end_the_pages() -> None:
    class Gaps(FakeSource):
        def incidents(self, limit: int = 50, before: int | None = None) -> list[IncidentView]:
            return [one for one in super().incidents(limit, before) if one.threat > 0]

    source = Gaps([incident(n, threat=0.0 if n == 55 else 0.9) for n in range(60)])
    first = window(source, "all", None)
    assert len(first.incidents) == SIZE
    assert first.older is not None


@pytest.mark.parametrize("path", ["/?show=everything", "/?before=x", "/?before=-1", "/fragment/cards?before=1e9"])
def test_an_address_that_means_nothing_is_not_found(path: str) -> None:
    assert Visitor(console()).sign_in().get(path).status_code == 404


# One incident.


def test_an_incident_has_a_page_with_its_story_and_facts() -> None:
    reports = (
        report(4, verdict="benign", reasons=("a person was seen",)),
        report(5, "update", pending=True),
        report(6, "update"),
        report(7, "end"),
    )
    page = shown(FakeSource([incident(1, reports=reports)]), f"/incident/{incident(1).id}")
    for text in (
        "First report",
        "Update",
        "End",
        "Benign",
        "The same, still.",
        "numbers 4 to 7",
        PORCH,
        "Movement in the",
    ):
        assert text in page
    assert "An earlier report of this camera has not come yet" in page


@pytest.mark.parametrize(
    "path", ["/incident/nothing", "/thumbnail/nothing", "/incident/%2e%2e", "/fragment/x", "/nowhere"]
)
def test_what_is_not_there_is_a_friendly_404(path: str) -> None:
    answer = Visitor(console()).sign_in().get(path)
    assert answer.status_code == 404
    assert "All incidents" in answer.text


def test_a_picture_goes_to_a_session_alone_and_is_not_kept() -> None:
    source = FakeSource([incident(1)], pictures={incident(1).id: JPEG})
    app = console(source)
    visitor = Visitor(app).sign_in()
    answer = visitor.get(f"/thumbnail/{incident(1).id}")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert Visitor(app).get(f"/thumbnail/{incident(1).id}").status_code == 403


def test_a_better_picture_has_another_address() -> None:
    first = shown(FakeSource([incident(1)]))
    better = incident(1, reports=(*incident(1).reports, report(9, "update", has_thumbnail=True)))
    address = re.compile(r'src="(/thumbnail/[^"]+)"')
    assert address.findall(first) != address.findall(shown(FakeSource([better])))


# Cameras.


def test_a_camera_shows_its_state_and_how_watchful_it_is() -> None:
    page = shown(FakeSource(cameras=[camera(queued=3)]))
    for text in ("Watching", "0.2 s old", "3 reports", "0.1.0"):
        assert text in page
    pressed = re.search(r'value="(\w+)" data-focus="\w+" aria-pressed="true"', page)
    assert pressed is not None
    assert pressed[1] == "away"


def test_a_silent_camera_says_since_when_and_what_to_do() -> None:
    page = shown(FakeSource(cameras=[camera(state="silent")]))
    assert "No word since" in page
    assert "Front door is silent" in page


def test_a_camera_whose_picture_stands_still_is_grey_and_says_since_when() -> None:
    page = shown(FakeSource(cameras=[camera(frame_age_ns=7 * SECOND_NS)]))
    assert "Front door shows no new picture" in page
    assert "tile--stale" in page
    assert "Picture stands still" in page
    assert f'datetime="{words.iso(NOW_NS - 7 * SECOND_NS)}"' in page
    assert "7.0 s old" in page
    assert "tile--stale" not in shown(FakeSource(cameras=[camera(frame_age_ns=2 * SECOND_NS)]))


@pytest.mark.parametrize(
    ("state", "age_s", "since_s"),
    [
        ("watching", 1.9, None),
        ("watching", 2.1, 2.1),
        ("silent", 0.2, 0.2),
        ("cut-off", 0.2, 0.2),
        ("private", 900, None),
        ("gone", 900, None),
        ("new", 900, None),
    ],
)
def test_a_picture_is_old_when_the_camera_or_its_beat_is(state: str, age_s: float, since_s: float | None) -> None:
    one = camera(state=state, frame_age_ns=round(age_s * SECOND_NS))
    assert words.stale(one) == (None if since_s is None else NOW_NS - round(since_s * SECOND_NS))


def test_a_camera_that_never_spoke_is_no_failure() -> None:
    new = camera(state="new", mode=None, last_beat_ns=None, frame_age_ns=None, queued=None, firmware=None)
    page = shown(FakeSource(cameras=[new]))
    assert "Not heard yet" in page
    assert 'aria-pressed="true"' not in page


def test_a_wish_stands_as_a_wish_until_the_camera_confirms() -> None:
    page = shown(FakeSource(cameras=[camera(wished="night")]))
    assert "Asked for Night; waiting for the camera to confirm." in page


# Notices.


def test_a_notice_stands_above_everything() -> None:
    page = shown(FakeSource([incident(1)], notices=[notice(1)]))
    assert page.index("Missing reports") < page.index("Cameras</h2>")
    assert "Reports 12 to 14 have not come." in page


def test_a_silence_steps_back_when_the_camera_is_back_and_a_copied_key_does_not() -> None:
    told = [notice(4, "back"), notice(3, "silent"), notice(2, "clone"), notice(1, "gap")]
    placed = strip(told, NOW_NS + 1)
    assert [one.kind for one in placed.now] == ["back", "clone", "gap"]
    assert [one.kind for one in placed.earlier] == ["silent"]
    later = strip(told, NOW_NS + 48 * 3600 * SECOND_NS)
    assert [one.kind for one in later.now] == ["clone"]


def test_what_still_stands_is_shown_however_old_it_is_and_however_much_came_after() -> None:
    silences = [notice(number, "silent" if number % 2 else "back") for number in range(1000, 1300)]
    disk = replace(notice(1, "disk"), camera_name="This hub", alias="", text="2000 MB left.")
    source = FakeSource(notices=[*reversed(silences)])
    assert "2000 MB left." not in shown(source)
    source.standing = [disk]
    page = shown(source)
    assert "2000 MB left." in page[: page.index("earlier notices")]
    assert "20 earlier notices" in page
    assert strip([disk], NOW_NS + 90 * 24 * 3600 * SECOND_NS, [disk]).now == (disk,)
    assert strip([disk], NOW_NS + 90 * 24 * 3600 * SECOND_NS).earlier == (disk,)


# Nothing to show.


@pytest.mark.parametrize(
    ("source", "path", "text"),
    [
        (FakeSource(cameras=[]), "/", "sealcam-provision claim"),
        (FakeSource(), "/", "Walk past Front door"),
        (FakeSource([incident(1)]), "/?show=benign", "Show all incidents"),
        (FakeSource([incident(1)]), "/?before=1", "That was all"),
    ],
)
def test_an_empty_page_says_what_to_do_next(source: FakeSource, path: str, text: str) -> None:
    assert text in shown(source, path)


def test_a_ledger_that_cannot_be_read_is_one_clear_page() -> None:
    class Broken(FakeSource):
        def incidents(self, limit: int = 50, before: int | None = None) -> list[IncidentView]:
            raise StorageError("the ledger can't be read", "look after the disk")

    answer = Visitor(console(Broken())).sign_in().get("/")
    assert answer.status_code == 503
    assert "The ledger can&#39;t be read. Look after the disk." in answer.text


# What may not be in a page.


class Found(HTMLParser):
    """Every element, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", ["/", "/incident/{id}", "/fragment/cameras", "/fragment/notices"])
def test_nothing_a_camera_says_becomes_part_of_the_page(path: str) -> None:
    hostile = incident(1, camera_name=HOSTILE, reasons=(HOSTILE,), subject=HOSTILE, trigger=HOSTILE, mode=HOSTILE)
    source = FakeSource([hostile], [camera(name=HOSTILE, firmware=HOSTILE)], [notice(1, HOSTILE, HOSTILE)])
    page = shown(source, path.format(id=hostile.id))
    assert "<script>alert" not in page
    for tag, attributes in Found(page).elements:
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "script" or str(attributes["src"]).startswith("/static/")


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    source = FakeSource([incident(1)], notices=[notice(1)])
    pages = [shown(source), shown(source, f"/incident/{incident(1).id}"), Visitor(console()).get("/").text]
    for page in pages:
        for tag, attributes in Found(page).elements:
            assert tag != "style"
            assert "style" not in attributes
            for name in ("src", "href", "action"):
                assert str(attributes.get(name) or "/").startswith(("/", "#"))
    for static in Path(str(files("sealcam_hub.console"))).joinpath("static").rglob("*.*"):
        if static.suffix == ".png":
            continue  # names nothing
        text = static.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text or static.parent.name == "vendor", static.name


def test_the_opener_of_shared_clips_needs_no_session_and_may_run_a_worker() -> None:
    visitor = Visitor(console())
    answer = visitor.get("/open")
    assert (answer.status_code, answer.headers["location"]) == (307, "/static/opener/index.html")
    page = visitor.get(answer.headers["location"])
    assert page.status_code == 200
    assert visitor.get("/static/opener/worker.mjs").headers["content-security-policy"] == OPENER_POLICY
    assert page.headers["content-security-policy"] == OPENER_POLICY.replace(" 'wasm-unsafe-eval'", "")
    for other in ("console.js", "opener/page.mjs"):
        assert "wasm-unsafe-eval" not in visitor.get(f"/static/{other}").headers["content-security-policy"]
    for module in ("worker.mjs", "vendor/libsodium.mjs"):
        assert "javascript" in visitor.get(f"/static/opener/{module}").headers["content-type"]


def test_a_copy_of_the_opener_carries_the_same_policy() -> None:
    page = Path(str(files("sealcam_hub.console"))).joinpath("static/opener/index.html").read_text()
    within = OPENER_POLICY.removesuffix("; frame-ancestors 'none'")  # which a header alone can say
    assert f'content="{within}"' in page


# Words.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "under 0.1 s"),
        (-5, "under 0.1 s"),
        (6.44, "6.4 s"),
        (12, "12 s"),
        (59.96, "1 min"),
        (79, "1 min 19 s"),
        (3600, "1 h"),
    ],
)
def test_lengths_of_time_read_well(seconds: float, text: str) -> None:
    assert words.lasted(round(seconds * SECOND_NS)) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), ""), ((7,), "7"), ((2, 3), "2 to 3"), ((2, 3, 4, 6, 9, 10), "2 to 4, 6, 9 to 10")],
)
def test_numbers_that_follow_each_other_are_read_as_one_span(numbers: tuple[int, ...], text: str) -> None:
    assert words.spans(numbers) == text


def test_certainty_is_never_claimed() -> None:
    assert words.percent(1.0) == "99 %"
    assert words.percent(0.0) == "0 %"


def test_an_unknown_word_is_shown_as_it_is() -> None:
    assert words.verdict("something_new") == "Something new"
    assert words.sentence("") == ""


def test_what_is_over_stands_out_no_more_and_what_goes_on_does() -> None:
    def told(number: int, kind: str, where: str, subject: str = "") -> NoticeView:
        return NoticeView(number, kind, where, "", NOW_NS, "", subject)

    over = [told(1, "gap", "Door", "3"), told(2, "disk", "This hub"), told(3, "clock", "Door")]
    on = [told(4, "gap", "Door", "9"), told(5, "disk", "Door"), told(6, "certificate", "This hub", "ca/ca.pem")]
    ends = [told(7, "filled", "Door", "3"), told(8, "disk-room", "This hub"), told(9, "clock-right", "Door")]
    placed = strip([*reversed(ends), *reversed(on), *reversed(over)], NOW_NS + 1)
    assert {one.id for one in placed.earlier} == {1, 2, 3}
    later = strip([*reversed(ends), *reversed(on), *reversed(over)], NOW_NS + 2 * 3600 * SECOND_NS)
    assert {one.id for one in later.now} == {4, 5, 6}
