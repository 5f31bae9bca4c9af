"""Writes tests/vectors/keys.json: the same bytes each time. `python -m tests.vectors.make_keys [FILE]`.

The file is frozen. A case may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors import stock
from tests.vectors.claim_cases import claims
from tests.vectors.command_cases import commands
from tests.vectors.key_cases import keys
from tests.vectors.statement_cases import statements
from tests.vectors.statement_rules import rules

FILE = Path(__file__).with_name("keys.json")


def text() -> str:
    """The file's content."""
    return stock.text([*keys(), *statements(), *rules(), *claims(), *commands()])


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
