"""The detector that the configuration asks for, with the project's own models; and what it sees in real footage."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from sealcam.board.protocols import Frame, Network
from sealcam.board.replay import ReplayCamera
from sealcam.config import ModelSettings
from sealcam.eyesight import AUTO_LEAST_BYTES, memory_bytes, open_detector, open_eyes
from sealcam.sight.candidates import AGAIN_S
from sealcam.sight.focus import Focus
from sealcam.sight.gate import Gate
from sealcam.sight.panel import Panel
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Detection, Subject
from sealcam.sight.watch import Watch
from sealcam.wire.errors import ConfigError, ModelError
from tests import footage

MODELS = Path(__file__).resolve().parents[2] / "models"
# Copies for tests may lie beside the checkout; the project does not contain these models.
BESIDE = MODELS.parents[1] / "shared" / "models"


@pytest.fixture
def only_the_default(tmp_path: Path) -> Path:
    for path in (MODELS / "MANIFEST.toml", *MODELS.glob("nanodet_g_*.tflite")):
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def watch(panel: Panel, clip: Path, frames: int) -> list[set[Subject]]:
    """What it sees in each of the first frames."""
    gate = Gate(SightSettings())
    return [
        {one.subject for one in panel.detect(frame, Focus(gate.step(frame), ()))}
        for frame in islice(ReplayCamera(clip).frames(), frames)
    ]


def vehicles(settings: ModelSettings) -> tuple[int, Panel]:
    """In how many frames of the first passing car a vehicle is seen."""
    panel = open_detector(settings)
    return sum(Subject.VEHICLE in one for one in watch(panel, footage.cars(), 106)), panel


def test_the_second_model_is_opened_when_it_is_asked_and_sees_cars_from_above() -> None:
    alone, _ = vehicles(ModelSettings(second="off", tiles=False))
    opened: list[Network] = []

    def count(network: Network) -> Network:
        opened.append(network)
        return network

    panel = open_detector(ModelSettings(second="oidv4", tiles=False), wrap_further=count)
    assert opened == []
    together = sum(Subject.VEHICLE in one for one in watch(panel, footage.cars(), 106))
    assert len(opened) == 1
    assert together >= alone
    assert 0 < panel.stats.further < panel.stats.first


def test_without_the_second_models_file_the_first_goes_on_and_it_is_told(only_the_default: Path) -> None:
    panel = open_detector(ModelSettings(second="oidv4"), folders=[only_the_default])
    (trouble,) = panel.tend(0)
    assert trouble.code == "model-second-missing"
    assert "oidv4 isn't here" in trouble.words


def test_a_second_model_that_was_changed_is_told_when_it_is_asked(only_the_default: Path) -> None:
    name = "ssd_mnv2_oidv4_300_fp16.tflite"
    (only_the_default / name).write_bytes((MODELS / name).read_bytes()[:-1] + b"!")
    panel = open_detector(ModelSettings(second="oidv4", tiles=False), folders=[only_the_default])
    assert panel.tend(0) == ()
    watch(panel, footage.cars(), 90)
    (trouble,) = panel.tend(0)
    assert trouble.code == "model-second-missing"
    assert "wrong checksum" in trouble.words


def test_automatically_only_the_default_model_has_a_second(only_the_default: Path) -> None:
    memory = memory_bytes()
    small = memory is not None and memory < AUTO_LEAST_BYTES
    told = open_detector(ModelSettings(), folders=[only_the_default]).tend(0)
    assert len(told) == (0 if small else 1)
    (only_the_default / "ssd_mnv2_oidv4_300_fp16.tflite").symlink_to(MODELS / "ssd_mnv2_oidv4_300_fp16.tflite")
    assert open_detector(ModelSettings(name="oidv4"), folders=[only_the_default]).tend(0) == ()


def test_a_name_that_no_model_has_is_an_error() -> None:
    with pytest.raises(ModelError, match="did you mean oidv4"):
        open_detector(ModelSettings(second="oid4"))
    with pytest.raises(ModelError, match="there is no model named nano"):
        open_detector(ModelSettings(name="nano"))


def test_a_camera_whose_model_cannot_be_used_goes_on_with_motion_alone_and_tells_it(only_the_default: Path) -> None:
    for path in only_the_default.glob("nanodet_g_*.tflite"):
        path.unlink()
        path.touch()
        os.truncate(path, 1 << 40)
    panel = open_eyes(ModelSettings(), folders=[only_the_default])
    (trouble,) = panel.tend(0)
    assert (trouble.code, trouble.blind) == ("model-missing", True)
    assert f"has {1 << 40} bytes" in trouble.words
    assert "make model NAME=nanodet-g" in trouble.words
    watch = Watch(panel, SightSettings(), str, ArmMode.AWAY)
    said = [one for frame in islice(ReplayCamera(footage.vtest()).frames(), 80) for one in watch.step(frame)]
    said += watch.close()
    assert said, "motion alone is an incident"
    assert {one.subject for one in said} == {Subject.NONE}
    assert panel.tend(0) == ()


def test_a_model_that_comes_back_is_used_without_a_new_start_and_told(only_the_default: Path) -> None:
    files = {path: path.read_bytes() for path in only_the_default.glob("nanodet_g_*.tflite")}
    for path in files:
        path.unlink()
    panel = open_eyes(ModelSettings(), folders=[only_the_default])
    assert [one.code for one in panel.tend(0)] == ["model-missing"]
    frames = list(islice(ReplayCamera(footage.vtest()).frames(), 4))
    first_ns = frames[0].t_ns

    def looks(frame: Frame, seconds: float) -> tuple[Detection, ...]:
        return panel.detect(replace(frame, t_ns=first_ns + round(seconds * 1e9)))

    assert looks(frames[0], 0) == ()
    assert looks(frames[1], AGAIN_S) == (), "it is still missing"
    for path, content in files.items():
        path.write_bytes(content)
    assert looks(frames[2], AGAIN_S + 1) == (), "it is looked for now and then"
    assert any(one.subject is Subject.PERSON for one in looks(frames[3], 2 * AGAIN_S))
    (trouble,) = panel.tend(0)
    assert (trouble.code, trouble.blind) == ("model-works", False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ModelSettings(first="person-192"), "goes on with nanodet-g alone: the model person-192 isn't here"),
        (ModelSettings(second="oid4"), "did you mean oidv4"),
    ],
)
def test_a_camera_whose_further_model_cannot_be_used_goes_on_with_the_main_one(
    only_the_default: Path, settings: ModelSettings, words: str
) -> None:
    panel = open_eyes(settings, folders=[only_the_default])
    (trouble,) = panel.tend(0)
    assert (trouble.code, trouble.blind) == ("model-second-missing", None)
    assert words in trouble.words
    assert any(Subject.PERSON in one for one in watch(panel, footage.porch(), 20))


def test_a_first_stage_looks_each_time_and_the_model_where_it_doubts() -> None:
    settings = ModelSettings(first="person-192")
    clip = footage.porch()
    try:
        panel = open_detector(settings, folders=[MODELS, BESIDE])
    except ModelError as error:
        pytest.skip(f"{error.message} ({error.hint})")
    seen = watch(panel, clip, 60)
    assert sum(Subject.PERSON in one for one in seen[:41]) >= 38
    assert not any(Subject.PERSON in one for one in seen[45:])
    assert panel.stats.first == 60
    assert panel.stats.further < 20


def test_what_a_person_looks_like_comes_from_the_default_model_whoever_was_asked() -> None:
    panel = open_detector(ModelSettings())
    alone = open_detector(ModelSettings(second="off", tiles=False))
    gate = Gate(SightSettings())
    compared = 0
    for frame in islice(ReplayCamera(footage.cars()).frames(), 70):
        focus = Focus(gate.step(frame), ())
        before = panel.stats.further
        panel.detect(frame, focus)
        found = alone.detect(frame, replace(focus, motion=None))
        if found and panel.stats.further > before:
            one, other = panel.look(found[0].box), alone.look(found[0].box)
            assert one is not None
            assert other is not None
            assert (one == other).all()
            compared += 1
    assert compared > 0


@pytest.mark.parametrize("hz", [-1.0, 31.0])
def test_a_budget_that_is_none_is_an_error(hz: float) -> None:
    with pytest.raises(ConfigError, match="second_hz"):
        ModelSettings(second_hz=hz)
