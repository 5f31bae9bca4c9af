"""What every edge promises, whatever device or library is behind it, and the error contract.

An edge turns its library's errors into ours with `from`: `HardwareError` where a device is lost, busy or stalled,
`ClipError` where a recorded file can't be read, `ModelError` where a model isn't what the manifest says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One low-resolution picture as sight takes it: YUV 4:2:0, full range luma as the source gives it.

    `y` is uint8 (height, width); `u` and `v` are uint8 (ceil(height / 2), ceil(width / 2)), C-contiguous and owned
    by the frame (never a view of a buffer that the device will write again). `t_ns` is when the sensor took it, in
    nanoseconds on the source's clock (CLOCK_BOOTTIME on a board, the file's timestamps in a replay). `index` counts
    frames from 0 as the source produced them, dropped ones included.
    """

    t_ns: int
    index: int
    y: Plane
    u: Plane
    v: Plane

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.y.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.y.shape[1])


class Camera(Protocol):
    """A source of frames. A context manager: leaving it stops capture and lets go of the device."""

    @property
    def name(self) -> str:
        """What this source is, for logs and the doctor: never a path of the owner's home."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames in order of time, blocking for the next one; ends where a recording ends.

        Raises:
            HardwareError: the device is lost, or gave no frame for 2 s.
            ClipError: the recording can't be read.
        """
        ...

    def close(self) -> None:
        """Stop capture and let go of the device; a blocked `frames()` ends. May be called twice, from any thread."""
        ...


class MotionSensor(Protocol):
    """A passive infrared sensor as a latch: a callback only stores the newest trigger time."""

    def take(self) -> int | None:
        """The time of the newest rising edge since the last call, ns on CLOCK_BOOTTIME, or none."""
        ...

    def close(self) -> None:
        """Let go of the pin."""
        ...


class StatusLight(Protocol):
    """The lamp that is on while the sensor delivers pictures."""

    def set(self, on: bool) -> None:
        """Switch it."""
        ...

    def close(self) -> None:
        """Switch it off and let go of the pin."""
        ...


class Network(Protocol):
    """A neural network with one image input: bytes in, arrays out, nothing decoded."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, batch first."""
        ...

    @property
    def input_dtype(self) -> np.dtype[np.generic]:
        """Type of the input's elements."""
        ...

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the outputs, in the model's order."""
        ...

    def invoke(self, image: NDArray[np.generic]) -> Sequence[NDArray[np.float32]]:
        """Run once. `image` has `input_shape` and `input_dtype`. The outputs are valid until the next call.

        Raises:
            ModelError: the input has another shape or type.
        """
        ...
