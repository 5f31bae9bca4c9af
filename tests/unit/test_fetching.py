"""The owner asks for events and clips: what is here goes before all else, and what isn't is said in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.clip_settings import Send
from sealcam.commands import Declined
from sealcam.fetching import Fetching
from sealcam.outbox import Outbox
from sealcam.sending_rules import Rules
from sealcam.wire.bodies import Outcome, Run
from sealcam.wire.wishes import ClipRange, FetchWish, ForgetWish
from tests.carrier import Camera


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    made = Camera(tmp_path / "clips", Rules(Send.NEVER, None))
    yield made
    made.store.close()


@pytest.fixture
def fetching(tmp_path: Path, camera: Camera) -> Iterator[Fetching]:
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=1 << 20)
    yield Fetching(outbox, camera.sending)
    outbox.close()


def wish(*clips: bytes, events: tuple[Run, ...] = (), chunks: Run | None = None) -> FetchWish:
    return FetchWish(events=events, clips=tuple(ClipRange(clip=clip, chunks=chunks) for clip in clips))


def test_what_is_here_goes_whatever_the_rules_say_and_in_the_order_asked(camera: Camera, fetching: Fetching) -> None:
    clips = [camera.record(1000) for _ in range(3)]
    assert camera.piece() is None
    assert fetching.wish(wish(clips[2], clips[0], clips[2])) == "2 clips are on their way"
    camera.run()
    assert list(camera.vault.clips) == [clips[2], clips[0]]


def test_some_chunks_are_asked_for_and_more_may_come(camera: Camera, fetching: Fetching) -> None:
    clip = camera.record(200_000)
    assert fetching.wish(wish(clip, chunks=Run(first=1, last=1))) == "1 clip is on its way"
    camera.run()
    assert camera.arrived(clip)


def test_what_is_not_here_is_said_and_the_rest_goes(camera: Camera, fetching: Fetching) -> None:
    clip = camera.record(1000)
    (camera.path / f"{(b'r' * 16).hex()}.part").write_bytes(b"")
    said = fetching.wish(wish(clip, b"r" * 16, *(bytes([n]) * 16 for n in range(5)), events=(Run(first=1, last=9),)))
    assert said.split("; ") == [
        "0 events are on their way",
        "1 clip is on its way",
        "1 clip is still being recorded, and will follow",
        f"not here, evicted or never recorded: {'00' * 16}, {'01' * 16}, {'02' * 16} and 2 more",
    ]


def test_where_none_is_here_the_wish_has_failed(camera: Camera, fetching: Fetching) -> None:
    clip = camera.record(1000)
    camera.store._let_go(clip)
    with pytest.raises(Declined, match=f"not here, evicted or never recorded: {clip.hex()}") as caught:
        fetching.wish(wish(clip))
    assert caught.value.outcome is Outcome.FAILED


def test_a_disk_that_takes_nothing_is_said(camera: Camera, fetching: Fetching) -> None:
    clip = camera.record(1000)
    camera.store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(Declined, match="can't write") as caught:
        fetching.wish(wish(clip))
    assert caught.value.outcome is Outcome.FAILED


def test_what_the_owner_deleted_goes_and_no_more_of_it_is_sent(camera: Camera, fetching: Fetching) -> None:
    clips = [camera.record(200_000) for _ in range(2)]
    fetching.wish(wish(*clips))
    assert camera.piece() is not None
    assert fetching.forget(ForgetWish(clips=(clips[0], b"r" * 16, clips[0]))) == "1 clip is deleted"
    camera.run()
    assert camera.arrived(clips[1])
    assert not (camera.path / f"{clips[0].hex()}.scl1").exists()
    assert fetching.forget(ForgetWish(clips=(clips[0],))) == "0 clips are deleted"


def test_a_disk_that_lets_nothing_go_is_said(camera: Camera, fetching: Fetching) -> None:
    clip = camera.record(1000)
    camera.store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(Declined) as caught:
        fetching.forget(ForgetWish(clips=(clip,)))
    assert caught.value.outcome is Outcome.FAILED
