"""Writes tests/vectors/bodies.json: the same bytes each time. `python -m tests.vectors.make_bodies [FILE]`.

Of every type of event and command a body that is readable, and one for each way in which one field isn't as it
should be. The file is frozen. A case may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.body_examples import EVENTS
from tests.vectors.builder import cbor
from tests.vectors.command_cases import WISHES
from tests.vectors.independent_bodies import COMMANDS
from tests.vectors.independent_bodies import EVENTS as TABLES

FILE = Path(__file__).with_name("bodies.json")
U64 = 2**64 - 1
Case = dict[str, Any]
Wrong = Iterator[tuple[str, Any]]


def broken(value: Any, kind: Any) -> Wrong:
    """`value` made wrong in every way that its type allows, each with words for it."""
    if isinstance(kind, dict):
        yield from _broken_map(value, kind)
    elif isinstance(kind, list):
        yield "is a map", {}
        yield "is a text", "text"
        if value:
            for how, wrong in broken(value[0], kind[0]):
                yield f"item {how}", [wrong, *value[1:]]
    elif isinstance(kind, set):
        yield "is of no known kind", max(kind) + 1
        yield "is a boolean", True
        yield "is a text", "text"
    elif isinstance(kind, int):
        if kind < U64:
            yield "is over its limit", kind + 1
        yield "is a boolean", True
        yield "is bytes", b"\1"
    elif kind == "bool":
        yield "is a number", 1
    elif kind == "text":
        yield "is bytes", b"text"
    else:
        yield "is a text", "text"
        if " " in kind:
            yield "is a byte short", value[:-1]
            yield "is a byte long", value + b"\0"


def _broken_map(value: dict[int, Any], kinds: dict[int, Any]) -> Wrong:
    for number, kind in kinds.items():
        inner = kind[0] if isinstance(kind, tuple) else kind
        if inner is kind:
            yield f"lacks {number}", {n: one for n, one in value.items() if n != number}
        if number in value:
            for how, wrong in broken(value[number], inner):
                yield f"{number} {how}", value | {number: wrong}


def every(kind: str, type_: int, name: str, fields: dict[int, Any], table: dict[int, Any]) -> Iterator[Case]:
    """A body as it should be, and one for each way in which it isn't."""

    def one(how: str, body: dict[int, Any], fits: bool) -> Case:
        answer: Case = {"readable": True} if fits else {"refuse": True}
        return {"name": f"{name}: {how}", "kind": kind, "type": type_, "body_cbor_hex": cbor(body).hex()} | answer

    yield one("as it should be", fields, True)
    yield one("with a field that nobody knows", fields | {200: [1, {2: True}]}, True)
    yield one("with filler", fields | {255: bytes(40)}, True)
    for how, wrong in broken(fields, table):
        yield one(how, wrong, False)


def _corners() -> Iterator[Case]:
    for count in (0, 2, 4, 5, 6, 7, 64, 65, 66, 200):
        answer: Case = {"readable": True} if count in (6, 64) else {"refuse": True}
        for type_, shape in ((5, {1: "path", 2: 0, 3: [1000] * count}), (6, {1: [1000] * count})):
            body = cbor({1: [shape]}).hex()
            name = f"command {type_:02x} with {count} numbers for corners"
            yield {"name": name, "kind": "command-body", "type": type_, "body_cbor_hex": body} | answer


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    for n, (type_, fields) in enumerate(EVENTS):
        if type_ in TABLES:
            yield from every("event-body", type_, f"event {n} of type {type_:02x}", fields, TABLES[type_])
    for name, type_, fields in WISHES:
        if type_ in COMMANDS:
            yield from every("command-body", type_, f"command {type_:02x}, {name}", fields, COMMANDS[type_])
    yield from _corners()


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
