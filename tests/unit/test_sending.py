"""Clips on their way to the hub: which goes next, from where on, and that nothing is lost, endless or too much."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sealcam.clip_settings import Send
from sealcam.openclip import Recorded
from sealcam.sending import FIRST_WAIT_NS, LONGEST_WAIT_NS, WINDOW_BYTES
from sealcam.sending_rules import Rules
from sealcam.sight.types import Verdict
from sealcam.wire import piece
from sealcam.wire.clip_format import SCL1
from sealcam.wire.statement_kinds import ClipHeld
from tests.carrier import MIB, NS, Camera
from tests.vaulting import HEADER_BYTES, clip_bytes, prefix


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    made = Camera(tmp_path / "clips")
    yield made
    made.store.close()


def test_a_clip_arrives_byte_for_byte_and_is_not_sent_again_after_a_restart(camera: Camera) -> None:
    clips = [camera.record(size) for size in (0, 65_536, 3 * MIB + 5)]
    camera.run()
    assert all(camera.arrived(clip) for clip in clips)
    camera.restart()
    assert camera.piece() is None
    assert camera.sending.due_in_ns(camera.now) is not None, "the night may come"


def test_the_hub_is_never_more_than_two_segments_behind(camera: Camera) -> None:
    clip = camera.record(5 * MIB)
    camera.vault.silent = True
    count = camera.run()
    sent = sum(size for _, _, size in camera.vault.pieces)
    assert WINDOW_BYTES - piece.MAX_DATA_BYTES < sent <= WINDOW_BYTES
    assert count > 30
    camera.sending.held(ClipHeld(camera=b"c" * 8, clip=clip, held=HEADER_BYTES + SCL1.segment_bytes, whole=False))
    camera.run()
    sent = sum(size for _, _, size in camera.vault.pieces)
    assert sent <= WINDOW_BYTES + HEADER_BYTES + SCL1.segment_bytes


def test_asked_for_goes_before_threats_and_threats_before_the_rest_the_oldest_of_each_first(camera: Camera) -> None:
    camera.night = True
    benign, threat, second, false = (
        camera.record(1000, verdict)
        for verdict in (Verdict.BENIGN, Verdict.THREAT, Verdict.THREAT, Verdict.FALSE_ALARM)
    )
    asked = camera.record(1000, Verdict.FALSE_ALARM)
    assert camera.sending.ask([asked, b"?" * 16]).missing == (b"?" * 16,)
    camera.run()
    order = list(dict.fromkeys(clip for clip, _, _ in camera.vault.pieces))
    assert order == [asked, threat, second, benign]
    assert false not in order


def test_a_threat_that_ends_meanwhile_goes_between_two_pieces_of_a_benign_one(camera: Camera) -> None:
    camera.night = True
    benign = camera.record(2 * MIB, Verdict.BENIGN)
    for _ in range(3):
        load = camera.piece()
        assert load is not None
        camera.carry(load)
    threat = camera.record(2 * MIB)
    camera.run()
    order = [clip for clip, _, _ in camera.vault.pieces]
    assert order[3] == threat
    assert order.index(benign, 3) == order.count(threat) + 3
    assert camera.arrived(benign)
    assert camera.arrived(threat)
    assert sum(size for clip, _, size in camera.vault.pieces if clip == benign) == len(camera.files[benign])


def test_what_is_benign_waits_for_the_night_and_stops_when_it_ends(camera: Camera) -> None:
    clip = camera.record(3 * MIB, Verdict.BENIGN)
    assert camera.piece() is None
    camera.night = True
    assert camera.piece() is None
    wait_ns = camera.sending.due_in_ns(camera.now)
    assert wait_ns is not None
    camera.clock.advance(wait_ns / NS)
    for _ in range(5):
        load = camera.piece()
        assert load is not None
        camera.carry(load)
    camera.night = False
    camera.clock.advance(60)
    assert camera.piece() is None
    camera.night = True
    camera.clock.advance(60)
    camera.run()
    assert camera.arrived(clip)


@pytest.mark.parametrize(
    ("rules", "night", "goes"),
    [
        (Rules(Send.THREAT, (60, 300)), False, {Verdict.THREAT}),
        (Rules(Send.THREAT, (60, 300)), True, {Verdict.THREAT, Verdict.BENIGN}),
        (Rules(Send.ALL, None), False, set(Verdict)),
        (Rules(Send.NEVER, (60, 300)), True, set()),
        (Rules(Send.THREAT, (60, 300), cover=True), False, set()),
        (Rules(Send.ALL, (60, 300), cover=True), False, set()),
        (Rules(Send.ALL, (60, 300), cover=True), True, set(Verdict)),
        (Rules(Send.THREAT, (60, 300), cover=True), True, {Verdict.THREAT, Verdict.BENIGN}),
    ],
)
def test_what_goes_by_itself_is_the_rules_and_what_is_asked_for_goes_always(
    tmp_path: Path, rules: Rules, night: bool, goes: set[Verdict]
) -> None:
    camera = Camera(tmp_path, rules)
    camera.night = night
    clips = {verdict: camera.record(1000, verdict) for verdict in Verdict}
    camera.run()
    assert {verdict for verdict, clip in clips.items() if camera.arrived(clip)} == goes
    camera.sending.ask(list(clips.values()))
    camera.run()
    assert all(camera.arrived(clip) for clip in clips.values())
    camera.store.close()


@pytest.mark.parametrize(
    ("window", "zone", "wall_s", "is_open"),
    [
        ((60, 300), "UTC", 3600, True),
        ((60, 300), "UTC", 3599, False),
        ((60, 300), "UTC", 18_000, False),
        ((60, 300), "UTC", 17_999, True),
        ((60, 300), "Europe/Zurich", 0, True),  # 01:00 there
        ((1380, 120), "UTC", 1380 * 60, True),
        ((1380, 120), "UTC", 119 * 60, True),
        ((1380, 120), "UTC", 120 * 60, False),
        ((0, 1440), "UTC", 86_399, True),
        (None, "UTC", 3600, False),
        ((60, 300), "UTC", None, False),
    ],
)
def test_the_night_is_between_two_minutes_of_the_day_and_never_while_nobody_knows_the_time(
    window: tuple[int, int] | None, zone: str, wall_s: int | None, is_open: bool
) -> None:
    wall_ns = None if wall_s is None else wall_s * NS
    assert Rules(Send.THREAT, window).open(wall_ns, ZoneInfo(zone)) is is_open


def test_a_hub_that_says_nothing_is_asked_again_ever_more_seldom_and_with_little(camera: Camera) -> None:
    camera.record(5 * MIB)
    camera.vault.silent = True
    camera.run()
    waits = []
    for _ in range(7):
        before = len(camera.vault.pieces)
        wait_ns = camera.sending.due_in_ns(camera.now)
        assert wait_ns is not None
        began_ns = camera.now
        while camera.piece() is None:
            wait_ns = camera.sending.due_in_ns(camera.now)
            assert wait_ns
            camera.clock.advance(wait_ns / NS)
        waits.append(round((camera.now - began_ns) / NS))
        camera.run()
        assert len(camera.vault.pieces) == before + 1
    assert waits == [15, 30, 60, 120, 240, 300, 300]
    assert (FIRST_WAIT_NS, LONGEST_WAIT_NS) == (15 * NS, 300 * NS)


def wait(camera: Camera) -> None:
    """Let the time pass until there is a piece."""
    for _ in range(100):
        if camera.piece() is not None:
            return
        wait_ns = camera.sending.due_in_ns(camera.now)
        assert wait_ns is not None, "nothing is foreseen"
        camera.clock.advance(max(wait_ns, 1) / NS)
    raise AssertionError("no piece comes")


def test_a_hub_that_comes_back_gets_everything(camera: Camera) -> None:
    clips = [camera.record(3 * MIB) for _ in range(5)]
    camera.vault.silent = True
    for _ in range(6):
        wait(camera)
        camera.run()
    camera.vault.silent = False
    wait(camera)
    camera.run()
    assert all(camera.arrived(clip) for clip in clips)


def test_a_hub_that_forgot_what_it_had_not_verified_is_sent_that_again(camera: Camera) -> None:
    clip = camera.record(6 * MIB)
    for count in range(10):
        camera.run(until=lambda: len(camera.vault.pieces) >= 7 * count)  # noqa: B023
        camera.vault.forget()
    camera.run()
    assert camera.arrived(clip)
    sent = sum(size for _, _, size in camera.vault.pieces)
    assert sent < len(camera.files[clip]) + 10 * 10 * piece.MAX_DATA_BYTES


def test_a_camera_that_starts_again_goes_on_where_the_hub_is(camera: Camera) -> None:
    clip = camera.record(8 * MIB)
    camera.run(until=lambda: len(camera.vault.pieces) >= 100)
    camera.restart()
    camera.vault.pieces.clear()
    camera.run()
    assert camera.arrived(clip)
    assert [offset for _, offset, _ in camera.vault.pieces][:2] == [0, HEADER_BYTES + 6 * SCL1.segment_bytes]


def test_a_late_complaint_makes_no_endless_circle(camera: Camera) -> None:
    """What the hub says of pieces that were on their way already comes after the camera has gone back."""
    clip = camera.record(4 * MIB)
    camera.run(until=lambda: len(camera.vault.pieces) >= 10)
    camera.vault.forget()
    late: list[ClipHeld] = []
    for _ in range(6):
        load = camera.piece()
        assert load is not None
        camera.clock.advance(0.01)
        camera.sending.out(load, camera.now)
        said = camera.vault.take(load.id, load.payload)
        assert said is not None
        late.append(said)
    for number in range(200):
        if late and number % 3 == 0:
            camera.sending.held(late.pop(0))
        load = camera.piece()
        if load is None:
            break
        camera.carry(load)
    assert camera.arrived(clip)
    assert not late


def test_what_a_hub_stops_rests_until_it_is_asked_for_over_a_restart_too(camera: Camera) -> None:
    clip, other = camera.record(3 * MIB), camera.record(1000)
    camera.vault.stopped.add(clip)
    camera.run()
    assert [one for one, _, _ in camera.vault.pieces] == [clip, other, other]
    camera.restart()
    assert camera.piece() is None
    camera.vault.stopped.clear()
    camera.sending.ask([clip])
    camera.restart()
    camera.run()
    assert camera.arrived(clip)


def test_what_the_hub_has_is_sent_once_more_when_it_is_asked_for(camera: Camera) -> None:
    """A hub that was restored from a backup has lost it."""
    clip = camera.record(1000)
    camera.run()
    camera.vault.clips.clear()
    camera.sending.ask([clip])
    camera.run()
    assert camera.arrived(clip)
    assert camera.piece() is None


def test_what_is_asked_for_while_it_is_recorded_goes_when_it_has_ended(camera: Camera) -> None:
    clip = secrets.token_bytes(16)
    camera.files[clip] = clip_bytes(clip, 1000)
    (camera.path / f"{clip.hex()}.part").write_bytes(camera.files[clip])
    asked = camera.sending.ask([clip])
    assert (asked.coming, asked.running, asked.missing) == ((), (clip,), ())
    assert camera.piece() is None
    (camera.path / f"{clip.hex()}.part").rename(camera.path / f"{clip.hex()}.scl1")
    camera.store.keep([Recorded(clip, "00" * 8, 0, 0, 1, 0, 1000, Verdict.FALSE_ALARM)])
    assert camera.sending.due_in_ns(camera.now) == 0
    camera.run()
    assert camera.arrived(clip)


def test_a_clip_that_is_evicted_on_its_way_lets_the_next_one_go(camera: Camera) -> None:
    first, second = camera.record(3 * MIB), camera.record(3 * MIB)
    camera.run(until=lambda: len(camera.vault.pieces) >= 5)
    camera.folder.delete(first)  # the index still has it
    camera.run()
    assert camera.arrived(second)
    assert camera.said == []
    camera.store.take_stock()
    assert [fate.clip for fate in camera.fates] == [first]
    assert camera.piece() is None


def test_a_clip_that_cannot_be_read_is_told_once_and_holds_up_nothing(camera: Camera) -> None:
    bad = [camera.record(1000) for _ in range(3)]
    good = camera.record(1000)
    for clip in bad:
        path = camera.path / f"{clip.hex()}.scl1"
        path.unlink()
        path.mkdir()
    camera.run()
    assert camera.arrived(good)
    assert [code for code, _ in camera.said] == ["clip-unreadable"]


def test_a_lost_index_costs_a_piece_of_each_clip(camera: Camera) -> None:
    clips = [camera.record(3 * MIB) for _ in range(3)]
    camera.run()
    camera.store.close()
    camera.folder.index.write_bytes(b"rot" * 10_000)
    camera.vault.pieces.clear()
    camera.start()
    assert camera.store.lost
    camera.run()
    assert sorted(camera.vault.pieces) == sorted((clip, 0, piece.MAX_DATA_BYTES) for clip in clips)


def test_an_index_that_cannot_be_written_stops_nothing_and_sends_nothing_twice(camera: Camera) -> None:
    clips = [camera.record(1000) for _ in range(3)]
    camera.store._db.execute("PRAGMA query_only = ON")
    assert camera.run() == 6
    assert all(camera.arrived(clip) for clip in clips)
    assert camera.piece() is None


def asked_for_while_recorded(camera: Camera) -> bytes:
    """A clip nobody would send by itself: asked for while it was recorded, and its end is told."""
    clip = secrets.token_bytes(16)
    camera.files[clip] = clip_bytes(clip, 100_000)
    part = camera.path / f"{clip.hex()}.part"
    part.write_bytes(camera.files[clip])
    assert camera.sending.ask([clip]).running == (clip,)
    part.rename(part.with_suffix(".scl1"))
    camera.store.keep([Recorded(clip, "00" * 8, 0, 0, 1, 0, 1000, Verdict.FALSE_ALARM)])
    return clip


def test_a_wish_for_a_clip_that_was_being_recorded_is_done_though_the_index_cannot_be_written(
    camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    clip = asked_for_while_recorded(camera)
    camera.store._db.execute("PRAGMA query_only = ON")
    camera.run(1000, until=lambda: len(camera.vault.pieces) == 1)
    camera.clock.advance(61)  # chosen anew
    camera.run()
    assert camera.arrived(clip)
    camera.clock.advance(61)
    assert camera.piece() is None, "once is enough"
    assert len([line for line in caplog.messages if "a wish for clips" in line]) == 1


def test_a_wish_that_could_not_be_written_is_written_as_soon_as_it_can_be(camera: Camera) -> None:
    clip = asked_for_while_recorded(camera)
    camera.store._db.execute("PRAGMA query_only = ON")
    assert camera.piece() is not None
    camera.store._db.execute("PRAGMA query_only = OFF")
    camera.clock.advance(61)
    assert camera.piece() is not None
    camera.restart()
    camera.run()
    assert camera.arrived(clip)


@pytest.mark.parametrize("held", [1 << 63, 3 * MIB, 200_000])
def test_a_hub_that_holds_more_than_there_is_changes_nothing(camera: Camera, held: int) -> None:
    clip = camera.record(100_000)
    load = camera.piece()
    assert load is not None
    camera.sending.held(ClipHeld(camera=b"c" * 8, clip=clip, held=held, whole=False))
    camera.carry(load)
    camera.run()
    assert camera.arrived(clip)


def test_what_is_said_of_clips_that_are_not_here_is_not_kept(camera: Camera) -> None:
    clip = camera.record(3 * MIB)
    camera.run(until=lambda: len(camera.vault.pieces) >= 5)
    for _ in range(1000):
        other = secrets.token_bytes(16)
        for whole, stop in ((True, None), (False, True), (False, None)):
            camera.sending.held(ClipHeld(camera=b"c" * 8, clip=other, held=7, whole=whole, stop=stop))
    assert len(camera.sending._transits) == 1
    camera.run()
    assert camera.arrived(clip)


def test_a_piece_that_was_lost_goes_again_and_smaller(camera: Camera) -> None:
    clip = camera.record(3 * MIB)
    sizes = []
    for _ in range(10):
        load = camera.piece()
        assert load is not None
        assert prefix(load.payload)[0] == 0
        sizes.append(len(load.payload) - piece.PREFIX_BYTES)
        camera.sending.lost(load, camera.now)
        camera.sending.resumed(camera.now)
    assert sizes == [65_665, 32_832, 16_416, 8208, 4104, 2052, 2048, 2048, 2048, 2048]
    camera.run()
    assert camera.arrived(clip)


def test_a_slow_link_gets_small_pieces_and_a_quick_one_large_ones(camera: Camera) -> None:
    camera.record(3 * MIB)
    for bits_s, most_s in ((64_000, 4.2), (2_000_000, 0.3)):
        for turn in range(40):
            load = camera.piece()
            assert load is not None
            took_s = len(load.payload) * 8 / bits_s
            assert turn < 10 or took_s <= most_s
            camera.carry(load, took_s)
    assert len(load.payload) == piece.MAX_PIECE_BYTES


@pytest.mark.parametrize("limit", [3000, 40_000, 65_684])
def test_a_broker_that_takes_less_than_a_chunk_gets_smaller_pieces(camera: Camera, limit: int) -> None:
    clip = camera.record(3 * MIB)
    load = camera.piece()
    while load is not None:
        if len(load.payload) > limit:
            camera.sending.refused(load, limit, camera.now)
        else:
            camera.carry(load)
        load = camera.piece()
    assert camera.arrived(clip)
    assert max(size for _, _, size in camera.vault.pieces) == limit - piece.PREFIX_BYTES
    assert camera.said == []


@pytest.mark.parametrize("limit", [0, 1, 100, 65_685, 1 << 31])
def test_a_broker_that_takes_none_is_told_once_and_tried_ever_more_seldom(camera: Camera, limit: int) -> None:
    clip = camera.record(3 * MIB)
    tried = 0
    began_ns = camera.now
    while camera.now < began_ns + 3600 * NS:
        load = camera.piece()
        if load is None:
            wait_ns = camera.sending.due_in_ns(camera.now)
            assert wait_ns
            camera.clock.advance(wait_ns / NS)
        else:
            camera.sending.refused(load, limit, camera.now)
            tried += 1
    assert tried < 20
    assert [code for code, _ in camera.said] == ["clips-refused"]
    camera.sending.resumed(camera.now)
    wait(camera)
    camera.run()
    assert camera.arrived(clip)


def test_ten_thousand_clips_take_a_look_and_no_more_for_each_piece(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    for number in range(10_000):
        (camera.path / f"{number:032x}.scl1").write_bytes(b"x")
    big = camera.record(3 * MIB)
    camera.store.take_stock()
    camera.sending.ask([big])
    looks = 0
    clips = camera.store.clips

    class Counting:
        def __getattr__(self, name: str) -> object:
            nonlocal looks
            looks += name == "clips"
            return getattr(camera.store, name)

    assert clips
    camera.sending._store = Counting()  # type: ignore[assignment]
    camera.run(until=lambda: camera.arrived(big) if big in camera.vault.clips else False)
    assert camera.arrived(big)
    assert looks <= 3
    camera.store.close()
