"""Runs a TensorFlow Lite model with whichever runtime is installed, and hides which one.

`ai-edge-litert` is preferred; `tflite-runtime`, its last release under the old name, is the light choice (Python
3.11, numpy 1). Takes the model as bytes, so what was verified (`sealcam.models`) is what runs; and verified it must
be, for `tflite-runtime` crashes on half a model. Decodes nothing: that is `sealcam.sight`. The fake for tests,
`ScriptedNetwork`, needs no runtime at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealcam.board.npu import Npu
from sealcam.wire.errors import ModelError

# In the order of preference: measured 8.8 against 69 ms for the default model (design/adr/0004).
RUNTIMES = {"ai-edge-litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}

_silence = threading.Lock()


def runtime_name() -> str:
    """The runtime that `LiteRtNetwork` uses here: `ai-edge-litert` or `tflite-runtime`.

    Raises:
        ModelError: none is installed.
    """
    return _runtime()[0]


class LiteRtNetwork:
    """A loaded model, ready to run: `sealcam.board.protocols.Network`. One thread at a time may call it."""

    def __init__(self, model_bytes: bytes, threads: int = 1, npu: Npu | None = None) -> None:
        """Load a model from its bytes; what `npu` can take over goes there.

        One thread by default: with two on a busy board, inference got up to 15 times slower.

        Raises:
            ModelError: no runtime is installed, the bytes aren't a model with one input and float outputs, there is no
                memory for it, or the delegate can't be loaded.
        """
        name, runtime = _runtime()
        delegates = [] if npu is None else [_delegate(runtime, npu)]
        try:
            with _quietly():
                self._interpreter = runtime.Interpreter(
                    model_content=model_bytes, num_threads=threads, experimental_delegates=delegates
                )
                self._taken = _taken(self._interpreter)
                self._interpreter.allocate_tensors()
        except MemoryError as error:
            message = f"a model of {len(model_bytes) // 1_000_000} MB doesn't fit into this board's memory"
            raise ModelError(message, "choose a smaller one: make model lists them") from error
        except (ValueError, RuntimeError) as error:
            message = f"{name} can't load the model: {_first_line(error)}"
            raise ModelError(message, "get the model again, or choose another one") from error
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        if len(inputs) != 1:
            raise ModelError(f"a detector has one input, and this model has {len(inputs)}")
        for output in outputs:
            if np.dtype(output["dtype"]) != np.float32:
                raise ModelError(f"the model's output {output['name']} isn't float32")
        self._input_index: int = inputs[0]["index"]
        self._input_shape = _shape(inputs[0])
        self._input_dtype: np.dtype[np.generic] = np.dtype(inputs[0]["dtype"])
        self._tensors = [self._interpreter.tensor(output["index"]) for output in outputs]
        self._views = [_View(self._interpreter, tensor) for tensor in self._tensors]

    @property
    def taken(self) -> int | None:
        """How many pieces of the model the delegate took over (0 without one); none where the runtime doesn't say."""
        return self._taken

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, batch first."""
        return self._input_shape

    @property
    def input_dtype(self) -> np.dtype[np.generic]:
        """Type of the input's elements."""
        return self._input_dtype

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the outputs, in the model's order."""
        return tuple(view.array.shape for view in self._views)

    def invoke(self, image: NDArray[np.generic]) -> Sequence[NDArray[np.float32]]:
        """Run once. The outputs are valid until the next call.

        Raises:
            ModelError: `image` has another shape or type than the input, or the runtime failed.
        """
        check_input(self, image)
        try:
            self._interpreter.set_tensor(self._input_index, image)
            self._interpreter.invoke()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelError(f"the model failed to run: {_first_line(error)}") from error
        for index, (view, tensor) in enumerate(zip(self._views, self._tensors, strict=True)):
            if view.address != _address(tensor()):
                self._views[index] = _View(self._interpreter, tensor)
        return tuple(view.array for view in self._views)


class _View:
    """An output where the runtime keeps it, without a copy: two megabytes a run are worth a quarter millisecond.

    The runtime's own views must be gone before it runs again. This one may stay: it keeps the interpreter alive,
    and `invoke` makes another one, should the output have moved.
    """

    def __init__(self, interpreter: object, tensor: Callable[[], NDArray[np.float32]]) -> None:
        original = tensor()
        self.address = _address(original)
        memory: Any = (ctypes.c_float * original.size).from_address(self.address)
        memory.owner = interpreter
        self.array: NDArray[np.float32] = np.frombuffer(memory, np.float32).reshape(original.shape)
        self.array.flags.writeable = False


def _address(array: NDArray[np.float32]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


class ScriptedNetwork:
    """A network that plays back outputs: call 0 gets `script[0]`, and after the last it begins again.

    What it was shown stays in `seen`, as copies, for a test to look at.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        script: Sequence[Sequence[NDArray[np.float32]]],
        input_dtype: np.dtype[np.generic] | type[np.generic] = np.uint8,
    ) -> None:
        if not script:
            raise ValueError("a script has at least one step")
        shapes = {tuple(output.shape for output in step) for step in script}
        if len(shapes) != 1:
            raise ValueError("every step of a script has outputs of the same shapes")
        self.input_shape = input_shape
        self.input_dtype: np.dtype[np.generic] = np.dtype(input_dtype)
        self.output_shapes: tuple[tuple[int, ...], ...] = shapes.pop()
        self.seen: list[NDArray[np.generic]] = []
        self._script = script

    def invoke(self, image: NDArray[np.generic]) -> Sequence[NDArray[np.float32]]:
        """The next step of the script.

        Raises:
            ModelError: `image` has another shape or type than the input.
        """
        check_input(self, image)
        step = self._script[len(self.seen) % len(self._script)]
        self.seen.append(image.copy())
        return step


def check_input(network: LiteRtNetwork | ScriptedNetwork, image: NDArray[np.generic]) -> None:
    """Nothing, if `image` fits.

    Raises:
        ModelError: `image` has another shape or type than the network's input.
    """
    if image.shape != network.input_shape or image.dtype != network.input_dtype:
        wanted = f"{network.input_dtype} {network.input_shape}"
        raise ModelError(f"the model takes {wanted}, and was given {image.dtype} {image.shape}")


def _runtime() -> tuple[str, ModuleType]:
    for name, module in RUNTIMES.items():
        with contextlib.suppress(ImportError):
            return name, importlib.import_module(module)
    raise ModelError("no TensorFlow Lite runtime is installed", "install ai-edge-litert: make setup")


def _delegate(runtime: ModuleType, npu: Npu) -> object:
    """The delegate of a neural processor, as a runtime takes it."""
    try:
        with _quietly():
            return runtime.load_delegate(npu.library, dict(npu.options))
    except (ValueError, OSError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"{npu.name} can't be used: {_first_line(error)}", 'set `npu = "off"` under [model]'
        ) from error


def _taken(interpreter: Any) -> int | None:
    """How many nodes stand for pieces that a delegate took over.

    Asked before the tensors are allocated: only then the runtimes' own delegate, XNNPACK, takes what is left. The list
    of nodes is what the runtimes' profilers use, and not promised to stay.
    """
    try:
        return [node["op_name"] for node in interpreter._get_ops_details()].count("DELEGATE")
    except (AttributeError, KeyError, TypeError):
        return None


def _shape(details: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(side) for side in details["shape"])


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what the runtimes print while they load ("Created XNNPACK delegate") off standard error.

    They write past Python, so the descriptor itself is turned away, for the moment of loading.
    """
    with _silence, Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
