"""What a V4L2 camera offers, asked of its driver, and which of it is taken: format, size and rate.

FFmpeg takes the first format that a driver knows at the size it is asked for, and for most webcams that is an
uncompressed one, which USB 2 carries five times a second at 1280 x 720 where the same camera gives MJPEG thirty times.
The numbers and layouts are those of the kernel's interface, `linux/videodev2.h`.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

# By the driver's four characters FFmpeg's name, cheapest to read first.
FORMATS = {
    b"NV12": "nv12",
    b"YU12": "yuv420p",
    b"YUYV": "yuyv422",
    b"UYVY": "uyvy422",
    b"MJPG": "mjpeg",
    b"JPEG": "mjpeg",
    b"GREY": "gray",  # what infrared webcams give
    b"RGB3": "rgb24",
    b"BGR3": "bgr24",
}
_COST = {name: index for index, name in enumerate(FORMATS.values())}
_ENUM_FMT, _ENUM_SIZES, _ENUM_INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B  # VIDIOC_ENUM_FMT, _FRAMESIZES, ...
_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_DISCRETE = 1  # of sizes and of intervals; others are a range
_MOST = 256  # of each list: a driver that never ends is broken

Ioctl = Callable[[int, int, bytearray], int]


@dataclass(frozen=True, slots=True)
class Offer:
    """One way in which a camera gives pictures: FFmpeg's name of the format, pixels, pictures a second."""

    format: str
    width: int
    height: int
    rate: Fraction

    @property
    def options(self) -> dict[str, str]:
        """What FFmpeg's `v4l2` input is told."""
        return {"input_format": self.format, "video_size": f"{self.width}x{self.height}", "framerate": str(self.rate)}


def offers(device: str, width: int, height: int, fps: int, ioctl: Ioctl = fcntl.ioctl) -> tuple[Offer, ...]:
    """What that device offers of the formats that are read here: of each size the rate next to `fps`, not below it
    where there is one. Where a driver has a range of sizes, the one next to what is wanted.

    Empty where a driver lists nothing; it may still give pictures.

    Raises:
        OSError: the device can't be opened.
    """
    opened = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        asked = _Asked(opened, ioctl)
        return tuple(
            Offer(FORMATS[code], *size, rate)
            for code in asked.formats()
            if code in FORMATS
            for size in asked.sizes(code, (width, height))
            if (rate := _nearest(asked.rates(code, size, fps), fps)) is not None
        )
    finally:
        os.close(opened)


def choose(found: tuple[Offer, ...], width: int, height: int, fps: int) -> Offer | None:
    """The best of what is offered for these wishes: at least half the rate; then the smallest size that is no smaller
    than the wish, or the largest there is; then the whole rate; then what costs least to read."""

    def rank(one: Offer) -> tuple[bool, bool, int, bool, int]:
        small = one.width < width or one.height < height
        area = one.width * one.height
        return (2 * one.rate < fps, small, -area if small else area, one.rate < fps, _COST[one.format])

    return min(found, key=rank, default=None)


def _nearest(rates: tuple[Fraction, ...], fps: int) -> Fraction | None:
    return min((rate for rate in rates if rate >= fps), default=max(rates, default=None))


class _Asked:
    """An open device that is asked."""

    def __init__(self, opened: int, ioctl: Ioctl) -> None:
        self._opened, self._ioctl = opened, ioctl

    def formats(self) -> tuple[bytes, ...]:
        """The four characters of each."""
        head = struct.pack("=2I", 0, _CAPTURE)
        return tuple(answer[44:48] for answer in self._listed(_ENUM_FMT, 64, head))

    def sizes(self, code: bytes, wanted: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Width and height in pixels."""
        found: list[tuple[int, int]] = []
        for answer in self._listed(_ENUM_SIZES, 44, struct.pack("=I4s", 0, code)):
            kind, *numbers = struct.unpack_from("=7I", answer, 8)
            if kind == _DISCRETE:
                found.append((numbers[0], numbers[1]))
                continue
            across, down = (_within(wish, *numbers[3 * at : 3 * at + 3]) for at, wish in enumerate(wanted))
            return ((across, down),)  # a range is an answer of its own
        return tuple(found)

    def rates(self, code: bytes, size: tuple[int, int], fps: int) -> tuple[Fraction, ...]:
        """Pictures a second; of a range the wish itself, or the end that is next to it."""
        found: list[Fraction] = []
        for answer in self._listed(_ENUM_INTERVALS, 52, struct.pack("=I4s2I", 0, code, *size)):
            kind, *numbers = struct.unpack_from("=5I", answer, 16)
            if not all(numbers[: 2 if kind == _DISCRETE else 4]):
                continue
            shortest = Fraction(numbers[1], numbers[0])
            if kind == _DISCRETE:
                found.append(shortest)
                continue
            return (max(Fraction(numbers[3], numbers[2]), min(shortest, Fraction(fps))),)
        return tuple(found)

    def _listed(self, request: int, size: int, head: bytes) -> Iterator[bytes]:
        """Each answer of a list, by its index, until the driver says that there is no more."""
        for index in range(_MOST):
            asked = bytearray(head.ljust(size, b"\0"))
            struct.pack_into("=I", asked, 0, index)
            try:
                self._ioctl(self._opened, request, asked)
            except OSError:
                return  # EINVAL at its end, ENOTTY where a driver has no such list
            yield bytes(asked)


def _within(wish: int, least: int, most: int, step: int) -> int:
    """The number of a range that is next to the wish from below, or its least."""
    return least + max(0, min(wish, most) - least) // max(step, 1) * max(step, 1)
