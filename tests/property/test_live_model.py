"""Whatever the owner, the keys and the link do in whatever order, a live view shows what it may, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealcam.board.fake_encoder import FakeEncoder
from sealcam.board.protocols import Frame
from sealcam.commands import Declined
from tests.films import ns
from tests.livecam import SESSION, LiveCamera, Looker, milliseconds

_STEP = st.one_of(
    st.tuples(st.just("ask"), st.integers(1, 5)),
    st.tuples(st.just("ask"), st.just(3600)),
    st.tuples(st.just("film"), st.integers(1, 25)),
    st.tuples(st.just("film"), st.integers(1, 25)),
    st.tuples(st.just("film unheard"), st.integers(1, 25)),
    st.tuples(st.sampled_from(["end", "privacy", "mask", "set", "rotate", "fail", "wall", "idle"]), st.just(1)),
)


@dataclass
class Keys:
    """Every key that the camera has signed with so far."""

    camera: LiveCamera
    known: dict[bytes, None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[bytes]:
        self.known[self.camera.home.camera.signer.public] = None
        return iter(tuple(self.known))


@dataclass
class Home:
    """The camera, its one viewer, and what must be true of both."""

    camera: LiveCamera
    looker: Looker
    encoders: list[FakeEncoder]
    until_ns: int = 0
    masked_ns: int = 0
    chosen: int = 1

    @property
    def shows(self) -> bool:
        return not self.camera.private and self.camera.clock.boot_ns() < self.until_ns

    def step(self, what: str, count: int) -> None:
        camera, clock = self.camera, self.camera.clock
        match what:
            case "ask":
                try:
                    camera.ask(count)
                    assert not camera.private
                    self.until_ns = clock.boot_ns() + ns(count)
                except Declined:
                    assert camera.private
            case "end":
                camera.ask(0)
                self.until_ns = 0
            case "privacy":
                camera.private = not camera.private
                camera.recorder.stop()
                camera.tap.tend()
                self.until_ns = 0
            case "mask":
                camera.live.hide()
                self.masked_ns = clock.boot_ns()
                camera.recorder.forget()
            case "set":
                self.chosen += 1
                camera.sealing.take_set(camera.home.choose(self.chosen, camera.home.hub))
            case "rotate":
                camera.sealing.take_rotation(camera.home.rotation(camera.home.camera.epoch + 1))
            case "fail" if self.encoders:
                self.encoders[-1].fail()
            case "wall":
                clock.step_wall(-3600)
            case "idle":
                clock.advance(1)
            case "film" | "film unheard":
                self.film(count, heard=what == "film")

    def film(self, count: int, *, heard: bool) -> None:
        """Nothing is seen in privacy; what is seen while somebody may look is shown, if the encoder is sound."""
        if self.camera.private:
            self.camera.clock.advance(count / 10)
            return
        if not heard:
            self.camera.film(count / 10, link=False)
            return
        self.drained()
        showing, before = [], len(self.looker.pictures)
        sound = not any(one._fault for one in self.encoders[-1:])
        for _ in range(count):
            shown: list[Frame] = []
            may = self.shows
            shown = self.camera.film(0.1)
            showing += shown if may else []
        got = [part.seen_ns // 1_000_000 for part in self.looker.pictures[before:]]
        assert set(got) <= set(milliseconds(showing))
        if sound and not self.resting:
            assert got == milliseconds(showing)

    @property
    def resting(self) -> bool:
        """Whether a broken encoder may still be waited for."""
        return any(one.closed and one._fault for one in self.encoders)

    def drained(self) -> None:
        """Only what may leave does."""
        before = len(self.looker.pictures)
        self.camera.drain()
        new = self.looker.pictures[before:]
        assert self.shows or not new
        assert all(part.seen_ns >= self.masked_ns for part in new)


@given(steps=st.lists(_STEP, max_size=14))
@example(steps=[("ask", 1), ("film unheard", 11)])  # who heard nothing still hears that it is over
@settings(max_examples=60, deadline=None)
def test_a_live_view_shows_what_it_may_and_nothing_else(steps: list[tuple[str, int]]) -> None:
    encoders: list[FakeEncoder] = []

    def make() -> FakeEncoder:
        encoders.append(FakeEncoder())
        return encoders[-1]

    with tempfile.TemporaryDirectory() as folder:
        camera = LiveCamera(Path(folder), make)
        looker = Looker(SESSION, Keys(camera), [camera.home.prekey])
        camera.lookers.append(looker)
        home = Home(camera, looker, encoders)
        for what, count in steps:
            list(looker.signers)
            home.step(what, count)
            home.drained()
        seen = looker.seen_ms
        assert seen == sorted(set(seen)), "no picture twice, and none before another"
        assert looker.dropped == 0
        camera.private = True
        camera.tap.tend()
        camera.drain()
        assert not camera.live.running
        codes = [code for code in camera.codes if code.startswith("live")]
        assert codes == ["live-began", "live-ended"] * (len(codes) // 2)
        epoch = camera.home.camera.epoch
        camera.sealing.take_rotation(camera.home.rotation(epoch + 1))
        assert camera.home.camera.epoch == epoch + 1, "no keys are held by what is over"
        camera.close()
