"""What breaks while a clip is written: nothing is lost that was whole, and it is told once."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.clips import ClipFolder, Fate
from sealcam.sight.types import Report, Stage
from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import State
from sealcam.wire.errors import HardwareError, StorageError
from tests.films import Ear, film, frames, ns, report, shown, video, whole_fragments
from tests.recording import SETTINGS, Rig, incident, milliseconds
from tests.scl1 import SIGNER

ROOMY = replace(SETTINGS, bytes_per_s=400_000)


class Fragile(X264Encoder):
    """A real encoder that can be broken."""

    broken = False

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        if self.broken:
            raise HardwareError("the encoder is gone")
        return super().encode(frame)


@contextmanager
def full_disk(room_bytes: int) -> Iterator[None]:
    """No file may grow over so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def busy(seconds: float, start_s: float = 0.0) -> Iterable[Frame]:
    """Pictures of some 10 kB each."""
    random = np.random.default_rng(round(start_s * 10))
    for one in frames(seconds, start_s=start_s, size=(160, 120)):
        yield replace(one, y=random.integers(0, 256, one.y.shape, np.uint8))


def test_an_encoder_that_dies_mid_clip_costs_a_second_of_pictures_and_nothing_else(tmp_path: Path) -> None:
    made: list[Fragile] = []

    def make() -> Fragile:
        made.append(Fragile(fps=15, bytes_per_s=200_000))
        return made[-1]

    rig = Rig(tmp_path / "clips", encoder=make)
    film(rig.recorder, frames(12.5), incident(10, 1000))
    made[0].broken = True
    film(rig.recorder, frames(5, start_s=12.5))
    (one,) = rig.recorder.stop([report(Stage.END, 17.5, 10)])
    times = rig.pictures(one)
    missing = set(milliseconds(times[0] / 1000, times[-1] / 1000)) - set(times)
    assert missing == set(milliseconds(12.5, 13.4))
    assert times[-1] == 17_400
    assert rig.ear.health_codes == ["encoder-failed"]


def test_an_encoder_that_never_comes_back_leaves_what_there_was(tmp_path: Path) -> None:
    made: list[Fragile] = []

    def make() -> Fragile:
        if made:
            raise HardwareError("there is no encoder")
        made.append(Fragile(fps=15, bytes_per_s=200_000))
        return made[-1]

    rig = Rig(tmp_path / "clips", encoder=make)
    film(rig.recorder, frames(12.5), incident(10, 1000))
    made[0].broken = True
    film(rig.recorder, frames(60, start_s=12.5))
    (one,) = rig.recorder.stop([report(Stage.END, 72, 10)])
    assert rig.pictures(one)[-1] == 12_400
    assert rig.ear.health_codes == ["encoder-failed"]


def test_a_picture_of_another_size_goes_on_in_a_follow_on_without_a_gap(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips")
    film(rig.recorder, frames(12.35), incident(10, 1000))
    ended = film(rig.recorder, frames(3, start_s=12.4, size=(96, 64)))
    ended += rig.recorder.stop([report(Stage.END, 15.3, 10)])
    assert [shown(video(rig.file(one))).size for one in ended] == [(64, 48), (96, 64)]
    times = [time for one in ended for time in rig.pictures(one)]
    assert times == milliseconds(times[0] / 1000, 15.3)
    assert rig.ear.health_codes == ["picture-resized"]


def test_a_size_that_changed_in_the_pre_roll_leaves_the_trigger_in_the_second_part(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips")
    film(rig.recorder, frames(9))
    ended = film(rig.recorder, frames(20, start_s=9, size=(96, 64)), incident(10, 12))
    assert [one.trigger_ns for one in ended] == [None, ns(10)]
    times = [time for one in ended for time in rig.pictures(one)]
    assert times == milliseconds(times[0] / 1000, times[-1] / 1000)


def test_a_disk_that_is_full_for_a_while_loses_no_picture(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", ROOMY)
    ended = film(rig.recorder, busy(11), incident(10, 1000))
    with full_disk(400_000):
        ended += film(rig.recorder, busy(6, start_s=11))
    ended += film(rig.recorder, busy(15, start_s=17))
    ended += rig.recorder.stop([report(Stage.END, 32, 10)])
    interrupted, complete = rig.ear.fates
    assert (interrupted.state, complete.state) == (ClipState.INTERRUPTED, ClipState.COMPLETE)
    assert interrupted.chunks >= 4
    assert rig.ear.health_codes == ["clip-broken"]
    first = shown(whole_fragments(video(rig.path / f"{interrupted.clip.hex()}.scl1", State.INTERRUPTED)))
    key = next(key for key in rig.ear.keys if key.clip == interrupted.clip)
    (one,) = ended
    assert (key.part, one.part) == (0, 1)
    before = {(key.started_ns // 1000 + time_us + 500) // 1000 for time_us in first.times_us}
    times = rig.pictures(one)
    assert before | set(times) >= set(milliseconds(7, 31.9))
    assert times == milliseconds(times[0] / 1000, 31.9)


def test_a_disk_that_stays_full_ends_nothing_but_the_clips(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", ROOMY)
    with full_disk(100):  # not even a header
        assert film(rig.recorder, busy(45), incident(10, 20)) == []
        assert rig.recorder.stop() == ()
    assert rig.ear.health_codes == ["clip-broken"]
    assert list(rig.path.iterdir()) == []
    (one,) = film(rig.recorder, busy(20, start_s=60), incident(70, 72))
    assert rig.pictures(one)[-1] >= 73_900
    assert rig.ear.health_codes == ["clip-broken"]


def test_a_disk_that_fills_up_in_the_last_moment_is_made_good(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", ROOMY)
    ended = film(rig.recorder, busy(12.5), incident(10, 11))
    (path,) = rig.path.iterdir()
    with full_disk(path.stat().st_size):
        ended += film(rig.recorder, busy(2, start_s=12.5))
    assert (ended, rig.ear.health_codes) == ([], ["clip-broken"])
    ended += film(rig.recorder, busy(15, start_s=14.5))
    assert [fate.state for fate in rig.ear.fates] == [ClipState.INTERRUPTED, ClipState.COMPLETE]
    (one,) = ended
    assert one.part == 1
    assert rig.pictures(one)[-1] >= 12_900


def test_a_store_without_room_is_asked_again_and_told_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def room() -> None:
        asked.append(len(asked))
        if len(asked) < 3:
            raise StorageError("the disk has no room for clips")

    rig = Rig(tmp_path / "clips", room=room)
    film(rig.recorder, frames(35), incident(10, 1000))
    (one,) = rig.recorder.stop([report(Stage.END, 35, 10)])
    assert rig.pictures(one) == milliseconds(one.start_ns / 1e9, 34.9)
    assert one.start_ns <= ns(7)
    assert (rig.ear.health_codes, len(asked)) == (["clip-broken"], 3)


def test_an_owner_who_cannot_be_told_ends_it(tmp_path: Path) -> None:
    class Deaf(Ear):
        def report(self, report: Report, clip: object = None) -> None:
            raise StorageError("the outbox is full")

        def health(self, code: str, detail: str) -> None:
            raise StorageError("the outbox is full")

    rig = Rig(tmp_path / "clips", ear=Deaf())
    with pytest.raises(StorageError, match="outbox"):
        film(rig.recorder, frames(12), incident(10, 11))
    assert list(rig.path.iterdir()) == []


def test_what_was_being_written_when_the_process_died_opens_as_far_as_it_is_whole(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "clips", ROOMY)
    film(rig.recorder, busy(14), incident(10, 1000))
    found = shutil.copytree(rig.path, tmp_path / "found")  # as the next start finds it
    rig.recorder.stop()
    said: list[Fate] = []
    ClipFolder(found).recover([SIGNER.public], SIGNER, 3, said.append)
    (fate,) = said
    assert fate.state is ClipState.INTERRUPTED
    played = shown(whole_fragments(video(found / f"{fate.clip.hex()}.scl1", State.INTERRUPTED)))
    assert len(played.times_us) > 40
