"""Writes tests/vectors/bodies_4.json: the path of an incident (design/wire.md 5.1).

`python -m tests.vectors.make_bodies_4 [FILE]`; frozen as `bodies.json` is: a further field takes a further file.
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
from tests.vectors.make_sev1 import incident

FILE = Path(__file__).with_name("bodies_4.json")
WALK: dict[int, Any] = {
    1: [0, 1500, 70_000],
    2: [31, 840, 62, 390, 480, 900, 88, 510, 1000, 1000, 1000, 0],
    3: 1778,
    4: [0, 120, 500, 620],
}
OTHERS: dict[str, dict[int, Any]] = {
    "a path in a report without a picture": {1: [0], 2: [0, 1000, 0, 1000], 3: 1333},
    "a path of nothing": {1: [], 2: [], 3: 0},
    "a path of 32 times, the last in 49 days": {1: [*range(31), 2**32 - 1], 2: [500] * 128, 3: 65535},
    "a path whose lists have unequal lengths": {1: [0, 1], 2: [500, 500, 10], 3: 1778},
    "a path whose times fall": {1: [1, 0], 2: [500] * 8, 3: 1778},
    "a path whose picture is framed by three numbers": {1: [0], 2: [500] * 4, 3: 1778, 4: [0, 0, 500]},
}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from every("event-body", 1, "an incident with a path", incident(key_16=WALK), EVENTS[1])
    for name, path in OTHERS.items():
        body = cbor(incident(key_16=path)).hex()
        yield {"name": name, "kind": "event-body", "type": 1, "body_cbor_hex": body, "readable": True}


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
