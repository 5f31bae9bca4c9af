"""The media process: what it makes of a film, what it may not do, and that whatever goes wrong in it is one error."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.wire.errors import EnvelopeError
from sealcam_hub.media import Bounds, Media, MediaError
from sealcam_hub.media_film import Film
from sealcam_hub.media_messages import Area, Done, Job
from sealcam_hub.movie import read_movie
from tests import footage

SECONDS, FPS = 4, 10
SIZE = (320, 240)


def film(source: Iterator[Frame]) -> bytes:
    """These pictures as a camera writes them."""
    made = Film(FPS, 375_000, 8 << 20)
    return b"".join([piece for frame in source for piece in made.add(frame)] + list(made.end()))


def bars() -> Iterator[Frame]:
    """Light from left to right, and each picture lighter than the one before."""
    width, height = SIZE
    for index in range(SECONDS * FPS):
        y = np.tile(np.linspace(60, 180, width), (height, 1)).astype(np.uint8) + np.uint8(index)
        half = np.full((height // 2, width // 2), 100, np.uint8)
        yield Frame(index * 10**9 // FPS, index, y, half, half.copy())


@pytest.fixture(scope="module")
def made() -> bytes:
    return film(bars())


def changed(job: Job, source: bytes) -> tuple[Done, bytes]:
    found: list[bytes] = []
    done = Media().run(job, [source], found.append)
    return done, b"".join(found)


def pictures(mp4: bytes) -> list[tuple[float, NDArray[np.uint8]]]:
    """Time in seconds and luma of each picture."""
    with av.open(io.BytesIO(mp4)) as container:
        decoded = list(container.decode(video=0))
    return [(float(one.time), one.to_ndarray(format="yuv420p")[: one.height]) for one in decoded]


def test_everything_outside_a_box_is_black_and_what_is_in_it_stays(made: bytes) -> None:
    done, out = changed(Job(people=False, area=Area(0.25, 0.25, 0.75, 0.5)), made)
    assert (done.width_px, done.height_px, done.pictures, done.blurred) == (*SIZE, SECONDS * FPS, 0)
    for (_, before), (_, after) in zip(pictures(made), pictures(out), strict=True):
        assert np.abs(after[64:116, 84:236].astype(int) - before[64:116, 84:236]).mean() < 4
        for outside in (after[:56], after[124:], after[:, :76], after[:, 244:]):
            assert outside.max() < 24


def test_a_part_has_its_own_pictures_alone_and_begins_at_zero(made: bytes) -> None:
    done, out = changed(Job(people=False, begin_us=1_250_000, end_us=2_500_000), made)
    assert (done.first_us, done.pictures) == (1_300_000, 12)
    times = [time for time, _ in pictures(out)]
    assert times[0] == 0
    assert all(later - earlier == pytest.approx(0.1, abs=0.001) for earlier, later in pairwise(times))
    originals = [picture for time, picture in pictures(made) if 1.25 <= time < 2.5]
    for before, (_, after) in zip(originals, pictures(out), strict=True):
        assert np.abs(after.astype(int) - before).mean() < 4


def test_what_it_makes_is_a_film_that_the_console_plays(made: bytes) -> None:
    _, out = changed(Job(people=False), made)
    movie = read_movie(lambda offset, length: out[offset : offset + length], len(out))
    assert movie is not None
    assert len(movie.fragments) == SECONDS
    assert movie.duration == SECONDS * movie.timescale
    assert out[movie.end + 4 : movie.end + 8] == b"mfra"
    assert b"x264" not in out  # nor when or by what it was made
    assert out[out.index(b"mvhd") + 8 : out.index(b"mvhd") + 24] == bytes(16)


def test_a_person_is_a_few_smooth_cells_in_every_picture() -> None:
    with ReplayCamera(footage.porch()) as camera:
        source = film(frame for frame in camera.frames() if frame.index < 20)
    done, out = changed(Job(people=True), source)
    assert done.blurred == done.pictures == 20
    for (_, before), (_, after) in zip(pictures(source), pictures(out), strict=True):
        man = slice(150, 680), slice(540, 800)  # where he stands all that time
        assert _detail(after[man]) < 0.15 * _detail(before[man])
        bush = slice(200, 420), slice(0, 150)
        assert _detail(after[bush]) > 0.5 * _detail(before[bush])


def _detail(luma: NDArray[np.uint8]) -> float:
    return float(np.abs(np.diff(luma.astype(int), axis=1)).mean())


# What it may not do.

TRIES = {
    "open a file": "open('/etc/hostname')",
    "make a file": "open('/tmp/sealcam-media-test', 'w')",
    "make a socket": "socket.socket()",
    "make a socket pair": "socket.socketpair()",
    "start a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "os.fork()",
    "end its parent": "os.kill(os.getppid(), 0)",
    "list a folder": "os.listdir('/')",
    "remove a file": "os.unlink('/tmp/sealcam-media-test')",
}


def caged(code: str) -> str:
    """What a locked process says that runs this."""
    before = "import os, socket, subprocess, sys\nfrom sealcam_hub.media_cage import limit, lock\n"
    script = f"{before}limit(1 << 30, 60)\nlock()\ntry:\n    {code}\n    print('done')\nexcept OSError as error:\n    "
    ran = subprocess.run(
        [sys.executable, "-c", f"{script}print(error.errno)"], capture_output=True, text=True, check=False, timeout=60
    )
    return ran.stdout.strip()


@pytest.mark.parametrize("code", TRIES.values(), ids=TRIES)
def test_a_locked_process_may_not(code: str) -> None:
    assert caged(code) in ("1", "38")  # EPERM, ENOSYS


def test_a_locked_process_computes_and_has_threads() -> None:
    assert caged("import threading; one = threading.Thread(target=print); one.start(); one.join()") == "done"


def test_no_file_grows_even_before_it_is_locked(tmp_path: Path) -> None:
    target = str(tmp_path / "x")
    code = "import os\nfrom sealcam_hub.media_cage import limit\nlimit(1 << 30, 60)\n"
    code += f"os.write(os.open({target!r}, os.O_WRONLY | os.O_CREAT), b'x')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "File too large" in ran.stderr
    assert (tmp_path / "x").read_bytes() == b""


# What goes wrong.


def fails(source: bytes = b"", job: Job = Job(people=False), media: Media | None = None) -> str:  # noqa: B008
    written: list[bytes] = []
    with pytest.raises(MediaError) as told:
        (media or Media()).run(job, [source], written.append)
    return told.value.message


def test_bytes_that_are_no_film_are_an_error() -> None:
    assert fails(b"no film at all" * 1000) == "the clip's pictures can't be read"
    assert fails(b"") == "the clip's pictures can't be read"


def test_a_part_without_a_picture_is_an_error(made: bytes) -> None:
    assert fails(made, Job(people=False, begin_us=60_000_000)) == "no picture lies in that part"


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (Bounds(memory_bytes=200 << 20), "the media process failed"),
        (Bounds(silent_s=0.0), "the media process took too long"),
        (Bounds(film_bytes=1000), "the changed clip is too large"),
    ],
)
def test_a_process_out_of_bounds_is_ended(made: bytes, bounds: Bounds, said: str) -> None:
    assert fails(made, media=Media(bounds)) == said


@pytest.mark.parametrize("module", ["this", "nowhere", "sealcam_hub.media_cage"])
def test_a_process_that_talks_nonsense_or_nothing_is_an_error(made: bytes, module: str) -> None:
    assert fails(made, media=Media(module=module)) == "the media process failed"


def test_a_clip_that_cannot_be_read_on_is_that_error(made: bytes) -> None:
    def source() -> Iterator[bytes]:
        yield made[:50_000]
        raise EnvelopeError

    with pytest.raises(EnvelopeError):
        Media().run(Job(people=False), source(), lambda _: None)


def test_it_stops_when_it_is_told_to(made: bytes) -> None:
    with pytest.raises(MediaError, match="stopped"):
        Media().run(Job(people=False), [made], lambda _: None, lambda _us: False)
