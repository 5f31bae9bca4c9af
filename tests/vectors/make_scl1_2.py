"""Writes tests/vectors/scl1_2.json: fields of a clip's info that came later (design/wire.md 7.1).

`python -m tests.vectors.make_scl1_2 [FILE]`; frozen as `scl1.json` is: a further field takes a further file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.builder import cbor, draw
from tests.vectors.clip_builder import STAMP
from tests.vectors.clip_refusals import unbegun
from tests.vectors.clip_stock import EMPTY, Case, by_key, case, measured, refused, told

FILE = Path(__file__).with_name("scl1_2.json")
ALWAYS: dict[int, Any] = {1: draw("incident", 8), 2: STAMP, 3: "video/mp4", 4: 0}
ANSWERED: dict[str, dict[int, Any]] = {
    "a camera's name and a trigger": {5: "Haustür", 6: 1_234_567_890_123},
    "a name alone": {5: "yard"},
    "an empty name": {5: ""},
    "a trigger alone": {6: 0},
    "the latest trigger": {6: (1 << 64) - 1},
}
REFUSED: dict[str, dict[int, Any]] = {
    "a name in bytes": {5: b"yard"},
    "a name that is a number": {5: 1},
    "a trigger in text": {6: "1"},
    "a trigger in bytes": {6: b"\1"},
    "a trigger that is true": {6: True},
}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    base = replace(EMPTY, name="later info")
    key = by_key(base)
    for name, more in ANSWERED.items():
        recipe = replace(base, info=cbor(ALWAYS | more))
        inside = {"info_cbor_hex": recipe.info_cbor.hex()} | measured(b"")
        yield case("open", f"info with {name}", unbegun(recipe), **key, **told("interrupted", 0), **inside)
    for name, more in REFUSED.items():
        yield refused("open", f"info with {name}", unbegun(replace(base, info=cbor(ALWAYS | more))), **key)


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
