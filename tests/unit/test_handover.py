"""From one epoch to the next: one hand-over, in one place of the chain, whatever breaks in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sealcam.keyfile import KeyFile, Keys
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealing import RESERVE, Sealing
from sealcam.wire.bodies import ClockQuality, EventType, Stamp
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS
from tests.chains import follow, queued
from tests.claimed import Household, household

BIG = 1 << 30
HEALTH = b"\xa0"


def stamp() -> Stamp:
    return Stamp(boot=b"b" * 16, boot_ns=1, wall_ns=2, quality=ClockQuality.UNKNOWN)


def nothing() -> None:
    """Take no copy."""


class WatchedKeyFile(KeyFile):
    """A key file that says when it is about to be written, and when it was."""

    boundary: Callable[[], None] = staticmethod(nothing)

    def write(self, keys: Keys) -> None:
        self.boundary()
        super().write(keys)
        self.boundary()


@dataclass
class Camera:
    """A claimed camera in a folder, opened as the eye opens it; `boundary` is called wherever a crash may fall."""

    home: Household
    folder: Path
    first: bytes
    boundary: Callable[[], None] = nothing
    keys: Keystore = field(init=False)
    outbox: Outbox = field(init=False)
    sealing: Sealing = field(init=False)

    def __post_init__(self) -> None:
        file = WatchedKeyFile(self.folder, {})
        file.boundary = lambda: self.boundary()  # type: ignore[method-assign]
        self.keys = Keystore(file, file.read())
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=BIG, on_change=lambda: self.boundary())
        try:
            self.sealing = Sealing(self.keys, self.outbox, self._stamp)
        except BaseException:
            self.outbox.close()
            raise

    def _stamp(self) -> Stamp:
        self.boundary()  # inside the outbox's transaction
        return stamp()

    def say(self) -> int:
        return self.sealing.event(EventType.HEALTH, HEALTH, 1)

    def kinds(self) -> list[int]:
        """What the whole chain holds, checked as a hub would."""
        return [one.kind for one in follow(queued(self.outbox), self.first, self.home.prekey)]

    def again(self) -> Camera:
        self.outbox.close()
        return Camera(self.home, self.folder, self.first)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    home = household(tmp_path / "eye")
    made = Camera(home, tmp_path / "eye", home.camera.signer.public)
    yield made
    made.outbox.close()


def test_a_rotation_becomes_a_hand_over_and_the_new_key_signs_from_there_on(camera: Camera) -> None:
    old_command = camera.keys.command.public
    camera.say()
    assert camera.sealing.take_rotation(camera.home.rotation(2))
    camera.say()
    assert camera.kinds() == [EventType.HEALTH, EventType.EPOCH, EventType.HEALTH]
    assert camera.keys.epoch == camera.outbox.epoch == 2
    assert camera.keys.command.public != old_command
    assert camera.keys.camera == camera.home.camera.camera, "it goes by its first key's name for ever"
    beat = camera.sealing.outside(EventType.BEAT, lambda _: HEALTH)
    with pytest.raises(EnvelopeError):
        follow([beat], camera.first, camera.home.prekey)


def test_a_late_repeated_or_early_rotation_does_nothing(camera: Camera) -> None:
    assert camera.sealing.take_rotation(camera.home.rotation(2))
    for epoch in (0, 1, 2, 4):
        assert not camera.sealing.take_rotation(camera.home.rotation(epoch))
    assert camera.sealing.take_rotation(camera.home.rotation(3))
    assert camera.kinds() == [EventType.EPOCH, EventType.EPOCH]


def test_the_public_keys_of_earlier_epochs_are_known_so_that_what_they_signed_can_be_told(camera: Camera) -> None:
    publics = [camera.keys.signer.public]
    for epoch in range(2, 5):
        camera.sealing.take_rotation(camera.home.rotation(epoch))
        publics.insert(0, camera.keys.signer.public)
    after = camera.again()
    assert after.keys.publics == tuple(publics)
    after.outbox.close()


def test_a_rotation_by_another_hub_or_for_another_camera_is_refused(camera: Camera, tmp_path: Path) -> None:
    stranger = household(tmp_path / "stranger")
    for message in (camera.home.rotation(2, hub=SigningKey.generate()), stranger.rotation(2), b"", b"SGN1\x07"):
        with pytest.raises(EnvelopeError):
            camera.sealing.take_rotation(message)
    assert camera.keys.epoch == 1
    assert camera.outbox.head() == (0, GENESIS)


def test_the_old_secrets_are_in_no_file_afterwards(camera: Camera) -> None:
    old = camera.keys.signer.seed, camera.keys.command.secret
    camera.sealing.take_rotation(camera.home.rotation(2))
    wrap = (camera.folder / "wrap").read_bytes()
    for path in camera.folder.iterdir():
        data = path.read_bytes()
        assert not any(secret in data for secret in old), path
    assert wrap not in (camera.folder / "keys").read_bytes()
    file = KeyFile(camera.folder, {})
    kept = file.read()
    assert kept.next is None
    assert (kept.now.seed, kept.now.command) != old


def test_a_hand_over_goes_first_and_is_never_evicted(tmp_path: Path) -> None:
    home = household(tmp_path / "eye")
    outbox = Outbox(tmp_path / "eye" / "outbox.db", max_bytes=5000)
    sealing = Sealing(home.camera, outbox, stamp)
    sealing.event(EventType.HEALTH, HEALTH, 1)
    sealing.take_rotation(home.rotation(2))
    for _ in range(30):
        sealing.event(EventType.HEALTH, HEALTH, 0)
    mail = outbox.next(0)
    assert mail is not None
    assert mail.seq == 2
    assert outbox.stats().evicted > 20
    assert outbox.stats().queued_bytes <= 5000
    outbox.close()


def snapshots(camera: Camera, work: Callable[[], None], into: Path) -> list[Path]:
    """Copies of the state at every place where a crash may fall while `work` is done, and after it."""
    taken: list[Path] = []

    def boundary() -> None:
        taken.append(into / f"{len(taken)}")
        shutil.copytree(camera.folder, taken[-1])

    camera.boundary = boundary
    work()
    boundary()
    camera.boundary = nothing
    return taken


def test_a_crash_at_any_write_leaves_one_chain_one_hand_over_and_one_key(camera: Camera, tmp_path: Path) -> None:
    camera.say()

    def hand_over() -> None:
        assert camera.sealing.take_rotation(camera.home.rotation(2))

    copies = snapshots(camera, hand_over, tmp_path / "copies")
    begun = []
    for copy in copies:
        left = Camera(camera.home, copy, camera.first)
        assert left.keys.next is None
        assert left.keys.epoch == left.outbox.epoch
        begun.append(left.keys.epoch)
        left.say()
        assert left.sealing.take_rotation(camera.home.rotation(2)) == (begun[-1] == 1)
        left.say()
        left = left.again()
        left.say()
        kinds = left.kinds()
        assert kinds.count(EventType.EPOCH) == 1
        assert kinds.count(EventType.HEALTH) == 4
        left.outbox.close()
    assert begun == sorted(begun)
    assert set(begun) == {1, 2}, "some of the crashes fell before it, some after"
    assert len(copies) >= 6


def test_a_crash_while_a_crash_is_made_good_changes_nothing(camera: Camera, tmp_path: Path) -> None:
    def hand_over() -> None:
        assert camera.sealing.take_rotation(camera.home.rotation(2))

    for number, copy in enumerate(snapshots(camera, hand_over, tmp_path / "copies")):
        file = WatchedKeyFile(copy, {})
        outbox = Outbox(copy / "outbox.db", max_bytes=BIG)
        taken: list[Path] = []

        def boundary(copy: Path = copy, taken: list[Path] = taken, number: int = number) -> None:
            taken.append(tmp_path / f"again-{number}-{len(taken)}")
            shutil.copytree(copy, taken[-1])

        file.boundary = boundary  # type: ignore[method-assign]
        Sealing(Keystore(file, file.read()), outbox, stamp)
        outbox.close()
        for again in taken:
            left = Camera(camera.home, again, camera.first)
            left.say()
            left.sealing.take_rotation(camera.home.rotation(2))
            assert left.kinds().count(EventType.EPOCH) == 1
            left.outbox.close()


def test_a_key_file_older_than_its_outbox_is_one_clear_error(camera: Camera) -> None:
    before = (camera.folder / "keys").read_bytes()
    camera.sealing.take_rotation(camera.home.rotation(2))
    (camera.folder / "keys").write_bytes(before)
    with pytest.raises(SealcamError, match="older than the outbox") as caught:
        camera.again()
    assert caught.value.hint


def lose_outbox(camera: Camera) -> Camera:
    camera.outbox.close()
    for path in camera.folder.glob("outbox.db*"):
        path.unlink()
    return Camera(camera.home, camera.folder, camera.first)


def losses(camera: Camera) -> list[tuple[int, int, bytes]]:
    """Queue the loss event; the tombstones that it was given."""
    given: list[tuple[int, int, bytes]] = []
    camera.sealing.losses(lambda tombs: given.extend((t.first, t.last, t.last_hash) for t in tombs) or HEALTH)  # type: ignore[func-returns-value]
    return given


def test_after_a_lost_outbox_the_chain_goes_on_above_whatever_was_signed(camera: Camera) -> None:
    for _ in range(3):
        camera.say()
    assert camera.sealing.lost is None
    after = lose_outbox(camera)
    assert after.sealing.lost == RESERVE + 1
    seq, head = after.outbox.head()
    assert losses(after) == [(1, RESERVE + 1, head)]
    assert seq == RESERVE + 1
    assert head != GENESIS
    assert after.say() == RESERVE + 3
    reserved = after.keys.reserved
    twice = lose_outbox(after)
    assert twice.sealing.lost == reserved + 1
    assert losses(twice)[0][:2] == (1, reserved + 1)
    twice.outbox.close()


def test_the_made_up_end_of_what_was_lost_is_never_a_place_that_was_signed(camera: Camera) -> None:
    while camera.say() < RESERVE:
        pass
    assert camera.keys.reserved == RESERVE, "every sequence that the key file allows is used"
    after = lose_outbox(camera)
    assert after.outbox.head()[0] > RESERVE
    at_once = lose_outbox(after)
    assert at_once.sealing.lost == RESERVE + 2, "what was made up for the first loss isn't used again"
    at_once.outbox.close()


def test_an_older_copy_of_the_outbox_is_not_gone_on_with(camera: Camera, tmp_path: Path) -> None:
    camera.say()
    camera.outbox.close()
    shutil.copy(camera.folder / "outbox.db", tmp_path / "old.db")
    camera = Camera(camera.home, camera.folder, camera.first)
    camera.sealing.take_rotation(camera.home.rotation(2))
    camera.outbox.close()
    shutil.copy(tmp_path / "old.db", camera.folder / "outbox.db")
    after = Camera(camera.home, camera.folder, camera.first)
    assert after.sealing.lost == RESERVE + 1
    assert losses(after)[0][:2] == (2, RESERVE + 1)
    assert after.outbox.epoch == 2
    after.outbox.close()


def test_a_new_camera_and_a_second_start_lose_nothing(camera: Camera) -> None:
    assert camera.sealing.lost is None
    camera.say()
    after = camera.again()
    assert after.sealing.lost is None
    assert after.say() == 2
    after.outbox.close()
