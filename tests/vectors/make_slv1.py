"""Writes tests/vectors/slv1.json: the same bytes each time. `python -m tests.vectors.make_slv1 [FILE]`.

It is frozen. A case may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors import stock
from tests.vectors.live_cases import cases

FILE = Path(__file__).with_name("slv1.json")


def text() -> str:
    """The file's content."""
    return stock.text(cases())


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
