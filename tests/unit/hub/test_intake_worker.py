"""The thread that takes clips in: it works beside the ledger's, and `serve` hears when it doesn't."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.errors import SealcamError, StorageError
from sealcam_hub.feed import Feed
from sealcam_hub.intake_worker import LATE_NS, IntakeWorker
from tests.vault import Dock, clip_of, dock, name_of, pieces
from tests.waiting import eventually


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Dock]:
    with dock(tmp_path / "hub") as made:
        yield made


def test_it_takes_clips_in_until_it_is_stopped(at: Dock) -> None:
    worker, said = IntakeWorker(at.desk.home, Feed()), list[str]()

    def send(alias: str, _message: bytes) -> bool:
        said.append(alias)
        return True

    worker.start(send)
    data = clip_of(at.camera)
    for one in pieces(data):
        worker.deliver(at.camera.alias, name_of(1), one)
    eventually(lambda: at.place() == "here", what="the clip")
    assert worker.check()
    worker.stop()
    assert set(said) == {at.camera.alias}
    assert at.file() == data
    with pytest.raises(SealcamError, match="no more"):
        worker.check()


def test_a_folder_that_cannot_be_used_is_said_so(at: Dock) -> None:
    at.desk.home.folder.clips.write_bytes(b"a file where the folder should be")
    worker = IntakeWorker(at.desk.home, Feed())
    worker.start(lambda _alias, _message: True)

    def failed() -> bool:
        try:
            return not worker.check()
        except StorageError:
            return True

    eventually(failed, what="an error")
    with pytest.raises(StorageError, match="folder of clips"):
        worker.check()
    worker.stop()


def test_a_worker_that_hangs_is_noticed(at: Dock) -> None:
    worker, hangs, go_on = IntakeWorker(at.desk.home, Feed()), threading.Event(), threading.Event()

    def send(_alias: str, _message: bytes) -> bool:
        hangs.set()
        return go_on.wait(60)

    worker.start(send)
    worker.deliver(at.camera.alias, name_of(1), pieces(clip_of(at.camera))[0])
    assert hangs.wait(60)
    assert worker.check()
    at.desk.clock.advance(LATE_NS / 1e9 + 1)
    with pytest.raises(SealcamError, match="doesn't answer"):
        worker.check()
    go_on.set()
    worker.stop()
