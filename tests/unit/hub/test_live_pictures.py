"""How old a live picture is under two clocks, and what a viewer gets who is late, slow or early."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.live import Content
from sealcam_hub.live_age import Age, Ages
from sealcam_hub.live_picture import Picture, Words
from sealcam_hub.live_viewer import QUEUED_BYTES, Viewer

MS = 1_000_000
S = 1_000_000_000
WALL_NS = 1_800_000_000 * S


def stamp(quality: ClockQuality = ClockQuality.UNKNOWN, wall_ns: int = WALL_NS) -> Stamp:
    """The camera's boot clock shows 1,000 s, its wall clock `wall_ns`."""
    return Stamp(boot=bytes(16), boot_ns=1000 * S, wall_ns=wall_ns, quality=quality)


class Way:
    """Two clocks that differ by `offset_ns`; a message is `took_ns` on its way, the camera needs 30 ms before."""

    def __init__(self, at: Stamp, offset_ns: int) -> None:
        self.ages, self.offset_ns = Ages(at), offset_ns

    def age(self, seen_ns: int, took_ns: int) -> Age:
        sealed_ns = seen_ns + 30 * MS
        arrived_ns = sealed_ns + took_ns
        wall_ns = WALL_NS + arrived_ns - 1000 * S
        return self.ages.age(seen_ns, sealed_ns, arrived_ns + self.offset_ns, wall_ns)


@pytest.mark.parametrize("offset_ns", [0, 86_400 * S, -900 * S])
def test_an_age_counts_from_the_quickest_message_whatever_the_clocks_show(offset_ns: int) -> None:
    way = Way(stamp(), offset_ns)
    assert way.age(1000 * S, 200 * MS) == Age(30 * MS, None)
    assert way.age(1001 * S, 50 * MS) == Age(30 * MS, None)  # now this one is the quickest
    later = way.age(1002 * S, 850 * MS)
    assert 829 * MS < later.least_ns <= 830 * MS
    assert way.age(1003 * S, 3 * S).least_ns > 2900 * MS


@pytest.mark.parametrize("offset_ns", [0, -900 * S])
def test_the_quickest_messages_way_is_known_by_wall_clocks_that_are_set(offset_ns: int) -> None:
    way = Way(stamp(ClockQuality.SYNCHRONISED), offset_ns)
    assert way.age(1000 * S, 50 * MS) == Age(30 * MS, 50 * MS)
    late = way.age(1001 * S, 250 * MS)
    assert late.way_ns == 50 * MS
    assert abs(late.least_ns - 230 * MS) < MS


@pytest.mark.parametrize("wrong_s", [-3600, 7, 3600])
def test_a_wall_clock_that_is_wrong_all_the_same_says_nothing(wrong_s: int) -> None:
    way = Way(stamp(ClockQuality.SYNCHRONISED, WALL_NS + wrong_s * S), 0)
    assert way.age(1000 * S, 50 * MS) == Age(30 * MS, None)


def test_a_wall_clock_that_is_a_little_ahead_makes_no_picture_of_the_future() -> None:
    way = Way(stamp(ClockQuality.SYNCHRONISED, WALL_NS + 200 * MS), 0)
    assert way.age(1000 * S, 50 * MS) == Age(30 * MS, 0)


def test_clocks_that_run_apart_make_nothing_look_old() -> None:
    ages = Ages(stamp())
    for minute in range(600):
        seen_ns = (1000 + 60 * minute) * S
        drift_ns = 60 * minute * 80_000  # 80 ppm
        assert ages.age(seen_ns, seen_ns, seen_ns + drift_ns, WALL_NS).least_ns <= 1


def test_times_that_cannot_be_make_an_age_of_nought() -> None:
    ages = Ages(stamp())
    assert ages.age((1 << 64) - 1, 0, 5 * S, WALL_NS) == Age(0, None)
    assert ages.age(0, (1 << 64) - 1, 5 * S, WALL_NS).least_ns > 0


# Viewers


class Screen:
    """A viewer and how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0
        self.viewer = Viewer("a" * 16, "anna", self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def kinds(self) -> list[Content]:
        return [one.content for one in self.viewer.take()[1]]


def picture(content: Content, data: bytes = b"x", stream: int = 0) -> Picture:
    return Picture(stream=stream, content=content, data=data, seen_ns=0, arrived_ns=0)


BEGINNING, KEY, NEXT = picture(Content.BEGINNING), picture(Content.KEYFRAME), picture(Content.PICTURES)


def test_pictures_before_a_beginning_are_not_shown() -> None:
    screen = Screen()
    for one in (NEXT, KEY, NEXT):
        screen.viewer.show(one)
    assert screen.kinds() == []
    assert screen.woken == 0
    for one in (BEGINNING, NEXT, KEY, NEXT):
        screen.viewer.show(one)
    assert screen.kinds() == [Content.BEGINNING, Content.KEYFRAME, Content.PICTURES]


def test_the_same_beginning_is_shown_once_and_that_of_another_stream_again() -> None:
    screen = Screen()
    for one in (BEGINNING, KEY, NEXT, BEGINNING, KEY):
        screen.viewer.show(one)
    assert screen.kinds().count(Content.BEGINNING) == 1
    screen.viewer.show(replace(BEGINNING, stream=1))
    screen.viewer.show(replace(NEXT, stream=1))
    screen.viewer.show(replace(KEY, stream=1))
    assert screen.kinds() == [Content.BEGINNING, Content.KEYFRAME]


def test_who_takes_nothing_goes_on_with_the_next_keyframe_and_holds_little() -> None:
    slow, quick = Screen(), Screen()
    large = picture(Content.PICTURES, bytes(1 << 20))
    for screen in (slow, quick):
        screen.viewer.show(BEGINNING)
        screen.viewer.show(KEY)
    seen = 0
    for _ in range(100):
        slow.viewer.show(large)
        quick.viewer.show(large)
        seen += len(quick.kinds())
    assert seen == 102
    words, held = slow.viewer.take()
    assert words is None
    assert sum(len(one.data) for one in held) <= QUEUED_BYTES
    assert held == ()
    assert slow.viewer.skipped == 1
    for one in (NEXT, BEGINNING, KEY, NEXT):
        slow.viewer.show(one)
    assert slow.kinds() == [Content.BEGINNING, Content.KEYFRAME, Content.PICTURES]


def test_only_the_last_words_wait_and_a_full_queue_does_not_lose_them() -> None:
    screen = Screen()
    screen.viewer.say(Words("asking", "a"))
    screen.viewer.say(Words("refused", "b"))
    for one in (BEGINNING, KEY, *[NEXT] * 1000):
        screen.viewer.show(one)
    assert screen.viewer.take() == (Words("refused", "b"), ())
    assert screen.viewer.take() == (None, ())


def test_nothing_is_queued_for_who_has_left() -> None:
    screen = Screen()
    screen.viewer.close()
    screen.viewer.show(BEGINNING)
    screen.viewer.show(KEY)
    assert screen.kinds() == []
    assert screen.viewer.closed
