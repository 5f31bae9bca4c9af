"""A hostile post on the eye's socket: whatever it drops, repeats, reorders or invents, it forks and deletes nothing.

Hypothesis drives a scripted peer against the real link and outbox. After every step the outbox must be what a plain
list of the appended and receipted events says, and in the end the link must serve an honest post as if nothing had
been.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import tempfile
import tracemalloc
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sealcam.clocks import SimulatedClock
from sealcam.freight import Load
from sealcam.messages import (
    Carry,
    Decoder,
    Delivered,
    LinkState,
    Message,
    Publish,
    Published,
    Refused,
    Side,
    Way,
    Will,
    encode,
)
from sealcam.wire import statement
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.statement_kinds import Prekey, Receipt
from tests.rig import BEAT, EyeEnd, mail
from tests.waiting import eventually

HUB = SigningKey.generate()
STRANGER = SigningKey.generate()


class Pile:
    """Freight without end, a load a second, which counts what it hears of each."""

    def __init__(self) -> None:
        self.given = self.spoken = 0
        self._next_ns = 0

    def resumed(self, now_ns: int) -> None:
        pass

    def next(self, now_ns: int) -> Load | None:
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + 1_000_000_000
        self.given += 1
        return Load(Way.CLIP, bytes(16), bytes(1000))

    def due_in_ns(self, now_ns: int) -> int | None:
        return max(0, self._next_ns - now_ns)

    def out(self, load: Load, now_ns: int) -> None:
        self.spoken += 1

    def lost(self, load: Load, now_ns: int) -> None:
        self.spoken += 1

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        self.spoken += 1


class HostilePost(RuleBasedStateMachine):
    """One eye, and a peer that does what it likes."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hostile-"))
        self.gift = self.folder / "gift"
        self.gift.write_bytes(b"")
        self.clock = SimulatedClock(boot_ns=1_000_000_000_000)
        self.freight = Pile()
        self.eye = EyeEnd(self.folder, HUB.public, clock=self.clock, freight=self.freight)
        self.eye.__enter__()
        self.peer: socket.socket | None = None
        self.heard: list[Publish] = []
        self.carried: list[Carry] = []
        self.decoder = Decoder(Side.EYE)
        self.chain = [GENESIS]
        self.queued: dict[bytes, int] = {}

    def teardown(self) -> None:
        if not hasattr(self, "eye"):
            return
        try:
            self.honest_post_is_served()
        finally:
            self.drop()
            self.eye.__exit__(None, None, None)
            shutil.rmtree(self.folder)
        assert self.eye.error is None

    # What the camera does meanwhile.

    @rule(urgency=st.integers(0, 3), size=st.sampled_from([60, 600, 70_000]))
    def event(self, urgency: int, size: int) -> None:
        seq = self.eye.append(urgency, size)
        assert seq == len(self.chain)
        name = envelope_hash(mail(seq, self.chain[-1], size))
        self.chain.append(name)
        self.queued[name] = seq

    @rule(seconds=st.sampled_from([1, 9, 10, 20, 60]))
    def time(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.eye.link.wake()

    # What the peer does.

    @rule()
    def connect(self) -> None:
        self.drop()
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(0.01)
        self.peer.connect(str(self.eye.socket))
        self.decoder = Decoder(Side.EYE)

    @rule()
    def drop(self) -> None:
        if self.peer is not None:
            self.peer.close()
            self.peer = None

    @rule(up=st.booleans())
    def claim_a_link(self, up: bool) -> None:
        self.say(LinkState(up))

    @rule()
    def listen(self) -> None:
        """Take what the eye sends, and keep it for later."""
        if self.peer is None:
            return
        with contextlib.suppress(OSError):
            while data := self.peer.recv(1 << 16):
                for frame in self.decoder.feed(data):
                    if isinstance(frame, Publish):
                        self.heard.append(frame)
                    elif isinstance(frame, Carry):
                        self.carried.append(frame)

    @rule(count=st.integers(1, 4))
    def carry(self, count: int) -> None:
        """Do what a good post does, for a while, so that there is something to spoil."""
        self.say(LinkState(True))
        for _ in range(count):
            self.time(1)
            before = len(self.heard)
            self.listen()
            self.say(*(Published(publish.token) for publish in self.heard[before:]))
        self.settle()

    @rule(token=st.one_of(st.integers(0, 5), st.integers(0, (1 << 64) - 1)))
    def confirm_anything(self, token: int) -> None:
        self.say(Published(token))

    @precondition(lambda self: self.heard)
    @rule(data=st.data())
    def confirm_what_was_heard(self, data: st.DataObject) -> None:
        """Late, twice, out of order, or on another connection."""
        self.say(Published(data.draw(st.sampled_from(self.heard)).token))

    @rule(token=st.one_of(st.integers(0, 5), st.integers(0, (1 << 64) - 1)), limit=st.integers(0, (1 << 32) - 1))
    def refuse_anything(self, token: int, limit: int) -> None:
        self.say(Refused(token, limit))

    @rule(which=st.integers(0, 20), limit=st.none() | st.integers(0, (1 << 32) - 1))
    def speak_of_a_load(self, which: int, limit: int | None) -> None:
        token = self.carried[which].token if which < len(self.carried) else which
        self.say(Published(token) if limit is None else Refused(token, limit))

    @precondition(lambda self: self.heard)
    @rule(data=st.data())
    def forge_a_receipt(self, data: st.DataObject) -> None:
        name = envelope_hash(data.draw(st.sampled_from(self.heard)).envelope)
        good = statement.sign(HUB, Receipt(envelope_hash=bytes(32)))
        forged = statement.sign(STRANGER, Receipt(envelope_hash=name))
        self.say(Delivered(forged), Delivered(forged[:-64] + good[-64:]), Delivered(good[:-64] + forged[-64:]))

    @rule(name=st.binary(min_size=32, max_size=32))
    def replay_statements_of_the_hub(self, name: bytes) -> None:
        """Genuine ones, but for nothing that is queued, or of another kind."""
        prekey = statement.sign(HUB, Prekey(camera=bytes(8), number=1, public=name))
        self.say(Delivered(statement.sign(HUB, Receipt(envelope_hash=name))), Delivered(prekey))

    @precondition(lambda self: self.queued)
    @rule(data=st.data())
    def pass_on_a_real_receipt(self, data: st.DataObject) -> None:
        """The only thing that deletes: the hub's signature. Repeated, it changes nothing more."""
        name = data.draw(st.sampled_from(sorted(self.queued)))
        receipt = Delivered(statement.sign(HUB, Receipt(envelope_hash=name)))
        self.say(receipt, receipt)
        self.settle()
        if self.eye.outbox.stats().queued < len(self.queued):  # else it drowned in a message begun before
            del self.queued[name]
            assert not self.eye.outbox.acknowledge(name)

    @rule(junk=st.binary(min_size=1, max_size=300))
    def garbage(self, junk: bytes) -> None:
        self.send(junk)

    @rule(length=st.one_of(st.integers(0, (1 << 32) - 1), st.sampled_from([0, 1, 131_067, 131_068, 131_069])))
    def promise_a_length(self, length: int) -> None:
        self.send(struct.pack(">I", length) + b"\3half")

    @rule(kind=st.integers(0, 255), payload=st.binary(max_size=20))
    def odd_kind(self, kind: int, payload: bytes) -> None:
        self.send(struct.pack(">IB", 1 + len(payload), kind) + payload)

    @rule(count=st.integers(1, 20))
    def pass_file_descriptors(self, count: int) -> None:
        if self.peer is None:
            return
        with self.gift.open() as file, contextlib.suppress(OSError):
            socket.send_fds(self.peer, [encode(LinkState(True))], [file.fileno()] * count)

    @rule(size=st.integers(1, 131_067))
    def deliver_much(self, size: int) -> None:
        self.say(Delivered(bytes(size)))

    # What must hold.

    @invariant()
    def nothing_is_forked_or_deleted(self) -> None:
        if not hasattr(self, "eye"):
            return
        assert self.eye.outbox.head() == (len(self.chain) - 1, self.chain[-1])
        stats = self.eye.outbox.stats()
        assert stats.queued == len(self.queued)
        assert stats.evicted == 0
        assert self.eye.error is None

    @invariant()
    def each_load_is_spoken_of_once_and_one_is_out(self) -> None:
        if hasattr(self, "eye"):
            assert 0 <= self.freight.given - self.freight.spoken <= 1

    @invariant()
    def no_descriptor_is_kept(self) -> None:
        if hasattr(self, "eye"):
            eventually(lambda: self.gift not in open_files(), what="closing what was passed")

    @invariant()
    def the_worker_lives(self) -> None:
        if hasattr(self, "eye"):
            self.one_more_beat()

    def settle(self) -> None:
        """Return once the link has read whatever a socket can hold."""
        for _ in range(8):
            self.one_more_beat()

    def one_more_beat(self) -> None:
        before = self.eye.worker_beats
        self.eye.link.wake()
        eventually(lambda: self.eye.worker_beats > before, what="a beat of the worker")

    def honest_post_is_served(self) -> None:
        """After all this a new post gets everything that is queued, each on the one before, and can finish it."""
        self.drop()
        self.clock.advance(5)
        want = dict(self.queued)
        decoder = Decoder(Side.EYE)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(str(self.eye.socket))
            peer.sendall(encode(LinkState(True)))
            while want:
                for frame in decoder.feed(peer.recv(1 << 16)):
                    if isinstance(frame, Will):
                        continue
                    if isinstance(frame, Carry):
                        peer.sendall(encode(Published(frame.token)))
                        continue
                    assert isinstance(frame, Publish)
                    name = envelope_hash(frame.envelope)
                    answer = encode(Published(frame.token))
                    if not frame.envelope.startswith(BEAT):
                        assert self.chain[want.pop(name)] == name
                        answer += encode(Delivered(statement.sign(HUB, Receipt(envelope_hash=name))))
                    peer.sendall(answer)
            eventually(lambda: self.eye.outbox.stats().queued == 0, what="the last receipt")

    def say(self, *frames: Message) -> None:
        self.send(b"".join(encode(frame) for frame in frames))

    def send(self, data: bytes) -> None:
        """Send what the socket takes, on a new connection when there is none or the eye has hung up."""
        if self.peer is None:
            self.connect()
        assert self.peer is not None
        try:
            self.peer.sendall(data)
        except OSError:
            self.drop()


HostilePost.TestCase.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHostilePost = HostilePost.TestCase


def open_files() -> list[Path]:
    """What this process has open."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(entry.readlink())
    return found


def test_promises_and_half_messages_take_little_memory(tmp_path: Path) -> None:
    half = struct.pack(">IB", 131_068, 3) + bytes(131_000)
    with EyeEnd(tmp_path, HUB.public) as eye:
        tracemalloc.start()
        for turn in range(50):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(10)
                peer.connect(str(eye.socket))
                peer.sendall(half)
                peer.sendall(bytes(67))
                eventually(lambda: eye.delivered > turn)  # noqa: B023
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 4 << 20
