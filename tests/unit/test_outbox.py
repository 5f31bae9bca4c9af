"""The outbox: one chain, most urgent first, bounded, and never a lost or forked event."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sealcam.outbox import MAX_TOMBS, Outbox, OutboxStats, Tomb
from sealcam.wire.errors import StorageError
from sealcam.wire.sealed import GENESIS, Sealed, envelope_hash

S = 1_000_000_000
BIG = 1 << 30


def sealed(seq: int, prev: bytes, size: int = 100, salt: bytes = b"") -> Sealed:
    """Something as long as an envelope, which names its place in the chain."""
    return Sealed((seq.to_bytes(8, "big") + prev + salt).ljust(size, b"."))


def of_size(size: int) -> Callable[[int, bytes], Sealed]:
    return lambda seq, prev: sealed(seq, prev, size)


class Losses:
    """Seals loss events and keeps the tombstones that each was given."""

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.tombs: list[tuple[Tomb, ...]] = []

    def __call__(self, seq: int, prev: bytes, tombs: tuple[Tomb, ...]) -> Sealed:
        self.tombs.append(tombs)
        return sealed(seq, prev, self.size, b"loss")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    yield made
    made.close()


def small(tmp_path: Path, events: int) -> Outbox:
    """An outbox with room for `events` envelopes of 100 bytes."""
    return Outbox(tmp_path / "small.db", max_bytes=events * 100)


def drain(outbox: Outbox, now_ns: int = 0) -> list[int]:
    """The sequences that are due, in the order in which they go."""
    order = []
    while (mail := outbox.next(now_ns)) is not None:
        order.append(mail.seq)
        outbox.published(mail.seq, now_ns)
    return order


def acknowledge(outbox: Outbox, seq: int, now_ns: int = 0) -> None:
    outbox.link_up()
    while (mail := outbox.next(now_ns)) is not None and mail.seq != seq:
        outbox.published(mail.seq, now_ns)
    assert mail is not None
    assert outbox.acknowledge(mail.hash)


def test_a_new_outbox_is_at_the_genesis_of_its_chain(outbox: Outbox) -> None:
    assert outbox.head() == (0, GENESIS)
    assert outbox.next(0) is None
    assert outbox.due_in_s(0) is None
    assert outbox.stats() == OutboxStats(0, 0, 0, None)


def test_each_event_is_sealed_onto_the_one_before(outbox: Outbox) -> None:
    seen: list[tuple[int, bytes]] = []

    def seal(seq: int, prev: bytes) -> Sealed:
        seen.append((seq, prev))
        return sealed(seq, prev)

    assert [outbox.append(seal, 2, 1) for _ in range(3)] == [1, 2, 3]
    assert seen[0] == (1, GENESIS)
    for (seq, prev), (_, after) in itertools.pairwise(seen):
        assert after == envelope_hash(sealed(seq, prev))
    assert outbox.head() == (3, envelope_hash(sealed(*seen[2])))


def test_the_chain_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    first.append(sealed, 0, 1)
    first.append(sealed, 0, 1)
    head = first.head()
    first.close()
    second = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    assert second.head() == head
    assert drain(second) == [1, 2]
    assert second.append(sealed, 0, 1) == 3
    second.close()


def test_what_sealing_raises_goes_through_and_nothing_has_happened(outbox: Outbox) -> None:
    def refuse(seq: int, prev: bytes) -> Sealed:
        raise ConnectionError("no")

    outbox.append(sealed, 0, 1)
    before = outbox.head()
    with pytest.raises(ConnectionError, match="no"):
        outbox.append(refuse, 0, 1)
    assert outbox.head() == before
    assert outbox.append(sealed, 0, 1) == 2


def test_the_most_urgent_goes_first_then_the_oldest(outbox: Outbox) -> None:
    for urgency in (3, 2, 0, 1, 0, 3):
        outbox.append(sealed, urgency, 1)
    assert drain(outbox) == [3, 5, 4, 2, 1, 6]


def test_what_was_published_waits_for_its_receipt_longer_each_time(outbox: Outbox) -> None:
    outbox.append(sealed, 0, 1)
    now_ns, waits = 0, []
    for _ in range(7):
        outbox.published(1, now_ns)
        assert outbox.next(now_ns) is None
        wait_s = outbox.due_in_s(now_ns)
        assert wait_s is not None
        waits.append(wait_s)
        assert outbox.next(now_ns + round(wait_s * S) - 1) is None
        now_ns += round(wait_s * S)
        assert outbox.next(now_ns) is not None
    assert waits == [15, 30, 60, 120, 240, 300, 300]


def test_everything_is_due_at_once_when_the_link_comes_up(outbox: Outbox) -> None:
    for _ in range(3):
        outbox.append(sealed, 2, 1)
    assert drain(outbox) == [1, 2, 3]
    assert outbox.next(S) is None
    outbox.link_up()
    assert outbox.due_in_s(S) == 0
    assert drain(outbox, S) == [1, 2, 3]
    assert outbox.due_in_s(S) == 15


def test_only_a_known_hash_deletes(outbox: Outbox) -> None:
    outbox.append(sealed, 0, 1)
    mail = outbox.next(0)
    assert mail is not None
    assert envelope_hash(mail.envelope) == mail.hash
    assert not outbox.acknowledge(bytes(32))
    assert outbox.acknowledge(mail.hash)
    assert not outbox.acknowledge(mail.hash)
    assert outbox.next(0) is None
    assert outbox.head()[0] == 1


def test_the_beat_can_tell_what_is_queued_and_the_oldest_prekey(outbox: Outbox) -> None:
    outbox.append(of_size(300), 0, 9)
    outbox.append(of_size(500), 0, 4)
    assert outbox.stats() == OutboxStats(2, 800, 0, 4)
    acknowledge(outbox, 2)
    assert outbox.stats() == OutboxStats(1, 300, 0, 9)


def test_every_change_is_told_and_only_after_it_is_durable(tmp_path: Path) -> None:
    heads: list[int] = []
    outbox = Outbox(tmp_path / "o.db", max_bytes=BIG, on_change=lambda: heads.append(outbox.head()[0]))
    outbox.append(sealed, 0, 1)
    outbox.append(sealed, 0, 1)
    acknowledge(outbox, 1)
    assert heads == [1, 2, 2]
    outbox.close()


def test_over_the_bound_the_least_urgent_then_the_oldest_goes(tmp_path: Path) -> None:
    outbox = small(tmp_path, 4)
    for urgency in (3, 0, 3, 2):
        outbox.append(sealed, urgency, 1)
    outbox.append(sealed, 0, 1)  # 1 goes
    assert sorted(drain(outbox)) == [2, 3, 4, 5]
    outbox.append(sealed, 0, 1)  # 3 goes
    outbox.append(sealed, 0, 1)  # 4 goes
    outbox.append(sealed, 1, 1)  # itself: everything else is more urgent
    outbox.link_up()
    assert sorted(drain(outbox)) == [2, 5, 6, 7]
    assert outbox.stats().evicted == 4
    assert outbox.stats().queued_bytes == 400
    assert outbox.head()[0] == 8
    outbox.close()


def test_neighbouring_tombstones_merge(tmp_path: Path) -> None:
    outbox = small(tmp_path, 3)
    hashes = {}
    for urgency in (3, 3, 2, 3, 0, 0, 0):
        seq = outbox.append(sealed, urgency, 1)
        hashes[seq] = outbox.head()[1]
    losses = Losses()
    assert outbox.append_loss(losses, 1) is None  # only more urgent ones are left: it would go at once
    acknowledge(outbox, 5)
    assert outbox.append_loss(losses, 1) == 8
    assert losses.tombs[-1] == (Tomb(1, 4, hashes[4]),)
    outbox.close()


def test_a_loss_event_announces_each_tombstone_once_and_its_receipt_drops_them(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    for _ in range(3):
        outbox.append(sealed, 3, 1)
    losses = Losses()
    assert outbox.append_loss(losses, 1) == 4  # in turn evicts 2
    (first,) = losses.tombs
    assert [(tomb.first, tomb.last) for tomb in first] == [(1, 1)]
    acknowledge(outbox, 4)
    assert outbox.append_loss(losses, 1) == 5
    assert [(tomb.first, tomb.last) for tomb in losses.tombs[-1]] == [(2, 2)]
    acknowledge(outbox, 5)
    assert outbox.append_loss(losses, 1) is None
    outbox.close()


def test_an_evicted_loss_event_passes_its_tombstones_on_to_the_next(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    for _ in range(3):
        outbox.append(sealed, 3, 1)
    losses = Losses()
    assert outbox.append_loss(losses, 1) == 4
    loss_hash = outbox.head()[1]
    for _ in range(2):
        outbox.append(sealed, 0, 1)  # 3 goes, then the loss event itself
    acknowledge(outbox, 5)
    assert not outbox.acknowledge(loss_hash)  # a late receipt for what is gone changes nothing
    assert outbox.append_loss(losses, 1) == 7
    assert losses.tombs[-1] == (Tomb(1, 4, loss_hash),)
    outbox.close()


def test_a_loss_event_without_room_takes_no_sequence(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    for _ in range(4):
        outbox.append(sealed, 0, 1)
    head = outbox.head()
    assert outbox.append_loss(Losses(), 1) is None
    assert outbox.head() == head
    assert drain(outbox) == [3, 4]
    outbox.close()


def test_many_tombstones_travel_in_several_loss_events(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", max_bytes=100 * (MAX_TOMBS + 11))
    for _ in range(MAX_TOMBS + 10):
        outbox.append(sealed, 3, 1)
        outbox.append(sealed, 0, 1)
    losses = Losses()
    while outbox.append_loss(losses, 1) is not None:
        mail = outbox.next(0)
        while mail is not None and mail.seq < 2 * (MAX_TOMBS + 10):  # make room for the next one
            outbox.acknowledge(mail.hash)
            mail = outbox.next(0)
        if mail is not None:
            outbox.acknowledge(mail.hash)
    assert len(losses.tombs[0]) == MAX_TOMBS
    told = [tomb.first for tombs in losses.tombs for tomb in tombs]
    assert told == sorted(set(told))
    outbox.close()


def test_an_envelope_bigger_than_the_bound_becomes_a_tombstone(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    assert outbox.append(of_size(300), 0, 1) == 1
    assert outbox.next(0) is None
    losses = Losses()
    assert outbox.append_loss(losses, 1) == 2
    assert losses.tombs == [(Tomb(1, 1, losses.tombs[0][0].last_hash),)]
    outbox.close()


def test_tombstones_and_the_count_of_the_evicted_outlive_a_restart(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    for _ in range(4):
        outbox.append(sealed, 3, 1)
    outbox.close()
    outbox = small(tmp_path, 2)
    assert outbox.stats().evicted == 2
    losses = Losses()
    assert outbox.append_loss(losses, 1) == 5
    assert [(tomb.first, tomb.last) for tomb in losses.tombs[0]] == [(1, 2)]
    outbox.close()


def test_an_envelope_that_rotted_on_the_disk_is_announced_as_lost(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path, max_bytes=BIG)
    for _ in range(3):
        outbox.append(sealed, 0, 1)
    outbox.close()
    database = sqlite3.connect(path)
    database.execute("UPDATE mail SET envelope = zeroblob(100) WHERE seq = 2")
    database.commit()
    database.close()
    outbox = Outbox(path, max_bytes=BIG)
    assert drain(outbox) == [1, 3]
    losses = Losses()
    outbox.append_loss(losses, 1)
    assert [(tomb.first, tomb.last) for tomb in losses.tombs[0]] == [(2, 2)]
    outbox.close()


def test_a_second_opener_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    with pytest.raises(StorageError, match="in use by another process") as caught:
        Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    assert caught.value.hint is not None
    assert first.append(sealed, 0, 1) == 1
    first.close()
    Outbox(tmp_path / "outbox.db", max_bytes=BIG).close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    outbox.append(sealed, 0, 1)
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    outbox.close()


@pytest.mark.parametrize("start", [0, 4096])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, start: int) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path, max_bytes=BIG)
    for _ in range(50):
        outbox.append(of_size(1000), 0, 1)
    outbox.close()
    data = bytearray(path.read_bytes())
    data[start : start + 8192] = os.urandom(8192)
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged") as caught:
        Outbox(path, max_bytes=BIG)
    assert caught.value.hint is not None


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    Outbox(path, max_bytes=BIG).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StorageError, match="another version"):
        Outbox(path, max_bytes=BIG)


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="can't open") as caught:
        Outbox(tmp_path / "nowhere" / "outbox.db", max_bytes=BIG)
    assert caught.value.hint is not None
    assert "nowhere" in caught.value.hint


def test_what_is_kept_is_never_evicted_even_over_the_bound(tmp_path: Path) -> None:
    outbox = small(tmp_path, 3)
    outbox.append(sealed, 3, 1, kept=True)
    for _ in range(5):
        outbox.append(sealed, 0, 1)
    assert sorted(drain(outbox)) == [1, 5, 6]
    outbox.append(of_size(400), 3, 1, kept=True)
    outbox.link_up()
    assert sorted(drain(outbox)) == [1, 7]
    assert outbox.stats().queued_bytes == 500
    outbox.close()


def test_a_clip_whose_key_is_evicted_is_to_be_deleted_until_that_is_done(tmp_path: Path) -> None:
    outbox = small(tmp_path, 2)
    outbox.append(sealed, 3, 1, clip=b"c" * 16)
    outbox.append(sealed, 3, 1, clip=b"d" * 16)
    acknowledge(outbox, 2)  # its key has arrived: nothing of it is lost
    assert outbox.clips_to_delete() == ()
    outbox.append(sealed, 0, 1)
    outbox.append(sealed, 0, 1)
    assert outbox.clips_to_delete() == (b"c" * 16,)
    outbox.close()
    outbox = small(tmp_path, 2)
    assert outbox.clips_to_delete() == (b"c" * 16,)
    outbox.clip_deleted(b"c" * 16)
    assert outbox.clips_to_delete() == ()
    outbox.close()


def test_the_epoch_changes_with_the_event_that_hands_over_or_not_at_all(tmp_path: Path) -> None:
    def refuse(seq: int, prev: bytes) -> Sealed:
        raise ConnectionError("no")

    outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    assert outbox.epoch == 0
    outbox.begin(1)
    with pytest.raises(ConnectionError):
        outbox.append(refuse, 0, 1, epoch=2)
    assert outbox.epoch == 1
    outbox.append(sealed, 0, 1, epoch=2)
    outbox.append(sealed, 0, 1)
    outbox.close()
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    assert outbox.epoch == 2
    outbox.close()


def test_a_bridge_is_a_tombstone_that_the_next_loss_event_carries(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    outbox.append(sealed, 0, 1)
    outbox.bridge(1000, b"x" * 32, 3)
    assert outbox.head() == (1000, b"x" * 32)
    outbox.close()
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
    assert outbox.epoch == 3
    losses = Losses()
    assert outbox.append_loss(losses, 1) == 1001
    assert losses.tombs == [(Tomb(2, 1000, b"x" * 32),)]
    assert sorted(drain(outbox)) == [1, 1001]
    outbox.close()


VERSION_1 = """
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 0), seq INTEGER NOT NULL, hash BLOB NOT NULL, evicted INTEGER NOT NULL
);
CREATE TABLE mail (
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, urgency INTEGER NOT NULL, prekey INTEGER NOT NULL,
    size INTEGER NOT NULL, envelope BLOB NOT NULL
);
CREATE INDEX eviction ON mail (urgency DESC, seq, size);
CREATE INDEX prekeys ON mail (prekey);
CREATE TABLE tombs (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, last_hash BLOB NOT NULL, loss INTEGER);
CREATE INDEX losses ON tombs (loss);
CREATE INDEX ends ON tombs (last);
INSERT INTO head VALUES (0, 1, :hash, 0);
INSERT INTO mail VALUES (1, :hash, 2, 5, 100, :mail);
PRAGMA user_version = 1;
"""


def test_an_outbox_of_the_first_version_is_taken_over_with_what_is_queued(tmp_path: Path) -> None:
    mail = sealed(1, GENESIS)
    db = sqlite3.connect(tmp_path / "outbox.db")
    for statement in VERSION_1.split(";\n"):
        db.execute(statement, {"hash": envelope_hash(mail), "mail": mail} if ":hash" in statement else {})
    db.commit()
    db.close()
    for _ in range(2):
        outbox = Outbox(tmp_path / "outbox.db", max_bytes=BIG)
        assert outbox.epoch == 0
        assert outbox.head() == (1, envelope_hash(mail))
        queued = outbox.next(0)
        assert queued is not None
        assert queued.envelope == mail
        outbox.close()
