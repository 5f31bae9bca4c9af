"""A live view: pictures leave as they are encoded, for one session at a time, and it ends when it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from sealcam.board.fake_encoder import FakeEncoder
from sealcam.commands import Declined
from sealcam.live import NEW_BURST
from sealcam.livequeue import MOST_BYTES
from sealcam.sight.types import Stage
from sealcam.wire.bodies import EventType, Outcome
from sealcam.wire.live import Content
from tests.films import frame, ns, report
from tests.livecam import OTHER, LiveCamera, milliseconds, played_ms
from tests.recording import SETTINGS


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[LiveCamera]:
    made = LiveCamera(tmp_path)
    yield made
    made.close()


class Encoders:
    """Encoders that a test can reach."""

    def __init__(self, **kind: int) -> None:
        self.made: list[FakeEncoder] = []
        self._kind = kind

    def __call__(self) -> FakeEncoder:
        self.made.append(FakeEncoder(**self._kind))
        return self.made[-1]


def faked(path: Path, **kind: int) -> tuple[LiveCamera, Encoders]:
    encoders = Encoders(**kind)
    return LiveCamera(path, encoders), encoders


def test_whoever_looks_sees_every_picture_at_its_time_while_it_is_recorded(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.film(1.5)
    assert camera.ask(60) == "the picture is shown live for 60 s"
    shown = camera.film(4)
    assert looker.seen_ms == milliseconds(shown), "from the very next picture on"
    assert looker.played_ms() == looker.seen_ms
    assert looker.dropped == 0
    (info,) = looker.infos
    assert (info.at.boot_ns, info.part, info.camera) == (shown[0].t_ns, 0, "the front door")
    assert info.media.startswith('video/mp4; codecs="avc1.42C0')


def test_a_keyframe_comes_at_once_and_every_second_with_what_leads_up_to_it(camera: LiveCamera) -> None:
    camera.film(0.5)
    camera.ask(60)
    looker = camera.looker()
    camera.film(5)
    keys = [part for part in looker.parts if part.content is Content.KEYFRAME]
    assert keys[0] is looker.pictures[0]
    assert all(later.seen_ns - earlier.seen_ns <= ns(1) for earlier, later in pairwise(keys))
    for before, part in pairwise(looker.parts):
        assert (before.content is Content.BEGINNING) is (part.content is Content.KEYFRAME)
    joined = camera.looker()
    camera.film(1.3)
    assert joined.played_ms() == joined.seen_ms, "whoever comes later joins at the next keyframe"
    assert len(joined.seen_ms) >= 3


def test_a_session_ends_by_itself_when_its_time_is_over_however_often_the_wall_clock_is_set(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(3)
    camera.clock.step_wall(-3600)
    shown = camera.film(6)
    camera.tap.tend()
    camera.drain()
    assert looker.seen_ms == milliseconds(shown[:30])
    assert looker.ended
    assert not camera.live.running
    assert camera.health() == [
        ("live-began", "the picture is shown live to the hub"),
        ("live-ended", "its time is over; it lasted 3 s and showed 30 pictures"),
    ]


def test_nothing_leaves_after_its_time_even_if_nobody_looks_after_the_session(camera: LiveCamera) -> None:
    camera.ask(3)
    camera.film(2, link=False)
    camera.clock.advance(1)
    assert camera.drain() == []


def test_a_command_that_is_repeated_prolongs_and_says_so(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(3)
    camera.film(2)
    assert camera.ask(3) == "the picture is shown live for 3 s more"
    shown = camera.film(4)
    camera.drain()
    assert looker.seen_ms[20:] == milliseconds(shown[:30])
    assert camera.codes == ["live-began", "live-ended"]
    assert len(looker.infos) == 1


def test_zero_seconds_end_it_and_nobody_elses(camera: LiveCamera) -> None:
    looker = camera.looker()
    assert camera.ask(0) == "no live view runs"
    camera.ask(60)
    camera.film(1)
    assert camera.ask(0, OTHER) == "that live view doesn't run; another one does"
    assert camera.live.running
    assert camera.ask(0) == "live view has ended"
    camera.film(1)
    assert looker.ended
    assert len(looker.pictures) == 10
    assert camera.codes == ["live-began", "live-ended"]


def test_another_session_takes_its_place_under_a_key_of_its_own(camera: LiveCamera) -> None:
    first, second = camera.looker(), camera.looker(OTHER)
    camera.ask(60)
    camera.film(1)
    camera.ask(60, OTHER)
    shown = camera.film(1.5)
    assert first.ended
    assert len(first.pictures) == 10
    assert second.seen_ms == milliseconds(shown)
    assert not second.ended
    assert camera.codes == ["live-began", "live-ended", "live-began"]
    stranger = camera.looker(OTHER)
    for load in camera.taken:
        stranger.hear(load.payload)
    assert stranger.seen_ms == second.seen_ms, "nothing of another session counts"


def test_sessions_without_end_are_too_many(camera: LiveCamera) -> None:
    for number in range(NEW_BURST):
        camera.ask(60, bytes([number]) * 16)
    with pytest.raises(Declined, match="too many") as caught:
        camera.ask(60, b"x" * 16)
    assert caught.value.outcome is Outcome.FAILED
    assert camera.ask(60, bytes([NEW_BURST - 1]) * 16).endswith("more"), "the one that runs goes on"
    camera.clock.advance(2.5)
    camera.ask(60, b"x" * 16)


def test_privacy_ends_it_at_once_and_refuses_the_next(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.film(1)
    camera.film(0.5, link=False)
    camera.private = True
    assert camera.drain() == [], "what waits leaves no more"
    camera.tap.tend()
    camera.drain()
    assert looker.ended
    assert len(looker.pictures) == 10
    with pytest.raises(Declined, match="privacy is on") as caught:
        camera.ask(60)
    assert caught.value.outcome is Outcome.FAILED
    camera.private = False
    camera.film(1)
    assert len(looker.pictures) == 10, "and it doesn't begin again by itself"
    assert camera.health()[-1][1].startswith("privacy is on; it lasted 2 s")


def test_what_was_seen_under_other_masks_leaves_no_more(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.film(1)
    camera.film(0.5, link=False)
    camera.live.hide()
    assert camera.drain() == [], "what waits is forgotten"
    camera.film(0.3)  # these waited for the encoder when the masks changed
    assert len(looker.pictures) == 10
    camera.recorder.forget()
    shown = camera.film(2)
    assert looker.seen_ms[10:] == milliseconds(shown)
    assert looker.played_ms() == looker.seen_ms


def test_a_newer_recipient_set_goes_on_in_the_next_part(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    first = camera.film(1.5)
    assert camera.sealing.take_set(camera.home.choose(2, camera.home.hub))
    second = camera.film(1.5)
    assert looker.epochs == [(1, 1), (1, 2)]
    assert [info.part for info in looker.infos] == [0, 1]
    assert looker.seen_ms == milliseconds([*first, *second])
    assert looker.played_ms() == looker.seen_ms, "one time line, whatever the keys"


def test_a_rotation_waits_for_the_next_keyframe_alone(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    first = camera.film(1.5)
    assert not camera.sealing.take_rotation(camera.home.rotation(2))
    assert camera.home.camera.epoch == 1
    camera.film(1.5)
    assert camera.home.camera.epoch == 2
    assert looker.seen_ms == milliseconds(first)
    assert looker.dropped > 0, "the new key isn't known yet"
    camera.signers.append(camera.home.camera.signer.public)
    last = camera.film(1.5)
    assert looker.epochs == [(1, 1), (2, 1)]
    assert looker.infos[-1].part == 1
    assert looker.seen_ms[-1] == milliseconds(last)[-1]


def test_a_rotation_while_a_clip_runs_too_is_done_and_both_go_on(camera: LiveCamera) -> None:
    """Neither may begin anew under the old keys because the other still writes: that would never end."""
    looker = camera.looker()
    start_s = camera.clock.boot_ns() / 1e9
    new = report(Stage.NEW, start_s + 1, start_s + 0.9)
    camera.film(1)
    camera.film(1, reports=(new,))
    camera.ask(60)
    camera.film(1.5)
    assert not camera.sealing.take_rotation(camera.home.rotation(2))
    camera.film(3)
    assert camera.home.camera.epoch == 2
    camera.signers.append(camera.home.camera.signer.public)
    looker = camera.looker()
    end = replace(new, stage=Stage.END, t_ns=camera.clock.boot_ns())
    camera.film(4, reports=(end,))
    assert looker.epochs == [(2, 1)]
    assert len(looker.pictures) >= 30
    kinds = [EventType(one.kind) for one in camera.chain()]
    assert kinds.count(EventType.EPOCH) == 1
    assert kinds.count(EventType.CLIP) == 2


def test_no_key_waits_for_a_session_that_is_over(camera: LiveCamera) -> None:
    camera.ask(1)
    camera.film(0.5)
    camera.clock.advance(1)
    camera.tap.tend()
    assert camera.sealing.take_rotation(camera.home.rotation(2))


def test_an_encoder_that_dies_costs_a_gap_and_no_session(tmp_path: Path) -> None:
    camera, encoders = faked(tmp_path)
    looker = camera.looker()
    camera.ask(60)
    camera.film(1.5)
    encoders.made[-1].fail()
    camera.film(3)
    assert len(encoders.made) == 2
    assert camera.live.running
    gaps = [later - earlier for earlier, later in pairwise(looker.seen_ms)]
    assert max(gaps) <= 1200
    assert gaps.count(100) == len(gaps) - 1
    assert camera.codes == ["live-began", "encoder-failed"]
    camera.close()


def test_an_encoder_that_gives_its_pictures_late_is_asked_for_one_keyframe(tmp_path: Path) -> None:
    camera, _ = faked(tmp_path, held=3)
    camera.film(1.6)
    looker = camera.looker()
    camera.ask(60)
    camera.film(3)
    keys = [part.seen_ns for part in looker.parts if part.content is Content.KEYFRAME]
    assert keys[0] == ns(101.6)
    assert all(later - earlier >= ns(0.9) for earlier, later in pairwise(keys))
    camera.close()


def test_pictures_of_another_size_begin_anew_under_the_same_keys(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.film(1.5)
    before = len(looker.parts)
    shown = camera.film(1.5, size=(96, 64))
    assert [info.part for info in looker.infos] == [0, 0]
    assert looker.seen_ms[15:] == milliseconds(shown)
    assert played_ms(looker.parts[before:]) == milliseconds(shown)


def test_a_link_that_stands_still_is_given_new_pictures_and_never_more_than_fits(tmp_path: Path) -> None:
    camera, _ = faked(tmp_path, picture_bytes=60_000)
    looker = camera.looker()
    camera.ask(3600)
    camera.film(1)
    camera.film(60, link=False)
    assert camera.live._queue.queued_bytes <= MOST_BYTES
    now_ms = camera.clock.boot_ns() // 1_000_000
    camera.drain()
    assert looker.seen_ms[10] >= now_ms - 3100, "what is old gave way"
    assert looker.dropped == 0
    shown = camera.film(3)
    assert looker.seen_ms[-30:] == milliseconds(shown)
    camera.close()


def test_on_a_slow_link_whole_gops_are_passed_over_and_what_is_shown_can_be_decoded(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(3600)
    for _ in range(300):  # half as many messages leave as are made
        camera.film(0.1, link=False)
        camera.drain(most=1 if camera.clock.boot_ns() // 100_000_000 % 2 else 0)
    assert looker.played_ms() == looker.seen_ms
    ages = [camera.clock.boot_ns() // 1_000_000 - seen for seen in looker.seen_ms[-1:]]
    assert max(ages) <= 3500
    assert len(looker.seen_ms) >= 50


def test_a_message_that_the_broker_refuses_is_told_once_and_the_next_gop_is_tried(tmp_path: Path) -> None:
    camera, _ = faked(tmp_path)
    looker = camera.looker()
    camera.ask(60)
    camera.film(0.5)
    for _ in range(2):
        camera.film(1.2, link=False)
        load = camera.live.next(camera.clock.boot_ns())
        assert load is not None
        camera.live.refused(load, 1000, camera.clock.boot_ns())
        assert camera.drain() == []
    camera.film(1.5)
    assert looker.seen_ms[-1] == (camera.clock.boot_ns() - ns(0.1)) // 1_000_000
    told = [detail for code, detail in camera.health() if code == "live-refused"]
    assert len(told) == 1
    assert told[0].endswith("the broker takes at most 1000 bytes")
    camera.close()


def test_a_source_that_ends_ends_it_and_refuses_the_next(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.film(1)
    camera.recorder.stop()
    camera.tap.close()
    camera.drain()
    assert looker.ended
    with pytest.raises(Declined, match="the source has ended"):
        camera.ask(60)
    camera.tap.close()
    assert camera.codes == ["live-began", "live-ended"]


def test_live_view_goes_on_while_the_disk_for_clips_is_full(tmp_path: Path) -> None:
    camera = LiveCamera(tmp_path)
    (tmp_path / "clips").rmdir()
    looker = camera.looker()
    camera.ask(60)
    start_s = camera.clock.boot_ns() / 1e9
    shown = camera.film(3, reports=(report(Stage.NEW, start_s, start_s),))
    assert looker.seen_ms == milliseconds(shown)
    assert "clip-broken" in camera.codes
    camera.close()


def test_nobody_is_shown_anything_that_nobody_asked_for(camera: LiveCamera) -> None:
    camera.film(3)
    assert camera.woken == 0
    assert camera.drain() == []
    assert camera.health() == []


def test_the_bytes_of_a_second_stay_within_what_recording_may_take(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.film(6)
    sent = sum(len(load.payload) for load in camera.taken)
    overhead = 300 * len(camera.taken) + 2000 * 7  # of each message, and of each beginning
    assert sent <= SETTINGS.bytes_per_s * 7 + overhead
    assert len(looker.pictures) <= SETTINGS.fps * 6


def test_a_picture_tells_when_it_was_seen_and_when_it_was_sealed(camera: LiveCamera) -> None:
    looker = camera.looker()
    camera.ask(60)
    camera.clock.advance(0.05)  # what sight and the encoder took
    taken_ns = camera.clock.boot_ns() - ns(0.05)
    camera.recorder.take(frame(taken_ns / 1e9))
    camera.drain()
    (picture,) = looker.pictures
    assert (picture.seen_ns, picture.sealed_ns) == (taken_ns, taken_ns + ns(0.05))
