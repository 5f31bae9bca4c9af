"""Writes tests/vectors/scl1.json and its stock scl1/: the same bytes each time. `python -m tests.vectors.make_scl1`.

Both are frozen. A case may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors import stock
from tests.vectors.clip_cases import answered
from tests.vectors.clip_refusals import refusals
from tests.vectors.clip_stock import stored

FILE = Path(__file__).with_name("scl1.json")


def text() -> str:
    """The file's content."""
    return stock.text([*answered(), *refusals()])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE.parent
    (folder / "scl1").mkdir(exist_ok=True)
    for name, data in stored().items():
        (folder / "scl1" / name).write_bytes(data)
    (folder / FILE.name).write_text(text())
