"""The runtime's edge, with the model the project ships, on whichever runtime is installed."""

from __future__ import annotations

import gc
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from sealcam import models
from sealcam.board.litert import RUNTIMES, LiteRtNetwork, ScriptedNetwork, runtime_name
from sealcam.board.protocols import Network
from sealcam.wire.errors import ModelError


@pytest.fixture(scope="module")
def model() -> models.LoadedModel:
    return models.load("nanodet-g", runtime_name())


@pytest.fixture(scope="module")
def network(model: models.LoadedModel) -> LiteRtNetwork:
    return LiteRtNetwork(model.content)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (1, 256, 416, 3), dtype=np.uint8)


def test_a_runtime_is_named() -> None:
    assert runtime_name() in RUNTIMES


def test_the_default_model_takes_the_plain_picture(network: LiteRtNetwork) -> None:
    as_network: Network = network
    assert as_network.input_shape == (1, 256, 416, 3)
    assert as_network.input_dtype == np.uint8


def test_the_default_model_gives_scores_sides_and_a_backbone_map(
    network: LiteRtNetwork, model: models.LoadedModel
) -> None:
    outputs = network.invoke(noise(0))
    assert tuple(output.shape for output in outputs) == network.output_shapes
    assert network.output_shapes[:6] == (
        *((1, 256 // stride, 416 // stride, 80) for stride in (8, 16, 32)),
        *((1, 256 // stride, 416 // stride, 44) for stride in (8, 16, 32)),
    )
    stride = model.spec.embedding_stride
    assert stride is not None
    assert network.output_shapes[6:] == ((1, 256 // stride, 416 // stride, 128),)
    for scores in outputs[:3]:
        assert 0 <= scores.min() <= scores.max() <= 1


def test_the_same_picture_gives_the_same_outputs(network: LiteRtNetwork, model: models.LoadedModel) -> None:
    first = [output.copy() for output in network.invoke(noise(1))]
    network.invoke(noise(2))
    again = network.invoke(noise(1))
    fresh = LiteRtNetwork(model.content).invoke(noise(1))
    for one, two, three in zip(first, again, fresh, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)


def test_outputs_that_are_kept_never_stop_the_next_run_and_outlive_the_network(model: models.LoadedModel) -> None:
    short_lived = LiteRtNetwork(model.content)
    kept = short_lived.invoke(noise(3))
    short_lived.invoke(noise(4))
    del short_lived
    gc.collect()
    assert all(np.isfinite(output).all() for output in kept)


def test_outputs_cannot_be_written_to(network: LiteRtNetwork) -> None:
    output = network.invoke(noise(5))[0]
    with pytest.raises(ValueError, match="read-only"):
        output[:] = 1


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 256, 416, 1), np.uint8), ((256, 416, 3), np.uint8), ((1, 256, 416, 3), np.float32)],
)
def test_an_input_of_another_shape_or_type_is_refused(
    network: LiteRtNetwork, shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    with pytest.raises(ModelError, match="the model takes uint8"):
        network.invoke(np.zeros(shape, dtype))


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x1c\0\0\0TFL3" + bytes(64)])
def test_bytes_that_are_no_model_are_one_clear_error(content: bytes) -> None:
    with pytest.raises(ModelError, match="can't load the model") as caught:
        LiteRtNetwork(content)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_model_for_which_there_is_no_memory_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_named: object) -> None:
        raise MemoryError

    for module in RUNTIMES.values():
        monkeypatch.setitem(sys.modules, module.split(".")[0], ModuleType("runtime"))
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(Interpreter=full))
    with pytest.raises(ModelError, match="a model of 3 MB doesn't fit into this board's memory") as caught:
        LiteRtNetwork(bytes(3_000_000))
    assert "smaller" in str(caught.value.hint)


def test_half_a_model_is_one_clear_error(model: models.LoadedModel) -> None:
    if runtime_name() == "tflite-runtime":
        pytest.skip("tflite-runtime crashes on it: that is why only bytes with the right checksum may reach it")
    with pytest.raises(ModelError, match="can't load the model"):
        LiteRtNetwork(model.content[: len(model.content) // 2])


def test_loading_says_nothing(model: models.LoadedModel, capfd: pytest.CaptureFixture[str]) -> None:
    LiteRtNetwork(model.content).invoke(noise(6))
    assert capfd.readouterr() == ("", "")


def test_without_a_runtime_the_error_says_how_to_get_one() -> None:
    hidden = "".join(f"sys.modules[{name.split('.')[0]!r}] = None;" for name in RUNTIMES.values())
    asked = "from sealcam.board.litert import runtime_name; from sealcam.wire.errors import ModelError\n"
    code = f"import sys; {hidden} {asked}try: runtime_name()\nexcept ModelError as error: print(error, error.hint)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "no TensorFlow Lite runtime is installed install ai-edge-litert: make setup"


def test_a_scripted_network_plays_back_and_remembers_what_it_was_shown() -> None:
    steps = [[np.full((1, 2), value, np.float32)] for value in (1, 2)]
    scripted: Network = ScriptedNetwork((1, 4), steps)
    pictures = [np.full((1, 4), value, np.uint8) for value in (7, 8, 9)]
    assert [float(scripted.invoke(picture)[0][0, 0]) for picture in pictures] == [1, 2, 1]
    assert isinstance(scripted, ScriptedNetwork)
    assert [int(seen[0, 0]) for seen in scripted.seen] == [7, 8, 9]
    assert scripted.output_shapes == ((1, 2),)
    with pytest.raises(ModelError, match="the model takes uint8"):
        scripted.invoke(np.zeros((1, 5), np.uint8))


def test_a_script_is_checked_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        ScriptedNetwork((1, 4), [])
    with pytest.raises(ValueError, match="same shapes"):
        ScriptedNetwork((1, 4), [[np.zeros(2, np.float32)], [np.zeros(3, np.float32)]])


@pytest.mark.parametrize("error", [RuntimeError("a node failed\nat length"), ValueError("no"), MemoryError()])
def test_a_run_that_fails_is_one_clear_error(model: models.LoadedModel, error: Exception) -> None:
    def fails() -> None:
        raise error

    network = LiteRtNetwork(model.content)
    network._interpreter = SimpleNamespace(set_tensor=lambda *_: None, invoke=fails)
    with pytest.raises(ModelError, match=r"the model failed to run: (a node failed|no|MemoryError)$"):
        network.invoke(noise(1))
