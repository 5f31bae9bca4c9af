"""Writes tests/vectors/grants.json: the same bytes each time. `python -m tests.vectors.make_grants [FILE]`.

The file is frozen. A case may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors import stock
from tests.vectors.grant_cases import grants
from tests.vectors.log_cases import logs

FILE = Path(__file__).with_name("grants.json")


def text() -> str:
    """The file's content."""
    return stock.text([*grants(), *logs()])


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
