"""What goes beside the events: never before one that is due, one load at a time, and no word on it counts twice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sealcam.clocks import SimulatedClock
from sealcam.freight import Freights, Load
from sealcam.messages import Carry, LinkState, Publish, Published, Refused, Way
from sealcam.pace import AHEAD_NS, LATE_NS, SLOT_NS, CoverPace, Parcel
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import Sealed
from tests.rig import BEAT, COVER, EyeEnd
from tests.scripted_post import ScriptedPost
from tests.waiting import eventually

HUB = SigningKey.generate()
NS = 1_000_000_000


@dataclass
class Pile:
    """Freight that has something as long as it is told to; remembers what became of each load."""

    way: Way = Way.CLIP
    size: int = 1000
    left: int = 0
    became: list[tuple[str, int]] = field(default_factory=list)
    resumes: int = 0
    given: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def resumed(self, now_ns: int) -> None:
        self.resumes += 1

    def next(self, now_ns: int) -> Load | None:
        with self.lock:
            if not self.left:
                return None
            self.left -= 1
            self.given += 1
            return Load(self.way, b"i" * 16, self.given.to_bytes(4, "big") * (self.size // 4))

    def due_in_ns(self, now_ns: int) -> int | None:
        return 0 if self.left else None

    def out(self, load: Load, now_ns: int) -> None:
        self.became.append(("out", number(load.payload)))

    def lost(self, load: Load, now_ns: int) -> None:
        self.became.append(("lost", number(load.payload)))

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        self.became.append((f"refused {limit_bytes}", number(load.payload)))


def number(payload: bytes) -> int:
    return int.from_bytes(payload[:4], "big")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(boot_ns=100 * NS)


@pytest.fixture
def pile() -> Pile:
    return Pile()


@pytest.fixture
def eye(tmp_path: Path, clock: SimulatedClock, pile: Pile) -> Iterator[EyeEnd]:
    with EyeEnd(tmp_path, HUB.public, clock=clock, freight=pile) as made:
        yield made


@pytest.fixture
def post(eye: EyeEnd) -> Iterator[ScriptedPost]:
    made = ScriptedPost(eye.socket)
    made.say(LinkState(True))
    assert made.confirm().startswith(BEAT)
    eventually(lambda: eye.link.up)
    yield made
    made.close()


def add(eye: EyeEnd, pile: Pile, count: int) -> None:
    with pile.lock:
        pile.left += count
    eye.link.wake()


def pass_time(eye: EyeEnd, clock: SimulatedClock, seconds: float) -> None:
    clock.advance(seconds)
    eye.link.wake()


def seq_of(message: Publish | Carry) -> int:
    assert isinstance(message, Publish)
    return int.from_bytes(message.envelope[4:12], "big")


def test_loads_go_when_no_envelope_is_due_and_each_is_spoken_of(eye: EyeEnd, post: ScriptedPost, pile: Pile) -> None:
    add(eye, pile, 3)
    for turn in range(1, 4):
        load = post.hear_load()
        assert (load.way, load.id, number(load.payload)) == (Way.CLIP, b"i" * 16, turn)
        assert post.silent(), "one is out at a time"
        post.say(Published(load.token))
    eventually(lambda: pile.became == [("out", 1), ("out", 2), ("out", 3)])
    assert pile.resumes == 1


def test_an_alarm_goes_after_the_load_that_is_out_and_before_the_next(
    eye: EyeEnd, post: ScriptedPost, pile: Pile
) -> None:
    add(eye, pile, 1000)
    for turn in range(20):
        load = post.hear_load()
        eye.append(urgency=3)
        eye.append(urgency=0)
        assert post.silent(0.02)
        post.say(Published(load.token))
        for seq in (2 * turn + 2, 2 * turn + 1):
            message = post.hear_any()
            assert seq_of(message) == seq
            post.say(Published(message.token))


def test_a_load_on_a_slow_link_holds_up_envelopes_for_ten_seconds_and_no_second_load_joins_it(
    eye: EyeEnd, post: ScriptedPost, pile: Pile, clock: SimulatedClock
) -> None:
    add(eye, pile, 5)
    load = post.hear_load()
    eye.append(urgency=0)
    pass_time(eye, clock, 9)
    assert post.silent()
    pass_time(eye, clock, 1)
    message = post.hear_any()
    assert seq_of(message) == 1
    post.say(Published(message.token))
    assert post.silent(), "a load is out still"
    post.say(Published(load.token))
    assert number(post.hear_load().payload) == 2
    assert pile.became == [("out", 1)]


def test_a_load_that_nobody_speaks_of_is_given_up_after_a_minute_and_what_comes_later_counts_no_more(
    eye: EyeEnd, post: ScriptedPost, pile: Pile, clock: SimulatedClock
) -> None:
    add(eye, pile, 2)
    load = post.hear_load()
    for _ in range(2):  # the beats that come due meanwhile
        pass_time(eye, clock, 20)
        assert post.confirm().startswith(BEAT)
    pass_time(eye, clock, 19.9)
    assert post.silent()
    pass_time(eye, clock, 0.1)
    assert post.confirm().startswith(BEAT)
    second = post.hear_load()
    assert pile.became == [("lost", 1)]
    post.say(Published(load.token), Published(second.token))
    eventually(lambda: pile.became == [("lost", 1), ("out", 2)])


def test_what_the_broker_refuses_is_told_with_its_limit(eye: EyeEnd, post: ScriptedPost, pile: Pile) -> None:
    add(eye, pile, 2)
    for limit in (40_000, 0):
        post.say(Refused(post.hear_load().token, limit))
    eventually(lambda: pile.became == [("refused 40000", 1), ("refused 0", 2)])


def test_an_envelope_that_is_said_to_be_refused_waits_like_one_that_was_published(
    eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock
) -> None:
    eye.append(urgency=0)
    post.say(Refused(post.hear().token, 7))
    assert post.silent()
    assert eye.outbox.stats().queued == 1
    pass_time(eye, clock, 15)
    assert seq_of(post.hear_any()) == 1


@pytest.mark.parametrize("answer", [Published, lambda token: Refused(token, 5)])
def test_an_invented_or_repeated_word_on_a_load_closes_the_connection(
    eye: EyeEnd, post: ScriptedPost, pile: Pile, answer: type[Published]
) -> None:
    add(eye, pile, 1)
    load = post.hear_load()
    post.say(answer(load.token), answer(load.token))
    assert post.hung_up()
    eventually(lambda: not eye.link.up)
    assert len(pile.became) == 1


@pytest.mark.parametrize("how", ["down", "gone", "newer"])
def test_a_link_that_breaks_loses_the_load_that_is_out(
    eye: EyeEnd, post: ScriptedPost, pile: Pile, clock: SimulatedClock, how: str
) -> None:
    add(eye, pile, 2)
    post.hear_load()
    pass_time(eye, clock, 2)
    other = post
    if how == "down":
        post.say(LinkState(False), LinkState(True))
    else:
        if how == "gone":
            post.close()
            eventually(lambda: not eye.link.up)
        other = ScriptedPost(eye.socket)
        other.say(LinkState(True))
    assert other.confirm().startswith(BEAT)
    assert number(other.hear_load().payload) == 2
    assert (pile.became, pile.resumes) == ([("lost", 1)], 2)
    other.close()


def test_the_first_that_has_something_goes_first_and_hears_of_its_own_alone(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    live, clips = Pile(Way.LIVE), Pile(Way.CLIP, left=3)
    with (
        EyeEnd(tmp_path, HUB.public, clock=clock, freight=Freights([live, clips])) as eye,
        ScriptedPost(eye.socket) as post,
    ):
        post.say(LinkState(True))
        assert post.confirm().startswith(BEAT)
        first = post.hear_load()
        add(eye, live, 2)
        post.say(Published(first.token))
        ways = [first.way]
        for _ in range(4):
            load = post.hear_load()
            ways.append(load.way)
            post.say(Published(load.token))
        assert ways == [Way.CLIP, Way.LIVE, Way.LIVE, Way.CLIP, Way.CLIP]
        eventually(lambda: len(clips.became) == 3)
        assert [one for one, _ in live.became] == ["out"] * 2


def test_under_cover_loads_go_between_slots_and_never_just_before_one(tmp_path: Path, clock: SimulatedClock) -> None:
    pile = Pile(left=1000)
    with (
        EyeEnd(tmp_path, HUB.public, clock=clock, cover=True, freight=pile) as eye,
        ScriptedPost(eye.socket) as post,
    ):
        post.say(LinkState(True))
        eventually(lambda: eye.link.up)
        assert post.silent()
        pass_time(eye, clock, 0.25)
        assert post.confirm().startswith(BEAT)
        for _ in range(5):
            post.say(Published(post.hear_load().token))
        load = post.hear_load()
        pass_time(eye, clock, 1.8)
        post.say(Published(load.token))
        assert post.silent(), "the next slot is near"
        pass_time(eye, clock, 0.2)
        assert post.confirm().startswith(COVER)
        load = post.hear_load()
        eye.append(urgency=0)
        pass_time(eye, clock, 2.6)  # the load has cost a slot
        post.say(Published(load.token))
        assert post.silent(), "no load before a slot was used"
        pass_time(eye, clock, 1.4)
        assert seq_of(post.hear_any()) == 1


class Nothing:
    """An inner pace that has nothing."""

    def resumed(self, now_ns: int) -> None:
        pass

    def take(self, now_ns: int) -> Parcel | None:
        return None

    def due_in_ns(self, now_ns: int) -> int | None:
        return None

    def may_carry(self, now_ns: int) -> bool:
        return True

    def beat_soon(self) -> None:
        pass


@pytest.mark.parametrize("took_ns", [SLOT_NS // 4, SLOT_NS, SLOT_NS + LATE_NS + 1, 3 * SLOT_NS - 1, 7 * SLOT_NS + 5])
def test_however_long_loads_take_slots_are_on_their_grid_and_at_most_one_load_lies_between_two(took_ns: int) -> None:
    pace = CoverPace(Nothing(), lambda: Sealed(b"cover"))
    pace.resumed(0)
    now_ns, slots, loads = 0, [], 0
    since = 0
    for _ in range(500):
        if pace.take(now_ns) is not None:
            slots.append(now_ns)
            since = 0
        elif pace.may_carry(now_ns):
            loads += 1
            since += 1
            now_ns += took_ns
            assert since == 1 or took_ns < SLOT_NS
        else:
            wait_ns = pace.due_in_ns(now_ns)
            assert wait_ns
            now_ns += wait_ns
    assert loads > 50
    assert all((at - AHEAD_NS) % SLOT_NS <= LATE_NS for at in slots)
    assert all(later - earlier >= SLOT_NS - LATE_NS for earlier, later in itertools.pairwise(slots))
