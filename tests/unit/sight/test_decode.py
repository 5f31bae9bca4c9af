"""Reading outputs: hand-made tensors with boxes that can be worked out on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sealcam.sight.decode import decoder_for, ssd_anchors
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.wire.errors import ModelError

LABELS = ("person", "kite", "car")
OF_INTEREST = (0, 2)
BINS = 5


def make_spec(head: Head, height: int = 64, width: int = 96, **decoding: object) -> ModelSpec:
    picture = InputSpec(height, width, "NHWC", "uint8", "RGB", Placement.LETTERBOX, 0, 1.0, 0.0)
    return ModelSpec("made", picture, DecodingSpec(head, 0.5, **decoding), LABELS, 0.5)  # type: ignore[arg-type]


NANODET = make_spec(Head.NANODET, strides=(8, 16, 32), bins=BINS)
GRIDS = [(64 // stride, 96 // stride) for stride in (8, 16, 32)]
YOLOX = make_spec(Head.YOLOX, strides=(8, 16, 32))
SSD = make_spec(Head.SSD, 300, 300, box_scales=(10.0, 10.0, 5.0, 5.0))
CELLS = sum(rows * columns for rows, columns in GRIDS)


def nanodet_outputs() -> list[NDArray[np.float32]]:
    scores = [np.zeros((1, *grid, len(LABELS)), np.float32) for grid in GRIDS]
    sides = [np.zeros((1, *grid, 4 * BINS), np.float32) for grid in GRIDS]
    return [*scores, *sides]


def set_sides(outputs: list[NDArray[np.float32]], layer: int, row: int, column: int, distances: Sequence[int]) -> None:
    """Put all weight of each side's distribution on one bin."""
    logits = np.zeros((4, BINS), np.float32)
    logits[range(4), list(distances)] = 60
    outputs[3 + layer][0, row, column] = logits.reshape(-1)


def shapes(outputs: Sequence[NDArray[np.float32]]) -> list[tuple[int, ...]]:
    return [output.shape for output in outputs]


def test_a_nanodet_cell_gives_the_box_its_distances_say() -> None:
    outputs = nanodet_outputs()
    outputs[1][0, 2, 3, 0] = 0.75
    set_sides(outputs, 1, 2, 3, (1, 2, 3, 0))
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    assert found.scores.tolist() == [0.75]
    assert found.classes.tolist() == [0]
    # Cell (2, 3) of stride 16 has its centre at x 56, y 40; the sides lie 1, 2, 3 and 0 strides from it.
    assert found.corners[0] == pytest.approx([40, 8, 104, 40], abs=1e-3)


def test_an_even_distribution_puts_a_side_at_its_middle() -> None:
    outputs = nanodet_outputs()
    outputs[2][0, 0, 0, 2] = 0.9
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    middle = 32 * (BINS - 1) / 2
    assert found.corners[0] == pytest.approx([16 - middle, 16 - middle, 16 + middle, 16 + middle])


def test_cells_of_all_strides_are_found_and_keep_their_own_boxes() -> None:
    outputs = nanodet_outputs()
    for layer, score in enumerate((0.6, 0.7, 0.8)):
        outputs[layer][0, 1, 1, 0] = score
        set_sides(outputs, layer, 1, 1, (1, 1, 1, 1))
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    assert found.scores == pytest.approx([0.6, 0.7, 0.8])
    widths = found.corners[:, 2] - found.corners[:, 0]
    assert widths == pytest.approx([16, 32, 64], rel=1e-4)


def test_outputs_are_told_by_their_shape_and_not_their_place() -> None:
    outputs = nanodet_outputs()
    outputs[0][0, 0, 0, 0] = 0.9
    mixed = [outputs[index] for index in (4, 2, 0, 5, 1, 3)]
    found = decoder_for(NANODET, shapes(mixed), OF_INTEREST).decode(mixed, 0.5)
    assert found.scores == pytest.approx([0.9])


def test_the_threshold_itself_counts() -> None:
    outputs = nanodet_outputs()
    outputs[0][0, 0, 0, 0] = 0.5
    decoder = decoder_for(NANODET, shapes(outputs), OF_INTEREST)
    assert decoder.decode(outputs, 0.5).scores.size == 1
    assert decoder.decode(outputs, 0.51).scores.size == 0


def test_a_class_that_nobody_asked_for_neither_counts_nor_hides_one_that_counts() -> None:
    outputs = nanodet_outputs()
    outputs[0][0, 0, 0] = (0.1, 0.99, 0.1)
    outputs[0][0, 4, 4] = (0.1, 0.99, 0.6)
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    assert found.classes.tolist() == [2]
    assert found.scores == pytest.approx([0.6])


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, 7.0])
def test_a_score_that_is_no_probability_is_no_detection(nonsense: float) -> None:
    outputs = nanodet_outputs()
    outputs[0][0, 1, 1, 0] = nonsense
    outputs[0][0, 3, 3, 0] = 0.8
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    assert found.scores == pytest.approx([0.8])


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, 1e30])
def test_a_box_that_is_no_number_is_no_detection(nonsense: float) -> None:
    outputs = nanodet_outputs()
    outputs[0][0, 1, 1, 0] = 0.9
    outputs[3][0, 1, 1, 0] = nonsense
    outputs[0][0, 3, 3, 0] = 0.8
    found = decoder_for(NANODET, shapes(outputs), OF_INTEREST).decode(outputs, 0.5)
    assert found.scores == pytest.approx([0.8])


def test_ssd_has_the_anchors_of_its_six_layers() -> None:
    anchors = ssd_anchors()
    assert anchors.shape == (19 * 19 * 3 + (10 * 10 + 5 * 5 + 3 * 3 + 2 * 2 + 1) * 6, 4)
    assert anchors[0] == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    wide = [0.5 / 19, 0.5 / 19, 0.2 / math.sqrt(2), 0.2 * math.sqrt(2)]
    assert anchors[1] == pytest.approx(wide)
    assert anchors[-1] == pytest.approx([0.5, 0.5, math.sqrt(0.95), math.sqrt(0.95)])


def test_an_ssd_cell_moves_and_scales_its_anchor() -> None:
    anchors = ssd_anchors()
    boxes = np.zeros((1, len(anchors), 4), np.float32)
    logits = np.full((1, len(anchors), len(LABELS)), -9, np.float32)
    logits[0, -1, 2] = 2.0
    boxes[0, -1] = (1.0, -1.0, 5 * math.log(0.5), 0.0)
    found = decoder_for(SSD, [boxes.shape, logits.shape], OF_INTEREST).decode([boxes, logits], 0.5)
    side = math.sqrt(0.95)
    centre_y, centre_x, height, width = 0.5 + 0.1 * side, 0.5 - 0.1 * side, side / 2, side
    expected = [centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2]
    assert found.corners[0] / 300 == pytest.approx(expected, abs=1e-5)
    assert found.scores == pytest.approx([1 / (1 + math.exp(-2))])
    assert found.classes.tolist() == [2]


def test_a_yolox_cell_gives_centre_and_size_in_strides() -> None:
    cells = np.zeros((1, CELLS, 5 + len(LABELS)), np.float32)
    second_layer = GRIDS[0][0] * GRIDS[0][1]
    cells[0, second_layer + GRIDS[1][1] * 2 + 1] = (0.5, 0.25, math.log(2), 0, 0.9, 0, 0, 0.8)
    found = decoder_for(YOLOX, [cells.shape], OF_INTEREST).decode([cells], 0.5)
    # Row 2, column 1 of stride 16: the centre is (1.5, 2.25) strides, the size (2, 1).
    assert found.corners[0] == pytest.approx([8, 28, 40, 44])
    assert found.scores == pytest.approx([0.72])
    assert found.classes.tolist() == [2]


@pytest.mark.parametrize(("spec", "given_shapes"), [(NANODET, [(1, 8, 12, 3)]), (YOLOX, [(1, 3, 8)]), (SSD, [])])
def test_outputs_of_other_shapes_are_another_model(spec: ModelSpec, given_shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match="no output of shape"):
        decoder_for(spec, given_shapes, OF_INTEREST)


ANY_FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=30)
@given(arrays.arrays(np.float32, (1, CELLS, 5 + len(LABELS)), elements=ANY_FLOATS))
def test_whatever_a_network_says_only_numbers_come_out(cells: NDArray[np.float32]) -> None:
    with np.errstate(all="ignore"):
        found = decoder_for(YOLOX, [cells.shape], OF_INTEREST).decode([cells], 0.3)
    assert np.isfinite(found.corners).all()
    assert ((found.scores >= np.float32(0.3)) & (found.scores <= 1)).all()
