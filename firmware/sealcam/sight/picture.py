"""Pictures of an incident: which frame shows the subject best, and the small JPEG of it that travels with an event.

Choosing is pure arithmetic; the JPEG is made in memory, never in a file.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Plane
from sealcam.sight.types import Box, Picture

WIDEST_PX = 480
MOST_BYTES = 20_000
# Context kept around the subject, as a share of its longer side; the least width of a crop, so that someone far away
# is shown with the place around them; and its shape, which is that of the cards it is shown on: what is cut off there
# was sent in vain.
CONTEXT, LEAST_PX, SHAPE = 0.35, 320, 16 / 9
_QUALITIES = (85, 75, 65, 50)  # below that fewer pixels show more
# A subject cut by the picture's border shows less of who it is.
CUT_FACTOR = 0.6


def quality(score: float, box: Box, width_px: int, height_px: int) -> float:
    """How well a frame shows its subject: score times size, less where the border cuts it. Higher is better."""
    cut = box.x0 <= 2 or box.y0 <= 2 or box.x1 >= width_px - 2 or box.y1 >= height_px - 2
    return score * math.sqrt(box.area) * (CUT_FACTOR if cut else 1.0)


def thumbnail(picture: Picture, widest_px: int = WIDEST_PX, most_bytes: int = MOST_BYTES) -> bytes:
    """A JPEG of the subject with some context (or of the whole frame), at most `widest_px` wide and `most_bytes` long.

    Quality falls, then the size, until it fits; the smallest that is tried is at most 40 pixels wide and is returned
    whatever its length.
    """
    image = _crop(_bgr(picture), picture.box)
    width = min(widest_px, image.shape[1])
    while True:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        # A narrow, tall crop is bounded by its height.
        shrink = min(1.0, widest_px / height)
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        for level in _QUALITIES:
            encoded = _jpeg(small, level)
            if len(encoded) <= most_bytes:
                return encoded
        if width <= 40:
            return encoded
        width = max(40, width * 3 // 4)


def _jpeg(image: NDArray[np.uint8], level: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, level])
    if not done:
        raise ValueError("no JPEG could be made of this picture")
    return bytes(encoded.tobytes())


def _bgr(picture: Picture) -> NDArray[np.uint8]:
    """Blue, green, red, uint8 (height, width, 3), of the planes (BT.601, as OpenCV has it)."""
    height, width = picture.y.shape
    planes = [picture.y, *(_enlarged(plane, width, height) for plane in (picture.v, picture.u))]
    return np.asarray(cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2BGR), dtype=np.uint8)


def _enlarged(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _crop(image: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = _bounds(box, width, height)
    return image[y0:y1, x0:x1]


def framed(picture: Picture) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what its thumbnail shows, in parts of the picture."""
    height, width = picture.y.shape
    x0, y0, x1, y1 = _bounds(picture.box, width, height)
    return x0 / width, y0 / height, x1 / width, y1 / height


def _bounds(box: Box | None, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the crop, in pixels."""
    if box is None:
        return 0, 0, width, height
    margin = CONTEXT * max(box.width, box.height)
    side_x = max(box.width + 2 * margin, SHAPE * (box.height + 2 * margin), LEAST_PX)
    x0, x1 = _span((box.x0 + box.x1) / 2, side_x, width)
    y0, y1 = _span((box.y0 + box.y1) / 2, side_x / SHAPE, height)
    return x0, y0, x1, y1


def _span(centre: float, length: float, limit: int) -> tuple[int, int]:
    """A stretch of at most `length` around `centre`, moved to lie within 0 and `limit`; never empty."""
    whole = max(1, min(limit, round(length)))
    start = min(max(0, round(centre - whole / 2)), limit - whole)
    return start, start + whole
