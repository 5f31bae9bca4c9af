"""The filler: zeros under key 255 that bring a body to a size, so that all envelopes look alike (design/wire.md 11).

Readers ignore it like every key that they don't know. Pure: bytes in, bytes out; which size, and when, is the
sealer's.
"""

from __future__ import annotations

from sealcam.wire import cbor
from sealcam.wire.envelope import padded_size

FILLER_KEY = 255
FRAME_BYTES = 42  # what stands around a body before it is padded: type 1, seq 8, prev 32, and the 0x80 after it


def filled(body: bytes, padded: int) -> bytes:
    """`body`, the CBOR of one, with as much filler as it takes to be padded to exactly `padded` bytes.

    `padded` is one of the sizes 512, 1024, 2048 ... 65536 of design/wire.md section 4.3. A body that is padded to
    that size by itself comes back as it was.

    Raises:
        ValueError: `padded` is no such size, the body needs a larger one, or it has a filler or a higher key already.
        EnvelopeError: `body` isn't the deterministic CBOR of a map.
    """
    if not 512 <= padded <= 65536 or padded_size(padded) != padded:
        raise ValueError(f"nothing is padded to {padded} bytes")
    if len(body) + FRAME_BYTES > padded:
        raise ValueError(f"a body of {len(body)} bytes is padded to more than {padded}")
    missing = padded // 2 + 1 - FRAME_BYTES - len(body)  # up to the smallest body that doesn't fit the size below
    if padded_size(len(body) + FRAME_BYTES) == padded:
        return body
    fields = cbor.decode(body)
    if max(fields, default=0) >= FILLER_KEY:
        raise ValueError("a body with a filler, or a key above it")
    return cbor.encode({**fields, FILLER_KEY: bytes(missing)})
