"""What webcams offer, and what is taken of it. The kernel's own driver answers in tests/vm/test_webcam.py."""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence
from fractions import Fraction

import pytest

from sealcam.board.v4l2_offers import FORMATS, Offer, choose, offers

Range = tuple[int, int, int]  # least, most, step


class Driver:
    """A driver's three lists, as linux/videodev2.h lays them out: by format the sizes, or a range of them; the
    intervals in seconds, the same for each size, or their shortest and longest."""

    def __init__(
        self,
        formats: dict[bytes, Sequence[tuple[int, int]] | tuple[Range, Range]],
        intervals: Sequence[Fraction],
        kind: int = 1,
    ) -> None:
        self._formats, self._intervals, self._kind = formats, intervals, kind

    def __call__(self, _opened: int, request: int, asked: bytearray) -> int:
        nr, size = request & 0xFF, request >> 16 & 0x3FFF
        assert (request >> 30, request >> 8 & 0xFF, size) == (3, ord("V"), len(asked))
        (index,) = struct.unpack_from("=I", asked)
        try:
            {2: self._format, 74: self._size, 75: self._interval}[nr](index, asked)
        except IndexError as error:
            raise OSError(errno.EINVAL, "no more") from error
        return 0

    def _format(self, index: int, asked: bytearray) -> None:
        assert struct.unpack_from("=I", asked, 4) == (1,)
        struct.pack_into("=32s4s", asked, 12, b"what people call it", list(self._formats)[index])

    def _size(self, index: int, asked: bytearray) -> None:
        sizes = self._formats[bytes(asked[4:8])]
        if self._kind == 1:
            struct.pack_into("=3I", asked, 8, 1, *sizes[index])
        else:
            across, down = [sizes][index]
            struct.pack_into("=7I", asked, 8, self._kind, *across, *down)

    def _interval(self, index: int, asked: bytearray) -> None:
        if self._kind == 1:
            one = self._intervals[index]
            struct.pack_into("=3I", asked, 16, 1, one.numerator, one.denominator)
        else:
            shortest, longest = [self._intervals][index]
            numbers = (shortest.numerator, shortest.denominator, longest.numerator, longest.denominator)
            struct.pack_into("=5I", asked, 16, self._kind, *numbers)


def taken(driver: Driver, width: int = 1280, height: int = 720, fps: int = 10) -> Offer | None:
    return choose(offers("/dev/null", width, height, fps, ioctl=driver), width, height, fps)


def offer(text: str) -> Offer:
    """`yuyv422 1280x720 5`."""
    name, size, rate = text.split()
    width, _, height = size.partition("x")
    return Offer(name, int(width), int(height), Fraction(rate))


# By the lists of real webcams at 1280 x 720 and 10 a second.
@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ("yuyv422 640x480 30, yuyv422 1280x720 10, mjpeg 1280x720 30", "yuyv422 1280x720 10"),  # nothing to decode
        ("yuyv422 640x480 30, yuyv422 1280x720 9, mjpeg 1280x720 10", "mjpeg 1280x720 10"),  # the whole rate
        ("yuyv422 640x480 30, yuyv422 1280x720 5", "yuyv422 1280x720 5"),  # half of it is enough for more to see
        ("yuyv422 640x480 30, yuyv422 1280x720 9/2", "yuyv422 640x480 30"),  # less isn't
        ("mjpeg 640x480 30, mjpeg 1920x1080 30, mjpeg 1600x1200 15", "mjpeg 1600x1200 15"),  # no more than it takes
        ("yuyv422 320x240 30, gray 640x360 15", "gray 640x360 15"),  # the largest there is
        ("nv12 640x480 2, mjpeg 320x240 1", "nv12 640x480 2"),
    ],
)
def test_what_suits_is_taken(there: str, wanted: str) -> None:
    found = tuple(offer(one) for one in there.split(", "))
    assert choose(found, 1280, 720, 10) == choose(found[::-1], 1280, 720, 10) == offer(wanted)


def test_lists_are_read_as_the_kernel_lays_them_out() -> None:
    rates = [Fraction(1, 30), Fraction(1, 15), Fraction(2, 15), Fraction(1, 5)]
    driver = Driver({b"H264": [(1920, 1080)], b"YUYV": [(640, 480), (1280, 720)], b"MJPG": [(1280, 720)]}, rates)
    found = offers("/dev/null", 1280, 720, 10, ioctl=driver)
    assert found == (
        offer("yuyv422 640x480 15"),
        offer("yuyv422 1280x720 15"),
        offer("mjpeg 1280x720 15"),
    )  # what can't be read here isn't among them
    assert found[1].options == {"input_format": "yuyv422", "video_size": "1280x720", "framerate": "15"}
    assert offers("/dev/null", 1280, 720, 7, ioctl=driver)[0].rate == Fraction(15, 2)
    assert offers("/dev/null", 1280, 720, 60, ioctl=driver)[0].rate == 30


@pytest.mark.parametrize("kind", [2, 3])
def test_of_a_range_what_is_wanted_is_taken_or_its_end(kind: int) -> None:
    ranges = ((16, 1920, 16), (16, 1080, 8))
    driver = Driver({b"NV12": ranges}, [Fraction(1, 60), Fraction(1, 5)], kind)
    assert taken(driver) == offer("nv12 1280x720 10")
    assert taken(driver, 1000, 500, 1) == offer("nv12 992x496 5")
    assert taken(driver, 3840, 2160, 90) == offer("nv12 1920x1080 60")
    assert taken(driver, 8, 8) == offer("nv12 16x16 10")


def test_a_driver_that_lists_nothing_or_nonsense_offers_nothing() -> None:
    assert taken(Driver({}, [])) is None
    assert taken(Driver({b"YUYV": []}, [Fraction(1, 30)])) is None
    assert taken(Driver({b"YUYV": [(640, 480)]}, [])) is None
    assert taken(Driver({b"YUYV": [(640, 480)]}, [Fraction(0)])) is None

    def endless(_opened: int, _request: int, _asked: bytearray) -> int:
        return 0

    assert offers("/dev/null", 1280, 720, 10, ioctl=endless) == ()
    assert set(FORMATS.values()) >= {"yuyv422", "mjpeg", "nv12"}
