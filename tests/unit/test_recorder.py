"""What becomes a clip: from the pre-roll to the post-roll, without a gap, and the key before the first chunk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.clip_settings import TELL_S, ClipSettings
from sealcam.clips import Fate
from sealcam.sight.types import Report, Stage, Verdict
from sealcam.wire.bodies import ClipKey, ClipState
from sealcam.wire.clip import FileSource, content_key, read_header, read_info
from sealcam.wire.errors import ConfigError
from tests.films import INCIDENT, Ear, film, frames, ns, report, video
from tests.recording import SETTINGS, Rig, incident, milliseconds
from tests.scl1 import RECIPIENTS, SIGNER

NEXT = "00112233445566bb"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "clips")


def test_a_clip_goes_from_the_pre_roll_to_the_post_roll(rig: Rig) -> None:
    (one,) = film(rig.recorder, frames(40), incident(20.5, 25, started_s=19.5))
    times = rig.pictures(one)
    assert times == milliseconds(times[0] / 1000, times[-1] / 1000)
    assert 15.5 <= times[0] / 1000 <= 16.5
    assert 26.9 <= times[-1] / 1000 <= 28
    assert one.trigger_ns == ns(19.5)
    assert rig.recorder.stop() == ()
    assert rig.folder.clips() == (rig.file(one),)


def test_all_there_was_is_in_it_where_the_incident_began_with_the_source(rig: Rig) -> None:
    film(rig.recorder, frames(4), incident(0.3, 100, started_s=0))
    (one,) = rig.recorder.stop([report(Stage.END, 3.9, 0)])
    assert rig.pictures(one) == milliseconds(0, 3.9)
    assert (one.start_ns, one.trigger_ns) == (0, 0)


def test_an_incident_that_is_told_when_it_is_over_is_in_a_clip_from_its_pre_roll_on(rig: Rig) -> None:
    both = incident(30, 30.0001, started_s=12)
    (one,) = film(rig.recorder, frames(40), {30: [*both[30], *both[30.0001]]})
    times = rig.pictures(one)
    assert times == milliseconds(times[0] / 1000, times[-1] / 1000)
    assert times[0] <= 9000
    assert times[-1] >= 31_900


def test_an_incident_that_is_told_long_after_it_began_shows_all_there_is_and_what_it_was_told_for(rig: Rig) -> None:
    (one,) = film(rig.recorder, frames(80), incident(60, 65, started_s=10))
    assert one.start_ns <= ns(60 - SETTINGS.pre_roll_s - TELL_S)
    assert one.trigger_ns == ns(60)
    with rig.file(one).open("rb") as file:
        header = read_header(FileSource(file), [SIGNER.public])
    assert read_info(header, content_key(header, RECIPIENTS)).trigger_ns == ns(60)


def test_an_incident_of_a_source_that_lasts_half_a_second_is_recorded(rig: Rig) -> None:
    film(rig.recorder, frames(0.5))
    both = incident(0.3, 0.4, started_s=0.1)
    (one,) = rig.recorder.stop([*both[0.3], *both[0.4]])
    assert rig.pictures(one) == milliseconds(0, 0.4)


def test_the_key_is_on_its_way_before_the_first_chunk_in_an_update_of_its_own(tmp_path: Path) -> None:
    reports = incident(10, 12)
    sizes: list[int] = []

    class Watching(Ear):
        def report(self, report: Report, clip: ClipKey | None = None) -> None:
            sizes.extend(path.stat().st_size for path in (tmp_path / "clips").iterdir())
            super().report(report, clip)

    rig = Rig(tmp_path / "clips", ear=Watching())
    film(rig.recorder, frames(20), reports)
    said, key = rig.ear.said[:2]
    assert said == replace(reports[10][0], stage=Stage.UPDATE)
    assert isinstance(key, ClipKey)
    assert sizes == [406 + 80 * 4]


def test_the_sealed_info_names_incident_camera_trigger_and_time(rig: Rig) -> None:
    (one,) = film(rig.recorder, frames(30), incident(15, 18, started_s=14.2))
    with rig.file(one).open("rb") as file:
        header = read_header(FileSource(file), [SIGNER.public])
    info = read_info(header, content_key(header, RECIPIENTS))
    assert (info.incident, info.part) == (bytes.fromhex(INCIDENT), 0)
    assert (info.camera, info.trigger_ns, info.media) == ("the front door", ns(14.2), "video/mp4")
    assert info.at == rig._stamp(one.start_ns)
    (key,) = rig.ear.keys
    assert (key.clip, key.started_ns, key.part) == (one.clip, one.start_ns, 0)


def test_a_long_incident_goes_on_in_follow_ons_without_a_gap(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", replace(SETTINGS, longest_s=10))
    ended = film(rig.recorder, frames(60), incident(5, 40))
    assert [one.part for one in ended] == [0, 1, 2, 3]
    assert [key.part for key in rig.ear.keys] == [0, 1, 2, 3]
    assert len({key.content_key for key in rig.ear.keys}) == 4
    said = [one.t_ns for one in rig.ear.said if isinstance(one, Report)]
    assert [begins <= t_ns <= begins + ns(11) for begins, t_ns in zip([ns(5), *said], said, strict=False)] == [True] * 4
    times = [time for one in ended for time in rig.pictures(one)]
    assert times == milliseconds(times[0] / 1000, times[-1] / 1000)
    assert all(one.end_ns - one.start_ns <= ns(10) for one in ended[:-1])
    assert [one.trigger_ns for one in ended] == [ns(5), None, None, None]
    assert times[-1] >= 41_900


def test_the_post_roll_begins_no_follow_on(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", replace(SETTINGS, longest_s=10, post_roll_s=8))
    (one,) = film(rig.recorder, frames(40), incident(5, 10))
    assert rig.pictures(one)[-1] >= 17_900


def test_keys_that_change_end_the_clip_at_once_and_it_goes_on_without_a_gap(rig: Rig) -> None:
    film(rig.recorder, frames(12.3), incident(10, 100))
    rig.terms[0].over = True
    (first,) = film(rig.recorder, frames(2, start_s=12.3))
    assert first.end_ns <= ns(12.5)
    assert [term.closed for term in rig.terms] == [True, False]
    (second,) = rig.recorder.stop([report(Stage.END, 14, 10)])
    times = rig.pictures(first) + rig.pictures(second)
    assert times == milliseconds(times[0] / 1000, 14.2)
    assert (first.part, second.part) == (0, 1)


def test_keys_that_change_in_the_post_roll_end_the_clip(rig: Rig) -> None:
    film(rig.recorder, frames(13), incident(10, 12))
    rig.terms[0].over = True
    (one,) = film(rig.recorder, frames(10, start_s=13))
    assert one.end_ns <= ns(13.2)
    assert len(rig.terms) == 1


def test_the_next_incident_takes_over_in_the_post_roll_and_has_its_own_pre_roll(rig: Rig) -> None:
    reports = incident(10, 12) | incident(13, 15, incident=NEXT)
    first, second = film(rig.recorder, frames(30), reports)
    assert (first.incident, second.incident) == (INCIDENT, NEXT)
    assert 12 <= first.end_ns / 1e9 <= 13.5
    assert second.start_ns <= ns(10)
    assert rig.pictures(second)[-1] >= 16_900


def test_one_that_begins_as_the_other_ends_loses_nothing_of_either(rig: Rig) -> None:
    end = incident(10, 15)[15]
    reports = (
        incident(10, 100)
        | {15: [*end, *incident(15, 18, incident=NEXT)[15]]}
        | {18: incident(15, 18, incident=NEXT)[18]}
    )
    first, second = film(rig.recorder, frames(30), reports)
    assert second.start_ns <= first.end_ns
    assert second.start_ns <= ns(12)


def test_the_last_word_of_an_incident_is_the_clips_verdict(rig: Rig) -> None:
    reports = incident(10, 14, verdict=Verdict.BENIGN)
    reports[14] = [replace(reports[14][0], verdict=Verdict.THREAT)]
    (one,) = film(rig.recorder, frames(30), reports)
    assert one.verdict is Verdict.THREAT


def test_reports_of_an_incident_whose_clip_is_closed_begin_nothing(rig: Rig) -> None:
    assert film(rig.recorder, frames(5), {2: [report(Stage.UPDATE, 2, 1)], 3: [report(Stage.END, 3, 1)]}) == []
    assert rig.ear.said == []


def test_nothing_is_written_while_nothing_happens(rig: Rig) -> None:
    assert film(rig.recorder, frames(60)) == []
    assert rig.recorder.stop() == ()
    assert list(rig.path.iterdir()) == []


def test_what_became_of_each_clip_is_said_before_it_has_its_last_name(tmp_path: Path) -> None:
    names: list[str] = []

    class Watching(Ear):
        def clip(self, fate: Fate) -> None:
            names.extend(path.name for path in (tmp_path / "clips").iterdir())
            super().clip(fate)

    rig = Rig(tmp_path / "clips", ear=Watching())
    (one,) = film(rig.recorder, frames(30), incident(10, 12))
    assert names == [f"{one.clip.hex()}.part"]
    (fate,) = rig.ear.fates
    assert (fate.clip, fate.state, fate.size) == (one.clip, ClipState.COMPLETE, one.size_bytes)
    assert one.size_bytes == len(video(rig.file(one)))


def test_a_wall_clock_that_is_set_back_an_hour_changes_no_picture_time(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", replace(SETTINGS, longest_s=10))
    ended = film(rig.recorder, frames(12), incident(5, 100))
    rig.wall_ns -= 3600 * 10**9
    ended += film(rig.recorder, frames(12, start_s=12))
    ended += rig.recorder.stop([report(Stage.END, 24, 5)])
    times = [time for one in ended for time in rig.pictures(one)]
    assert times == milliseconds(times[0] / 1000, 23.9)


def test_a_source_that_begins_anew_ends_the_clip_and_its_pictures_are_in_no_other(rig: Rig) -> None:
    film(rig.recorder, frames(12, start_s=100), incident(110, 1000))
    (first,) = film(rig.recorder, frames(2))
    assert rig.pictures(first)[-1] == 111_900
    (second,) = [*film(rig.recorder, frames(5, start_s=2), incident(3, 4, incident=NEXT)), *rig.recorder.stop()]
    assert rig.pictures(second)[0] == 0


def test_what_was_seen_before_other_masks_is_in_no_pre_roll_and_a_running_clip_goes_on(rig: Rig) -> None:
    film(rig.recorder, frames(9.5))
    assert rig.recorder.forget() == ()
    assert film(rig.recorder, frames(3.2, start_s=9.5), incident(10.5, 100)) == []
    rig.recorder.forget()
    (one,) = film(rig.recorder, frames(10, start_s=12.7), {14: [report(Stage.END, 14, 10.5)]})
    times = rig.pictures(one)
    assert times == milliseconds(9.5, times[-1] / 1000)
    assert times[-1] >= 15_900


def test_time_that_leaps_ahead_leaves_a_picture_that_lasts(rig: Rig) -> None:
    film(rig.recorder, frames(12), incident(10, 1000))
    film(rig.recorder, frames(3, start_s=20))
    (one,) = rig.recorder.stop([report(Stage.END, 23, 10)])
    times = rig.pictures(one)
    assert times == [*milliseconds(times[0] / 1000, 11.9), *milliseconds(20, 22.9)]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pre_roll_s": -1}, "pre_roll_s"),
        ({"post_roll_s": float("nan")}, "post_roll_s"),
        ({"longest_s": 5}, "longest_s"),
        ({"bytes_per_s": 10}, "bytes_per_s"),
        ({"fps": 0}, "fps"),
        ({"pre_roll_s": 60, "bytes_per_s": 10_000_000}, "memory"),
        ({"max_bytes": 200_000_000}, "room for two clips"),
    ],
)
def test_settings_that_cannot_be_are_told_by_name(changes: dict[str, float], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        ClipSettings(**changes)  # type: ignore[arg-type]
