"""The recording side of an eye: frames go in on one thread, clips and their events come out on another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.clips import ClipFolder
from sealcam.clocks import SimulatedClock
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode, Stage
from sealcam.stamps import Stamps
from sealcam.taping import Kit, Taping
from sealcam.transfer import Around, Transfer
from sealcam.wire import schema
from sealcam.wire.bodies import ClipBody, ClipState, ClockQuality, EventType, HealthBody
from sealcam.wire.envelope import Opened
from tests.chains import follow, queued
from tests.claimed import Household, household
from tests.films import frames, ns, report
from tests.recording import SETTINGS

KIT = Kit(SETTINGS, partial(X264Encoder, fps=15, bytes_per_s=100_000), "the yard", most_frames=1 << 20)


@dataclass
class Camera:
    """A claimed camera's recording side; the rest of its eye is the test."""

    home: Household
    outbox: Outbox
    sealing: Sealing
    sealer: Sealer
    stamps: Stamps
    path: Path

    def tape(self, kit: Kit = KIT) -> Taping:
        folder, keys = ClipFolder(self.path), self.home.camera
        around = Around(lambda: None, lambda: None, lambda: None)
        self.transfer = Transfer(folder, keys.wrapping, kit.settings, self.sealer, around, cover=False)
        return Taping(kit, folder, self.transfer.store, keys, self.sealing, self.sealer, self.stamps)

    def chain(self) -> list[Opened]:
        return follow(queued(self.outbox), self.home.camera.signer.public, self.home.prekey)

    def fates(self) -> list[tuple[bytes, ClipState]]:
        bodies = [schema.decode(one.body, ClipBody) for one in self.chain() if one.kind == EventType.CLIP]
        return [(one.clip, one.state) for one in bodies]


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    home = household(tmp_path / "eye")
    outbox = Outbox(tmp_path / "eye" / "outbox.db", max_bytes=1 << 30)
    clock = SimulatedClock(boot_ns=ns(100), wall_ns=1_790_000_000 * 10**9)
    stamps = Stamps(clock, lambda: ClockQuality.SYNCHRONISED)
    sealing = Sealing(home.camera, outbox, stamps.now)
    sealer = Sealer(sealing, clock, lambda: Watching(0, 0, 0, ArmMode.AWAY), stamps)
    yield Camera(home, outbox, sealing, sealer, stamps, tmp_path / "clips")
    outbox.close()


@contextmanager
def running(camera: Camera, taping: Taping) -> Iterator[None]:
    """As an eye runs it: what the last start left, then the worker, until everything is recorded."""
    stop = threading.Event()
    camera.transfer.take_up()
    thread = threading.Thread(target=taping.run, args=(lambda: None, stop))
    thread.start()
    try:
        yield
        assert taping.done.wait(30)
    finally:
        stop.set()
        thread.join(30)
        camera.transfer.close()


def visit(taping: Taping, start_s: float, incident: str) -> None:
    """Ten quiet seconds, four with somebody, ten quiet ones."""
    new = report(Stage.NEW, start_s + 10, start_s + 10, incident=incident)
    end = replace(new, stage=Stage.END, t_ns=ns(start_s + 14))
    said = {100: [new], 140: [end]}
    for index, one in enumerate(frames(24, start_s=start_s)):
        taping.put(one, said.get(index, ()))


def test_each_visit_is_a_clip_whose_key_and_fate_are_in_the_chain(camera: Camera) -> None:
    taping = camera.tape()
    with running(camera, taping):
        visit(taping, 0, "00" * 8)
        taping.rest(())
        visit(taping, 1000, "11" * 8)
        taping.end(())
    kinds = [EventType(one.kind) for one in camera.chain()]
    assert kinds == [EventType.INCIDENT, EventType.CLIP] * 2
    there = {path.stem for path in camera.path.glob("*.scl1")}
    assert {(clip.hex(), state) for clip, state in camera.fates()} == {(clip, ClipState.COMPLETE) for clip in there}
    assert len(there) == 2


def test_the_oldest_goes_for_the_newest_and_that_is_told(camera: Camera) -> None:
    small = replace(SETTINGS, longest_s=10)
    small = replace(small, max_bytes=2 * small.longest_bytes)
    for number in range(4):
        taping = camera.tape(replace(KIT, settings=small))
        with running(camera, taping):
            visit(taping, number * 100, f"{number:016x}")
            taping.end(())
        (path, *_) = sorted(camera.path.glob("*.scl1"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        with path.open("ab") as file:  # as large as a clip may be
            file.truncate(small.longest_bytes)
        for index in camera.path.glob("index.db*"):
            index.unlink()
    states = [state for _, state in camera.fates()]
    assert states.count(ClipState.COMPLETE) == 4
    assert states.count(ClipState.EVICTED) >= 2
    assert sum(path.stat().st_size for path in camera.path.glob("*.scl1")) <= small.max_bytes


def test_a_damaged_index_is_told_and_costs_nothing(camera: Camera) -> None:
    taping = camera.tape()
    with running(camera, taping):
        visit(taping, 0, "00" * 8)
        taping.end(())
    (camera.path / "index.db").write_bytes(b"rot" * 10_000)
    taping = camera.tape()
    with running(camera, taping):
        taping.end(())
    health = [schema.decode(one.body, HealthBody).code for one in camera.chain() if one.kind == EventType.HEALTH]
    assert health == ["clip-index-lost"]
    assert len(list(camera.path.glob("*.scl1"))) == 1


def test_a_recorder_that_cannot_keep_up_says_how_much_it_missed(
    camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    taping = camera.tape(replace(KIT, most_frames=0))
    with running(camera, taping):
        visit(taping, 0, "00" * 8)
        taping.end(())
    assert "passed over 240 frames" in caplog.text
    assert camera.chain() == []


def test_an_owner_whose_board_encodes_too_slowly_hears_it_once_with_the_share(camera: Camera) -> None:
    taping = camera.tape(replace(KIT, most_frames=0))
    with running(camera, taping):
        for one in frames(200):
            taping.put(one, ())
        taping.end(())
    (health,) = [schema.decode(one.body, HealthBody) for one in camera.chain()]
    assert health.code == "encoder-slow"
    assert "601 of 601 pictures (100%)" in health.detail


def test_an_index_that_cannot_be_written_costs_no_clip_and_is_made_good(camera: Camera) -> None:
    taping = camera.tape()
    with running(camera, taping):
        taping._store._db.execute("PRAGMA query_only = ON")
        visit(taping, 0, "00" * 8)
        taping.end(())
        assert taping.done.wait(30)
        assert taping._store.size_bytes == 0
        taping._store._db.execute("PRAGMA query_only = OFF")
        taping._make_room()  # as the next clip begins
        (path,) = camera.path.glob("*.scl1")
        assert taping._store.size_bytes == path.stat().st_size
    assert [state for _, state in camera.fates()] == [ClipState.COMPLETE]
