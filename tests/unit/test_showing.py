"""Where nothing is recorded an encoder runs while somebody looks, and at no other time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from sealcam.board.fake_encoder import FakeEncoder
from sealcam.clocks import SimulatedClock
from sealcam.freight import Load
from sealcam.live import Live
from sealcam.livetap import LiveTap
from sealcam.sealing import Seal
from sealcam.showing import Showing
from sealcam.taping import Kit
from sealcam.term import Term
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.wishes import LiveWish
from tests.films import frame, ns
from tests.livecam import SESSION, Looker
from tests.recording import SETTINGS
from tests.scl1 import RECIPIENTS, SIGNER
from tests.waiting import eventually


@dataclass
class Stage:
    """A camera that records nothing; `wait` returns once everything that was handed over is through."""

    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(boot_ns=ns(100)))
    encoders: list[FakeEncoder] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    private: bool = False

    def __post_init__(self) -> None:
        self.live = Live(self.clock, private=lambda: self.private, tell=self._tell, wake=lambda: None)
        self.tap = LiveTap(self.live, self.clock, self._seal, self._stamp)
        self.showing = Showing(Kit(SETTINGS, self._encoder, most_frames=1 << 20), self.live, self.tap, self._tell)
        self.looker = Looker(SESSION, [SIGNER.public], list(RECIPIENTS))

    def _tell(self, code: str, detail: str) -> None:
        assert detail
        self.said.append(code)

    def _encoder(self) -> FakeEncoder:
        self.encoders.append(FakeEncoder())
        return self.encoders[-1]

    def _seal(self) -> Seal:
        self.terms.append(Term())
        return Seal(SIGNER, 3, [RECIPIENTS[0].public], 7, self.terms[-1])

    def _stamp(self, t_ns: int) -> Stamp:
        return Stamp(boot=b"b" * 16, boot_ns=t_ns, wall_ns=t_ns, quality=ClockQuality.UNKNOWN)

    def ask(self, seconds: int) -> None:
        self.live.wish(LiveWish(session=SESSION, seconds=seconds))

    def put(self, count: int) -> None:
        for _ in range(count):
            self.showing.put(frame(self.clock.boot_ns() / 1e9), ())
            self.clock.advance(0.1)

    def hear(self) -> list[Load]:
        gone = []
        while (load := self.live.next(self.clock.boot_ns())) is not None:
            self.looker.hear(load.payload)
            gone.append(load)
        return gone

    def sees(self, count: int) -> None:
        def enough() -> bool:
            self.hear()
            return len(self.looker.pictures) >= count

        eventually(enough, 20, f"{count} pictures")
        assert len(self.looker.pictures) == count


@pytest.fixture
def stage() -> Stage:
    return Stage()


@contextmanager
def running(stage: Stage) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=stage.showing.run, args=(lambda: None, stop))
    thread.start()
    try:
        yield
        stage.showing.end(())
        assert stage.showing.done.wait(30)
    finally:
        stop.set()
        thread.join(30)


def test_nothing_is_encoded_while_nobody_looks(stage: Stage) -> None:
    with running(stage):
        stage.put(20)
    assert stage.encoders == []
    assert stage.said == []


def test_an_encoder_runs_from_the_first_picture_to_the_last_of_a_session(stage: Stage) -> None:
    with running(stage):
        stage.put(5)
        stage.ask(60)
        stage.put(15)
        stage.sees(15)
        stage.ask(0)
        eventually(lambda: stage.encoders[0].closed, 20, "the encoder is closed")
        eventually(lambda: stage.terms[0].closed, 20, "the keys are free")
        stage.put(5)
        stage.ask(60)
        stage.put(3)
        stage.sees(18)
        assert len(stage.encoders) == 2
    assert stage.said == ["live-began", "live-ended", "live-began", "live-ended"]
    stage.hear()
    assert stage.looker.ended
    assert all(one.closed for one in (*stage.encoders, *stage.terms))


def test_a_hub_that_dies_leaves_a_session_that_ends_by_itself(stage: Stage) -> None:
    with running(stage):
        stage.ask(2)
        stage.put(10)
        stage.sees(10)
        stage.clock.advance(5)  # no frame comes, and nobody asks
        eventually(lambda: stage.said == ["live-began", "live-ended"], 20, "the end is told")
        eventually(lambda: stage.encoders[0].closed, 20, "the encoder is closed")
        stage.put(10)
        assert stage.hear()[-1:]  # that it is over
    assert len(stage.encoders) == 1


def test_other_masks_and_privacy_reach_an_encoder_of_its_own_too(stage: Stage) -> None:
    with running(stage):
        stage.ask(60)
        stage.put(5)
        stage.sees(5)
        stage.live.hide()
        stage.showing.forget()
        stage.put(5)
        stage.sees(10)
        assert stage.looker.pictures[5].seen_ns == ns(100.5)
        stage.private = True
        stage.showing.rest(())
        eventually(lambda: stage.said[-1] == "live-ended", 20, "the end is told")
    assert all(one.closed for one in stage.encoders)


def test_an_encoder_that_dies_is_told_and_another_goes_on(stage: Stage) -> None:
    with running(stage):
        stage.ask(60)
        stage.put(5)
        stage.sees(5)
        stage.encoders[0].fail()
        stage.put(12)
        stage.sees(7)  # a second of nothing
        assert stage.said == ["live-began", "encoder-failed"]


def test_a_source_whose_time_begins_anew_is_shown_all_the_same(stage: Stage) -> None:
    with running(stage):
        stage.ask(60)
        stage.put(5)
        for index in range(5):
            stage.showing.put(frame(index / 10), ())
        stage.sees(10)
    assert len(stage.encoders) == 2
