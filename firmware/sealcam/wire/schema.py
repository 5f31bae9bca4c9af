"""Frozen dataclasses to and from CBOR maps with unsigned-integer keys (design/wire.md section 3).

A body is a dataclass whose fields name their key: `seq: int = key(1)`. Allowed field types are `int`, `bytes`,
`str`, `bool`, an `IntEnum`, a tuple of one of them, a tuple of bodies, and each of these `| None` where the field
may be absent. Decoding refuses a missing field, a wrong type, a wrong length and an unknown enum value; keys it
doesn't know are ignored, so that an older hub reads a newer camera.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Hashable
from typing import Any, TypeVar, cast, dataclass_transform

from sealcam.wire import cbor
from sealcam.wire.errors import EnvelopeError

Body = TypeVar("Body")
MAX_ITEMS = 1024
MAX_TEXT = 4096


def key(number: int, *, size: int | None = None, optional: bool = False) -> Any:
    """A field under map key `number`; `size` is the exact length of a byte string; an optional one may be absent."""
    metadata = {"key": number, "size": size}
    return dataclasses.field(default=None, metadata=metadata) if optional else dataclasses.field(metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(key,))
def body(cls: type[Body]) -> type[Body]:
    """Make `cls` a frozen, slotted, keyword-only dataclass that `encode` and `decode` know.

    Its fields stay out of `repr`: a body in a traceback would end up in the journal.
    """
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)(cls)


@functools.cache
def _fields(cls: Any) -> tuple[tuple[str, int, int | None, bool, Any], ...]:
    """Name, key, size, optional and type of each field."""
    hints = typing.get_type_hints(cls)
    rows = []
    for field in dataclasses.fields(cls):
        hint, optional = hints[field.name], False
        if isinstance(hint, types.UnionType):
            hint, optional = next(arm for arm in hint.__args__ if arm is not type(None)), True
        rows.append((field.name, field.metadata["key"], field.metadata["size"], optional, hint))
    return tuple(rows)


def _to_value(item: Any) -> cbor.Value:
    if isinstance(item, tuple):
        return [_to_value(one) for one in item]
    if dataclasses.is_dataclass(item):
        return to_map(item)
    return int(item) if isinstance(item, enum.IntEnum) else item


def to_map(item: object) -> dict[int, cbor.Value]:
    """The CBOR map of a body, absent fields left out."""
    pairs = ((number, getattr(item, name)) for name, number, *_ in _fields(cast(Hashable, type(item))))
    return {number: _to_value(value) for number, value in pairs if value is not None}


def encode(item: object) -> bytes:
    """The deterministic CBOR of a body."""
    return cbor.encode(to_map(item))


def _from_value(value: Any, hint: Any, size: int | None) -> Any:
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise EnvelopeError
        inner = typing.get_args(hint)[0]
        return tuple(_from_value(one, inner, size) for one in value)
    if dataclasses.is_dataclass(hint):
        return from_map(value, cast("type[Any]", hint))
    if issubclass(hint, enum.IntEnum):
        if type(value) is not int or value not in hint._value2member_map_:
            raise EnvelopeError
        return hint(value)
    if type(value) is not hint:
        raise EnvelopeError
    if (size is not None and len(value) != size) or (hint is str and len(value) > MAX_TEXT):
        raise EnvelopeError
    return value


def from_map(value: object, cls: type[Body]) -> Body:
    """The body that a decoded map holds.

    Raises:
        EnvelopeError: a field is missing, or of another type, length or value than specified.
    """
    if not isinstance(value, dict):
        raise EnvelopeError
    found: dict[str, Any] = {}
    for name, number, size, optional, hint in _fields(cast(Hashable, cls)):
        if number in value:
            found[name] = _from_value(value[number], hint, size)
        elif not optional:
            raise EnvelopeError
    return cls(**found)


def decode(data: bytes, cls: type[Body]) -> Body:
    """The body that deterministic CBOR holds.

    Raises:
        EnvelopeError: for every reason there is.
    """
    return from_map(cbor.decode(data), cls)
