"""What is kept of clips: what matters least goes first, each is told, and no crash or damage makes one vanish."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.clip_store import SPARE_BYTES, ClipStore
from sealcam.clips import ClipFolder, Fate
from sealcam.kept import Kept, Rank, Sent
from sealcam.openclip import Recorded
from sealcam.sight.types import Verdict
from sealcam.wire.bodies import ClipState
from sealcam.wire.errors import StorageError
from sealcam.wrapping import Wrapping

WRAPPING = Wrapping(b"w" * 32)
ROOM = 1 << 40


class Shelf:
    """A folder of clips with its store, which can be opened again."""

    def __init__(self, path: Path, max_bytes: int = 1000) -> None:
        self.path = path
        self.folder = ClipFolder(path)
        self.said: list[Fate] = []
        self.free = ROOM
        self.max_bytes = max_bytes
        self.store = self.open()

    def open(self, say: Callable[[Fate], None] | None = None, wrapping: Wrapping = WRAPPING) -> ClipStore:
        return ClipStore(
            self.path / "index.db",
            self.folder,
            wrapping,
            max_bytes=self.max_bytes,
            say=say or self.said.append,
            free_bytes=lambda _: self.free,
        )

    def again(self, wrapping: Wrapping = WRAPPING) -> ClipStore:
        """As the next start does it."""
        self.store.close()
        self.store = self.open(wrapping=wrapping)
        self.store.take_stock()
        return self.store

    def file(self, size: int = 100) -> bytes:
        clip = secrets.token_bytes(16)
        (self.path / f"{clip.hex()}.scl1").write_bytes(bytes(size))
        return clip

    def record(self, verdict: Verdict, incident: str = "00" * 8, size: int = 100) -> bytes:
        clip = self.file(size)
        self.store.keep([Recorded(clip, incident, 0, 0, 1, 0, size, verdict)])
        return clip

    @property
    def there(self) -> set[bytes]:
        return {bytes.fromhex(path.stem) for path in self.folder.clips()}

    @property
    def evicted(self) -> list[bytes]:
        assert all(fate.state is ClipState.EVICTED for fate in self.said)
        return [fate.clip for fate in self.said]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "clips")


def test_false_alarms_go_before_what_is_benign_and_threats_last_the_oldest_of_each_first(shelf: Shelf) -> None:
    with closing(shelf.store):
        order = (Verdict.THREAT, Verdict.FALSE_ALARM, Verdict.BENIGN, Verdict.FALSE_ALARM, Verdict.THREAT)
        first_threat, old_false, benign, new_false, threat = (
            shelf.record(one, f"{number:016x}") for number, one in enumerate(order)
        )
        assert shelf.store.size_bytes == 500
        shelf.store.make_room(500)
        assert shelf.said == []
        for need in (600, 700, 800, 900, 1000):
            shelf.store.make_room(need)
            assert len(shelf.said) == need // 100 - 5
        assert shelf.evicted == [old_false, new_false, benign, first_threat, threat]
        assert shelf.there == set()


def test_a_start_knows_what_each_is_worth(shelf: Shelf) -> None:
    threat, benign = shelf.record(Verdict.THREAT), shelf.record(Verdict.BENIGN, "11" * 8)
    with closing(shelf.again()) as store:
        store.make_room(900)
        assert (shelf.evicted, shelf.there) == ([benign], {threat})


def test_of_one_verdict_what_the_hub_has_goes_first_and_over_a_restart_too(shelf: Shelf) -> None:
    benign, threat, kept, newer = (
        shelf.record(one, f"{number:016x}")
        for number, one in enumerate((Verdict.BENIGN, Verdict.THREAT, Verdict.THREAT, Verdict.BENIGN))
    )
    shelf.store.note(newer, Sent.WHOLE)
    shelf.store.note(kept, Sent.WHOLE)
    shelf.store.note(threat, Sent.STOPPED)
    with closing(shelf.again()) as store:
        for need in (700, 800, 900, 1000):
            store.make_room(need)
        assert shelf.evicted == [newer, benign, kept, threat]


def test_what_was_asked_for_is_known_after_a_restart_in_its_order(shelf: Shelf) -> None:
    clips = [shelf.record(Verdict.BENIGN, f"{number:016x}") for number in range(3)]
    shelf.store.note(clips[0], Sent.WHOLE)
    assert shelf.store.ask([clips[2], b"?" * 16, clips[0]]) == (clips[2], clips[0])
    with closing(shelf.again()) as store:
        found = [store.find(clip) for clip in (clips[2], clips[0], clips[1])]
        assert [(one.asked, one.sent) for one in found if one] == [(1, Sent.NOT), (2, Sent.NOT), (0, Sent.NOT)]
        store.note(clips[2], Sent.WHOLE)
        store.note(b"?" * 16, Sent.WHOLE)
        assert store.find(clips[2]) == replace(found[0], asked=0, sent=Sent.WHOLE)  # type: ignore[type-var]


def test_an_index_of_an_older_version_is_read_and_one_of_a_newer_version_too(shelf: Shelf) -> None:
    old, new = shelf.record(Verdict.BENIGN, "11" * 8), shelf.record(Verdict.FALSE_ALARM, "22" * 8)
    for clip, plain in ((old, b"\1" + b"\x11" * 8), (new, b"\0" + b"\x22" * 8 + b"\1" + bytes(4) + b"more")):
        row = (WRAPPING.lock(plain), clip)
        shelf.store._db.execute("UPDATE clips SET worth = ? WHERE clip = ?", row)
    with closing(shelf.again()) as store:
        one, other = store.find(old), store.find(new)
        assert one == Kept(1, 100, Rank.BENIGN, b"\x11" * 8)
        assert other == Kept(2, 100, Rank.FALSE_ALARM, b"\x22" * 8, Sent.WHOLE)


def test_what_is_noted_of_a_clip_that_is_going_brings_it_not_back(shelf: Shelf) -> None:
    clip = shelf.record(Verdict.BENIGN)
    shelf.store._say = lambda _: shelf.store.note(clip, Sent.WHOLE)
    shelf.store.make_room(1000)
    shelf.store._say = shelf.said.append
    with closing(shelf.again()) as store:
        assert (store.find(clip), shelf.said) == (None, [])


def test_what_its_owner_deleted_goes_untold_and_one_that_is_still_recorded_goes_as_it_ends(shelf: Shelf) -> None:
    gone, stays = shelf.record(Verdict.THREAT), shelf.record(Verdict.THREAT)
    runs = shelf.file()
    assert shelf.store.forget([gone, runs, b"?" * 16, gone]) == 1
    assert shelf.there == {stays, runs}
    shelf.store.keep([Recorded(runs, "00" * 8, 0, 0, 1, 0, 100, Verdict.THREAT)])
    assert shelf.there == {stays} == shelf.again().clips().keys()
    assert shelf.evicted == []


def test_an_incident_that_became_a_threat_raises_its_earlier_clips(shelf: Shelf) -> None:
    with closing(shelf.store):
        early = shelf.record(Verdict.BENIGN, "11" * 8)
        benign = shelf.record(Verdict.BENIGN, "22" * 8)
        shelf.record(Verdict.THREAT, "11" * 8)
        shelf.store.make_room(800)
        assert shelf.evicted == [benign]
        assert early in shelf.there


def test_a_card_alone_does_not_tell_what_a_clip_is_worth(shelf: Shelf) -> None:
    for number in range(4):
        shelf.record(Verdict.THREAT if number % 2 else Verdict.FALSE_ALARM, f"{number:016x}")
    with closing(shelf.store), closing(shelf.store._db.execute("SELECT worth FROM clips")) as rows:
        found = [row[0] for row in rows]
    assert len({len(worth) for worth in found}) == 1
    assert len(set(found)) == 4


def test_a_crash_between_deleting_and_telling_tells_it_at_the_next_start(shelf: Shelf) -> None:
    clip = shelf.record(Verdict.BENIGN)
    shelf.store.close()

    def die(_fate: Fate) -> None:
        raise KeyboardInterrupt

    with closing(shelf.open(die)) as dying, pytest.raises(KeyboardInterrupt):
        dying.make_room(1000)
    with closing(shelf.again()):
        assert (shelf.evicted, shelf.there) == ([clip], set())
    with closing(shelf.again()):
        assert shelf.evicted == [clip]


def test_a_clip_that_vanished_is_told_and_one_that_appeared_is_kept_like_a_threat(shelf: Shelf) -> None:
    gone, benign = shelf.record(Verdict.BENIGN), shelf.record(Verdict.BENIGN, "22" * 8)
    (shelf.path / f"{gone.hex()}.scl1").unlink()
    recovered = shelf.file()
    with closing(shelf.again()) as store:
        assert shelf.evicted == [gone]
        store.make_room(900)
        assert (shelf.evicted, shelf.there) == ([gone, benign], {recovered})


@pytest.mark.parametrize("content", [b"", b"not a database, and longer than a header is" * 100])
def test_a_damaged_index_loses_no_clip(shelf: Shelf, content: bytes) -> None:
    clips = {shelf.record(Verdict.BENIGN, f"{number:016x}") for number in range(3)}
    shelf.store.close()
    for path in shelf.path.glob("index.db*"):
        path.unlink()
    (shelf.path / "index.db").write_bytes(content)
    with closing(shelf.again()) as store:
        assert store.lost is bool(content)
        assert (store.size_bytes, shelf.there, shelf.said) == (300, clips, [])
    assert (shelf.path / "index.damaged").exists() is bool(content)


def test_an_index_under_another_key_keeps_everything_like_a_threat(shelf: Shelf) -> None:
    false_alarm = shelf.record(Verdict.FALSE_ALARM)
    with closing(shelf.again(Wrapping(b"x" * 32))) as store:
        benign = shelf.record(Verdict.BENIGN)
        store.make_room(900)
        assert (shelf.evicted, shelf.there) == ([benign], {false_alarm})


def test_what_is_no_clip_is_left_alone(shelf: Shelf) -> None:
    for name in ("notes.scl1", "x" * 32 + ".scl1", "00" * 16 + ".part"):
        (shelf.path / name).write_bytes(b"?")
    with closing(shelf.again()) as store:
        assert store.size_bytes == 0
        assert shelf.said == []


def test_a_disk_that_others_filled_makes_clips_go_but_never_for_nothing(shelf: Shelf) -> None:
    with closing(shelf.store):
        clip = shelf.record(Verdict.THREAT)
        shelf.free = SPARE_BYTES + 50
        shelf.store.make_room(50)
        assert shelf.said == []
        with pytest.raises(StorageError, match="no room for clips") as caught:
            shelf.store.make_room(51)
        assert caught.value.hint
        assert shelf.evicted == [clip]


def test_a_beat_is_told_of_the_disk_and_of_nothing_where_it_cannot_be_asked(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(shelf.store) as store:
        shelf.record(Verdict.THREAT, size=3 << 20)
        shelf.free = (5 << 20) - 1
        told = store.told()
        assert told is not None
        assert (told.free_mib, told.clips_mib, told.clips_most_mib) == (4, 3, 0)
        assert told.disk_mib == shutil.disk_usage(shelf.path).total >> 20

        def broken(_path: Path) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(shutil, "disk_usage", broken)
        assert store.told() is None


def test_ten_thousand_clips_are_listed_and_evicted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "clips", max_bytes=10_000)
    for _ in range(10_000):
        shelf.file(1)
    with closing(shelf.again()) as store:
        assert store.size_bytes == 10_000
        store.make_room(20)
        assert len(shelf.said) == 20
    with closing(shelf.again()) as store:
        assert store.size_bytes == 9_980


class Counted(ClipFolder):
    """Notes which files it was asked about."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[bytes] = []

    def written(self, clip: bytes) -> tuple[int, int]:
        self.asked.append(clip)
        return super().written(clip)


def test_a_start_with_ten_thousand_clips_asks_the_disk_about_the_new_ones_alone(tmp_path: Path) -> None:
    known = [secrets.token_bytes(16) for _ in range(10_000)]
    folder = Counted(tmp_path)
    for clip in known:
        (tmp_path / f"{clip.hex()}.scl1").touch()

    def start() -> ClipStore:
        store = ClipStore(folder.index, folder, WRAPPING, max_bytes=1 << 40, say=lambda _: None)
        store.take_stock()
        return store

    start().close()
    assert len(folder.asked) == len(known)
    folder.asked.clear()
    new = secrets.token_bytes(16)
    (tmp_path / f"{new.hex()}.scl1").write_bytes(bytes(7))
    with closing(start()) as store:
        assert folder.asked == [new]
        assert store.size_bytes == 7
        assert len(store.clips()) == 10_001


def test_keeping_and_evicting_one_of_thousands_touches_one_or_two_rows(shelf: Shelf) -> None:
    for _ in range(2000):
        shelf.file(1)
    shelf.store.take_stock()
    said: list[str] = []
    shelf.store._db.set_trace_callback(said.append)
    shelf.record(Verdict.THREAT, "11" * 8)
    kept, said[:] = [one for one in said if one[:6] in ("INSERT", "SELECT", "UPDATE", "DELETE")], []
    assert len(kept) == 1
    shelf.store.make_room(0)
    evicted = [one[:6] for one in said if one[:6] in ("INSERT", "SELECT", "UPDATE", "DELETE")]
    assert evicted.count("SELECT") == 0
    assert evicted.count("DELETE") == evicted.count("UPDATE") == len(shelf.said)
