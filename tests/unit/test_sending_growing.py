"""A threat's clip on its way while it is written: segment by segment, beside those that have ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.kept import Rank
from sealcam.openclip import Recorded
from sealcam.sight.types import Verdict
from sealcam.wire.clip_format import SCL1
from tests.carrier import MIB, Camera
from tests.vaulting import HEADER_BYTES, clip_bytes


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    made = Camera(tmp_path / "clips")
    yield made
    made.store.close()


class Growing:
    """A clip of a camera that is still being written, `ready` segments of it signed."""

    def __init__(self, camera: Camera, segments: int = 3) -> None:
        self.camera, self.clip = camera, secrets.token_bytes(16)
        self.content = camera.files[self.clip] = clip_bytes(self.clip, segments * MIB + 100)
        self.path = camera.path / f"{self.clip.hex()}.part"
        self.path.write_bytes(b"")

    def grow(self, segments: int) -> int:
        size = HEADER_BYTES + segments * SCL1.segment_bytes
        self.path.write_bytes(self.content[: size + 1000])  # some of the next chunk is on the disk, too
        self.camera.folder.growing.grew(self.clip, size)
        return size

    def calls(self, verdict: Verdict) -> None:
        self.camera.folder.growing.counts(self.clip, Rank[verdict.name])

    def end(self, verdict: Verdict) -> None:
        self.path.write_bytes(self.content)
        self.path.rename(self.path.with_suffix(".scl1"))
        size = len(self.content)
        self.camera.store.keep([Recorded(self.clip, secrets.token_hex(8), 0, 0, 1, 0, size, verdict)])

    @property
    def held(self) -> bytes:
        return self.camera.vault.content(self.clip) if self.clip in self.camera.vault.clips else b""


def test_a_threats_clip_leaves_segment_by_segment_while_it_is_written(camera: Camera) -> None:
    older = camera.record(100_000)
    one = Growing(camera)
    one.grow(1)
    one.calls(Verdict.THREAT)
    size = one.grow(2)
    camera.run(until=lambda: older in camera.vault.clips)
    assert one.held == one.content[:size], "all that is signed, before what is at home already, and not a byte more"
    camera.run()
    assert camera.arrived(older)
    assert camera.piece() is None
    assert not camera.sending.busy
    one.end(Verdict.THREAT)
    camera.run()
    assert camera.arrived(one.clip)
    offsets = [offset for clip, offset, _ in camera.vault.pieces if clip == one.clip]
    assert len(offsets) == len(set(offsets)), "nothing went twice"


def test_a_word_that_was_lost_is_waited_for_no_longer_because_others_grow_meanwhile(camera: Camera) -> None:
    """Incident after incident: each takes its turn before what ended, which has to come to its own all the same."""
    camera.vault.silent = True
    older = camera.record(100_000)
    camera.run()
    camera.vault.silent = False
    for _ in range(4):
        one = Growing(camera)
        one.calls(Verdict.THREAT)
        one.grow(1)
        camera.run()
        assert one.held
        camera.clock.advance(5)
    camera.run()
    assert camera.arrived(older)


def test_what_is_written_of_no_threat_stays_until_it_becomes_one_or_is_asked_for(camera: Camera) -> None:
    one, other = Growing(camera), Growing(camera)
    for clip in (one, other):
        clip.grow(1)
        clip.calls(Verdict.BENIGN)
    assert camera.run() == 0
    one.calls(Verdict.THREAT)
    assert camera.run() > 0
    assert one.held
    assert not other.held
    assert camera.sending.ask([other.clip]).running == (other.clip,)
    camera.run()
    assert other.held


def test_a_hub_that_wants_nothing_of_a_clip_gets_no_more_of_it_while_it_grows(camera: Camera) -> None:
    one = Growing(camera)
    camera.vault.stopped.add(one.clip)
    one.calls(Verdict.THREAT)
    one.grow(1)
    camera.run()
    told = len(camera.vault.pieces)
    one.grow(2)
    one.end(Verdict.THREAT)
    camera.run()
    assert len(camera.vault.pieces) == told


def test_a_clip_that_breaks_off_while_it_is_sent_is_let_go_of(camera: Camera) -> None:
    one = Growing(camera)
    one.calls(Verdict.THREAT)
    one.grow(1)
    camera.run(until=lambda: len(camera.vault.pieces) == 3)
    camera.folder.growing.ended(one.clip)
    one.path.unlink()
    assert camera.run() == 0
