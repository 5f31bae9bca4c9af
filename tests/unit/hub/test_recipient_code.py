"""A key in a picture of its QR code: read as phones take it, by the locked-up process, and refused in one way."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import BoxKey
from sealcam_hub.console.upload import parts
from sealcam_hub.media import Bounds, Media
from sealcam_hub.media_messages import MOST_PICTURE_BYTES
from sealcam_hub.recipient import SECRET
from sealcam_hub.recipient_code import BOUNDS, HINT, MODULE, NO_KEY, Codes
from tests.codes import photo

KEY = BoxKey(b"t" * 32).public
SHOWN = KEY.hex().upper()  # as `share key` shows it


@pytest.mark.parametrize(
    "picture",
    [
        photo(SHOWN, turned=0, tilt=0, harsh=0.4, ending=".png"),
        photo(SHOWN, side_px=350, turned=30),
        photo(KEY.hex(), side_px=600, turned=170, tilt=0.2, ending=".webp"),
        photo(SHOWN, side_px=600, turned=90, tilt=0.2, harsh=1.4),
    ],
    ids=["screenshot", "turned", "upside down", "harsh"],
)
def test_a_key_is_read_as_phones_take_its_code(picture: bytes) -> None:
    assert Codes().key(picture) == KEY


def bomb() -> bytes:
    """A PNG of 40,000 by 40,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99_999))) + chunk(b"IEND", b"")
    )


def tiff() -> bytes:
    """A kind of file that no phone makes, whose reader nobody needs to reach."""
    return cv2.imencode(".tiff", np.full((64, 64), 255, np.uint8))[1].tobytes()


WRONG = {
    "no code": photo(None),
    "no key": photo("https://example.net/"),
    "a secret": photo(SECRET + "ab" * 32),
    "a key that nothing is sealed to": photo("00" * 32),
    "cut off": photo(SHOWN)[:9000],
    "a bomb": bomb(),
    "another kind": tiff(),
    "text": SHOWN.encode(),
    "nothing": b"",
    "too large": b"\xff\xd8\xff" + bytes(MOST_PICTURE_BYTES),
}


@pytest.mark.parametrize("picture", WRONG.values(), ids=WRONG)
def test_everything_else_is_refused_in_one_way(picture: bytes) -> None:
    with pytest.raises(ConfigError) as told:
        Codes().key(picture)
    assert (told.value.message, told.value.hint) == (NO_KEY, HINT)


@pytest.mark.parametrize("media", [Media(Bounds(silent_s=0.0), MODULE), Media(BOUNDS, "nowhere")])
def test_a_process_that_takes_too_long_or_fails_is_that_refusal(media: Media) -> None:
    with pytest.raises(ConfigError, match=NO_KEY):
        Codes(media).key(photo(SHOWN))


def body(*each: bytes) -> bytes:
    return b"".join(b"--X\r\n" + one + b"\r\n" for one in each) + b"--X--\r\n"


def test_a_form_with_a_file_comes_in_byte_by_byte() -> None:
    every = bytes(range(256)) + b"\r\n--Y\r\n\r\n"
    file = b'Content-Disposition: form-data; name="picture"; filename="a;b.jpg"\r\nContent-Type: x\r\n\r\n' + every
    name = b'Content-Disposition: form-data; name="name"\r\n\r\nM\xc3\xbcller'
    again = b'Content-Disposition: form-data; name="name"\r\n\r\nsomebody else'
    assert parts(body(file, name, again), b"X") == ({"name": "Müller"}, {"picture": every})


NAMED = b'Content-Disposition: form-data; name="n"\r\n\r\nx'
MALFORMED = {
    "nothing": b"",
    "no end": b"--X",
    "no name": body(b"name\r\n\r\nx"),
    "a strange name": body(NAMED.replace(b'"n"', b'"a b"')),
    "something before": b"before" + body(NAMED),
    "something behind": body(NAMED) + b"after",
    "too many": body(*[NAMED] * 40),
}


@pytest.mark.parametrize("wrong", MALFORMED.values(), ids=MALFORMED)
def test_a_form_that_no_browser_sends_is_none(wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"boundary|name"):
        parts(wrong, b"X")
