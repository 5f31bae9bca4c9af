"""A whole home against everybody: several cameras and hubs, a hostile post and broker, wrong clocks, weeks away.

What is accepted is exactly what was sent, in the ledger's order and once; what is missing is named; and no key that
is still needed is destroyed. The cameras' keys, outbox and commands are the product's own, on a disk; so are the hubs.
Everything between them is one bag of messages that the adversary delivers, keeps, repeats, changes or drops.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from sealcam.clocks import SimulatedClock
from sealcam.wire.sealed import envelope_hash
from sealcam_hub import expulsion
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.tables import prekeys
from sealcam_hub.views import EventView
from tests.camera_end import CameraEnd
from tests.hubs import opened
from tests.pair import LINK, Side, introduce, two_hubs

CAMERAS = 2
ROOM_BYTES = 12_000  # so small that a camera out of reach soon evicts
WEEK_S = 7 * 24 * 3600.0
who = st.integers(0, CAMERAS - 1)
hubs = st.integers(0, 1)
pick = st.floats(0, 1, exclude_max=True)


class WholeHome(RuleBasedStateMachine):
    """Two cameras that seal, two hubs that open, and nobody in between who means well."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, folder)
        self.hubs = list(self.stack.enter_context(two_hubs(folder)))
        self.clock = self.hubs[0].clock
        self.cameras: list[CameraEnd] = []
        for number in range(CAMERAS):
            camera = CameraEnd(folder / f"camera-{number}", SimulatedClock(wall_ns=self.clock.wall_ns()), ROOM_BYTES)
            camera.claim(self.hubs[0].home, f"Camera {number}")
            camera.start()
            keys = camera.keys.signer.public, camera.keys.command.public
            camera.takes(introduce(self.hubs[1].home, camera.alias, camera.keys.camera, *keys))
            self.stack.callback(camera.stop)
            self.cameras.append(camera)
        for number in range(2):
            self.restarts_hub(number)
        self.said: list[dict[str, tuple[int, str]]] = [{} for _ in self.cameras]  # hash to sequence and words
        self.up: list[list[bytes]] = [[] for _ in self.cameras]  # what was ever published, as the broker keeps it
        self.down: list[list[bytes]] = [[] for _ in self.cameras]  # what a hub ever sent to each camera
        self.asks: list[bytes] = []
        self.fills: list[bytes] = []
        self.expelled: set[str] | None = None  # what was in the ledger of the camera that was turned out
        self.count = 0

    # What honest parts do.

    @initialize()
    def begin(self) -> None:
        for camera in range(CAMERAS):
            self.says(camera, 1)

    @rule(camera=who, times=st.integers(1, 12))
    def says(self, camera: int, times: int) -> None:
        """A camera seals events; with little room the oldest go."""
        for _ in range(times):
            self.count += 1
            detail = f"word-{self.count}-"
            seq, name = self.cameras[camera].says("note", detail)
            self.said[camera][name.hex()] = seq, detail

    @rule(camera=who)
    def tells_of_losses(self, camera: int) -> None:
        self.cameras[camera].sealer.losses()

    @rule(camera=who)
    def restarts(self, camera: int) -> None:
        self.cameras[camera].restart()

    @rule(hub=hubs)
    def restarts_hub(self, hub: int) -> None:
        """All that it remembers is on its disk."""
        self.hubs[hub] = Side.of(self.hubs[hub].home, self.clock)

    @rule(hub=hubs)
    def hub_does_what_is_due(self, hub: int) -> None:
        """Prekeys, rotations, commands, questions and answers go out, as far as the broker likes."""
        side = self.hubs[hub]
        side.run()
        for alias, message in side.link.sent:
            self.down[self._by_alias(alias)].append(message)
        self.asks += side.link.asks
        self.fills += [message for _, message in side.link.fills]
        for sent in (side.link.sent, side.link.asks, side.link.fills):
            sent.clear()

    @rule(camera=who, mode=st.sampled_from(["home", "away", "night", "off"]))
    def owner_arms(self, camera: int, mode: str) -> None:
        if camera < self._staying:
            self.hubs[0].home.wishes().ask(self.cameras[camera].alias, mode)

    @precondition(lambda self: self.expelled is None)
    @rule(sure=st.integers(0, 3))
    def owner_expels_the_second_camera(self, sure: int) -> None:
        if sure == 0:
            alias = self.cameras[1].alias
            with self.hubs[0].home.store.writing() as connection:
                expulsion.expel(connection, alias)
            self.expelled = self._hashes(0, alias)

    # What time does.

    @rule(seconds=st.sampled_from([1.0, 30.0, 3600.0, 86_400.0, 3 * WEEK_S]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for camera in self.cameras:
            camera.clock.advance(seconds)

    @rule(camera=who, seconds=st.sampled_from([-10 * WEEK_S, -3600.0, 3600.0, 500 * WEEK_S]))
    def a_clock_jumps(self, camera: int, seconds: float) -> None:
        self.cameras[camera].clock.step_wall(seconds)

    # What a hostile post and broker do.

    @rule(camera=who, pretends=st.booleans())
    def post_publishes(self, camera: int, pretends: bool) -> None:
        """The post takes what is next; it may say that it was published when it wasn't."""
        end = self.cameras[camera]
        queued = end.outbox.next(end.clock.boot_ns())
        if queued is not None:
            if not pretends:
                self.up[camera].append(queued.envelope)
            end.outbox.published(queued.seq, end.clock.boot_ns())

    @rule(camera=who)
    def post_takes_a_beat(self, camera: int) -> None:
        self.up[camera].append(self.cameras[camera].sealer.beat())

    @rule(hub=hubs, camera=who, at=pick)
    def broker_delivers(self, hub: int, camera: int, at: float) -> None:
        """Any message that was ever published, in any order and as often as it likes, to one hub or the other."""
        if self.up[camera]:
            self.deliver(hub, camera, self.up[camera][int(at * len(self.up[camera]))])

    @rule(at=pick)
    def broker_carries_between_hubs(self, at: float) -> None:
        """A question or an answer, old or new."""
        if self.asks:
            self.hubs[0].exchange.hear(LINK, self.asks[int(at * len(self.asks))])
        if self.fills:
            self.fill(self.fills[int(at * len(self.fills))])

    def fill(self, message: bytes) -> None:
        self.deliver(1, self._by_alias(message[:16].decode()), message[16:])

    @rule(hub=hubs, camera=who, at=pick, bit=pick)
    def broker_changes_one(self, hub: int, camera: int, at: float, bit: float) -> None:
        if self.up[camera]:
            message = bytearray(self.up[camera][int(at * len(self.up[camera]))])
            place = int(bit * 8 * len(message))
            message[place // 8] ^= 1 << place % 8
            outcome = self.deliver(hub, camera, bytes(message))
            assert (outcome.what, outcome.answer) == (What.REFUSED, None)

    @rule(hub=hubs, camera=who, at=pick)
    def broker_crosses(self, hub: int, camera: int, at: float) -> None:
        """One camera's message on the other one's topic."""
        other = (camera + 1) % CAMERAS
        if self.up[camera]:
            outcome = self.deliver(hub, other, self.up[camera][int(at * len(self.up[camera]))])
            assert outcome.answer is None

    @rule(camera=who, at=pick)
    def post_hands_on(self, camera: int, at: float) -> None:
        """Any message that the hub ever sent to this camera."""
        if self.down[camera]:
            self.cameras[camera].takes(self.down[camera][int(at * len(self.down[camera]))])

    @rule(camera=who, at=pick, bit=pick)
    def post_hands_on_another(self, camera: int, at: float, bit: float) -> None:
        """The other camera's message, and one with a bit changed: neither does anything."""
        other = self.down[(camera + 1) % CAMERAS]
        end = self.cameras[camera]
        before = (end.outbox.stats(), end.keys.epoch, end.mode, end.keys.recipient_set.number)
        if other:
            end.takes(other[int(at * len(other))])
        if self.down[camera]:
            message = bytearray(self.down[camera][int(at * len(self.down[camera]))])
            place = int(bit * 8 * len(message))
            message[place // 8] ^= 1 << place % 8
            end.takes(bytes(message))
        assert (end.outbox.stats(), end.keys.epoch, end.mode, end.keys.recipient_set.number) == before

    def deliver(self, hub: int, camera: int, message: bytes) -> Outcome:
        self.clock.advance(1e-6)
        side = self.hubs[hub]
        outcome = side.pump.receiver.take(self.cameras[camera].alias, message, self.clock.wall_ns())
        answers = [one for one in (outcome.answer, *outcome.also) if one is not None]
        assert hub == 0 or outcome.what is What.BEAT or not answers, "only the home hub gives receipts"
        self.down[camera] += answers
        return outcome

    def _by_alias(self, alias: str) -> int:
        return next(at for at, camera in enumerate(self.cameras) if camera.alias == alias)

    def _lines(self, hub: int) -> list[EventView]:
        return [line for line in self.hubs[hub].home.ledger().lines(limit=100_000) if line.type != "notice"]

    def _hashes(self, hub: int, alias: str) -> set[str]:
        return {line.hash for line in self._lines(hub) if line.alias == alias}

    # What must hold.

    @invariant()
    def what_is_accepted_is_what_was_sent_once_and_in_order(self) -> None:
        for hub in range(2):
            lines = self._lines(hub)
            assert len({line.hash for line in lines}) == len(lines)
            for camera, said in zip(self.cameras, self.said, strict=True):
                mine = [line for line in lines if line.alias == camera.alias]
                assert len({line.seq for line in mine}) == len(mine)
                for line in mine:
                    if line.hash in said:
                        seq, words = said[line.hash]
                        assert line.seq == seq
                        assert any(words in text for text in line.text), "what was opened is what was sealed"
                    else:
                        assert not any("word-" in text for text in line.text), "the camera never said that"

    @invariant()
    def nobody_is_accused(self) -> None:
        """There is no second camera with anybody's keys in this home, whatever the broker does."""
        for side in self.hubs:
            assert not set(side.notices()) & {"clone", "unopenable"}

    @invariant()
    def who_was_turned_out_is_heard_no_more(self) -> None:
        if self.expelled is not None:
            assert self._hashes(0, self.cameras[1].alias) == self.expelled
            with self.hubs[0].home.store.reading() as connection:
                left = connection.execute(select(prekeys.c.camera).distinct()).scalars().all()
            assert len(left) == CAMERAS - 1

    # And at last everybody is honest.

    def teardown(self) -> None:
        try:
            if self.said[0]:
                self._settle()
                for camera in range(self._staying):
                    self._all_there(camera)
                self.what_is_accepted_is_what_was_sent_once_and_in_order()
                self.nobody_is_accused()
                self.who_was_turned_out_is_heard_no_more()
        finally:
            self.stack.close()

    @property
    def _staying(self) -> int:
        return CAMERAS if self.expelled is None else CAMERAS - 1

    def _settle(self) -> None:
        heads: list[tuple[int, bytes]] = []
        for _ in range(30):
            self.time_passes(400.0)  # longer than the longest wait between two tries
            staying = self.cameras[: self._staying]
            for number, camera in enumerate(staying):
                camera.sealer.losses()
                for envelope in [camera.sealer.beat(), *camera.mail(), camera.sealer.beat()]:
                    for hub in range(2):
                        self.deliver(hub, number, envelope)
            self._carry()
            heads, before = [camera.outbox.head() for camera in staying], heads
            if (
                heads == before
                and self._both_know(staying)
                and not any(camera.outbox.stats().queued for camera in staying)
            ):
                return  # nothing more to say, nothing more to send
        raise AssertionError(f"it doesn't come to rest: {[self.told(one) for one in range(CAMERAS)]}")

    def _both_know(self, staying: list[CameraEnd]) -> bool:
        """Neither hub waits for anything. What a camera has evicted may have come to one of them before."""
        gaps = [side.pump.receiver.gaps()[camera.alias] for side in self.hubs for camera in staying]
        return gaps == [None] * len(gaps)

    def _carry(self) -> None:
        """Everything that was sent reaches whom it is for."""
        for hub in (1, 0, 1):
            self.hub_does_what_is_due(hub)
            for ask in self.asks:
                self.hubs[0].exchange.hear(LINK, ask)
            for message in self.fills:
                self.fill(message)
            self.asks, self.fills = [], []
            self.clock.advance(1.0)
        for number, camera in enumerate(self.cameras):
            for message in self.down[number]:
                camera.takes(message)
            self.down[number] = []

    def _all_there(self, number: int) -> None:
        """Everything that was sealed is in both ledgers, or told to be lost by the camera itself."""
        camera = self.cameras[number]
        for side in self.hubs:
            assert side.pump.receiver.gaps()[camera.alias] is None, self.told(number)
        for hub in range(2):
            lines = [line for line in self._lines(hub) if line.alias == camera.alias]
            there, named = {line.seq for line in lines}, _told_lost(lines)
            missing = set(range(1, camera.outbox.head()[0] + 1)) - there
            assert missing <= named, f"nobody tells that {missing - named} is missing"
            assert len(missing) <= camera.outbox.stats().evicted
        known = [one.camera.epoch for one in self.hubs[0].pump.receiver.standings() if one.camera.alias == camera.alias]
        assert known == [camera.keys.epoch]

    def told(self, number: int) -> str:
        """Where a camera and the hubs stand, for a failure's message."""
        camera = self.cameras[number]
        ledgers = [
            [(line.seq, line.type) for line in self._lines(hub) if line.alias == camera.alias][-12:] for hub in range(2)
        ]
        gaps = [side.pump.receiver.gaps() for side in self.hubs]
        counts = [side.home.ledger().counts() for side in self.hubs]
        return f"{camera.alias} {camera.outbox.head()[0]} {camera.outbox.stats()} {ledgers} {gaps} {counts}"


def _told_lost(lines: list[EventView]) -> set[int]:
    """The sequences that a camera's loss events name."""
    runs = [run for line in lines if line.type == "loss" for run in re.findall(r"(\d+) to (\d+)", " ".join(line.text))]
    return {seq for first, last in runs for seq in range(int(first), int(last) + 1)}


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )


WholeHome.TestCase.settings = _settings(12)
TestWholeHome = WholeHome.TestCase


@pytest.mark.slow
def test_a_whole_home_for_longer() -> None:
    run_state_machine_as_test(WholeHome, settings=_settings(100))  # type: ignore[no-untyped-call]


def test_the_names_of_envelopes_are_their_hashes(tmp_path: Path) -> None:
    """The model above compares by them."""
    with opened(tmp_path / "hub") as home:
        camera = CameraEnd(tmp_path / "camera", SimulatedClock(wall_ns=home.clock.wall_ns()))
        camera.claim(home, "Door")
        camera.start()
        _, name = camera.says("note", "hello")
        assert [envelope_hash(one) for one in camera.mail()] == [name]
        camera.stop()
