"""From a frame to detections, over a network that plays back what a model could say."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sealcam import models
from sealcam.board.litert import LiteRtNetwork, ScriptedNetwork, runtime_name
from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.sight.detect import Detector
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.sight.types import Box, Subject
from sealcam.wire.errors import ModelError
from tests import footage

LABELS = ("person", "car", "truck", "dog", "bird")
INPUT = InputSpec(64, 128, "NHWC", "uint8", "RGB", Placement.LETTERBOX, 7, 1.0, 0.0)
SPEC = ModelSpec("made", INPUT, DecodingSpec(Head.YOLOX, 0.5, strides=(32,)), LABELS, 0.5)
CELLS = 2 * 4

# Copies for tests may lie beside the checkout; the project does not contain these models.
BESIDE = Path(__file__).resolve().parents[4] / "shared" / "models"

Claim = tuple[str, float, tuple[float, float, float, float]]


def claims(*wanted: Claim) -> list[NDArray[np.float32]]:
    """Outputs in which cell i claims a label with a score, and a box in pixels of the input."""
    cells = np.zeros((1, CELLS, 5 + len(LABELS)), np.float32)
    for index, (label, score, (x0, y0, x1, y1)) in enumerate(wanted):
        row, column = divmod(index, 4)
        centre = ((x0 + x1) / 64 - column, (y0 + y1) / 64 - row)
        with np.errstate(divide="ignore"):
            size = np.log(np.float32([x1 - x0, y1 - y0]) / 32)
        cells[0, index, :5] = (*centre, *size, 1)
        cells[0, index, 5 + LABELS.index(label)] = score
    return [cells]


def frame(width: int, height: int, y: int = 120, u: int = 128, v: int = 128) -> Frame:
    half = ((height + 1) // 2, (width + 1) // 2)
    planes = np.full((height, width), y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8)
    return Frame(0, 0, *planes)


def detector(*wanted: Claim, spec: ModelSpec = SPEC) -> Detector:
    return Detector(ScriptedNetwork((1, 64, 128, 3), [claims(*wanted)]), spec)


def shown(spec: ModelSpec, picture: Frame) -> NDArray[np.generic]:
    """What the network is given for a frame."""
    shape = (1, 64, 128, 3) if spec.input.layout == "NHWC" else (1, 3, 64, 128)
    network = ScriptedNetwork(shape, [claims()], np.dtype(spec.input.dtype))
    Detector(network, spec).detect(picture)
    return network.seen[0]


def test_a_box_comes_back_in_the_frames_pixels() -> None:
    # 320 x 160 goes into 128 x 64 as it is, 2.5 times smaller.
    (found,) = detector(("person", 0.9, (10, 20, 30, 60))).detect(frame(320, 160))
    assert (found.subject, found.label) == (Subject.PERSON, "person")
    assert found.score == pytest.approx(0.9)
    corners = (found.box.x0, found.box.y0, found.box.x1, found.box.y1)
    assert corners == pytest.approx((25, 50, 75, 150), abs=1e-3)


def test_a_letterboxed_box_comes_back_in_the_frames_pixels() -> None:
    # 64 x 128 (portrait) becomes 32 x 64 at the top left.
    (found,) = detector(("person", 0.9, (8, 16, 24, 48))).detect(frame(64, 128))
    assert (found.box.x0, found.box.y0, found.box.x1, found.box.y1) == pytest.approx((16, 32, 48, 96), abs=1e-3)


def test_a_box_is_cut_at_the_frames_edges() -> None:
    (found,) = detector(("person", 0.9, (-20, -20, 200, 40))).detect(frame(320, 160))
    assert (found.box.x0, found.box.y0, found.box.x1) == (0, 0, 320)


def test_a_box_beside_the_picture_is_nothing() -> None:
    assert detector(("person", 0.9, (60, 10, 100, 60))).detect(frame(64, 128)) == ()


def test_labels_of_a_subject_compete_and_the_better_one_stays() -> None:
    here = (10.0, 10.0, 60.0, 50.0)
    (found,) = detector(("car", 0.6, here), ("truck", 0.8, here)).detect(frame(320, 160))
    assert (found.subject, found.label) == (Subject.VEHICLE, "truck")


def test_subjects_do_not_compete_and_the_best_score_comes_first() -> None:
    here = (10.0, 10.0, 60.0, 50.0)
    found = detector(("dog", 0.6, here), ("person", 0.9, here), ("car", 0.7, here)).detect(frame(320, 160))
    assert [one.subject for one in found] == [Subject.PERSON, Subject.VEHICLE, Subject.ANIMAL]


def test_two_people_side_by_side_are_two() -> None:
    found = detector(("person", 0.9, (0, 0, 20, 60)), ("person", 0.8, (18, 0, 38, 60))).detect(frame(320, 160))
    assert len(found) == 2


def test_a_bird_is_nothing() -> None:
    assert detector(("bird", 0.99, (10, 10, 60, 50))).detect(frame(320, 160)) == ()


def test_the_caller_may_ask_for_another_threshold() -> None:
    weak = detector(("person", 0.4, (10, 10, 60, 50)))
    assert weak.detect(frame(320, 160)) == ()
    assert len(weak.detect(frame(320, 160), threshold=0.3)) == 1


@pytest.mark.parametrize(("channels", "red"), [("RGB", 0), ("BGR", 2)])
def test_a_red_frame_is_red_in_the_models_order(channels: str, red: int) -> None:
    spec = replace(SPEC, input=replace(INPUT, channels=channels))
    picture = shown(spec, frame(320, 160, y=81, u=90, v=240))[0]
    assert picture[30, 60, red] > 250
    assert picture[30, 60, 1] < 5
    assert picture[30, 60, 2 - red] < 5


def test_the_rest_of_a_letterbox_has_the_models_fill() -> None:
    picture = shown(SPEC, frame(64, 128, y=235))[0]
    assert (picture[:, 32:] == 7).all()
    assert (picture[:, :32] == 255).all()


def test_a_stretched_model_sees_nothing_but_the_frame() -> None:
    spec = replace(SPEC, input=replace(INPUT, placement=Placement.STRETCH))
    assert (shown(spec, frame(64, 128, y=235)) == 255).all()


def test_another_layout_scale_and_type_are_given_as_specified() -> None:
    scaled = replace(INPUT, layout="NCHW", dtype="float32", scale=1 / 127.5, offset=-1.0)
    picture = shown(replace(SPEC, input=scaled), frame(320, 160, y=235))
    assert picture.shape == (1, 3, 64, 128)
    assert picture.dtype == np.float32
    assert np.abs(picture - 1).max() < 1e-6


def test_frames_may_change_their_size_on_the_way() -> None:
    network = ScriptedNetwork((1, 64, 128, 3), [claims()])
    alternating = Detector(network, SPEC)
    for picture in (frame(320, 160, y=235), frame(64, 128, y=235), frame(320, 160, y=235)):
        alternating.detect(picture)
    assert (network.seen[0] == 255).all()
    assert (network.seen[1][0, :, 32:] == 7).all()
    assert np.array_equal(network.seen[0], network.seen[2])


@given(st.integers(1, 700), st.integers(1, 700))
def test_frames_of_any_size_and_shape_are_taken(width: int, height: int) -> None:
    found = detector(("person", 0.9, (0, 0, 128, 64))).detect(frame(width, height))
    for one in found:
        assert 0 <= one.box.x0 < one.box.x1 <= width
        assert 0 <= one.box.y0 < one.box.y1 <= height
    assert len(found) == 1


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 64, 64, 3), np.uint8), ((1, 3, 64, 128), np.uint8), ((1, 64, 128, 3), np.float32)]
)
def test_a_network_that_takes_something_else_is_refused(shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    with pytest.raises(ModelError, match="should take uint8") as caught:
        Detector(ScriptedNetwork(shape, [claims()], dtype), SPEC)
    assert caught.value.hint == "get it again with: make model NAME=made"


def default_detector() -> Detector:
    model = models.load("nanodet-g", runtime_name())
    return Detector(LiteRtNetwork(model.content), model.spec)


@functools.cache
def porch_frames() -> tuple[Frame, ...]:
    """Five frames: with the man at the door in the first four, and without him in the last."""
    with ReplayCamera(footage.porch()) as camera:
        return tuple(picture for picture in camera.frames() if picture.index in (3, 10, 20, 30, 55))


def test_the_default_model_finds_the_man_at_the_door_and_nobody_once_he_left() -> None:
    _, man, *_, empty = porch_frames()
    real = default_detector()
    (found,) = real.detect(man)
    assert found.subject is Subject.PERSON
    assert found.box.height > man.height / 3
    assert real.detect(empty) == ()


def test_the_default_model_says_the_same_of_the_same_frame() -> None:
    frames = porch_frames()
    real = default_detector()
    first = [real.detect(picture) for picture in frames]
    assert [real.detect(picture) for picture in frames] == first
    assert [default_detector().detect(picture) for picture in frames] == first


@pytest.mark.parametrize("name", ["oidv4", "ssdlite", "yolox-nano", "person-192"])
def test_every_other_model_that_is_here_finds_him_too(name: str) -> None:
    try:
        model = models.load(name, runtime_name(), [*models.default_folders(), BESIDE])
    except ModelError as error:
        pytest.skip(f"{error.message} ({error.hint})")
    real = Detector(LiteRtNetwork(model.content), model.spec)
    man = porch_frames()[1]
    best = default_detector().detect(man)[0].box
    found = [one for one in real.detect(man, threshold=0.3) if one.subject is Subject.PERSON]
    assert max(one.box.iou(best) for one in found) > 0.5


def test_the_letterboxs_rounding_does_not_move_boxes() -> None:
    # 640 x 359 becomes 128 x 72 at most; the real factors differ in x and y, and each is used.
    (found,) = detector(("person", 0.9, (0, 0, 128, 64))).detect(frame(640, 359))
    assert found.box == Box(0, 0, pytest.approx(640, abs=1e-2), pytest.approx(359, abs=1e-2))
