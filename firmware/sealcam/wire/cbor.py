"""Deterministic CBOR (RFC 8949 section 4.2.1), narrowed: maps have unsigned-integer keys, and no floats exist.

Encoding is `cbor2`'s. Decoding is done here, strictly and in bounded memory (design/wire.md section 3): `cbor2`'s
decoder takes non-minimal integers and bytes after the end, and acts on tags (regular expressions, decimals, shared
references) before anybody could refuse them.
"""

from __future__ import annotations

import cbor2

from sealcam.wire.errors import EnvelopeError

Value = int | bytes | str | bool | list["Value"] | dict[int, "Value"]

MAX_DEPTH = 4  # maps and lists inside each other, the outermost map counted
MAX_BYTES = 1 << 20
MAX_INT = (1 << 64) - 1
MAX_ITEMS = 1024  # in one list or map
MAX_TEXT_BYTES = 4096  # one text, as UTF-8

_UNSIGNED, _BYTES, _TEXT, _LIST, _MAP = 0, 2, 3, 4, 5
_FALSE, _TRUE = 0xF4, 0xF5
_LEAST = (24, 1 << 8, 1 << 16, 1 << 32)  # what an argument of 1, 2, 4, 8 bytes must reach to need them


def _check(value: object, depth: int) -> None:
    """Raise `ValueError` unless `value` is made of what the specification allows."""
    kind = type(value)
    if kind is bytes or kind is bool:
        return
    if isinstance(value, int) and kind is int:
        if not 0 <= value <= MAX_INT:
            raise ValueError("integer out of range")
    elif isinstance(value, str):
        if len(value.encode()) > MAX_TEXT_BYTES:
            raise ValueError("text too long")
    elif isinstance(value, list | dict):
        if depth >= MAX_DEPTH or len(value) > MAX_ITEMS:
            raise ValueError("nested too deep, or too many items")
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth + 1)
        if isinstance(value, dict) and not all(type(key) is int and 0 <= key <= MAX_INT for key in value):
            raise ValueError("map key is not an unsigned integer")
    else:
        raise ValueError("type not allowed")


def encode(value: dict[int, Value]) -> bytes:
    """The one encoding of `value`.

    Raises:
        ValueError: a float, a negative integer, a null, a tag or a key that isn't an unsigned integer, or a limit
            passed.
    """
    if not isinstance(value, dict):
        raise ValueError("the outermost item is a map")
    _check(value, 0)
    encoded = cbor2.dumps(value, canonical=True)
    if len(encoded) > MAX_BYTES:
        raise ValueError("more than 1 MiB")
    return encoded


def decode(data: bytes) -> dict[int, Value]:
    """The map that `data` encodes.

    Raises:
        EnvelopeError: not CBOR, not deterministic, more than one item, a type the specification doesn't allow, or a
            limit passed.
    """
    if len(data) > MAX_BYTES or not data or data[0] >> 5 != _MAP:
        raise EnvelopeError
    try:
        value, end = _item(data, 0, 0)
    except (IndexError, UnicodeDecodeError) as error:  # it ends too early; a text isn't UTF-8
        raise EnvelopeError from error
    if end != len(data) or not isinstance(value, dict):
        raise EnvelopeError
    return value


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    """The argument of an initial byte's low bits when it stands in the 1, 2, 4 or 8 bytes at `at`; and their end."""
    if info > 27:  # reserved, or indefinite
        raise EnvelopeError
    end = at + (1 << (info - 24))
    argument = int.from_bytes(data[at:end], "big")
    if end > len(data) or argument < _LEAST[info - 24]:
        raise EnvelopeError
    return argument, end


def _item(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """The item at `at`, and where the next one begins."""
    initial = data[at]
    at += 1
    major, argument = initial >> 5, initial & 31
    if argument > 23:
        argument, at = _argument(data, at, argument)
    if major == _UNSIGNED:
        return argument, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data) or (major == _TEXT and argument > MAX_TEXT_BYTES):
            raise EnvelopeError
        return (data[at:end] if major == _BYTES else data[at:end].decode()), end
    if initial in (_FALSE, _TRUE):
        return initial == _TRUE, at
    if depth >= MAX_DEPTH or argument > MAX_ITEMS:
        raise EnvelopeError
    if major == _LIST:
        return _list(data, at, argument, depth + 1)
    if major == _MAP:
        return _map(data, at, argument, depth + 1)
    raise EnvelopeError  # a negative integer, a tag, a float, null, undefined


def _list(data: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _item(data, at, depth)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    """A map of `count` pairs whose keys rise: deterministic order and no key twice are one rule."""
    pairs: dict[int, Value] = {}
    last = -1
    for _ in range(count):
        key = data[at]
        at += 1
        if key > 23:
            if key >> 5 != _UNSIGNED:
                raise EnvelopeError
            key, at = _argument(data, at, key)
        if key <= last:
            raise EnvelopeError
        last = key
        if data[at] < 24:  # a small number, without the call: most values are one, and this is a tenth of opening
            pairs[key] = data[at]
            at += 1
        else:
            pairs[key], at = _item(data, at, depth)
    return pairs, at
