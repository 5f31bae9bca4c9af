"""Writes tests/vectors/statements_2.json: kinds of statement that came later. `python -m ... [FILE]`; frozen."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors import stock
from tests.vectors.statement_cases_2 import lists, statements

FILE = Path(__file__).with_name("statements_2.json")


def text() -> str:
    """The file's content."""
    return stock.text([*statements(), *lists()])


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
