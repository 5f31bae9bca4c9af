"""Neural processors: real delegate libraries, compiled here, one that is right and others that aren't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sealcam import eyesight, models
from sealcam.board import npu, npu_check, npu_trial
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.npu import Npu, candidates
from sealcam.board.npu_check import Trial, try_out
from sealcam.board.npu_record import MOST, STEADY_NS, NpuRecord
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector, open_eyes
from sealcam.wire.errors import ConfigError, ModelError
from tests.delegates import CRASHING, HANGING, LYING, NAN_GIVING, RIGHT, SLOW, TAKING_NOTHING, compiled


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("delegates")
    return {how: compiled(folder, how) for how in range(7)}


@pytest.fixture(scope="session")
def model() -> bytes:
    return models.load("nanodet-g", runtime_name()).content


def test_one_that_agrees_with_the_processor_is_good_and_runs_the_model(
    libraries: dict[int, Path], model: bytes
) -> None:
    chip = Npu("test", str(libraries[RIGHT]))
    trial = try_out(chip, model, 1)
    assert trial.good, trial.words
    assert trial.npu_ms > 0
    ours, theirs = LiteRtNetwork(model), LiteRtNetwork(model, 1, chip)
    (picture, *_) = npu_trial.golden(ours.input_shape, ours.input_dtype)
    assert ours.taken == 0, "what the runtime's own delegate takes doesn't count"
    assert theirs.taken == 3, "the three LOGISTIC nodes of this model"
    for mine, other in zip(ours.invoke(picture), theirs.invoke(picture), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (LYING, "it gives other numbers than the processor does"),
        (NAN_GIVING, "it gives other numbers than the processor does"),
        (CRASHING, "it crashed (signal 11)"),
        (SLOW, "it is slower than the processor"),
        (TAKING_NOTHING, "it takes over nothing of this model"),
    ],
)
def test_one_that_is_not_is_refused_with_the_reason(
    libraries: dict[int, Path], model: bytes, how: int, words: str
) -> None:
    trial = try_out(Npu("test", str(libraries[how])), model, 1)
    assert not trial.good
    assert trial.words.startswith(words)


def test_one_that_hangs_is_ended(libraries: dict[int, Path], model: bytes) -> None:
    assert try_out(Npu("test", str(libraries[HANGING])), model, 1, within_s=8).words == "it gave no answer within 8 s"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the runtime's, of what isn't loaded
def test_one_without_its_device_or_that_is_no_delegate_says_so(
    libraries: dict[int, Path], model: bytes, tmp_path: Path
) -> None:
    without = try_out(Npu("test", str(libraries[RIGHT]), {"device": "none"}), model, 1)
    assert "can't be used" in without.words
    (tmp_path / "text.so").write_text("no library")
    assert "can't be used" in try_out(Npu("test", str(tmp_path / "text.so")), model, 1).words
    with pytest.raises(ModelError, match="can't be used"):
        LiteRtNetwork(model, 1, Npu("test", str(tmp_path / "text.so")))


@pytest.mark.parametrize(
    ("how", "code"),
    [(RIGHT, None), (LYING, "npu-refused"), (CRASHING, "npu-refused"), (TAKING_NOTHING, "npu-refused")],
)
def test_the_eye_goes_on_with_the_processor_and_says_why(
    libraries: dict[int, Path], how: int, code: str | None
) -> None:
    panel = open_eyes(ModelSettings(npu=str(libraries[how]), second="off"))
    told = panel.tend(0)
    assert [one.code for one in told] == ([] if code is None else [code])  # and no word that the model is missing
    assert all(libraries[how].name in one.words for one in told)


def test_one_that_is_gone_after_its_trial_leaves_the_processor(
    libraries: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Npu("chip", str(libraries[RIGHT]), {"device": "none"})
    monkeypatch.setattr(npu, "candidates", lambda *_: (gone,))
    monkeypatch.setattr(npu_check, "try_out", lambda *_: Trial(cpu_ms=9.0, npu_ms=2.0))
    (trouble,) = open_eyes(ModelSettings(npu="auto", second="off")).tend(0)
    assert (trouble.code, trouble.blind) == ("npu-refused", None)
    assert "chip isn't used" in trouble.words
    assert "can't be used" in trouble.words


def test_of_several_each_refusal_is_told_and_a_start_is_counted_once(
    libraries: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (Npu("one", str(libraries[CRASHING])), Npu("other", str(libraries[TAKING_NOTHING])))
    monkeypatch.setattr(npu, "candidates", lambda *_: both)
    starts: list[bool] = []

    def allowed() -> bool:
        starts.append(True)
        return True

    (trouble,) = open_eyes(ModelSettings(npu="auto", second="off"), npu_allowed=allowed).tend(0)
    assert trouble.code == "npu-refused"
    assert "one isn't used: it crashed" in trouble.words
    assert "other isn't used: it takes over nothing" in trouble.words
    assert len(starts) == 1


def test_all_trials_are_over_before_the_service_manager_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[float] = []

    def hanging(_npu: Npu, _model: bytes, _threads: int, within_s: float) -> Trial:
        within.append(within_s)
        return Trial("it gave no answer")

    monkeypatch.setattr(npu, "candidates", lambda *_: (Npu("one", "one.so"), Npu("other", "other.so")))
    monkeypatch.setattr(npu_check, "try_out", hanging)
    clock = iter((0.0, 0.0, 100.0))
    monkeypatch.setattr(eyesight, "monotonic", lambda: next(clock))
    open_eyes(ModelSettings(npu="auto", second="off"))
    assert within == [npu_check.WITHIN_S, npu_check.WITHIN_S - 100]
    text = (Path(__file__).parents[3] / "systemd" / "system" / "sealcam-eye.service").read_text()
    (limit,) = (line.partition("=")[2] for line in text.splitlines() if line.startswith("TimeoutStartSec="))
    assert float(limit) >= npu_check.WITHIN_S + 60, "beside the trials there is all else that starts"


def test_one_that_took_the_camera_along_three_times_is_left_out_once(
    libraries: dict[int, Path], tmp_path: Path
) -> None:
    record = NpuRecord(tmp_path / "npu")
    for _ in range(MOST):
        assert record.begin(0)
        record = NpuRecord(tmp_path / "npu")  # the process was ended
    settings = ModelSettings(npu=str(libraries[RIGHT]), second="off")
    panel = open_detector(settings, npu_allowed=lambda: record.begin(0))
    assert [one.code for one in panel.tend(0)] == ["npu-unsteady"]
    assert NpuRecord(tmp_path / "npu").begin(0)


def test_ten_minutes_or_an_orderly_end_forgive(tmp_path: Path) -> None:
    path = tmp_path / "npu"
    for _ in range(MOST - 1):
        assert NpuRecord(path).begin(0)
    record = NpuRecord(path)
    assert record.begin(5)
    record.lives(STEADY_NS)
    assert path.exists()
    record.lives(5 + STEADY_NS)
    assert not path.exists()
    assert record.begin(0)
    record.end()
    assert not path.exists()
    path.write_text("what?")
    assert NpuRecord(path).begin(0)
    assert NpuRecord(tmp_path / "none" / "npu").begin(0), "where nothing can be kept nothing is held against it"


def test_a_library_that_is_gone_is_told_and_the_processor_looks(tmp_path: Path) -> None:
    panel = open_detector(ModelSettings(npu=str(tmp_path / "none.so"), second="off"))
    (trouble,) = panel.tend(0)
    assert trouble.code == "npu-refused"
    assert "there is no library" in trouble.words
    assert panel.tend(1) == ()


def test_what_is_tried(tmp_path: Path) -> None:
    assert candidates("off", "") == ()
    assert candidates("auto", "", [str(tmp_path)]) == ()
    name, library, _ = npu.KNOWN[0]
    (tmp_path / library).write_bytes(b"")
    assert candidates("auto", "device:usb; performance : high", [str(tmp_path)]) == (
        Npu(name, str(tmp_path / library), {"device": "usb", "performance": "high"}),
    )
    assert candidates(str(tmp_path / library), "")[0].name == library
    with pytest.raises(ConfigError, match="there is no library"):
        candidates(str(tmp_path / "none.so"), "")
    for text in ("device", ":usb", "a:b; c"):
        with pytest.raises(ConfigError, match="npu_options"):
            candidates("auto", text)


def test_golden_pictures_are_the_same_everywhere_and_not_alike() -> None:
    once, again = (npu_trial.golden((1, 64, 96, 3), np.dtype(np.uint8)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert len({picture.tobytes() for picture in once}) == npu_trial.PICTURES
    assert once[0].std() > 20
    (first, *_) = npu_trial.golden((1, 64, 96, 3), np.dtype(np.float32))
    assert 0 <= first.min() < first.max() <= 1


def test_how_far_apart_outputs_are() -> None:
    one = [[np.linspace(-1, 1, 100, dtype=np.float32)]]
    assert npu_trial.off(one, one) == 0
    assert npu_trial.off(one, [[one[0][0] + np.float32(0.01)]]) < npu_trial.MOST_OFF
    assert npu_trial.off(one, [[-one[0][0]]]) > 1
    assert npu_trial.off(one, [[np.full(100, np.nan, np.float32)]]) == float("inf")


def test_a_late_turn_on_a_busy_board_makes_no_processor_slow() -> None:
    late = [(5.0, 9.0)] * 30
    assert npu_trial.shortest([*late, (7.0, 6.0), (5.0, 1.0)]) == (5.0, 6.0), "one turn that was let through is enough"
    assert npu_trial.shortest([*late, *late]) == (5.0, 9.0)
    assert npu_trial.shortest(iter([(5.0, 60.0)] * npu_trial.LEAST_TURNS + [(5.0, 1.0)])) == (5.0, 60.0)
