"""The outbox under kill -9 and on a full disk: nothing that was acknowledged as queued is lost, and no chain forks."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sealcam.outbox import Outbox
from sealcam.wire.errors import StorageError
from sealcam.wire.sealed import GENESIS, Sealed, envelope_hash

# Appends and acknowledges from two threads as fast as it can. Says `Q seq` once `append` has returned, and
# `R seq hash first-last ...` before it acknowledges, with the tombstones that the envelope announces. Each envelope
# holds its sequence, `prev`, tombstones and random bytes, so that no two are alike.
CHILD = """
import os, random, struct, sys, threading
from pathlib import Path
from sealcam.outbox import Outbox
from sealcam.wire.sealed import Sealed

outbox = Outbox(Path(sys.argv[1]), max_bytes=int(sys.argv[2]))

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def seal(seq, prev, tombs=()):
    told = b"".join(struct.pack(">QQ", tomb.first, tomb.last) for tomb in tombs)
    return Sealed(struct.pack(">Q32sH", seq, prev, len(tombs)) + told + os.urandom(random.randrange(16, 4000)))

def receipts():
    while True:
        mail = outbox.next(0)
        if mail is not None and random.random() < 0.9:
            (count,) = struct.unpack_from(">H", mail.envelope, 40)
            runs = [struct.unpack_from(">QQ", mail.envelope, 42 + 16 * i) for i in range(count)]
            say("R", mail.seq, mail.hash.hex(), *(f"{first}-{last}" for first, last in runs))
            outbox.acknowledge(mail.hash)

threading.Thread(target=receipts, daemon=True).start()
while True:
    seq = outbox.append_loss(seal, 1) if random.random() < 0.1 else outbox.append(seal, random.randrange(4), 1)
    if seq is not None:
        say("Q", seq)
"""
MAX_BYTES = 60_000


class Witness:
    """What the children said, held against what the file says after each was killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.queued: set[int] = set()
        self.settled: set[int] = set()  # a receipt was begun, for these or for a loss event that names them
        self.hashes: dict[int, bytes] = {0: GENESIS}
        self.head = 0

    def hear(self, line: str) -> None:
        kind, number, *rest = line.split()
        seq = int(number)
        if kind == "Q":
            assert seq not in self.queued, "a sequence was given twice"
            self.queued.add(seq)
        else:
            self.learn(seq, bytes.fromhex(rest[0]))
            self.settled.add(seq)
            for run in rest[1:]:
                first, last = run.split("-")
                self.settled |= set(range(int(first), int(last) + 1))

    def learn(self, seq: int, name: bytes) -> None:
        assert self.hashes.setdefault(seq, name) == name, f"the chain forks at {seq}"

    def look(self) -> None:
        """Check the file against what was said, without the outbox's own code."""
        with closing(sqlite3.connect(self.path)) as database:
            ((seq, name),) = database.execute("SELECT seq, hash FROM head")
            mail = database.execute("SELECT seq, hash, envelope FROM mail").fetchall()
            tombs = database.execute("SELECT first, last, last_hash FROM tombs").fetchall()
        assert seq >= max(self.queued, default=0), "the head is behind what was queued"
        assert seq >= self.head
        self.head = seq
        self.learn(seq, name)
        for number, stored, envelope in mail:
            assert envelope_hash(envelope) == stored
            self.learn(number, stored)
            self.learn(number - 1, envelope[8:40])
        kept = {number for number, _, _ in mail}
        for first, last, last_hash in tombs:
            self.learn(last, last_hash)
            kept |= set(range(first, last + 1))
        assert not self.queued - kept - self.settled, "queued, and gone"


def kill_often(path: Path, kills: int, chance: random.Random) -> Witness:
    witness = Witness(path)
    command = [sys.executable, "-c", CHILD, str(path), str(MAX_BYTES)]
    for _ in range(kills):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(chance.randrange(1, 150)):
                witness.hear(child.stdout.readline())
            child.kill()
            for line in child.stdout:
                witness.hear(line)
        assert child.returncode == -9
        witness.look()
    return witness


def test_killed_at_random_points_it_forks_and_loses_nothing(tmp_path: Path) -> None:
    witness = kill_often(tmp_path / "outbox.db", 10, random.Random(1))
    assert witness.head > 10


@pytest.mark.slow
def test_killed_a_hundred_times_it_forks_and_loses_nothing(tmp_path: Path) -> None:
    witness = kill_often(tmp_path / "outbox.db", 100, random.Random(2))
    assert witness.head > 1000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root, and the mount command, to make a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def big(seq: int, prev: bytes) -> Sealed:
    return Sealed(seq.to_bytes(8, "big") + prev + os.urandom(30_000))


def fill(outbox: Outbox) -> StorageError:
    for _ in range(200):
        try:
            outbox.append(big, 0, 1)
        except StorageError as error:
            return error
    raise AssertionError("the disk never filled up")


def check_chain(outbox: Outbox, count: int = 0, before: bytes = GENESIS) -> None:
    """Everything after number `count`, whose hash is `before`, is there up to the head, each on the one before."""
    while (mail := outbox.next(0)) is not None:
        count += 1
        assert mail.seq == count
        assert mail.envelope[8:40] == before
        before = mail.hash
        outbox.published(mail.seq, 0)
    assert (count, before) == outbox.head()
    outbox.link_up()


def test_a_full_disk_is_one_clear_error_and_nothing_queued_is_lost(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1 << 20))
    outbox = Outbox(small_disk / "outbox.db", max_bytes=1 << 30)
    error = fill(outbox)
    assert "full" in error.message
    assert error.hint is not None
    for _ in range(3):
        fill(outbox)
    check_chain(outbox)
    filler.unlink()
    head = outbox.head()
    assert outbox.append(big, 0, 1) == head[0] + 1
    check_chain(outbox)
    outbox.close()
    again = Outbox(small_disk / "outbox.db", max_bytes=1 << 30)
    check_chain(again)
    again.close()


def test_an_outbox_can_be_opened_on_a_full_disk(small_disk: Path) -> None:
    outbox = Outbox(small_disk / "outbox.db", max_bytes=1 << 30)
    fill(outbox)
    outbox.close()
    again = Outbox(small_disk / "outbox.db", max_bytes=1 << 30)
    check_chain(again)
    mail = again.next(0)
    assert mail is not None
    assert again.acknowledge(mail.hash)
    again.close()


def test_a_disk_without_room_for_a_new_outbox_is_one_clear_error(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(4 << 20))
    with pytest.raises(StorageError, match="full") as caught:
        Outbox(small_disk / "outbox.db", max_bytes=1 << 30)
    assert caught.value.hint is not None


# The same without root: a limit on the size of a file is what the full disk is to SQLite, an error in mid-write.
LIMITED = """
import os, resource, signal, sys
from pathlib import Path
from sealcam.outbox import Outbox
from sealcam.wire.errors import StorageError
from sealcam.wire.sealed import Sealed

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
outbox = Outbox(Path(sys.argv[1]), max_bytes=1 << 30)
seal = lambda seq, prev: Sealed(seq.to_bytes(8, "big") + prev + os.urandom(30_000))
queued = 0
try:
    while queued < 100:
        queued = outbox.append(seal, 0, 1)
except StorageError as error:
    assert outbox.head()[0] == queued
    outbox.close()
    outbox = Outbox(Path(sys.argv[1]), max_bytes=1 << 30)
    assert outbox.head()[0] == queued
    mail = outbox.next(0)
    assert mail.seq == 1 and outbox.acknowledge(mail.hash)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert outbox.append(seal, 0, 1) == queued + 1
    print(queued + 1, mail.hash.hex(), error.message)
outbox.close()
"""


def test_a_file_that_may_not_grow_is_one_clear_error_is_opened_again_and_goes_on_when_it_may(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    queued, acknowledged, message = done.stdout.split(" ", 2)
    assert "full or broken" in message
    outbox = Outbox(path, max_bytes=1 << 30)
    assert outbox.head()[0] == int(queued) > 1
    check_chain(outbox, 1, bytes.fromhex(acknowledged))
    outbox.close()
