"""Writes tests/vectors/bodies_5.json: what a beat says of the camera's disk (design/wire.md 5.2).

`python -m tests.vectors.make_bodies_5 [FILE]`; frozen as `bodies.json` is: a further field takes a further file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.builder import cbor
from tests.vectors.independent_bodies import EVENTS
from tests.vectors.make_bodies import Case, every
from tests.vectors.make_sev1 import beat

FILE = Path(__file__).with_name("bodies_5.json")
CARD: dict[int, Any] = {1: 29_820, 2: 24_113, 3: 3_977, 4: 4_096}
MOST = 2**32 - 1
OTHERS: dict[str, dict[int, Any]] = {
    "a disk without a byte free": {1: 512, 2: 0, 3: 0, 4: 256},
    "a disk of which nothing is known": {1: 0, 2: 0, 3: 0, 4: 0},
    "the largest disk": {1: MOST, 2: MOST, 3: MOST, 4: MOST},
    "more free than there is": {1: 1, 2: 2, 3: 3, 4: 1},
}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from every("event-body", 0x80, "a beat that tells of its disk", beat(key_19=CARD), EVENTS[0x80])
    for name, storage in OTHERS.items():
        body = cbor(beat(key_19=storage)).hex()
        yield {"name": name, "kind": "event-body", "type": 0x80, "body_cbor_hex": body, "readable": True}


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
