"""Frames become GOPs whatever becomes of the encoder, and no faster than they should."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sealcam.board.fake_encoder import FakeEncoder
from sealcam.board.protocols import Frame
from sealcam.filming import Filming
from sealcam.ring import Gop
from sealcam.wire.errors import HardwareError
from tests.films import frame, frames, ns


class Studio:
    """Filming with encoders that can be made to fail."""

    def __init__(self, fps: float = 15.0, held: int = 0) -> None:
        self.encoders: list[FakeEncoder] = []
        self.said: list[str] = []
        self.refuse = ""
        self.tries = 0
        self._held = held
        self.filming = Filming(self._open, fps, 1 << 20, lambda code, detail: self.said.append(f"{code}: {detail}"))

    def _open(self) -> FakeEncoder:
        self.tries += 1
        if self.refuse:
            raise HardwareError(self.refuse)
        self.encoders.append(FakeEncoder(held=self._held))
        return self.encoders[-1]

    def film(self, source: Iterable[Frame]) -> list[Gop]:
        return [gop for one in source for gop in self.filming.take(one)]


def times(gops: Iterable[Gop]) -> list[int]:
    return [unit.t_ns for gop in gops for unit in gop.units]


@pytest.mark.parametrize("held", [0, 3])
def test_every_frame_is_in_a_gop_when_the_source_has_ended(held: int) -> None:
    studio = Studio(held=held)
    source = list(frames(4.3))
    assert times([*studio.film(source), *studio.filming.stop()]) == [one.t_ns for one in source]
    assert studio.encoders[0].closed
    assert studio.said == []


@pytest.mark.parametrize(
    ("source_fps", "fps", "taken"), [(10, 15, 10), (15, 15, 15), (30, 15, 15), (20, 15, 15), (60, 7, 7), (25, 15, 15)]
)
def test_no_more_pictures_a_second_than_are_wanted(source_fps: int, fps: int, taken: int) -> None:
    studio = Studio(fps)
    gops = [*studio.film(frames(20, fps=source_fps)), *studio.filming.stop()]
    assert len(times(gops)) == pytest.approx(20 * taken, abs=2)


def test_jitter_costs_no_frames() -> None:
    studio = Studio(fps=10)
    source = [frame(index / 10 + (0.004 if index % 2 else 0)) for index in range(100)]
    assert len(times([*studio.film(source), *studio.filming.stop()])) >= 99


def test_time_that_stands_still_or_goes_back_a_little_is_passed_over() -> None:
    studio = Studio()
    source = [frame(1), frame(1), frame(0.95), frame(1.1), frame(1.05), frame(1.2)]
    assert times([*studio.film(source), *studio.filming.stop()]) == [ns(1), ns(1.1), ns(1.2)]


def test_an_encoder_that_dies_leaves_what_it_gave_and_another_takes_over() -> None:
    studio = Studio()
    before = studio.film(frames(2.5))
    studio.encoders[0].fail("the encoder is gone")
    during = studio.film(frames(3, start_s=2.5))
    after = studio.filming.stop()
    assert times(before + during)[:25] == [ns(index / 10) for index in range(25)]
    assert studio.encoders[0].closed
    assert times([*during, *after])[-1] == ns(5.4)
    assert len(studio.encoders) == 2
    gap = [later - earlier for earlier, later in zip(times(during), times(during)[1:], strict=False)]
    assert max(gap) <= ns(1.2)
    assert studio.said == ["encoder-failed: the encoder is gone"]


def test_an_encoder_that_never_opens_is_told_once_and_tried_less_and_less() -> None:
    studio = Studio()
    studio.refuse = "no such encoder"
    assert studio.film(frames(300, fps=2)) == []
    assert 6 <= studio.tries <= 12
    assert studio.said == ["encoder-failed: no such encoder"]
    studio.refuse = ""
    assert studio.film(frames(70, fps=2, start_s=300))


def test_a_fault_after_long_good_work_is_told_again() -> None:
    studio = Studio()
    studio.film(frames(1))
    studio.encoders[0].fail()
    studio.film(frames(70, start_s=1))
    studio.encoders[1].fail()
    studio.film(frames(5, start_s=71))
    assert len(studio.said) == 2


def test_another_size_of_picture_is_told_and_begins_a_gop() -> None:
    studio = Studio()
    gops = studio.film([*frames(1.5), *frames(2.5, start_s=1.5, size=(96, 64))])
    assert [gop.look.width_px for gop in gops] == [64, 64, 96, 96]
    assert gops[1].end_ns == gops[2].start_ns == ns(1.5)
    assert studio.said == ["picture-resized: the picture is now 96 x 64"]


def test_after_a_stop_it_begins_anew_at_any_time() -> None:
    studio = Studio()
    studio.film(frames(2, start_s=100))
    studio.filming.stop()
    assert times([*studio.film(frames(1)), *studio.filming.stop()])[0] == 0
    assert len(studio.encoders) == 2


def test_a_gop_can_be_hurried() -> None:
    studio = Studio()
    studio.film(frames(0.5))
    studio.filming.hurry()
    (gop,) = studio.film(frames(0.1, start_s=0.5))
    assert gop.end_ns == ns(0.5)
