"""Deterministic CBOR (RFC 8949 section 4.2.1), narrowed: maps have unsigned-integer keys, and no floats exist.

`cbor2`'s canonical mode sorts by the older rule of RFC 7049 and its decoder takes non-minimal integers; with
unsigned-integer keys both rules agree, and whatever doesn't re-encode to the same bytes is refused
(design/wire.md section 3).
"""

from __future__ import annotations

import cbor2

from sealcam.wire.errors import EnvelopeError

Value = int | bytes | str | bool | list["Value"] | dict[int, "Value"]

MAX_DEPTH = 4
MAX_BYTES = 1 << 20
MAX_INT = (1 << 64) - 1


def _check(value: object, depth: int) -> None:
    """Raise `ValueError` unless `value` is made of what the specification allows."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, bool | bytes | str):
        return
    if isinstance(value, int):
        if not 0 <= value <= MAX_INT:
            raise ValueError("integer out of range")
        return
    if isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not int or not 0 <= key <= MAX_INT:
                raise ValueError("map key is not an unsigned integer")
            _check(item, depth + 1)
        return
    raise ValueError("type not allowed")


def encode(value: dict[int, Value]) -> bytes:
    """The one encoding of `value`.

    Raises:
        ValueError: a float, a negative integer, a null, a tag or a key that isn't an unsigned integer.
    """
    _check(value, 0)
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> dict[int, Value]:
    """The map that `data` encodes.

    Raises:
        EnvelopeError: not CBOR, not deterministic, more than one item, or a type the specification doesn't allow.
    """
    if len(data) > MAX_BYTES:
        raise EnvelopeError
    try:
        value = cbor2.loads(data)
        _check(value, 0)
        if not isinstance(value, dict) or cbor2.dumps(value, canonical=True) != data:
            raise EnvelopeError
    except (ValueError, TypeError, OverflowError, RecursionError, cbor2.CBORError) as error:
        raise EnvelopeError from error
    return value
