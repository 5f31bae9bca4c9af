"""The child of `npu_check.try_out`: a model from standard input on the processor and on a delegate, one line of JSON.

Whatever the delegate does to this process, the camera's own goes on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sealcam.board.litert import LiteRtNetwork
from sealcam.board.npu import Npu
from sealcam.wire.errors import SealcamError

PICTURES = 3
# Half precision and eight-bit arithmetic move a network's outputs by a few hundredths of their spread; another model's,
# a wrong layout or a broken transfer by as much as the spread itself.
MOST_OFF = 0.1
NOTHING = "it takes over nothing of this model (an Edge TPU takes only one that was compiled for it)"
SLOWER = 1.5  # one that takes a little longer still leaves the processor to others
# A busy board makes any turn late: only what is far slower is known for slow after the first few turns.
LEAST_TURNS, MOST_TURNS, FAR_SLOWER = 5, 40, 10
_Outputs = list[list[NDArray[np.float32]]]


def golden(shape: Sequence[int], dtype: np.dtype[np.generic]) -> list[NDArray[np.generic]]:
    """Pictures with edges, slopes and texture, the same everywhere: of the network's input, batch first, from 0 to 255
    as whole numbers, from 0 to 1 as floats."""
    height, width = shape[1], shape[2]
    rows, columns = np.mgrid[:height, :width]
    found = []
    for number in range(PICTURES):
        chance = np.random.default_rng(number)
        base = 0.5 + 0.3 * np.sin(columns / (7 + 9 * number)) * np.cos(rows / (11 + 5 * number))
        base[height // 4 : height // 2, width // (3 + number) : width // 2] += 0.25
        picture = np.repeat(base[..., None], shape[-1], axis=-1) + chance.normal(0, 0.03, (height, width, shape[-1]))
        scaled = picture.clip(0, 1) if np.issubdtype(dtype, np.floating) else (picture.clip(0, 1) * 255).round()
        found.append(np.ascontiguousarray(np.broadcast_to(scaled, shape).astype(dtype)))
    return found


def off(ours: _Outputs, theirs: _Outputs) -> float:
    """How far apart they are: the largest root of the mean square difference over an output's spread; inf for NaN."""
    worst = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        for expected, found in zip(mine, other, strict=True):
            if expected.shape != found.shape or not np.isfinite(found).all():
                return float("inf")
            spread = float(expected.std()) + 1e-6
            worst = max(worst, float(np.sqrt(np.square(expected - found).mean())) / spread)
    return worst


def _outputs(network: LiteRtNetwork, pictures: list[NDArray[np.generic]]) -> _Outputs:
    return [[array.copy() for array in network.invoke(picture)] for picture in pictures]


def _took_ms(network: LiteRtNetwork, picture: NDArray[np.generic]) -> float:
    begun = time.perf_counter()
    network.invoke(picture)
    return 1e3 * (time.perf_counter() - begun)


def shortest(turns: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The shortest times of processor and delegate, in ms, from as many turns as it takes to say which is slower."""
    cpu_ms = npu_ms = float("inf")
    for count, (ours_ms, theirs_ms) in enumerate(turns, 1):
        cpu_ms, npu_ms = min(cpu_ms, ours_ms), min(npu_ms, theirs_ms)
        if count >= LEAST_TURNS and not SLOWER * cpu_ms < npu_ms < FAR_SLOWER * cpu_ms:
            break
    return cpu_ms, npu_ms


def compare(model: bytes, npu: Npu, threads: int) -> dict[str, str | float]:
    """What `npu_check.Trial` holds.

    Raises:
        ModelError: the model or the delegate can't be loaded.
    """
    ours = LiteRtNetwork(model, threads)
    pictures = golden(ours.input_shape, ours.input_dtype)
    expected = _outputs(ours, pictures)
    theirs = LiteRtNetwork(model, threads, npu)
    if theirs.taken == 0:
        return {"words": NOTHING, "cpu_ms": 0.0, "npu_ms": 0.0}
    distance = off(expected, _outputs(theirs, pictures))
    turns = ((_took_ms(ours, pictures[0]), _took_ms(theirs, pictures[0])) for _ in range(MOST_TURNS))
    cpu_ms, npu_ms = shortest(turns)
    words = ""
    if distance > MOST_OFF:
        words = f"it gives other numbers than the processor does (off by {distance:.2g} of their spread)"
    elif npu_ms > SLOWER * cpu_ms:
        words = f"it is slower than the processor ({npu_ms:.0f} against {cpu_ms:.0f} ms)"
    return {"words": words, "cpu_ms": round(cpu_ms, 2), "npu_ms": round(npu_ms, 2)}


def main() -> None:
    """Read, compare, tell."""
    library, options, threads = sys.argv[1:4]
    try:
        found = compare(sys.stdin.buffer.read(), Npu(library, library, json.loads(options)), int(threads))
    except SealcamError as error:
        found = {"words": error.message, "cpu_ms": 0.0, "npu_ms": 0.0}
    sys.stdout.write("\n" + json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
