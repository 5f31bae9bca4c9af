"""The timeline's page: what its filter asks for, what it shows, and what it says where there is nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from sealcam_hub.console.timeline import MOST_TOLD, TimelinePart
from sealcam_hub.gists import Wanted
from sealcam_hub.rules import Effect
from sealcam_hub.views import NoticeView
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_fake import NOW_NS, PORCH, SECOND_NS, FakeSource, incident, notice
from tests.unit.hub.console_rooms_fake import FakeTimeline


def browsing(source: FakeSource, timeline: FakeTimeline, zone: str = "UTC") -> Visitor:
    part = TimelinePart(timeline, source.cameras, zone)
    return Visitor(console(source, parts=(part,))).sign_in()


def keys(page: str) -> list[int]:
    return [int(found, 16) for found in re.findall(rf'data-key="{PORCH}-([0-9a-f]{{16}})"', page)]


def test_a_filter_in_the_address_is_what_is_searched_for() -> None:
    source, timeline = FakeSource(), FakeTimeline([])
    visitor = browsing(source, timeline, "Europe/Vienna")
    path = f"/timeline?camera={PORCH}&subject=person&verdict=threat&day=2025-11-22&q=Drive++AWAY&before=77"
    assert visitor.get(path).status_code == 200
    day = int(datetime(2025, 11, 21, 23, tzinfo=UTC).timestamp()) * SECOND_NS
    wanted = Wanted(PORCH, "person", "threat", ("drive", "away"), day, day + 86_400 * SECOND_NS)
    assert timeline.asked == [(wanted, 24, 77)]


def test_the_form_keeps_what_was_asked_and_escapes_it() -> None:
    page = browsing(FakeSource(), FakeTimeline([])).get('/timeline?verdict=threat&q="><b>x').text
    assert '<option value="threat" selected>Threat</option>' in page
    assert "&#34;&gt;&lt;b&gt;x" in page
    assert "<b>x" not in page


@pytest.mark.parametrize(
    "query",
    [
        "camera=1",
        "subject=ghost",
        "verdict=guilty",
        "day=yesterday",
        "day=0001-01-01",
        "before=x",
        "before=9" + "9" * 19,
    ],
)
def test_an_address_that_makes_no_sense_leads_nowhere(query: str) -> None:
    assert browsing(FakeSource(), FakeTimeline([])).get(f"/timeline?{query}").status_code == 404


def test_incidents_stand_under_their_days_and_the_next_page_keeps_the_filter() -> None:
    yesterday = incident(1, arrived_ns=NOW_NS - 86_400 * SECOND_NS)
    timeline = FakeTimeline([incident(3), incident(2), yesterday], older=4711)
    page = browsing(FakeSource(), timeline).get("/timeline?subject=person&q=drive way").text
    assert keys(page) == [3, 2, 1]
    assert page.index(">Today<") < page.index(">Yesterday<")
    assert 'data-older href="/timeline?subject=person&amp;q=drive+way&amp;before=4711"' in page
    assert 'data-url="/timeline?subject=person&amp;q=drive+way"' in page


def test_a_veiled_picture_is_marked_so() -> None:
    page = browsing(FakeSource(), FakeTimeline([incident(1, effects=frozenset({Effect.VEILED}))])).get("/timeline").text
    assert 'class="veiled"' in page


@pytest.mark.parametrize(
    ("cameras", "query", "older", "said"),
    [
        ((), "", None, "sealcam-provision claim"),
        (None, "", None, "Walk past Front door"),
        (None, "?verdict=threat", None, "No incident fits"),
        (None, "?before=7", None, "That was all"),
        (None, "?q=sofa", 5, "Look further back"),
    ],
)
def test_where_there_is_nothing_it_says_what_to_do(
    cameras: tuple[()] | None, query: str, older: int | None, said: str
) -> None:
    page = browsing(FakeSource(cameras=cameras), FakeTimeline([], older)).get(f"/timeline{query}").text
    assert said in page


def test_nobody_sees_it_without_a_session() -> None:
    part = TimelinePart(FakeTimeline([incident(1)]), FakeSource().cameras, "UTC")
    answer = Visitor(console(parts=(part,))).get("/timeline")
    assert answer.status_code == 403
    assert PORCH not in answer.text


def test_what_stood_wrong_in_the_time_that_is_shown_stands_beside_it() -> None:
    asked: list[tuple[int, int, str]] = []

    def told(since_ns: int, until_ns: int, alias: str, _limit: int) -> list[NoticeView]:
        asked.append((since_ns, until_ns, alias))
        return [notice(1, "silent", "the camera has <stopped> beating")]

    timeline = FakeTimeline([incident(3), incident(2)], older=4711)
    part = TimelinePart(timeline, FakeSource().cameras, "UTC", told)
    visitor = Visitor(console(FakeSource(), parts=(part,))).sign_in()
    page = visitor.get("/timeline").text
    assert "1 notice in this time" in page
    assert "Silent camera · Front door" in page
    assert "The camera has &lt;stopped&gt; beating." in page
    visitor.get("/timeline?before=9999")
    timeline.older = None
    visitor.get(f"/timeline?camera={PORCH}&day=2025-11-22")
    assert "in this time" not in visitor.get("/timeline?verdict=threat").text
    day = int(datetime(2025, 11, 22, tzinfo=UTC).timestamp()) * SECOND_NS
    assert asked == [
        (4711, (1 << 63) - 1, ""),
        (4711, 9999, ""),
        (day, day + 86_400 * SECOND_NS, PORCH),
    ]


def test_notices_that_are_cut_or_filtered_away_are_said_to_be() -> None:
    there = [notice(number, "silent") for number in range(MOST_TOLD + 9, 0, -1)]

    def told(_since_ns: int, _until_ns: int, _alias: str, limit: int) -> list[NoticeView]:
        return there[:limit]

    part = TimelinePart(FakeTimeline([incident(1)]), FakeSource().cameras, "UTC", told)
    visitor = Visitor(console(FakeSource(), parts=(part,))).sign_in()
    hidden = "aren't shown with these filters"
    for query in ("", f"?camera={PORCH}", "?day=2025-11-22"):
        page = visitor.get(f"/timeline{query}").text
        assert f"The newest {MOST_TOLD} notices in this time" in page
        assert "There are more." in page
        assert hidden not in page
    for query in ("?verdict=threat", "?subject=person", f"?q=drive&camera={PORCH}"):
        page = visitor.get(f"/timeline{query}").text
        assert hidden in page
        assert "notices in this time" not in page
    del there[MOST_TOLD:]
    page = visitor.get("/timeline").text
    assert f">{MOST_TOLD} notices in this time" in page
    assert "There are more." not in page
