"""Clips in the console: where they are, ranges of them, what is entered in the log, and what leaves the seal."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire.bodies import ClockQuality
from sealcam.wire.errors import StorageError
from sealcam_hub.console.ranges import MOST
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_clips import BOOT, START_NS, FakeClips, clip, info, name
from tests.unit.hub.console_fake import NOW_NS, SECOND_NS, FakeLog, FakeSource, incident, report

CONTENT = bytes(range(256)) * 3000
ONE = incident(1, reports=(report(1, boot=BOOT, boot_ns=START_NS + 4 * SECOND_NS),))
VIDEO = f"/clip/{name(1)}/video"


def clips(content: bytes = CONTENT, **changes: object) -> FakeClips:
    return FakeClips((clip(1, **changes), content, info()))


def visitor(held: FakeClips | None = None, log: FakeLog | None = None) -> Visitor:
    return Visitor(console(FakeSource([ONE]), clips=held or clips(), log=log)).sign_in()


def form(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


# Where they are.


@pytest.mark.parametrize(
    ("changes", "words", "buttons"),
    [
        ({}, "Here", ["Watch"]),
        ({"state": "recording", "held": 0, "size": None, "content_bytes": None}, "Being recorded", []),
        ({"state": "camera", "held": 0}, "On the camera", ["Fetch it"]),
        ({"state": "asked", "held": 0}, "Asked for", []),
        ({"state": "coming", "held": 375_000}, "Coming, 25 %", ["Watch what is here"]),
        ({"state": "coming", "held": 375_000, "size": None}, "Coming, 0.4 MB so far", ["Watch what is here"]),
        ({"state": "stopped", "held": 0, "why": "full"}, "there was no room here", ["Fetch it"]),
        ({"state": "stopped", "held": 9, "why": "damaged"}, "it came damaged", ["Watch what is here", "Fetch it"]),
        ({"state": "evicted", "held": 0}, "the camera had to make room", []),
        ({"state": "dropped", "held": 0}, "this hub had to make room", ["Fetch it"]),
        ({"state": "deleted", "held": 0}, "Deleted by its owner", []),
        ({"state": "gone", "held": 0}, "a camera that has left", []),
        ({"interrupted": True}, "the camera lost its power while it recorded", ["Watch"]),
    ],
)
def test_the_incidents_page_says_where_its_video_is_and_why(
    changes: dict[str, object], words: str, buttons: list[str]
) -> None:
    page = visitor(clips(**changes)).get(f"/incident/{ONE.id}").text
    listed = page[page.index("clips__list") : page.index("</ul>", page.index("clips__list"))]
    assert words in listed
    assert [one for one in ("Watch what is here", "Watch<", "Fetch it") if one in listed] == [
        "Watch<" if one == "Watch" else one for one in buttons
    ]


@pytest.mark.parametrize("state", ["deleted", "evicted", "gone", "camera"])
def test_the_page_of_a_clip_of_which_nothing_is_here_says_so_and_offers_nothing_to_play(state: str) -> None:
    page = visitor(clips(state=state, held=0)).get(f"/clip/{name(1)}").text
    assert "Nothing of it is here" in page
    assert [one for one in ("<video", "Save as MP4", "data-share", "player.js") if one in page] == []
    assert ("Delete this video" in page) == (state != "deleted")


def test_without_video_the_incidents_page_is_as_before() -> None:
    assert "clips__list" not in visitor(FakeClips()).get(f"/incident/{ONE.id}").text
    alone = Visitor(console(FakeSource([ONE]))).sign_in()
    assert alone.get(f"/incident/{ONE.id}").status_code == 200
    assert alone.get(VIDEO).status_code == 404


def test_a_clip_on_the_camera_is_asked_for_by_our_own_form_alone() -> None:
    held = clips(state="camera", held=0)
    one = visitor(held)
    csrf = form(one.get(f"/incident/{ONE.id}/clips").text)
    for fields, site in (({"csrf": "wrong"}, "same-origin"), ({"csrf": csrf}, "cross-site")):
        assert one.post(f"/clip/{name(1)}/fetch", fields, sec_fetch_site=site).status_code == 403
    assert held.asked == []
    answer = one.post(f"/clip/{name(1)}/fetch", {"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incident/{ONE.id}")
    assert held.asked == [name(1)]
    assert "Asked for" in one.get(f"/incident/{ONE.id}/clips").text


# Its bytes.


@cache
def for_all_examples() -> tuple[FakeClips, Visitor]:
    held = clips()
    return held, visitor(held)


@settings(deadline=None)
@given(st.integers(0, len(CONTENT) + 10), st.none() | st.integers(0, len(CONTENT) + 10))
def test_a_range_is_answered_as_the_plain_bytes_would_be(first: int, last: int | None) -> None:
    held, one = for_all_examples()
    answer = one.get(VIDEO, range=f"bytes={first}-{'' if last is None else last}")
    end = len(CONTENT) if last is None else last + 1
    if last is not None and last < first:
        assert (answer.status_code, answer.content) == (200, CONTENT)
    elif first >= len(CONTENT):
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
        assert answer.content == b""
    else:
        assert (answer.status_code, answer.content) == (206, CONTENT[first:end])
        assert answer.headers["content-range"] == f"bytes {first}-{min(end, len(CONTENT)) - 1}/{len(CONTENT)}"
    assert all(not one.open for one in held.opened), "it is let go of"


def test_the_whole_is_given_to_who_asks_for_no_range_and_to_head_its_length() -> None:
    held = clips()
    one = visitor(held)
    whole = one.get(VIDEO)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["cache-control"] == "no-store"
    head = one.ask("HEAD", VIDEO, headers={"range": "bytes=0-9"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))
    assert held.opened[-1].reads == []


def test_a_range_opens_no_more_than_it_needs() -> None:
    held = clips()
    visitor(held).get(VIDEO, range="bytes=300000-300099")
    assert held.opened[-1].reads == [(300_000, 100)]


def test_of_a_clip_that_has_grown_a_range_is_not_mixed_with_the_old_one() -> None:
    held = clips()
    one = visitor(held)
    etag = one.get(VIDEO, range="bytes=0-9").headers["etag"]
    assert one.get(VIDEO, range="bytes=10-19", if_range=etag).status_code == 206
    held.held = [(held.held[0][0], CONTENT + b"more", held.held[0][2])]
    answer = one.get(VIDEO, range="bytes=10-19", if_range=etag)
    assert (answer.status_code, len(answer.content)) == (200, len(CONTENT) + 4)


def test_a_long_answer_is_cut_and_the_next_range_goes_on() -> None:
    content = bytes(MOST) + b"the rest"
    one = visitor(clips(content))
    answer = one.get(VIDEO, range="bytes=0-")
    assert (answer.status_code, len(answer.content)) == (206, MOST)
    assert one.get(VIDEO, range=f"bytes={MOST}-").content == b"the rest"


@pytest.mark.parametrize("path", [VIDEO, f"/clip/{name(1)}/facts", f"/clip/{name(1)}", f"/clip/{name(1)}/save"])
def test_nobody_without_a_session_gets_a_byte(path: str) -> None:
    held, log = clips(), FakeLog()
    answer = Visitor(console(FakeSource([ONE]), clips=held, log=log)).get(path, range="bytes=0-9")
    assert answer.status_code == 403
    assert not held.opened
    assert not log.watched_clips


@pytest.mark.parametrize("clip_id", [name(9), "x" * 32, name(1).upper() + "0", "..%2f..", "0" * 31])
def test_what_is_no_clip_is_a_friendly_404(clip_id: str) -> None:
    assert visitor().get(f"/clip/{clip_id}").status_code == 404
    assert visitor().get(f"/clip/{clip_id}/video").status_code == 404


def test_a_clip_that_is_not_here_says_where_it_is() -> None:
    answer = visitor(clips(state="camera", held=0)).get(VIDEO)
    assert answer.status_code == 409
    assert "its camera has it" in answer.text


# What the player is told.


def test_the_player_hears_of_marks_and_of_the_scenes_time() -> None:
    facts = visitor().get(f"/clip/{name(1)}/facts").json()
    assert facts["movie"] is None, "that content is no movie"
    assert [(one["kind"], one["at"], one["verdict"]) for one in facts["marks"]] == [
        ("trigger", 3, "threat"),
        ("new", 4, "threat"),
    ]
    assert (facts["wall_ms"], facts["sure"], facts["whole"]) == (NOW_NS / 1e6, True, True)
    unsure = replace(info(), at=replace(info().at, quality=ClockQuality.UNKNOWN))
    held = FakeClips((clip(1, state="coming", held=5), CONTENT, unsure))
    facts = visitor(held).get(f"/clip/{name(1)}/facts").json()
    assert (facts["sure"], facts["whole"]) == (False, False)


def test_the_page_may_play_from_here_and_from_memory_and_runs_no_script_of_its_own() -> None:
    answer = visitor().get(f"/clip/{name(1)}")
    policy = answer.headers["content-security-policy"]
    assert "media-src 'self' blob:" in policy
    assert "script-src 'self';" in policy
    assert "style=" not in answer.text
    assert "<video" in answer.text
    assert " controls " in answer.text


# The log.


def test_watching_is_entered_once_for_a_session_and_before_the_first_byte() -> None:
    log = FakeLog()
    one = visitor(log=log)
    assert one.get(f"/clip/{name(1)}").status_code == 200
    assert log.watched_clips == []
    for _ in range(3):
        assert one.get(VIDEO, range="bytes=0-9").status_code == 206
        assert one.get(f"/clip/{name(1)}/facts").status_code == 200
    assert log.watched_clips == [name(1)]
    log.error = StorageError("the disk is full")
    held = clips()
    answer = visitor(held, log).get(VIDEO)
    assert answer.status_code == 503
    assert not held.opened[-1].reads
    assert not held.opened[-1].open


# The way out.


def test_saving_asks_first_and_is_entered_each_time_before_the_first_byte() -> None:
    held, log = clips(), FakeLog()
    one = visitor(held, log)
    asked = one.get(f"/clip/{name(1)}/save")
    assert "leaves the seal" in asked.text
    assert "1.4 MB" in asked.text
    assert log.saved_clips == []
    for _ in range(2):
        answer = one.post(f"/clip/{name(1)}/save", {"csrf": form(asked.text)})
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["content-disposition"] == (
            'attachment; filename="sealcam-front-door-20251122-110000Z.mp4"'
        )
        assert answer.headers["cache-control"] == "no-store"
    assert log.saved_clips == [name(1)] * 2
    assert max(length for _, length in held.opened[-1].reads) <= 1 << 18, "never all of it in memory"
    log.error = StorageError("the disk is full")
    assert one.post(f"/clip/{name(1)}/save", {"csrf": form(asked.text)}).status_code == 503


def test_saving_needs_our_own_form() -> None:
    held, log = clips(), FakeLog()
    one = visitor(held, log)
    csrf = form(one.get(f"/clip/{name(1)}/save").text)
    assert one.post(f"/clip/{name(1)}/save", {"csrf": "wrong"}).status_code == 403
    assert one.post(f"/clip/{name(1)}/save", {"csrf": csrf}, sec_fetch_site="cross-site").status_code == 403
    assert not held.opened
    assert not log.saved_clips
