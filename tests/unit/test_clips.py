"""The camera's clip folder: keys go first, and what a power cut left is closed and told."""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path

import pytest

from sealcam.clips import ClipFolder, Fate, Prepared, settle
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealing import Seal
from sealcam.term import Term
from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import FileSource, Reader, State, check_content_key, read_info, verify
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.sealed import Sealed
from tests.scl1 import INFO, LATER, RECIPIENTS, SIGNER, STAMP, STRANGER, content

SEAL = Seal(SIGNER, 3, [key.public for key in RECIPIENTS], 7, Term())
PLAIN = content(20 * 65_536 + 100)


@pytest.fixture
def folder(tmp_path: Path) -> ClipFolder:
    return ClipFolder(tmp_path / "clips")


def files(folder: ClipFolder) -> list[Path]:
    return sorted(folder._path.iterdir())


def recovered(folder: ClipFolder) -> list[Fate]:
    said: list[Fate] = []
    folder.recover([SIGNER.public], SIGNER, 3, said.append)
    return said


def cut_short(folder: ClipFolder, plain: bytes = PLAIN) -> Prepared:
    """A clip that the process left in the midst."""
    prepared = begun(folder)
    recording = prepared.queued()
    recording.write(plain)
    recording.abandon()
    return prepared


def begun(folder: ClipFolder) -> Prepared:
    return folder.prepare(SEAL, INFO)


def test_a_clip_is_written_told_and_kept(folder: ClipFolder) -> None:
    prepared = begun(folder)
    assert (prepared.key.started_ns, prepared.key.part) == (STAMP.boot_ns, 0)
    recording = prepared.queued()
    recording.write(PLAIN)
    fate = recording.finish()
    assert (fate.clip, fate.state, fate.chunks, fate.size) == (prepared.key.clip, ClipState.COMPLETE, 21, len(PLAIN))
    assert folder.clips() == ()
    recording.told()
    (path,) = folder.clips()
    assert path.name == prepared.key.clip.hex() + ".scl1"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("rb") as file:
        source = FileSource(file)
        status = verify(source, [SIGNER.public])
        assert (status.state, status.chain) == (State.COMPLETE, fate.chain)
        check_content_key(status.header, prepared.key.content_key)
        assert read_info(status.header, prepared.key.content_key) == INFO
        assert b"".join(Reader(source, status.header, prepared.key.content_key)) == PLAIN


def test_nothing_can_be_written_before_the_key_is_queued(folder: ClipFolder) -> None:
    prepared = begun(folder)
    assert not hasattr(prepared, "write")
    assert files(folder)[0].stat().st_size == 726
    recording = prepared.queued()
    with pytest.raises(ValueError, match="has begun"):
        prepared.queued()
    with pytest.raises(ValueError, match="has begun"):
        prepared.drop()
    recording.abandon()


def test_a_clip_whose_key_was_not_queued_leaves_nothing(folder: ClipFolder) -> None:
    begun(folder).drop()
    assert files(folder) == []


def test_no_two_clips_share_id_or_key(folder: ClipFolder) -> None:
    prepared = [begun(folder) for _ in range(4)]
    assert len({one.key.clip for one in prepared}) == len({one.key.content_key for one in prepared}) == 4
    for one in prepared:
        one.drop()


def test_a_clip_that_was_cut_short_is_closed_and_told_at_the_next_start(folder: ClipFolder) -> None:
    cut_short(folder)
    (path,) = files(folder)
    (fate,) = recovered(folder)
    assert (fate.clip.hex() + ".part", fate.state) == (path.name, ClipState.INTERRUPTED)
    assert (fate.chunks, fate.size) == (20, 20 * 65_536)
    assert recovered(folder) == []
    with folder.clips()[0].open("rb") as file:
        assert verify(FileSource(file), [SIGNER.public]).state is State.INTERRUPTED


def test_a_clip_that_was_finished_but_not_told_is_told_as_complete(folder: ClipFolder) -> None:
    recording = begun(folder).queued()
    recording.write(b"short")
    fate = recording.finish()
    assert recovered(folder) == [Fate(fate.clip, ClipState.COMPLETE, 1, 65_536, fate.chain)]
    assert len(folder.clips()) == 1


def test_a_crash_while_telling_tells_again(folder: ClipFolder) -> None:
    cut_short(folder)

    class Crash(Exception):
        pass

    def die(_fate: Fate) -> None:
        raise Crash

    with pytest.raises(Crash):
        folder.recover([SIGNER.public], SIGNER, 3, die)
    assert [one.chunks for one in recovered(folder)] == [20]


def test_a_clip_that_broke_off_in_its_header_was_never_heard_of_and_goes(folder: ClipFolder) -> None:
    cut_short(folder, b"")
    (path,) = files(folder)
    header = path.read_bytes()[:726]
    for length in (725, 100, 0):
        path.write_bytes(header[:length])
        assert recovered(folder) == []
        assert files(folder) == []


def test_a_clip_that_has_a_header_alone_is_told_with_no_chunks(folder: ClipFolder) -> None:
    cut_short(folder, b"")
    (fate,) = recovered(folder)
    assert (fate.state, fate.chunks) == (ClipState.INTERRUPTED, 0)


def test_a_clip_of_somebody_else_is_left_as_it_is(folder: ClipFolder, caplog: pytest.LogCaptureFixture) -> None:
    cut_short(folder)
    (path,) = files(folder)
    before, said = path.read_bytes(), []
    folder.recover([STRANGER.public], LATER, 4, said.append)
    assert (said, path.read_bytes()) == ([], before)
    assert "no key of this camera" in caplog.text


def test_a_deleted_clip_is_gone_in_whatever_state_it_was(folder: ClipFolder) -> None:
    finished = begun(folder)
    recording = finished.queued()
    recording.finish()
    recording.told()
    open_one = cut_short(folder)
    for one in (finished, open_one, open_one):
        assert folder.delete(one.key.clip) == Fate(one.key.clip, ClipState.EVICTED, 0, 0, bytes(32))
    assert files(folder) == []


def test_nobody_to_seal_to_leaves_no_file(folder: ClipFolder) -> None:
    with pytest.raises(EnvelopeError):
        folder.prepare(Seal(SIGNER, 3, [None], 7, Term()), INFO)
    assert files(folder) == []


def test_a_folder_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="can't keep a clip") as caught:
        ClipFolder(tmp_path / "file" / "clips")
    assert caught.value.hint
    gone = ClipFolder(tmp_path / "clips")
    (tmp_path / "clips").rmdir()
    with pytest.raises(StorageError, match="can't keep a clip"):
        gone.prepare(SEAL, INFO)


def test_a_full_disk_ends_the_clip_with_one_clear_error(folder: ClipFolder) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    prepared = begun(folder)
    recording = prepared.queued()
    file, recording._writer._file = recording._writer._file, full.open("r+b", buffering=0)
    with recording._writer._file, pytest.raises(StorageError, match="can't keep a clip") as caught:
        recording.write(PLAIN)
    assert file.closed
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    with pytest.raises(ValueError, match="closed"):
        recording.write(b"more")


def test_a_clip_whose_key_was_evicted_is_deleted_and_the_others_are_settled(tmp_path: Path) -> None:
    keys, folder = Keystore.open_or_create(tmp_path / "eye", {}), ClipFolder(tmp_path / "clips")
    seal = Seal(keys.signer, keys.epoch, [RECIPIENTS[0].public], 1, Term())
    lost, kept = (folder.prepare(seal, INFO) for _ in range(2))
    for prepared in (lost, kept):
        prepared.queued().abandon()
    with closing(Outbox(tmp_path / "outbox.db", max_bytes=3000)) as outbox:
        for prepared in (lost, kept):
            outbox.append(lambda seq, _prev: Sealed(bytes([seq]) * 2000), 3, 1, clip=prepared.key.clip)
        assert outbox.clips_to_delete() == (lost.key.clip,)
        said: list[Fate] = []
        settle(folder, keys, outbox, said.append)
        assert outbox.clips_to_delete() == ()
    assert [fate.clip for fate in said] == [kept.key.clip]
    assert [path.stem for path in folder.clips()] == [kept.key.clip.hex()]
    assert files(folder) == list(folder.clips())
