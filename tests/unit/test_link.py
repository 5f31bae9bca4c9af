"""The eye's end of the socket: what it sends when, and that a post reaches nothing but the pace."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.clocks import SimulatedClock
from sealcam.link import Link
from sealcam.messages import Delivered, LinkState, Publish, Published, encode
from sealcam.outbox import Outbox
from sealcam.pace import InstantPace
from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import Sealed, envelope_hash
from sealcam.wire.statement_kinds import Receipt
from tests.rig import BEAT, COVER, WILL, EyeEnd
from tests.scripted_post import ScriptedPost
from tests.waiting import eventually

HUB = SigningKey.generate()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(boot_ns=100_000_000_000)


@pytest.fixture
def eye(tmp_path: Path, clock: SimulatedClock) -> Iterator[EyeEnd]:
    with EyeEnd(tmp_path, HUB.public, clock=clock) as made:
        yield made


@pytest.fixture
def post(eye: EyeEnd) -> Iterator[ScriptedPost]:
    made = ScriptedPost(eye.socket)
    yield made
    made.close()


def up(eye: EyeEnd, post: ScriptedPost) -> None:
    """Bring the link up, and take the beat that then goes first."""
    post.say(LinkState(True))
    assert post.confirm().startswith(BEAT)
    eventually(lambda: eye.link.up)


def pass_time(eye: EyeEnd, clock: SimulatedClock, seconds: float) -> None:
    clock.advance(seconds)
    eye.link.wake()


def seq_of(envelope: bytes) -> int:
    return int.from_bytes(envelope[4:12], "big")


def receipt(envelope: bytes) -> bytes:
    return statement.sign(HUB, Receipt(envelope_hash=envelope_hash(envelope)))


def test_every_connection_begins_with_a_will_of_its_own(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    clock.advance(1)
    with ScriptedPost(eye.socket) as second:
        assert post.hung_up()
        assert second.silent()
        assert [post.will, second.will] == [WILL + bytes(7) + b"\1", WILL + bytes(7) + b"\2"]


def test_a_post_that_connects_without_end_gets_one_will_a_second(eye: EyeEnd, clock: SimulatedClock) -> None:
    for _ in range(50):
        with ScriptedPost(eye.socket) as post:
            assert post.silent(0.001)
    with ScriptedPost(eye.socket) as post:
        post.say(LinkState(True))
        eye.append()
        assert post.silent()
        assert eye.wills == 1
        pass_time(eye, clock, 1)
        assert post.confirm().startswith(BEAT)
        assert post.will == WILL + bytes(7) + b"\2"
        assert seq_of(post.confirm()) == 1


def test_with_cover_traffic_an_alarm_waits_for_the_next_slot_and_silence_fills_it(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    with EyeEnd(tmp_path, HUB.public, clock=clock, cover=True) as eye, ScriptedPost(eye.socket) as post:
        post.say(LinkState(True))
        eventually(lambda: eye.link.up)
        assert post.silent()
        pass_time(eye, clock, 0.25)
        assert post.confirm().startswith(BEAT)
        pass_time(eye, clock, 1.9)
        assert post.silent()
        eye.append(urgency=0)
        assert post.silent(), "it came after the slot was filled"
        pass_time(eye, clock, 0.1)
        assert post.confirm().startswith(COVER)
        pass_time(eye, clock, 1.75)
        assert post.silent()
        pass_time(eye, clock, 0.25)
        assert seq_of(post.confirm()) == 1
        pass_time(eye, clock, 61)  # between two slots
        pass_time(eye, clock, 0.5)
        assert post.silent(), "what was missed is not made up for"


def test_nothing_goes_before_the_post_says_that_its_link_is_up(eye: EyeEnd, post: ScriptedPost) -> None:
    eye.append()
    assert post.silent()
    assert not eye.link.up
    up(eye, post)
    assert seq_of(post.hear().envelope) == 1


def test_one_message_is_out_at_a_time_and_the_most_urgent_is_next(eye: EyeEnd, post: ScriptedPost) -> None:
    up(eye, post)
    eye.append(urgency=3)
    first = post.hear()
    for urgency in (3, 2, 0, 1):
        eye.append(urgency=urgency)
    assert post.silent()
    post.say(Published(first.token))
    assert [seq_of(post.confirm()) for _ in range(4)] == [4, 5, 3, 2]


def test_the_brokers_word_deletes_nothing_and_the_hubs_receipt_does(eye: EyeEnd, post: ScriptedPost) -> None:
    up(eye, post)
    eye.append()
    envelope = post.confirm()
    assert post.silent()
    assert eye.outbox.stats().queued == 1
    post.say(Delivered(receipt(envelope)))
    eventually(lambda: eye.outbox.stats().queued == 0)


def test_a_receipt_that_the_hub_did_not_sign_deletes_nothing(eye: EyeEnd, post: ScriptedPost) -> None:
    up(eye, post)
    eye.append()
    envelope = post.confirm()
    forged = statement.sign(SigningKey.generate(), Receipt(envelope_hash=envelope_hash(envelope)))
    post.say(Delivered(forged), Delivered(b""), Delivered(os.urandom(100)), Delivered(receipt(b"something else")))
    eventually(lambda: eye.delivered == 4)
    assert eye.outbox.stats().queued == 1
    assert eye.link.up


def test_without_a_receipt_it_goes_again(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    eye.append(urgency=0)
    assert seq_of(post.confirm()) == 1
    assert post.silent()
    pass_time(eye, clock, 15)
    assert seq_of(post.confirm()) == 1


def test_a_place_that_is_not_confirmed_is_free_after_ten_seconds(
    eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock
) -> None:
    up(eye, post)
    eye.append(urgency=0)
    first = post.hear()
    eye.append(urgency=3)
    assert post.silent()
    pass_time(eye, clock, 10)
    second = post.hear()
    assert seq_of(second.envelope) == 2, "what doesn't get through must not hold up the rest"
    post.say(Published(first.token), Published(second.token))
    eye.append(urgency=0)
    assert seq_of(post.confirm()) == 3, "a late confirmation is no offence"


def test_a_link_that_goes_down_frees_the_place_and_up_makes_all_due(
    eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock
) -> None:
    up(eye, post)
    eye.append(urgency=1)
    post.confirm()
    eye.append(urgency=2)
    post.hear()
    post.say(LinkState(False))
    eventually(lambda: not eye.link.up)
    assert post.silent()
    pass_time(eye, clock, 5)
    post.say(LinkState(True))
    assert post.confirm().startswith(BEAT)
    assert [seq_of(post.confirm()) for _ in range(2)] == [1, 2]


def test_a_link_that_flaps_is_believed_once_a_second(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    eye.append()
    post.confirm()
    for _ in range(50):
        post.say(LinkState(False), LinkState(True))
    assert post.silent()
    pass_time(eye, clock, 1)
    assert post.confirm().startswith(BEAT)
    assert seq_of(post.confirm()) == 1
    assert post.silent()


def test_a_beat_goes_every_twenty_seconds_and_only_the_newest(
    eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock
) -> None:
    up(eye, post)
    pass_time(eye, clock, 19)
    assert post.silent()
    pass_time(eye, clock, 1)
    assert post.confirm() == BEAT + (2).to_bytes(8, "big")
    pass_time(eye, clock, 100)
    assert post.confirm() == BEAT + (3).to_bytes(8, "big")
    assert post.silent()
    assert eye.outbox.stats().queued == 0


def test_a_beat_that_has_news_goes_at_once(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    pass_time(eye, clock, 1)
    eye.link.beat_soon()
    assert post.confirm() == BEAT + (2).to_bytes(8, "big")
    pass_time(eye, clock, 19)
    assert post.silent()


def test_a_due_beat_goes_before_mail_that_is_not_urgent_and_after_an_alarm(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    with EyeEnd(tmp_path, HUB.public, clock=clock, beat_every_s=4) as eye, ScriptedPost(eye.socket) as post:
        up(eye, post)
        eye.append(urgency=2)
        out = post.hear()
        eye.append(urgency=2)
        eye.append(urgency=0)
        clock.advance(4)
        post.say(Published(out.token))
        assert seq_of(post.confirm()) == 3
        assert post.confirm().startswith(BEAT)
        assert seq_of(post.confirm()) == 2


def test_alarms_hold_up_a_beat_for_no_longer_than_its_own_time(tmp_path: Path, clock: SimulatedClock) -> None:
    with EyeEnd(tmp_path, HUB.public, clock=clock, beat_every_s=4) as eye, ScriptedPost(eye.socket) as post:
        up(eye, post)
        for _ in range(3):
            eye.append(urgency=0)
        out = post.hear()
        clock.advance(8)
        post.say(Published(out.token))
        assert post.confirm().startswith(BEAT)
        assert seq_of(post.confirm()) == 2


@pytest.mark.parametrize(
    "bad",
    [
        encode(Published(99)),
        encode(Published(0)),
        bytes.fromhex("ffffffff"),
        bytes.fromhex("0000000007"),
        encode(Publish(1, b"x")),
        bytes.fromhex("000000020402"),
    ],
)
def test_what_breaks_the_protocol_closes_that_connection_alone(eye: EyeEnd, post: ScriptedPost, bad: bytes) -> None:
    up(eye, post)
    eye.append()
    post.hear()
    head, stats = eye.outbox.head(), eye.outbox.stats()
    post.socket.sendall(bad)
    assert post.hung_up()
    assert (eye.outbox.head(), eye.outbox.stats()) == (head, stats)
    eventually(lambda: not eye.link.up)


def test_the_same_token_twice_closes_the_connection(eye: EyeEnd, post: ScriptedPost) -> None:
    up(eye, post)
    eye.append()
    publish = post.hear()
    post.say(Published(publish.token), Published(publish.token))
    assert post.hung_up()


def test_a_token_of_an_earlier_connection_means_nothing(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    eye.append()
    eye.append()
    post.confirm()
    stale = post.hear()
    post.close()
    other = ScriptedPost(eye.socket)
    other.say(Published(stale.token))
    assert other.hung_up()
    other.close()
    assert eye.outbox.stats().queued == 2


def test_a_file_descriptor_closes_the_connection_and_is_not_kept(
    eye: EyeEnd, post: ScriptedPost, tmp_path: Path
) -> None:
    up(eye, post)
    with (tmp_path / "gift").open("w") as file:
        socket.send_fds(post.socket, [encode(LinkState(True))], [file.fileno()] * 8)
        assert post.hung_up()
    eventually(lambda: not eye.link.up)
    assert tmp_path / "gift" not in open_files()


def open_files() -> list[Path]:
    """What this process has open."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(entry.readlink())
    return found


def test_the_newest_post_wins(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    eye.append()
    post.hear()
    clock.advance(5)
    second = ScriptedPost(eye.socket)
    assert post.hung_up()
    second.say(LinkState(True))
    assert second.confirm().startswith(BEAT)
    assert seq_of(second.confirm()) == 1
    second.close()


def test_a_post_that_reads_nothing_is_hung_up_on(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    up(eye, post)
    eye.append(size=1 << 20)
    assert not post.silent(10), "it has not even begun to be sent"
    pass_time(eye, clock, 10)
    pass_time(eye, clock, 49)
    assert eye.link.up
    pass_time(eye, clock, 1)
    eventually(lambda: not eye.link.up)
    second = ScriptedPost(eye.socket)
    second.say(LinkState(True))
    assert second.confirm().startswith(BEAT)
    assert len(second.confirm()) == 1 << 20
    second.close()


def test_the_worker_goes_on_beating_whatever_the_post_does(eye: EyeEnd, post: ScriptedPost) -> None:
    post.socket.sendall(bytes.fromhex("0001ffff03") + b"half a message, and then silence")
    before = eye.worker_beats
    eventually(lambda: eye.worker_beats >= before + 3)


def test_a_flood_of_messages_is_read_at_a_bounded_pace(eye: EyeEnd, post: ScriptedPost, clock: SimulatedClock) -> None:
    flood = encode(Delivered(bytes(1000))) * 100
    post.socket.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        for _ in range(1000):
            post.socket.sendall(flood)
    read = eye.delivered
    assert 0 < read < 10_000
    pass_time(eye, clock, 1000)
    eventually(lambda: eye.delivered > read)


def test_what_an_earlier_run_left_is_replaced_and_removed_at_the_end(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "eye.sock"))
    stale.close()
    with EyeEnd(tmp_path, HUB.public) as made:
        eventually(lambda: made.worker_beats > 0)
        assert (tmp_path / "eye.sock").stat().st_mode & 0o777 == 0o660
        ScriptedPost(tmp_path / "eye.sock").close()
    assert not (tmp_path / "eye.sock").exists()


@pytest.mark.parametrize("name", ["nowhere/eye.sock", "long" * 40, "file"])
def test_a_socket_that_cannot_be_made_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a socket")
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=1 << 20)
    pace = InstantPace(outbox, lambda: Sealed(b""))
    link = Link(
        tmp_path / name,
        outbox,
        SimulatedClock(),
        pace=pace,
        make_will=lambda: Sealed(b""),
        deliver=lambda message: None,
    )
    with pytest.raises(ConfigError, match="can't listen") as caught:
        link.run(lambda: None, threading.Event())
    assert caught.value.hint is not None
    assert (tmp_path / "file").read_text() == "not a socket"
    outbox.close()


def test_an_outbox_that_fails_ends_the_worker(tmp_path: Path) -> None:
    with EyeEnd(tmp_path, HUB.public) as eye:
        eye.append()
        eye.outbox.close()
        with ScriptedPost(eye.socket) as post:
            post.say(LinkState(True))
            assert post.hung_up()
        eventually(lambda: eye.error is not None)
        error, eye.error = eye.error, None
    assert isinstance(error, StorageError)
    assert error.hint is not None
