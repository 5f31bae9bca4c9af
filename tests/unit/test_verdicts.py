"""The verdict model as it is shipped: found, checked, refused where it is anything else, and right where it must be."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam import models, verdict_file, verdicts
from sealcam.board.litert import LiteRtNetwork
from sealcam.sight.judge import Rules, Trained
from sealcam.sight.judge_features import vector
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import Judge, Mark, Told
from sealcam.wire.errors import ModelError
from tests.judged import ANIMAL, JUST_SEEN, NOTHING, PERSON, VEHICLE, incident

SHIPPED = Path(models.__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def judge() -> Judge:
    """The judge that a camera has."""
    said: list[str] = []
    opened = verdicts.open_judge(said.append)
    assert said == []
    assert isinstance(opened, Trained)
    return opened


def _shipped_to(folder: Path, content: bytes | None) -> list[str]:
    """Open the judge from a folder with this model in it; what it says."""
    shutil.copy(SHIPPED / models.MANIFEST, folder)
    if content is not None:
        (folder / "verdict.tflite").write_bytes(content)
    said: list[str] = []
    assert isinstance(verdicts.open_judge(said.append, folders=[folder]), Rules)
    return said


def test_a_missing_model_is_told_and_the_rules_judge(tmp_path: Path) -> None:
    (said,) = _shipped_to(tmp_path, None)
    assert "isn't here" in said
    assert said.endswith("plain rules judge instead")


def test_a_changed_model_is_told_and_the_rules_judge(tmp_path: Path) -> None:
    content = bytearray(verdicts.load())
    content[2000] ^= 1
    (said,) = _shipped_to(tmp_path, bytes(content))
    assert "wrong checksum" in said


def test_a_manifest_without_a_verdict_model_is_told(tmp_path: Path) -> None:
    (tmp_path / models.MANIFEST).write_text("default = 'x'\n")
    said: list[str] = []
    assert isinstance(verdicts.open_judge(said.append, folders=[tmp_path]), Rules)
    assert "names no verdict model" in said[0]


def test_every_byte_outside_the_weights_is_settled() -> None:
    content = verdicts.load()
    inside = {at for first, end in verdict_file.PLACES for at in range(first, end)}
    for at in [*range(0, 1296, 7), *(at for at in range(1296, len(content)) if at not in inside)]:
        changed = bytearray(content)
        changed[at] ^= 0x40
        with pytest.raises(ModelError, match="damaged, or a model of another architecture"):
            verdict_file.read(bytes(changed), "it")


@pytest.mark.parametrize("size", [0, 1, 1000, 4639, 4641])
def test_a_file_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ModelError, match=f"has {size} bytes"):
        verdict_file.read((verdicts.load() + b"\0")[:size], "it")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e9])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    content = bytearray(verdicts.load())
    struct.pack_into("<f", content, verdict_file.PLACES[2][0] + 8, value)
    with pytest.raises(ModelError, match="no numbers"):
        verdict_file.read(bytes(content), "it")


def test_another_model_is_refused_before_the_runtime_sees_it() -> None:
    said: list[str] = []
    other = (SHIPPED / "nanodet_g_coco80_256x416_dyn.tflite").read_bytes()
    assert isinstance(verdicts.open_judge(said.append, content=other), Rules)
    assert "a verdict model has 4640" in said[0]


def test_the_models_probabilities_are_probabilities() -> None:
    network = LiteRtNetwork(verdicts.load())
    for features in (PERSON, JUST_SEEN, VEHICLE, ANIMAL, NOTHING):
        given = network.invoke(vector(features))[0][0]
        assert ((given >= 0) & (given <= 1)).all()
        assert float(given.sum()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("mode", [ArmMode.AWAY, ArmMode.NIGHT])
@pytest.mark.parametrize("confidence", [0.45, 0.5, 0.6, 0.8, 0.95])
@pytest.mark.parametrize("height", [0.1, 0.2, 0.4, 0.7, 1.0])
def test_a_person_is_a_threat_at_the_first_report(
    judge: Judge, mode: ArmMode, confidence: float, height: float
) -> None:
    seen = replace(JUST_SEEN, confidence=confidence, height=height)
    assert judge.judge(seen, mode).verdict is Verdict.THREAT


@pytest.mark.parametrize("inside", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("path", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("bursts", [1, 5])
def test_a_person_who_was_well_seen_is_a_threat_however_he_moves(
    judge: Judge, inside: float, path: float, bursts: int
) -> None:
    seen = incident(inside=inside, path=path, bursts=bursts)
    assert judge.judge(seen, ArmMode.AWAY).verdict is Verdict.THREAT


@pytest.mark.parametrize("motion_s", [0.0, 0.5, 3.0, 10.0, 60.0, 600.0])
@pytest.mark.parametrize("spread", [0.001, 0.02, 0.2, 0.6])
@pytest.mark.parametrize("pir", [False, True])
def test_mere_motion_is_never_a_threat(judge: Judge, motion_s: float, spread: float, pir: bool) -> None:
    moved = incident(Subject.NONE, motion_s=motion_s, spread=spread, pir=pir, bursts=1 + round(motion_s / 4))
    for light in (False, True):
        judgement = judge.judge(replace(moved, light=light), ArmMode.AWAY)
        assert judgement.verdict is not Verdict.THREAT
        assert judgement.threat < 0.5


@pytest.mark.parametrize("features", [VEHICLE, ANIMAL])
def test_vehicles_and_animals_are_benign(judge: Judge, features: object) -> None:
    assert judge.judge(VEHICLE if features is VEHICLE else ANIMAL, ArmMode.AWAY).verdict is Verdict.BENIGN


def test_a_surer_person_is_no_less_a_threat(judge: Judge) -> None:
    steps = [0.30 + 0.02 * step for step in range(35)]
    for base in (JUST_SEEN, PERSON, replace(PERSON, inside=0.05, spread=0.2), replace(JUST_SEEN, height=0.1)):
        threats = [judge.judge(replace(base, confidence=sure), ArmMode.AWAY).threat for sure in steps]
        most = 0.0
        for threat in threats:
            assert threat >= most - 0.02
            most = max(most, threat)


def test_the_motion_sensor_never_speaks_against_a_person(judge: Judge) -> None:
    for base in (JUST_SEEN, PERSON, replace(JUST_SEEN, confidence=0.4)):
        without, with_it = (judge.judge(replace(base, pir=fired), ArmMode.AWAY).threat for fired in (False, True))
        assert with_it >= without - 0.02


def test_a_mark_quietens_the_same_thing_and_not_a_burglar_in_its_place(judge: Judge) -> None:
    statue = incident(told=Told(Mark.FALSE_ALARM, 0.95, place=True, look=True), path=0.0)
    assert judge.judge(statue, ArmMode.AWAY).verdict is Verdict.FALSE_ALARM
    assert judge.judge(replace(statue, told=None), ArmMode.AWAY).verdict is Verdict.THREAT


def test_the_same_incident_has_the_same_words_every_time(judge: Judge) -> None:
    again = verdicts.open_judge(lambda _: None)
    for features in (PERSON, JUST_SEEN, VEHICLE, ANIMAL, NOTHING):
        assert judge.judge(features, ArmMode.AWAY) == again.judge(features, ArmMode.AWAY)
        assert 2 <= len(judge.judge(features, ArmMode.AWAY).reasons) <= 4
