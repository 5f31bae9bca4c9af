"""The verdict model's making: its file loads in the runtime and says what numpy says, and it is the same every time."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sealcam import verdict_file, verdicts
from sealcam.board.litert import LiteRtNetwork
from sealcam.sight.types import Subject
from sealcam.verdict_file import CLASSES, PLACES, WIDTHS, Layer
from sealcam_verdict import fit, harvest, kinds, real, shaken, simulate, tflite, train
from sealcam_verdict.fit import Examples
from sealcam_verdict.life import FALSE_ALARM, THREAT, Dice
from tests import footage


def _any_layers(seed: int) -> tuple[Layer, ...]:
    random = np.random.default_rng(seed)
    return tuple(
        Layer(random.normal(size=(wanted, given)).astype(np.float32), random.normal(size=wanted).astype(np.float32))
        for given, wanted in pairwise(WIDTHS)
    )


def _few(count: int = 400, seed: int = 9) -> Examples:
    return train.simulated(seed, count)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_runtime_says_what_numpy_says(seed: int) -> None:
    layers = _any_layers(seed)
    network = LiteRtNetwork(tflite.write(layers))
    assert (network.input_shape, network.output_shapes) == ((1, WIDTHS[0]), ((1, len(CLASSES)),))
    for inputs in np.random.default_rng(seed + 10).random((200, 1, WIDTHS[0])).astype(np.float32):
        assert np.abs(network.invoke(inputs)[0] - fit.probabilities(layers, inputs)).max() < 1e-5


def test_the_shipped_model_says_in_the_runtime_what_it_says_in_numpy() -> None:
    layers = verdict_file.read(verdicts.load(), "the shipped model")
    network = LiteRtNetwork(verdicts.load())
    for row in _few(200).inputs.astype(np.float32):
        assert np.abs(network.invoke(row[None])[0] - fit.probabilities(layers, row[None])).max() < 1e-5


def test_what_is_written_is_what_is_read() -> None:
    layers = _any_layers(5)
    content = tflite.write(layers)
    assert tflite.places(layers) == PLACES
    for written, read in zip(layers, verdict_file.read(content, "it"), strict=True):
        assert (written.weights == read.weights).all()
        assert (written.biases == read.biases).all()


@pytest.mark.slow
def test_training_again_gives_the_committed_bytes() -> None:
    assert tflite.write(train.layers()) == verdicts.load()


@pytest.mark.slow
def test_a_model_without_a_clip_is_another_model_of_the_same_kind() -> None:
    for clip in real.clips():
        content = train.without(clip)
        verdict_file.read(content, clip)
        assert content != verdicts.load()
        assert train.model_for(clip) == content == train.without(clip)


def test_a_clip_that_took_no_part_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="took no part"):
        train.without("nobody-knows-this.mp4")


def test_a_clip_that_is_left_out_leaves_no_row() -> None:
    everything = len(real.examples())
    for clip in real.clips():
        without, alone = real.examples(leave_out=clip), real.examples(only=clip)
        assert len(without) + len(alone) == everything
        assert len(alone) > 0


def test_the_committed_features_are_of_clips_that_a_person_looked_at() -> None:
    assert set(real.clips()) == {"vtest.avi", "tree.avi", "test2-cam-person1.mkv", "car-detection.mp4"}
    assert {row.truth for row in real.rows()} <= set(CLASSES)
    counts = real.examples().counts
    assert counts.sum() == pytest.approx(len(real.clips()))


def test_the_same_seed_gives_the_same_incidents_and_another_seed_others() -> None:
    first, again, other = _few(), _few(), _few(seed=10)
    assert (first.inputs == again.inputs).all()
    assert (first.inputs != other.inputs).any()


def test_the_same_examples_and_seed_give_the_same_weights() -> None:
    examples = _few()
    first, again = (fit.calibrated(fit.fit(examples, 3), examples) for _ in range(2))
    assert tflite.write(first) == tflite.write(again)


def test_every_weight_lies_on_the_grid() -> None:
    for layer in verdict_file.read(verdicts.load(), "the shipped model"):
        for array in (layer.weights, layer.biases):
            assert (array.astype(np.float64) / fit.GRID % 1 == 0).all()


def test_what_is_learnt_is_learnt() -> None:
    examples = _few(1200)
    layers = fit.calibrated(fit.fit(examples, 3), _few(400, seed=10))
    fresh = _few(400, seed=11)
    right = fit.probabilities(layers, fresh.inputs).argmax(axis=1) == fresh.classes
    assert right.mean() > 0.85


def test_a_temperature_makes_an_overconfident_model_modest() -> None:
    examples = _few(800)
    layers = fit.fit(examples, 3)
    louder = (*layers[:-1], Layer(layers[-1].weights * 3, layers[-1].biases * 3))
    held_out = _few(400, seed=12)
    tempered = fit.logits(fit.calibrated(louder, held_out), held_out.inputs)
    assert np.abs(tempered).mean() < np.abs(fit.logits(louder, held_out.inputs)).mean() / 2


@pytest.mark.parametrize("kind", [kind for _, kind in kinds.KINDS])
def test_every_kind_gives_features_that_can_be(kind: object) -> None:
    assert callable(kind)
    dice = Dice(7)
    for _ in range(50):
        life = kind(dice)
        told = simulate.moments(dice, life)
        assert len(told) == 3
        for one in told:
            assert 0 <= one.confidence < 1
            assert 0 <= one.spread <= 1
            assert 0 <= one.inside <= 1
            assert 0 <= one.hits <= one.looks
            assert one.dwell_s <= one.seen_s + 1e-9
            assert one.approach >= 1
            assert (one.subject is Subject.NONE) == (one.hits == 0)
        assert [one.seen_s for one in told] == sorted(one.seen_s for one in told)


def test_incidents_like_no_other_are_what_their_subject_says() -> None:
    examples = shaken.odd(4000, 1)
    people = examples.inputs[:, 0] == 1
    assert (examples.classes[people] == THREAT).mean() > 0.9
    nothing = examples.inputs[:, :3].sum(axis=1) == 0
    assert (examples.classes[nothing] == FALSE_ALARM).mean() > 0.75
    assert (examples.inputs >= 0).all()
    assert (examples.inputs <= 1).all()


def test_shaking_keeps_what_an_example_is() -> None:
    examples = _few()
    moved = shaken.shaken(examples, 3)
    assert (moved.classes == examples.classes).all()
    assert (moved.inputs[:, :3] == examples.inputs[:, :3]).all()
    changed = (moved.inputs != examples.inputs).any(axis=1).mean()
    assert 0.5 < changed < 1


def test_the_command_writes_a_model_that_the_camera_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verdict.tflite").write_bytes(b"old")
    content = tflite.write(_any_layers(1))
    assert train.written(content, tmp_path / "verdict.tflite")
    assert not train.written(content, tmp_path / "verdict.tflite")
    assert capsys.readouterr().out.count("4640 bytes") == 2


def test_the_manifest_names_the_new_models_hash_and_nothing_else_changes() -> None:
    manifest = '[[model.variant]]\nsha256 = "aa"\n\n[verdict]\nfile = "verdict.tflite"\nsha256 = "bb"\n'
    digest = hashlib.sha256(b"new").hexdigest()
    assert train.named(manifest, b"new") == manifest.replace("bb", digest)
    with pytest.raises(ValueError, match=r"no .* table"):
        train.named('[[model]]\nsha256 = "aa"\n', b"new")


def test_the_man_at_the_door_gives_features_of_a_threat() -> None:
    stretch = next(one for one in harvest.STRETCHES if one.clip == footage.porch().name)
    rows = list(harvest.rows(stretch, footage.porch(), harvest.AS_RECORDED, None))
    header = ["clip", "condition", "incident", "truth", "subject"]
    assert {tuple(row[:2]) + tuple(row[3:5]) for row in rows} == {
        ("test2-cam-person1.mkv", "as recorded", "threat", "person")
    }
    assert all(len(row) == len(header) + len(real.COLUMNS) for row in rows)
