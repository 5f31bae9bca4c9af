"""A board's own encoders: what they share, which one is chosen, and what becomes of one that doesn't work."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.budget import Budget
from sealcam.board.encoder import X264Encoder
from sealcam.board.encoders import Encoders, best
from sealcam.board.encoding import MOST_HELD, Times
from sealcam.board.fake_encoder import PPS, SPS, FakeEncoder
from sealcam.board.m2m_encoder import PI_ENCODER, M2mEncoder
from sealcam.board.protocols import AccessUnit, Encoder, Frame
from sealcam.clip_settings import ClipSettings, EncoderChoice
from sealcam.filming import Filming
from sealcam.h264 import WholePictures, parameter_sets
from sealcam.ring import Gop
from sealcam.wire.errors import HardwareError
from tests.films import Ear, frame, frames, ns

START = b"\0\0\0\1"
IDR, OTHER = b"\x65\x88\x84\x80", b"\x41\x9a\x02\x80"
SETTINGS = ClipSettings(encoder=EncoderChoice.V4L2M2M)


def test_an_encoder_that_says_its_sets_apart_and_once_gives_whole_keyframes() -> None:
    whole = WholePictures()
    assert whole.take(START + SPS + START + PPS) is None
    for data, key in ((IDR, True), (OTHER, False), (IDR, True)):
        picture = whole.take(START + data)
        assert picture is not None
        assert picture.key is key
        assert picture.data.endswith(START + data)
        if key:
            assert parameter_sets(picture.data).sps == SPS


def test_a_keyframe_that_brings_its_sets_is_left_as_it_is_and_newer_sets_count() -> None:
    whole = WholePictures()
    whole.take(START + SPS + START + PPS)
    newer = START + SPS[:-1] + b"\x41" + START + PPS + START + IDR
    picture = whole.take(newer)
    assert picture is not None
    assert picture.data == newer
    later = whole.take(START + IDR)
    assert later is not None
    assert parameter_sets(later.data).sps == SPS[:-1] + b"\x41"


def test_a_driver_that_keeps_microseconds_loses_no_nanosecond() -> None:
    times = Times()
    for t_ns in (1_000_000_999, 1_066_667_123, 1_133_333_777):
        times.put(t_ns)
    assert times.exact(1_000_000_000) == 1_000_000_999
    assert times.exact(1_133_333_000) == 1_133_333_777  # the one between was passed over by the encoder
    assert times.held == 0
    with pytest.raises(HardwareError, match="no frame had"):
        times.exact(5)


def test_an_encoder_that_takes_frames_and_gives_nothing_is_broken() -> None:
    times = Times()
    for index in range(MOST_HELD):
        times.put(index)
    with pytest.raises(HardwareError, match="no picture"):
        times.put(MOST_HELD)


def test_pictures_that_come_late_and_in_coarse_time_keep_their_own_times() -> None:
    encoder = M2mEncoder(fps=15, bytes_per_s=100_000, codec="libx264")  # holds back some tens of pictures
    source = [replace(one, t_ns=one.t_ns + 7) for one in frames(4)]
    at_once = [unit for one in source for unit in encoder.encode(one)]
    units = [*at_once, *encoder.finish()]
    assert len(at_once) < len(source)
    assert [unit.t_ns for unit in units] == [one.t_ns for one in source]
    assert parameter_sets(next(unit.data for unit in units if unit.key)).pps


@pytest.mark.skipif(best() is EncoderChoice.V4L2M2M, reason="this board has an encoder")
def test_a_board_without_the_encoder_says_so() -> None:
    encoder = M2mEncoder(fps=15, bytes_per_s=100_000)
    with pytest.raises(HardwareError, match=r"board's encoder \(V4L2\) failed") as caught:
        encoder.encode(frame(0, (640, 480)))
    assert caught.value.hint is not None
    assert "v4l2-ctl" in caught.value.hint


def board(root: Path, name: str = "", node: str = "") -> Path:
    """What a board's system shows."""
    if name:
        (device := root / "sys/class/video4linux/video11").mkdir(parents=True)
        (device / "name").write_text(name + "\n")
    if node:
        (root / "dev").mkdir()
        (root / "dev" / node).touch()
    return root


@pytest.mark.parametrize(
    ("name", "node", "choice"),
    [
        (PI_ENCODER, "", EncoderChoice.V4L2M2M),
        ("bcm2835-codec-decode", "", EncoderChoice.SOFTWARE),
        ("", "v4l2-nvenc", EncoderChoice.NVENC),
        ("", "", EncoderChoice.SOFTWARE),
    ],
)
def test_auto_takes_what_the_board_has_and_says_so(
    tmp_path: Path, name: str, node: str, choice: EncoderChoice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    encoders = Encoders(ClipSettings(), root=board(tmp_path, name, node))
    assert encoders.chosen is choice
    assert "clips are encoded" in caplog.text


def test_software_is_software_whatever_the_board_has(tmp_path: Path) -> None:
    settings = ClipSettings(encoder=EncoderChoice.SOFTWARE)
    assert isinstance(Encoders(settings, root=board(tmp_path, PI_ENCODER))(), X264Encoder)


def filmed(encoders: Encoders, source: Sequence[Frame], ear: Ear) -> list[Gop]:
    filming = Filming(encoders, 15, 1 << 20, ear.health)
    return [*(gop for one in source for gop in filming.take(one)), *filming.stop()]


def refuse(**_: object) -> Encoder:
    raise HardwareError("there is no such device")


def fails_at_once(**_: object) -> Encoder:
    fake = FakeEncoder()
    fake.fail("the firmware refused")
    return fake


@pytest.mark.parametrize("make", [refuse, fails_at_once])
def test_a_board_encoder_that_does_not_start_is_given_up_and_the_owner_hears_it_once(make: object) -> None:
    ear = Ear()
    encoders = Encoders(SETTINGS, makers={EncoderChoice.V4L2M2M: make})  # type: ignore[dict-item]
    gops = filmed(encoders, list(frames(6)), ear)
    assert encoders.chosen is EncoderChoice.SOFTWARE
    assert ear.health_codes == ["encoder-failed"]
    assert gops[0].start_ns <= ns(1.1)
    assert gops[-1].end_ns == ns(6)


def test_a_board_encoder_that_worked_and_breaks_is_tried_again() -> None:
    made: list[FakeEncoder] = []

    def make(**_: object) -> Encoder:
        made.append(FakeEncoder())
        return made[-1]

    ear = Ear()
    encoders = Encoders(SETTINGS, makers={EncoderChoice.V4L2M2M: make})
    filming = Filming(encoders, 15, 1 << 20, ear.health)
    for one in frames(3):
        filming.take(one)
    made[0].fail()
    for one in frames(3, start_s=3):
        filming.take(one)
    assert len(made) == 2
    assert encoders.chosen is EncoderChoice.V4L2M2M
    assert ear.health_codes == ["encoder-failed"]


@pytest.mark.parametrize("held", [0, 3])
def test_a_budget_keeps_an_encoder_that_knows_no_limit_within_its_bytes(held: int) -> None:
    bytes_per_s, picture_bytes = 10_000, 3000
    budget = Budget(FakeEncoder(held=held, picture_bytes=picture_bytes), bytes_per_s)
    units: list[AccessUnit] = [unit for one in frames(8) for unit in budget.encode(one)]
    assert len(units) > 20
    for first in range(len(units)):
        spent = np.cumsum([len(unit.data) for unit in units[first:]])
        passed_s = (np.array([unit.t_ns for unit in units[first:]]) - units[first].t_ns) / 1e9
        assert (spent <= bytes_per_s * (passed_s + 1) + (1 + held) * (picture_bytes + 100)).all()
