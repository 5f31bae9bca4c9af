"""Clips come in: what is kept, what the camera hears, and what hostile cameras and brokers cost."""

from __future__ import annotations

import errno
import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody, Stage, Verdict
from sealcam.wire.clip import SCL1, recover
from sealcam.wire.errors import SealcamError
from sealcam.wire.keys import SigningKey
from sealcam.wire.piece import MAX_DATA_BYTES
from sealcam.wire.wishes import CommandType
from sealcam_hub import expulsion, tables, vault_room
from sealcam_hub.deletion import Deleter, named
from sealcam_hub.feed import Feed
from sealcam_hub.intake_queue import OF_ALL, OF_ONE, Incoming, IntakeQueue
from sealcam_hub.vault import Vault
from sealcam_hub.vault_files import VaultFiles
from sealcam_hub.vault_room import Rules, choose
from sealcam_hub.vault_settle import settle
from sealcam_hub.views import ClipView
from tests.hubs import Camera
from tests.receiving import DAY_S
from tests.vault import CHUNK, PLAIN, Dock, clip_of, content, dock, name_of, pieces

HELD = 726 + SCL1.segment_bytes  # a header of four slots, and a segment


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Dock]:
    with dock(tmp_path / "hub") as made:
        yield made


def delete(at: Dock) -> None:
    """The owner deletes the newest incident."""
    home = at.desk.home
    with home.store.reading() as connection:
        doomed = named(connection, [home.ledger().incidents()[0].id])
    Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)


def test_a_clip_comes_and_each_segment_is_said_to_be_held_once_it_is_on_the_disk(at: Dock) -> None:
    data = clip_of(at.camera)
    said = at.bring(pieces(data))
    assert [(one.held, one.whole, one.stop) for one in said] == [
        (0, False, None),
        (HELD, False, None),
        (len(data), True, None),
    ]
    assert {(one.camera, one.clip) for one in said} == {(at.camera.kid, name_of(1))}
    assert at.file() == data
    assert at.place() == "here"
    assert [one.name for one in at.desk.home.folder.clips.iterdir()] == [f"{name_of(1).hex()}.scl1"]
    with at.desk.home.vault().open(name_of(1).hex()) as clip:
        assert clip.read(0, clip.size) == PLAIN


def test_a_hub_that_starts_again_goes_on_where_it_was(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    assert at.place() == "coming"
    at.again()
    said = at.bring(pieces(data)[17:])
    assert [one.held for one in said] == [HELD]  # what was in memory is gone
    assert at.bring(pieces(data, HELD))[-1].whole
    assert at.file() == data


def test_a_hub_that_ends_before_the_name_says_whole_says_it_at_the_next_piece(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    files = at.desk.home.vault().files
    files.append(name_of(1), HELD, data[HELD:])
    at.again()
    (said,) = at.bring(pieces(data)[-1:])
    assert (said.whole, said.held) == (True, len(data))
    assert at.place() == "here"


def test_a_clip_of_which_only_the_name_is_missing_needs_no_room(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    at.desk.home.vault().files.append(name_of(1), HELD, data[HELD:])
    with at.desk.home.store.writing() as connection:
        choose(connection, Rules(1000))  # the owner wants less than there is already
    at.again()
    assert at.bring(pieces(data)[-1:])[-1].whole
    assert at.place() == "here"


def test_a_torn_segment_on_the_disk_is_cut_off_and_comes_again(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    at.desk.home.vault().files.append(name_of(1), HELD, bytes(5000))
    at.again()
    assert at.bring(pieces(data)[17:])[0].held == HELD
    assert len(at.file()) == HELD


def test_a_clip_whose_power_was_cut_comes_as_it_was_closed_by_a_later_key(at: Dock) -> None:
    later = SigningKey.generate()
    file = io.BytesIO(clip_of(at.camera, finish=False)[:-3000])
    recover(file, [at.camera.signer.public], later, 2)
    at.bring(pieces(file.getvalue()))
    assert at.place() == "coming"  # nobody knows that key yet
    with at.desk.home.store.writing() as connection:
        row = {"camera": 1, "epoch": 2, "public": later.public, "command": bytes(32), "after_seq": 9, "since_ns": 1}
        connection.execute(tables.epochs.insert().values(**row))
    at.desk.clock.advance(15)
    assert at.bring(pieces(file.getvalue(), HELD))[-1].whole
    assert at.desk.home.vault().clips()[0].interrupted


def test_words_that_tell_nothing_new_are_said_once_a_second(at: Dock) -> None:
    data = clip_of(at.camera)
    assert len(at.bring(pieces(data)[5:9] * 5)) == 1
    at.desk.clock.advance(1)
    assert [one.held for one in at.bring(pieces(data)[5:9] * 5)] == [0]


def test_a_camera_that_begins_again_hears_what_is_held_and_is_not_turned_back_on_its_way(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:10])
    for _ in range(5):  # on a slow link
        at.desk.clock.advance(2)
        assert at.bring(pieces(data)[1:3]) == []
    at.desk.clock.advance(5)
    assert [one.held for one in at.bring(pieces(data)[:10])] == [0]


def test_a_clip_is_taken_before_the_event_that_tells_of_it(at: Dock) -> None:
    data = clip_of(at.camera, 2)
    assert at.bring(pieces(data), name_of(2))[-1].whole
    view = at.desk.home.vault().clip(name_of(2).hex())
    assert view is not None
    assert (view.state, view.incident) == ("here", None)
    at.desk.take(at.camera.incident(2, clip=at.camera.clip_key(2)))
    (view,) = at.desk.home.vault().clips(at.desk.home.ledger().incidents()[0].id)
    assert view.state == "here"


def test_what_was_damaged_three_times_at_one_place_is_stopped_and_told_once_and_may_be_asked_for_again(
    at: Dock,
) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    bad = bytearray(data)
    bad[HELD + 5] ^= 1
    for _ in range(3):
        at.desk.clock.advance(1)
        said = at.bring(pieces(bytes(bad), HELD))
    assert [(one.held, one.stop) for one in said] == [(HELD, True)]
    assert at.place() == "stopped"
    assert at.desk.notices()[-1] == "clip"
    assert "came damaged" in at.desk.told()
    at.desk.clock.advance(3)
    assert [one.stop for one in at.bring(pieces(data, HELD))] == [True]
    at.desk.home.fetching().ask([name_of(1).hex()])
    at.desk.clock.advance(3)
    assert at.bring(pieces(data, HELD))[-1].whole
    assert at.file() == data


def test_where_the_quota_is_reached_clips_stay_on_the_camera_and_the_owner_is_told_once(at: Dock) -> None:
    with at.desk.home.store.writing() as connection:
        choose(connection, Rules(HELD + 10_000))
    data = clip_of(at.camera)
    assert at.bring(pieces(data))[-1].stop
    view = at.desk.home.vault().clips()[0]
    assert (view.state, view.why, view.held) == ("stopped", "full", HELD)
    at.desk.take(at.camera.incident(2, clip=at.camera.clip_key(2)))
    assert at.bring(pieces(clip_of(at.camera, 2)), name_of(2))[-1].stop
    assert at.desk.notices().count("clip") == 1
    with at.desk.home.store.writing() as connection:
        choose(connection, Rules())
    at.desk.clock.advance(1000)
    at.desk.take(at.camera.beat())
    at.intake.run_once(at.send, 0)
    wish = at.desk.home.wishes().list()[0]
    assert "2 clips" in str(wish.body) or len(wish.body.clips) == 2  # type: ignore[union-attr]
    assert at.bring(pieces(data, HELD))[-1].whole


def test_only_where_the_owner_chose_so_the_oldest_that_was_no_threat_gives_way(at: Dock) -> None:
    """The tests' camera sees threats alone: they stay."""
    with at.desk.home.store.writing() as connection:
        choose(connection, Rules(len(PLAIN) + 100_000, yields=True))
    at.desk.take(at.camera.incident(1, Stage.END))
    data = clip_of(at.camera)
    assert at.bring(pieces(data))[-1].whole
    at.desk.take(at.camera.incident(2, clip=at.camera.clip_key(2)))
    assert at.bring(pieces(clip_of(at.camera, 2)), name_of(2))[-1].stop
    assert at.place() == "here"


def test_where_the_owner_chose_so_a_clip_of_no_threat_gives_way_and_he_is_told(at: Dock) -> None:
    with at.desk.home.store.writing() as connection:
        choose(connection, Rules(len(PLAIN) + 100_000, yields=True))
    for stage in (Stage.NEW, Stage.END):
        said = schema.decode(at.camera.body(3, stage, clip=at.camera.clip_key(3)), IncidentBody)
        body = schema.encode(replace(said, verdict=Verdict.BENIGN))
        at.desk.take(at.camera.event(EventType.INCIDENT, body))
    assert at.bring(pieces(clip_of(at.camera, 3)), name_of(3))[-1].whole
    assert at.bring(pieces(clip_of(at.camera)))[-1].whole
    assert (at.place(), at.place(name_of(3))) == ("here", "dropped")
    assert at.file(name_of(3)) == b""
    assert "as its owner chose" in at.desk.told()
    at.desk.home.fetching().ask([name_of(3).hex()])
    assert at.place(name_of(3)) == "asked"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_stops_the_clip_and_the_hub_goes_on(at: Dock, error: int) -> None:
    class Failing(VaultFiles):
        def append(self, clip: bytes, at: int, data: bytes) -> None:
            super().append(clip, at, data[:1000])
            raise OSError(error, "as the test says")

    home, data = at.desk.home, clip_of(at.camera)
    good = home.intake(Feed())
    at.intake._vault = type(home.vault())(Failing(home.folder.clips), home.store, home.keys)
    assert at.bring(pieces(data))[-1].stop
    assert "can't be written" in at.desk.told()
    at.intake = good
    home.fetching().ask([name_of(1).hex()])
    at.desk.clock.advance(3)
    assert at.bring(pieces(data))[-1].whole
    assert at.file() == data


def test_a_deleted_incidents_clips_are_gone_and_refused(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data)[:17])
    delete(at)
    assert list(at.desk.home.folder.clips.iterdir()) == []
    assert at.bring(pieces(data, HELD)) == []  # its file is gone: the clip is looked up anew
    assert [(one.held, one.stop) for one in at.bring(pieces(data)[:3])] == [(0, True)]
    assert list(at.desk.home.folder.clips.iterdir()) == []
    assert at.place() == "deleted"
    with pytest.raises(SealcamError, match="deleted"):
        at.desk.home.vault().open(name_of(1).hex())
    assert at.desk.home.fetching().ask([name_of(1).hex()]).clips == ()


def test_an_expelled_camera_and_an_unknown_one_send_in_vain(at: Dock) -> None:
    data = clip_of(at.camera)
    assert at.bring(pieces(data), alias="f" * 16) == []
    with at.desk.home.store.writing() as connection:
        expulsion.expel(connection, at.camera.alias)
    assert at.bring(pieces(data)) == []
    assert at.file() == b""


def test_another_cameras_clip_is_not_taken_from_this_one(at: Dock) -> None:
    other = Camera()
    other.claim(at.desk.home, "Yard")
    at.desk.take(other.incident(5, clip=other.clip_key(5)), camera=other)
    assert at.bring(pieces(clip_of(at.camera, 5)), name_of(5)) == []  # it is the other's to name
    stolen = at.bring(pieces(clip_of(other, 6)), name_of(6))  # signed by another camera
    assert not any(one.whole for one in stolen)
    assert at.file(name_of(5)) == at.file(name_of(6)) == b""


def test_many_clips_that_nobody_signed_leave_no_trace_and_cost_bounded_memory_and_words(at: Dock) -> None:
    (first, *_) = pieces(clip_of(at.camera, plain=content(CHUNK)))
    rows = select(func.count()).select_from(tables.vault)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2, 120):
        at.bring([first[:20] + bytes(MAX_DATA_BYTES)] * 3, name_of(number))
    assert len(at.said) <= 16
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 4_000_000
    with at.desk.home.store.reading() as connection:
        assert connection.execute(rows).scalar_one() == 0
    assert not at.desk.home.folder.clips.exists()
    assert at.desk.notices() == []


def test_a_camera_that_begins_many_clips_costs_four_segments_of_memory(at: Dock) -> None:
    plain = content(10 * CHUNK)
    sent = {number: pieces(clip_of(at.camera, number, plain))[:9] for number in range(2, 14)}
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number, some in sent.items():
        at.bring(some, name_of(number))
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 5 * SCL1.segment_bytes


def test_what_is_no_piece_is_dropped(at: Dock) -> None:
    assert at.bring([b"", b"SPC1", bytes(50), bytes(2_000_000), pieces(clip_of(at.camera))[0][:20]]) == []


def test_a_camera_that_floods_the_queue_holds_up_its_own_clips_alone() -> None:
    queue = IntakeQueue()
    assert [queue.put(Incoming("a", bytes(16), b"x")) for _ in range(OF_ONE + 1)].count(False) == 1
    assert queue.put(Incoming("b", bytes(16), b"x"))
    got = [one.alias for _ in range(3) if (one := queue.get(0)) is not None]
    assert got == ["a", "b", "a"]
    many = [queue.put(Incoming(str(n), bytes(16), b"x")) for n in range(OF_ALL + 50)]
    assert many.count(True) == OF_ALL - (OF_ONE - 2)
    while queue.get(0) is not None:
        pass
    assert queue.put(Incoming("a", bytes(16), b"x"))


def test_the_folder_and_the_ledger_agree_again_after_whatever_has_happened(at: Dock) -> None:
    home, camera = at.desk.home, at.camera
    files, clock = home.vault().files, home.clock
    for number in range(1, 5):
        at.desk.take(camera.incident(number, clip=camera.clip_key(number)))
        at.bring(pieces(clip_of(camera, number)), name_of(number))
    files.remove(name_of(1))  # somebody removed it by hand
    with home.store.writing() as connection:  # a crash between name and row
        connection.execute(update(tables.vault).where(tables.vault.c.clip == name_of(2)).values(state=0))
        connection.execute(tables.vault.delete().where(tables.vault.c.clip == name_of(3)))
    for number, data in ((6, clip_of(camera, 6)), (7, bytes(5000)), (8, clip_of(camera, 8)[:-1])):  # put there by hand
        files.begin(name_of(number))
        files.append(name_of(number), 0, data)
        files.finish(name_of(number))
    files.begin(name_of(9))  # a crash before its row was there
    settle(home.vault(), clock)
    places = [at.place(name_of(number)) for number in range(1, 10)]
    assert places == ["recording", "here", "here", "here", "unknown", "here", "unknown", "unknown", "unknown"]
    assert files.all().keys() == {name_of(number) for number in (2, 3, 4, 6, 7, 8)}
    with home.vault().open(name_of(6).hex()) as clip:  # no event has told of it: a slot of its header opens
        assert clip.read(0, clip.size) == PLAIN
    at.again()
    assert at.bring(pieces(clip_of(camera, 1)))[-1].whole


def test_what_a_crash_has_left_of_a_deletion_is_removed_at_the_next_start(at: Dock) -> None:
    data = clip_of(at.camera)
    at.bring(pieces(data))
    delete(at)
    files = at.desk.home.vault().files
    files.begin(name_of(1))
    files.append(name_of(1), 0, data)
    files.finish(name_of(1))
    settle(at.desk.home.vault(), at.desk.home.clock)
    assert files.all() == {}


def test_settling_ten_thousand_clips_opens_none(at: Dock) -> None:
    class Unread(VaultFiles):
        def open(self, clip: bytes) -> tuple[int, bool]:
            raise AssertionError("a file was opened")

    home = at.desk.home
    at.bring(pieces(clip_of(at.camera)))
    for number in range(2, 1002):
        (home.folder.clips / f"{name_of(number).hex()}.scl1").write_bytes(b"")
    rows = [{"clip": name_of(n), "camera": 1, "state": 1, "size": 0, "changed_ns": 1} for n in range(2, 1002)]
    with home.store.writing() as connection:
        connection.execute(tables.vault.insert(), rows)
    vault = home.vault()
    settle(type(vault)(Unread(home.folder.clips), home.store, home.keys), home.clock)
    assert len(vault.clips()) == 1001


@pytest.mark.parametrize("meanwhile", ["whole", "deleted"])
def test_what_came_or_was_deleted_while_it_was_asked_for_is_left_as_it_is(at: Dock, meanwhile: str) -> None:
    data = clip_of(at.camera)

    class Meanwhile(Vault):
        def clip(self, name: str) -> ClipView | None:
            before = super().clip(name)
            if before is not None and before.state == "recording":  # the first look
                at.bring(pieces(data))
                if meanwhile == "deleted":
                    delete(at)
            return before

    home = at.desk.home
    fetching = replace(home.fetching(), vault=Meanwhile(home.vault().files, home.store, home.keys))
    asked = fetching.ask([name_of(1).hex()])
    assert (len(asked.clips), len(asked.others)) == (0, 1)
    assert all(one.kind is not CommandType.FETCH for one in home.wishes().list())
    assert at.place() == ("here" if meanwhile == "whole" else "deleted")
    assert at.file() == (data if meanwhile == "whole" else b"")


def test_a_wish_for_a_clip_merges_with_the_one_that_stands_and_is_asked_again_when_nothing_comes(at: Dock) -> None:
    home, camera = at.desk.home, at.camera
    at.desk.take(camera.incident(2, clip=camera.clip_key(2)))
    incident = home.ledger().incidents()[0].id
    asked = home.fetching().ask([name_of(1).hex()])
    assert [one.state for one in asked.clips] == ["asked"]
    home.fetching().ask([incident])
    (wish,) = home.wishes().list()
    assert [int.from_bytes(one.clip, "big") for one in wish.body.clips] == [1, 2]  # type: ignore[union-attr]
    at.desk.take(camera.beat())
    ((_, command),) = home.wishes().due()
    at.desk.take(camera.answers(camera.opens(command).seq, 4))
    for _ in range(30):  # the camera has forgotten; the hub doesn't ask for ever
        at.desk.clock.advance(1000)
        at.desk.take(camera.beat())
        at.intake.run_once(at.send, 0)
        for _, command in home.wishes().due():
            at.desk.take(camera.answers(camera.opens(command).seq, 4))
    with home.store.reading() as connection:
        number = connection.execute(select(tables.cameras.c.command_number)).scalar_one()
    assert number == 9
    assert vault_room.MOST_BYTES > DAY_S
