"""Recorded files as a camera: every frame, times that never go back, and files that are not what they should be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.protocols import Frame
from sealcam.board.replay import USUAL_INTERVAL_NS, ReplayCamera, Timeline, fitted
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clocks import SimulatedClock
from sealcam.wire.errors import ClipError, HardwareError
from tests import footage
from tests.clips import write_clip

MS = 1_000_000


def _pictures(count: int, size: tuple[int, int] = (90, 160)) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    return [np.full(size, 40 + 5 * index, np.uint8) for index in range(count)]


def test_every_frame_comes_with_the_files_times(tmp_path: Path) -> None:
    times = [0, 40, 200, 210, 1500]
    frames = list(ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(5), times)).frames())
    assert [frame.t_ns // MS for frame in frames] == times
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.y.shape for frame in frames] == [(90, 160)] * 5


def test_time_begins_at_the_first_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mkv", _pictures(3), [5000, 5100, 5200])
    assert [frame.t_ns // MS for frame in ReplayCamera(clip).frames()] == [0, 100, 200]


def test_planes_are_contiguous_and_owned(tmp_path: Path) -> None:
    for frame in ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(3, (50, 70)))).frames():
        for plane, shape in ((frame.y, (50, 70)), (frame.u, (25, 35)), (frame.v, (25, 35))):
            assert plane.shape == shape
            assert plane.flags.c_contiguous
            assert plane.flags.owndata
            assert plane.dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        ((1280, 720), (640, 360)),
        ((768, 576), (480, 360)),
        ((320, 240), (320, 240)),
        ((1080, 1920), (202, 360)),
        ((1, 1), (2, 2)),
        ((1, 1000), (2, 360)),
        ((3000, 2), (640, 2)),
        ((641, 361), (640, 360)),
    ],
)
def test_pictures_are_fitted_even_and_never_enlarged(size: tuple[int, int], becomes: tuple[int, int]) -> None:
    assert fitted(*size) == becomes


def test_wide_pixels_are_shown_wide() -> None:
    assert fitted(720, 576, 64 / 45) == (640, 360)


def test_real_footage_has_the_frames_and_times_it_is_known_for() -> None:
    frames = list(ReplayCamera(footage.porch()).frames())
    assert len(frames) == 60
    assert frames[-1].t_ns / 1e9 == pytest.approx(5.9, abs=0.02)
    assert (frames[0].width, frames[0].height) == (640, 360)


def test_time_never_goes_back_whatever_the_file_says() -> None:
    timeline = Timeline(100)
    assert [timeline.at(t) for t in (50, 150, 140, 240, 240, 240, 240, None, 1000, 0)] == sorted(
        [0, 100, 200, 300, 300, 400, 400, 500, 1160, 1260]
    )


def test_a_gap_in_the_recording_is_kept() -> None:
    timeline = Timeline(100)
    assert [timeline.at(t) for t in (0, 100, 90_000)] == [0, 100, 90_000]


def test_a_file_without_any_times_goes_on_at_its_rate() -> None:
    timeline = Timeline(40)
    assert [timeline.at(None) for _ in range(4)] == [0, 40, 80, 120]


def test_a_file_in_which_time_stands_still_goes_on_at_its_rate() -> None:
    timeline = Timeline(40)
    assert [timeline.at(0) for _ in range(6)] == [0, 0, 40, 40, 80, 80]


def test_paced_frames_come_when_they_are_due(tmp_path: Path) -> None:
    clock = SimulatedClock(boot_ns=7_000)
    camera = ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(5)), paced=True, clock=clock)
    for frame in camera.frames():
        assert clock.boot_ns() == frame.t_ns == 7_000 + frame.index * 100 * MS
    assert camera.dropped == 0


def test_a_paced_run_drops_what_comes_too_late_and_counts_it(tmp_path: Path) -> None:
    clock = SimulatedClock()
    camera = ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(10)), paced=True, clock=clock)
    seen = []
    for frame in camera.frames():
        seen.append(frame.index)
        clock.advance(0.25)
    assert camera.dropped > 0
    assert len(seen) + camera.dropped == 10
    assert seen == sorted(set(seen))
    assert seen[-1] == 9


def test_a_repeated_file_goes_on_in_time_and_index(tmp_path: Path) -> None:
    camera = ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(3)), repeat=True)
    frames = [frame for frame, _ in zip(camera.frames(), range(7), strict=False)]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5, 6]
    assert [frame.t_ns for frame in frames[3:5]] == [200 * MS + USUAL_INTERVAL_NS, 300 * MS + USUAL_INTERVAL_NS]


def test_a_closed_camera_gives_no_more_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mkv", _pictures(5))
    for paced in (False, True):
        with ReplayCamera(clip, paced=paced, clock=SimulatedClock()) as camera:
            frames = camera.frames()
            next(frames)
            camera.close()
            camera.close()
            assert list(frames) == []


def test_closing_wakes_a_camera_that_waits_for_its_next_frame(tmp_path: Path) -> None:
    camera = ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(2), [0, 3_600_000]), paced=True)
    frames = camera.frames()
    next(frames)
    rest: list[object] = []
    waiting = threading.Thread(target=lambda: rest.extend(frames))
    waiting.start()
    camera.close()
    waiting.join(10)
    assert not waiting.is_alive()
    assert rest == []


def test_its_name_says_nothing_of_the_owners_folders(tmp_path: Path) -> None:
    assert ReplayCamera(tmp_path / "a.mkv").name == "recording a.mkv"


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no such file") as caught:
        list(ReplayCamera(tmp_path / "nothing.mkv").frames())
    assert caught.value.hint


def test_a_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="is a folder"):
        list(ReplayCamera(tmp_path).frames())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"not a video at all\n" * 50, "can't be read as a video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n", "."),
    ],
)
def test_a_file_that_is_no_clip_is_one_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    clip = tmp_path / "c.mkv"
    clip.write_bytes(content)
    with pytest.raises(ClipError, match=says):
        list(ReplayCamera(clip).frames())


def _all(clip: Path) -> tuple[list[Frame], ClipError | None]:
    """What a damaged clip gives, and the error it then ends with."""
    frames: list[Frame] = []
    try:
        for one in ReplayCamera(clip).frames():
            frames.append(one)  # noqa: PERF402 - kept although an error follows
    except ClipError as error:
        return frames, error
    return frames, None


@pytest.mark.parametrize("make", [footage.porch, footage.cars, footage.vtest])
def test_a_truncated_clip_gives_what_it_holds_and_then_says_so(tmp_path: Path, make: Callable[[], Path]) -> None:
    content = make().read_bytes()
    clip = tmp_path / f"cut{make().suffix}"
    clip.write_bytes(content[: len(content) // 2])
    frames, error = _all(clip)
    assert len(frames) > 10
    assert error is not None
    assert "cut short" in error.message
    assert error.hint is not None


def test_damage_in_the_middle_still_gives_the_rest(tmp_path: Path) -> None:
    content = bytearray(footage.porch().read_bytes())
    content[len(content) // 3 : len(content) // 3 + 2000] = bytes(2000)
    clip = tmp_path / "damaged.mkv"
    clip.write_bytes(content)
    frames, _ = _all(clip)
    assert len(frames) > 30


def test_a_scripted_camera_gives_its_frames_and_then_fails_as_told() -> None:
    lost = HardwareError("the device is gone")
    camera = ScriptedCamera([grey_frame(np.zeros((3, 5), np.uint8), 5)], lost)
    frames = camera.frames()
    assert next(frames).u.shape == (2, 3)
    with pytest.raises(HardwareError):
        next(frames)


def test_a_scripted_camera_of_luma_ticks_and_closes() -> None:
    with ScriptedCamera.of_luma(np.zeros((4, 4), np.uint8) for _ in range(5)) as camera:
        frames = camera.frames()
        assert [next(frames).t_ns, next(frames).t_ns] == [0, 100 * MS]
        camera.close()
        assert list(frames) == []


def test_a_large_picture_is_at_hand_piece_by_piece(tmp_path: Path) -> None:
    picture = np.zeros((720, 1280), np.uint8)
    picture[300:400, 640:800] = 200
    (frame,) = ReplayCamera(write_clip(tmp_path / "c.mkv", [picture], [0])).frames()
    assert frame.fine is not None
    assert (frame.fine.width, frame.fine.height) == (1280, 720)
    y, u, v = frame.fine.crop(600, 280, 820, 420)
    assert (y.shape, u.shape, v.shape) == ((140, 220), (70, 110), (70, 110))
    assert abs(float(y[20:120, 40:200].mean()) - 188) < 5  # 200, in video range
    assert float(y[:10].mean()) < 30
    assert all(plane.flags.owndata and plane.flags.c_contiguous for plane in (y, u, v))


def test_a_picture_that_is_small_already_has_nothing_finer(tmp_path: Path) -> None:
    (frame,) = ReplayCamera(write_clip(tmp_path / "c.mkv", _pictures(1), [0])).frames()
    assert frame.fine is None


def test_a_paced_recording_has_its_fine_picture_too(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mkv", [np.zeros((720, 1280), np.uint8)], [0])
    (frame,) = ReplayCamera(clip, paced=True, clock=SimulatedClock()).frames()
    assert frame.fine is not None
