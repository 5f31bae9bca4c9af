"""A command as its owner writes it: JSON with the names of the specification's fields (design/wire.md 5.3).

`{"command": "masks", "masks": [{"corners": [0, 0, 300, 0, 300, 400]}]}`: enumerations by their lower-case names, bytes
as hex digits. What a command's body may hold is the schema's to say; a mistake is told by where it stands.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import json
import types
import typing
from typing import Any

from sealcam.wire import schema
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import CommandType, Mask, Zone
from sealcam_hub.wish_words import body_type

MAX_INT = (1 << 64) - 1
LEAST_CORNERS, MOST_CORNERS = 3, 32
_HINT = "design/wire.md 5.3 lists the fields"


def read_wish(text: bytes) -> object:
    """The command's body in `text`.

    Raises:
        ConfigError: it is no command, or a field isn't as specified.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is no JSON: {error}", _HINT) from error
    names = {kind.name.lower(): kind for kind in CommandType}
    name = told.pop("command", None) if isinstance(told, dict) else None
    if not isinstance(name, str) or name not in names:
        raise ConfigError("there is no such command", f'"command" is one of: {", ".join(names)}')
    body = _body(body_type(names[name]), told, name)
    try:
        schema.encode(body)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}", _HINT) from error
    return body


def _body(cls: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(where, "an object")
    hints, fields = typing.get_type_hints(cls), dataclasses.fields(cls)
    known = [field.name for field in fields]
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(f"{where}: there is no field {name!r}", f"did you mean {near[0]}?" if near else _HINT)
    found = {}
    for field in fields:
        hint, here = hints[field.name], f"{where}.{field.name}"
        optional = isinstance(hint, types.UnionType)
        if optional:
            hint = next(arm for arm in hint.__args__ if arm is not type(None))
        if field.name in value:
            found[field.name] = _value(hint, value[field.name], here, field.metadata)
        elif not optional:
            raise ConfigError(f"{here} is missing", _HINT)
    body = cls(**found)
    if isinstance(body, Zone | Mask):
        corners = len(body.corners)
        if corners % 2 or not LEAST_CORNERS <= corners // 2 <= MOST_CORNERS:
            raise _wrong(f"{where}.corners", f"x, y, x, y ... of {LEAST_CORNERS} to {MOST_CORNERS} corners")
    return body


def _value(hint: Any, value: object, where: str, rules: typing.Mapping[str, Any]) -> Any:
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _wrong(where, "a list")
        one = typing.get_args(hint)[0]
        return tuple(_value(one, item, f"{where}[{at}]", rules) for at, item in enumerate(value))
    if dataclasses.is_dataclass(hint):
        return _body(hint, value, where)
    if issubclass(hint, enum.IntEnum):
        names = {member.name.lower(): member for member in hint}
        if not isinstance(value, str) or value not in names:
            raise _wrong(where, f"one of {', '.join(names)}")
        return names[value]
    if hint is bytes:
        return _bytes(value, where, rules["size"])
    most = rules["limit"] or MAX_INT
    if type(value) is not hint or (isinstance(value, int) and not 0 <= value <= most):
        wanted = {int: f"a whole number from 0 to {most}", bool: "true or false", str: "a text"}
        raise _wrong(where, wanted[hint])
    return value


def _bytes(value: object, where: str, size: int | None) -> bytes:
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or size not in (None, len(found)):
        raise _wrong(where, f"{2 * size} hex digits" if size else "hex digits")
    return found


def _wrong(where: str, wanted: str) -> ConfigError:
    return ConfigError(f"{where} isn't as it should be", f"it is {wanted}")
