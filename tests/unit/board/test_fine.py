"""The fine picture: as video has it, whatever range and format a source gives."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from sealcam.board.fine import DecodedPicture


def grey(level: int, name: str, color_range: ColorRange | None = None) -> av.VideoFrame:
    picture = av.VideoFrame(64, 48, name)
    for plane in picture.planes:
        content = level if plane is picture.planes[0] or plane.width == 64 else 128
        plane.update(bytes([content]) * plane.buffer_size)
    if color_range is not None:
        picture.color_range = color_range
    return picture


@pytest.mark.parametrize(
    ("name", "color_range", "becomes"),
    [
        ("yuv420p", None, (0, 255)),
        ("yuv420p", ColorRange.MPEG, (0, 255)),
        ("yuv420p", ColorRange.JPEG, (16, 235)),
        ("yuvj420p", None, (16, 235)),
        ("yuvj420p", ColorRange.JPEG, (16, 235)),
    ],
)
def test_luma_of_the_full_range_is_brought_to_that_of_video(
    name: str, color_range: ColorRange | None, becomes: tuple[int, int]
) -> None:
    found = []
    for level in (0, 255):
        fine = DecodedPicture(grey(level, name, color_range))
        y, u, v = fine.crop(0, 0, fine.width, fine.height)
        found.append(int(y.mean()))
        assert (u.shape, int(u.mean()), int(v.mean())) == ((24, 32), 128, 128)
    assert found == pytest.approx(becomes, abs=1)


def test_a_picture_of_another_format_is_converted_once_and_only_when_asked() -> None:
    fine = DecodedPicture(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="rgb24"))
    assert (fine.width, fine.height) == (64, 48)
    y, u, _ = fine.crop(2, 2, 12, 11)
    assert (y.shape, u.shape) == ((9, 10), (5, 5))
    assert int(y[0, 0]) == pytest.approx(126, abs=2)
