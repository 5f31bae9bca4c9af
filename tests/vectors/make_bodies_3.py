"""Writes tests/vectors/bodies_3.json: what the owner's own annotation added (design/wire.md 5.1, 5.3 and 5.5).

`python -m tests.vectors.make_bodies_3 [FILE]`; frozen as `bodies.json` is: a further field takes a further file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import stock
from tests.vectors.builder import draw
from tests.vectors.independent_bodies import COMMANDS, EVENTS
from tests.vectors.make_bodies import Case, every
from tests.vectors.make_sev1 import incident

FILE = Path(__file__).with_name("bodies_3.json")
JUDGED: dict[int, Any] = {1: 1, 2: [1000, 0, 0, 873, 412, 398, 250, 0, 0, 560, 909, 400, 351, 320, 189, 173, 600, 227]}


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from every("event-body", 1, "an incident with what was judged", incident(key_15=JUDGED), EVENTS[1])
    yield from every(
        "event-body", 1, "an incident of which nothing was known", incident(key_15={1: 255, 2: []}), EVENTS[1]
    )
    mark = {1: draw("incident", 8), 2: 0}
    taken_back: dict[int, Any] = {1: [mark], 2: [draw("incident 2", 8), draw("incident 3", 8)]}
    yield from every("command-body", 8, "marks, and some taken back", taken_back, COMMANDS[8])
    yield from every("command-body", 8, "marks, all taken back", {1: [], 2: [draw("incident 2", 8)]}, COMMANDS[8])
    model: dict[int, Any] = {1: "home-7", 2: draw("sha256"), 3: draw("model", 60)}
    yield from every("command-body", 9, "a model with its content", model, COMMANDS[9])
    yield from every("command-body", 9, "back to the shipped model", {1: "shipped", 2: bytes(32)}, COMMANDS[9])


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
