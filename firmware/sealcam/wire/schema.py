"""Frozen dataclasses to and from CBOR maps with unsigned-integer keys (design/wire.md section 3).

A body is a dataclass whose fields name their key: `seq: int = key(1)`. Allowed field types are `int`, `bytes`,
`str`, `bool`, an `IntEnum`, a body, a tuple of one of them, and each of these `| None` where the field may be
absent. A missing field, a wrong type, a wrong length and an unknown enum value are refused in both directions, so
that nobody seals what nobody reads; keys that decoding doesn't know are ignored, so that an older hub reads a newer
camera.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar, cast, dataclass_transform

from sealcam.wire import cbor
from sealcam.wire.errors import EnvelopeError

Body = TypeVar("Body")
MAX_ITEMS = cbor.MAX_ITEMS
MAX_TEXT = cbor.MAX_TEXT_BYTES
_REQUIRED = object()


def key(number: int, *, size: int | None = None, limit: int | None = None, default: object = _REQUIRED) -> Any:
    """A field under map key `number`; one with the default none may be absent.

    `size` is the exact length of a byte string, `limit` the largest value of an integer.
    """
    metadata = {"key": number, "size": size, "limit": limit}
    if default is _REQUIRED:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(key,))
def body(cls: type[Body]) -> type[Body]:
    """Make `cls` a frozen, slotted, keyword-only dataclass that `encode` and `decode` know.

    Its fields stay out of `repr`: a body in a traceback would end up in the journal.
    """
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)(cls)


class _Refused(Exception):
    """A value doesn't fit its field: a `ValueError` for who encodes it, an `EnvelopeError` for who decodes it."""


_Convert = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """One field: its name, its key, whether it may be absent, and its way into a CBOR value and back."""

    name: str
    key: int
    optional: bool
    to_value: _Convert
    from_value: _Convert


def _compile(cls: Any) -> tuple[_Field, ...]:
    """The fields of a body, by rising key."""
    hints = typing.get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        hint, optional = hints[field.name], False
        if isinstance(hint, types.UnionType):
            hint, optional = next(arm for arm in hint.__args__ if arm is not type(None)), True
        ways = _ways(hint, field.metadata["size"], field.metadata["limit"])
        found.append(_Field(field.name, field.metadata["key"], optional, *ways))
    return tuple(sorted(found, key=lambda one: one.key))


_fields: Callable[[Any], tuple[_Field, ...]] = functools.cache(_compile)


def _ways(hint: Any, size: int | None, limit: int | None) -> tuple[_Convert, _Convert]:
    """How a value of type `hint` goes into CBOR, and comes back."""
    if typing.get_origin(hint) is tuple:
        return _list_ways(*_ways(typing.get_args(hint)[0], size, limit))
    if dataclasses.is_dataclass(hint):
        return functools.partial(_body_to_map, hint), functools.partial(_map_to_body, hint)
    if issubclass(hint, enum.IntEnum):
        return _enum_ways(hint)

    def scalar(value: Any) -> Any:
        if type(value) is not hint:
            raise _Refused
        if (size is not None and len(value) != size) or (limit is not None and value > limit):
            raise _Refused
        return value

    return scalar, scalar


def _list_ways(to_value: _Convert, from_value: _Convert) -> tuple[_Convert, _Convert]:
    def to_list(items: Any) -> Any:
        if type(items) is not tuple:
            raise _Refused
        return [to_value(item) for item in items]

    def from_list(items: Any) -> Any:
        if type(items) is not list:
            raise _Refused
        return tuple([from_value(item) for item in items])

    return to_list, from_list


def _enum_ways(hint: type[enum.IntEnum]) -> tuple[_Convert, _Convert]:
    members = {int(member): member for member in hint}

    def to_number(value: Any) -> Any:
        if type(value) is not hint:
            raise _Refused
        return int(value)

    def from_number(value: Any) -> Any:
        if type(value) is not int or value not in members:
            raise _Refused
        return members[value]

    return to_number, from_number


def _body_to_map(cls: Any, item: Any) -> dict[int, cbor.Value]:
    if type(item) is not cls:
        raise _Refused
    found: dict[int, cbor.Value] = {}
    for field in _fields(cls):
        value = getattr(item, field.name)
        if value is not None:
            found[field.key] = field.to_value(value)
        elif not field.optional:
            raise _Refused
    return found


def _map_to_body(cls: Any, value: Any) -> Any:
    if type(value) is not dict:
        raise _Refused
    found: dict[str, Any] = {}
    for field in _fields(cls):
        if field.key in value:
            found[field.name] = field.from_value(value[field.key])
        elif not field.optional:
            raise _Refused
    return cls(**found)


def to_map(item: object) -> dict[int, cbor.Value]:
    """The CBOR map of a body, absent fields left out.

    Raises:
        ValueError: a field's value has another type, length or size than specified.
    """
    try:
        return _body_to_map(type(item), item)
    except _Refused:
        raise ValueError(f"a field of this {type(item).__name__} is not as specified") from None


def encode(item: object) -> bytes:
    """The deterministic CBOR of a body.

    Raises:
        ValueError: a field's value has another type, length or size than specified.
    """
    return cbor.encode(to_map(item))


def from_map(value: object, cls: type[Body]) -> Body:
    """The body that a decoded map holds.

    Raises:
        EnvelopeError: a field is missing, or of another type, length or value than specified.
    """
    try:
        return cast(Body, _map_to_body(cls, value))
    except _Refused as error:
        raise EnvelopeError from error


def decode(data: bytes, cls: type[Body]) -> Body:
    """The body that deterministic CBOR holds.

    Raises:
        EnvelopeError: for every reason there is.
    """
    return from_map(cbor.decode(data), cls)
