"""A media process that reads the QR code in one picture: a key that somebody was sent, photographed.

A picture from outside is decoded here and nowhere else in the hub. As `media_worker` does, it loads what it needs,
works once on a code that it made, and locks itself up (`media_cage`) before it reads a byte of the picture. Its answer
is what stands in the code. Started by `code` alone, as `python -m sealcam_hub.media_code MEMORY_BYTES CPU_SECONDS`.
design/hub.md, "Sharing", media process.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from sealcam.wire.errors import ClipError
from sealcam_hub.media_cage import CageError, limit, lock
from sealcam_hub.media_messages import LENGTH, MOST_JOB_BYTES, MOST_PICTURE_BYTES, Done, Fault, Say, block, pack_done

MOST_PIXELS = 1 << 26  # 64 megapixels; most phones make 12
SIDES_PX = (1024, 2048, 640)  # a code is found at one size or another: the longer sides that are tried
KINDS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")  # JPEG, PNG, WebP: what phones and screens make


def main() -> int:
    """Read the one picture that comes in; 0 even where nothing is in it, which is said."""
    memory_bytes, cpu_s = (int(word) for word in sys.argv[1:3])
    limit(memory_bytes, cpu_s)
    logging.disable(logging.CRITICAL)
    says, hears = os.fdopen(1, "wb", buffering=0), os.fdopen(0, "rb")
    try:
        reader = _Reader()
        lock()
        size = LENGTH.unpack(hears.read(LENGTH.size))[0]
        if size > MOST_JOB_BYTES:
            raise ClipError("no job")
        hears.read(size)  # there is nothing to choose
        text, done = reader.read(_picture(hears))
    except (ClipError, CageError) as error:
        fault = Fault.CAGE if isinstance(error, CageError) else Fault.UNREADABLE
        says.write(block(Say.FAILED, bytes([fault])))
    else:
        says.write(block(Say.FILM, text.encode()) + block(Say.DONE, pack_done(done)))
    return 0


def _picture(hears: BinaryIO) -> bytes:
    data = hears.read(MOST_PICTURE_BYTES + 1)
    if len(data) > MOST_PICTURE_BYTES or not data.startswith(KINDS):
        raise ClipError("no picture")
    return data


class _Reader:
    """The library, loaded and used once."""

    def __init__(self) -> None:
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MOST_PIXELS)  # it looks there as it is loaded
        import cv2

        cv2.setNumThreads(1)
        self._cv2: Any = cv2
        self._detector = cv2.QRCodeDetectorAruco()  # finds more of them than `QRCodeDetector`
        made = cv2.resize(cv2.QRCodeEncoder.create().encode("0" * 64), None, fx=8, fy=8, interpolation=0)
        for ending in (".jpg", ".png", ".webp"):
            self.read(cv2.imencode(ending, made)[1].tobytes())

    def read(self, picture: bytes) -> tuple[str, Done]:
        """What stands in the picture's code, and the picture's size.

        Raises:
            ClipError: it is no picture, too large a one, or no code is found in it.
        """
        import numpy as np

        try:
            luma = self._cv2.imdecode(np.frombuffer(picture, np.uint8), self._cv2.IMREAD_GRAYSCALE)
            if luma is None:
                raise ClipError("no picture")
            height, width = luma.shape
            for size in self._sizes(luma):
                text = self._detector.detectAndDecode(size)[0]
                if text:
                    return text, Done(0, 0, 1, min(width, 0xFFFF), min(height, 0xFFFF), 0)
        except (self._cv2.error, UnicodeDecodeError, MemoryError) as error:
            raise ClipError("no picture") from error
        raise ClipError("no code")

    def _sizes(self, luma: Any) -> Iterator[Any]:
        longer = max(luma.shape)
        for side in SIDES_PX:
            factor = min(side / longer, 4.0)
            way = self._cv2.INTER_AREA if factor < 1 else self._cv2.INTER_CUBIC
            sides = [max(1, round(one * factor)) for one in reversed(luma.shape)]
            yield self._cv2.resize(luma, sides, interpolation=way)


if __name__ == "__main__":
    sys.exit(main())
