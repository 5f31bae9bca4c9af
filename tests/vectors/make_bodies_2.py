"""Writes tests/vectors/bodies_2.json: fields that came later (design/wire.md 5.2 and 5.3).

`python -m tests.vectors.make_bodies_2 [FILE]`; frozen as `bodies.json` is: a further field takes a further file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.body_examples import beat
from tests.vectors.independent_bodies import COMMANDS, EVENTS
from tests.vectors.make_bodies import Case, every

FILE = Path(__file__).with_name("bodies_2.json")
NIGHTS: dict[int, Any] = {1: 127, 2: 1320, 3: 360, 4: 3}
VISIT: dict[int, Any] = {1: 31, 2: 540, 3: 720}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from every(
        "event-body", 0x80, "a beat of a camera that its schedule has armed", beat(key_18=True), EVENTS[0x80]
    )
    for name, visits in (("expected visits", [VISIT, VISIT]), ("no expected visit", [])):
        yield from every("command-body", 7, f"a schedule with {name}", {1: [NIGHTS], 2: "UTC", 3: visits}, COMMANDS[7])


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
