"""Writes tests/vectors/bodies_6.json: the command that deletes clips on their camera (design/wire.md 5.3).

`python -m tests.vectors.make_bodies_6 [FILE]`; frozen as `bodies.json` is: a further field takes a further file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.builder import cbor
from tests.vectors.independent_bodies import COMMANDS
from tests.vectors.make_bodies import Case, every

FILE = Path(__file__).with_name("bodies_6.json")
FORGET: dict[int, Any] = {1: [bytes(range(16)), bytes(range(16, 32))]}
OTHERS: dict[str, list[bytes]] = {"of no clip": [], "of one clip twice": [bytes(16)] * 2}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from every("command-body", 11, "a forget", FORGET, COMMANDS[11])
    for name, clips in OTHERS.items():
        body = cbor({1: clips}).hex()
        yield {"name": f"a forget {name}", "kind": "command-body", "type": 11, "body_cbor_hex": body, "readable": True}
    for name, size in (("15", 15), ("17", 17)):
        body = cbor({1: [bytes(size)]}).hex()
        case = f"a forget of a clip whose id has {name} bytes"
        yield {"name": case, "kind": "command-body", "type": 11, "body_cbor_hex": body, "refuse": True}


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
