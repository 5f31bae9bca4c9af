"""Sealed clips for tests: fixed keys, content that names its place, a geometry small enough to try every bit of."""

from __future__ import annotations

import io

from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import BytesSource, ClipInfo, ClipWriter, Geometry, Header, Reader, read_header
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey

SIGNER = SigningKey(b"c" * 32)
LATER = SigningKey(b"d" * 32)  # a later epoch of the same camera
STRANGER = SigningKey(b"e" * 32)
RECIPIENTS = tuple(BoxKey(bytes([n]) * 32) for n in range(1, 4))
CONTENT_KEY = b"k" * 32
CLIP = bytes(range(16))
SMALL = Geometry(chunk_bytes=128, segment_chunks=2)
STAMP = Stamp(boot=b"b" * 16, boot_ns=10**9, wall_ns=1_790_000_000 * 10**9, quality=ClockQuality.SYNCHRONISED)
INFO = ClipInfo(incident=b"incident", at=STAMP, media="video/mp4", part=0)
BOTH = (SIGNER.public, LATER.public)


def content(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return b"".join(n.to_bytes(8, "big") for n in range(size // 8 + 1))[:size]


def writer(file: io.BytesIO, geometry: Geometry = SMALL, **changes: object) -> ClipWriter:
    """A clip that begins in `file`."""
    arguments: dict[str, object] = {
        "clip": CLIP,
        "info": INFO,
        "epoch": 3,
        "recipient_set": 7,
        "content_key": CONTENT_KEY,
        "geometry": geometry,
    }
    publics = [key.public for key in RECIPIENTS]
    return ClipWriter(file, SIGNER, publics, **(arguments | changes))  # type: ignore[arg-type]


def sealed(plain: bytes, geometry: Geometry = SMALL, *, finish: bool = True, **changes: object) -> bytes:
    """The bytes of a clip; not finished, it is as a power cut leaves it."""
    file = io.BytesIO()
    writing = writer(file, geometry, **changes)
    writing.write(plain)
    if finish:
        writing.finish()
    return file.getvalue()


def header_of(data: bytes) -> Header:
    """Its header."""
    return read_header(BytesSource(data), BOTH)


def opened(data: bytes, geometry: Geometry = SMALL) -> list[bytes | None]:
    """What each whole chunk says; none for one that doesn't open."""
    reader = Reader(BytesSource(data), header_of(data), CONTENT_KEY, geometry=geometry)
    found: list[bytes | None] = []
    for number in range(reader.chunks):
        try:
            found.append(reader.chunk(number))
        except EnvelopeError:
            found.append(None)
    return found


def chunks_of(plain: bytes, geometry: Geometry = SMALL) -> list[bytes]:
    """`plain` as a finished clip holds it."""
    size = geometry.chunk_bytes
    return [plain[at : at + size] for at in range(0, len(plain) + 1, size)]
