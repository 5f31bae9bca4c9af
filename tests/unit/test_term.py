"""A clip that is written while keys or recipients change ends whole, and its follow-on is under the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealcam.clips import ClipFolder, Recording
from sealcam.outbox import Outbox
from sealcam.sealing import Sealing
from sealcam.wire.bodies import ClipState, ClockQuality, EventType, Stamp
from sealcam.wire.clip import FileSource, State, verify
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import SigningKey
from tests.chains import follow, queued
from tests.claimed import Household, household
from tests.scl1 import INFO, content

PART = content(200_000)


def stamp() -> Stamp:
    return Stamp(boot=b"b" * 16, boot_ns=1, wall_ns=2, quality=ClockQuality.UNKNOWN)


@dataclass
class Camera:
    """A claimed camera that can record."""

    home: Household
    outbox: Outbox
    sealing: Sealing
    clips: ClipFolder
    first: bytes

    def record(self) -> Recording:
        """Begin a clip, as a recorder does."""
        prepared = self.clips.prepare(self.sealing.clip_seal(), INFO)
        self.sealing.event(EventType.HEALTH, b"\xa0", 1, clip=prepared.key.clip)
        recording = prepared.queued()
        recording.write(PART)
        return recording

    def kinds(self) -> list[int]:
        return [one.kind for one in follow(queued(self.outbox), self.first, self.home.prekey)]

    def newest(self) -> tuple[int, int]:
        """Epoch and recipient set in the header of the clip that was told last; it is complete."""
        path = max(self.clips.clips(), key=lambda one: one.stat().st_mtime_ns)
        with path.open("rb") as file:
            status = verify(FileSource(file), self.home.camera.publics)
        assert status.state is State.COMPLETE
        return status.header.epoch, status.header.recipient_set


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    home = household(tmp_path / "eye")
    outbox = Outbox(tmp_path / "eye" / "outbox.db", max_bytes=1 << 30)
    first = home.camera.signer.public
    yield Camera(home, outbox, Sealing(home.camera, outbox, stamp), ClipFolder(tmp_path / "clips"), first)
    outbox.close()


def end(recording: Recording) -> None:
    fate = recording.finish()
    assert (fate.state, fate.size) == (ClipState.COMPLETE, 2 * len(PART))
    recording.told()


def test_a_newer_set_asks_a_running_clip_to_end_and_its_follow_on_is_under_it(camera: Camera) -> None:
    recording = camera.record()
    assert not recording.over
    assert camera.sealing.take_set(camera.home.choose(2, camera.home.hub))
    assert recording.over
    recording.write(PART)  # up to its next keyframe: nothing is lost
    end(recording)
    assert camera.newest() == (1, 1)
    following = camera.record()
    assert not following.over
    following.write(PART)
    end(following)
    assert camera.newest() == (1, 2)


def test_a_set_that_is_refused_or_held_already_disturbs_no_clip(camera: Camera) -> None:
    recording = camera.record()
    stranger = SigningKey.generate()
    chosen = camera.home.choose(2, stranger)
    forged = chosen[:-1] + bytes([chosen[-1] ^ 1])
    with pytest.raises(EnvelopeError):
        camera.sealing.take_set(forged)
    assert not camera.sealing.take_set(camera.home.camera.claim.recipient_set)
    assert not recording.over
    recording.abandon()


def test_a_rotation_waits_for_the_running_clip_and_comes_before_its_follow_on(camera: Camera) -> None:
    recording = camera.record()
    assert not camera.sealing.take_rotation(camera.home.rotation(2))
    assert (recording.over, camera.home.camera.epoch) == (True, 1)
    camera.sealing.event(EventType.HEALTH, b"\xa0", 1)  # the old key goes on meanwhile
    assert not camera.sealing.take_rotation(camera.home.rotation(4)), "not the next: the one that waits still waits"
    recording.write(PART)
    end(recording)
    assert camera.newest() == (1, 1)
    following = camera.record()
    assert camera.home.camera.epoch == 2
    assert camera.kinds() == [EventType.HEALTH, EventType.HEALTH, EventType.EPOCH, EventType.HEALTH]
    following.write(PART)
    end(following)
    assert camera.newest() == (2, 1)


def test_a_rotation_that_waited_is_done_when_the_hub_asks_again(camera: Camera) -> None:
    recording = camera.record()
    assert not camera.sealing.take_rotation(camera.home.rotation(2))
    recording.write(PART)
    end(recording)
    assert camera.sealing.take_rotation(camera.home.rotation(2))
    assert camera.home.camera.epoch == 2


@pytest.mark.parametrize("how", ["dropped", "abandoned", "never begun"])
def test_a_clip_that_came_to_nothing_holds_up_no_rotation(camera: Camera, how: str, tmp_path: Path) -> None:
    if how == "abandoned":
        camera.record().abandon()
    elif how == "dropped":
        camera.clips.prepare(camera.sealing.clip_seal(), INFO).drop()
    else:
        gone = ClipFolder(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(StorageError):
            gone.prepare(camera.sealing.clip_seal(), INFO)
    assert camera.sealing.take_rotation(camera.home.rotation(2))
