"""A network with a stopwatch: how long the bare invoke takes, beside everything that is done around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Network


class TimedNetwork:
    """Passes everything on to another network and keeps the nanoseconds of each invoke in `invoke_ns`."""

    def __init__(self, network: Network, timer: Callable[[], int]) -> None:
        self._network = network
        self._timer = timer
        self.invoke_ns: list[int] = []

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, batch first."""
        return self._network.input_shape

    @property
    def input_dtype(self) -> np.dtype[np.generic]:
        """Type of the input's elements."""
        return self._network.input_dtype

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the outputs, in the model's order."""
        return self._network.output_shapes

    def invoke(self, image: NDArray[np.generic]) -> Sequence[NDArray[np.float32]]:
        """Run once, timed.

        Raises:
            ModelError: the input has another shape or type.
        """
        begun = self._timer()
        outputs = self._network.invoke(image)
        self.invoke_ns.append(self._timer() - begun)
        return outputs
