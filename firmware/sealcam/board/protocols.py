"""What every edge promises, whatever device or library is behind it, and the error contract.

An edge turns its library's errors into ours with `from`: `HardwareError` where a device is lost, busy or stalled,
`ClipError` where a recorded file can't be read, `ModelError` where a model isn't what the manifest says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


class Fine(Protocol):
    """The same picture at the source's own resolution, of which pieces are taken out when somebody asks.

    It covers the same view as its frame, so that a place in one is the same share of the other.
    """

    @property
    def height(self) -> int:
        """Height in pixels."""
        ...

    @property
    def width(self) -> int:
        """Width in pixels."""
        ...

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Plane, Plane, Plane]:
        """Luma and chroma (4:2:0, as in `Frame`) of a piece inside the picture, owned by the caller.

        `x0 < x1`, `y0 < y1`, in pixels of the fine picture; `x0` and `y0` are even.
        """
        ...


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a sensor says of the light in one picture: `lux` by its own estimate, `gain` analogue times digital."""

    lux: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One low-resolution picture as sight takes it: YUV 4:2:0, full range luma as the source gives it.

    `y` is uint8 (height, width); `u` and `v` are uint8 (ceil(height / 2), ceil(width / 2)), C-contiguous and owned
    by the frame (never a view of a buffer that the device will write again). `t_ns` is when the sensor took it, in
    nanoseconds on the source's clock (CLOCK_BOOTTIME on a board, the file's timestamps in a replay). `index` counts
    frames from 0 as the source produced them, dropped ones included. `fine` is the picture before it was made small,
    where the source has it at hand; who changes the planes (a mask) changes `fine` as well, or takes it away.
    `exposure` is there where the source tells it.
    """

    t_ns: int
    index: int
    y: Plane
    u: Plane
    v: Plane
    fine: Fine | None = field(default=None, compare=False, repr=False)
    exposure: Exposure | None = field(default=None, compare=False, repr=False)

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


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture: H.264 as Annex B (a start code before each unit).

    `t_ns` is its frame's. A keyframe begins with its parameter sets and needs nothing from before it; every other
    picture needs pictures since the last keyframe alone. Order of coding is order of time.
    """

    t_ns: int
    key: bool
    data: bytes = field(repr=False)
    width_px: int
    height_px: int


class Encoder(Protocol):
    """Encodes a main stream: frames in their order go in, encoded pictures in the same order come out.

    Keyframes are at most 1 s apart by the frames' times; a picture of another size begins with one. There is no sound.
    """

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """What is ready once `frame` has gone in: of its `fine` picture, or of its own planes where it has none.

        Raises:
            HardwareError: the encoder is lost or broken; make another one.
        """
        ...

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        ...

    def finish(self) -> Sequence[AccessUnit]:
        """What is left; nothing goes in any more.

        Raises:
            HardwareError: as `encode`.
        """
        ...

    def close(self) -> None:
        """Let go of the encoder and of what is left in it. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class PirCounts:
    """What a motion sensor did since it was opened: pulses that count, pulses too `brief` for a person, pulses while it
    warmed up; `stuck`: its output hasn't gone back for longer than any of them holds it."""

    fired: int = 0
    brief: int = 0
    warming: int = 0
    stuck: bool = False


class MotionSensor(Protocol):
    """A passive infrared sensor: a callback only keeps edges, and what they mean is asked once a frame."""

    @property
    def counts(self) -> PirCounts:
        """What it did so far."""
        ...

    def take(self) -> int | None:
        """The newest time at which it felt somebody since the last call, ns on CLOCK_BOOTTIME, or none."""
        ...

    def close(self) -> None:
        """Let go of the pin."""
        ...


class Shine(Enum):
    """What the status light says."""

    OFF = auto()
    STEADY = auto()  # the sensor delivers pictures
    BLINKING = auto()  # and somebody may be looking at them: a live view runs
    COUNTING = auto()  # the button is held: a flash each second, and at the tenth the camera is reset
    RESETTING = auto()  # it is being reset: fast


class StatusLight(Protocol):
    """The lamp that tells people in front of the camera whether it looks, and whether somebody does."""

    def set(self, shine: Shine) -> None:
        """Have it shine like that from now on; doesn't wait."""
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
