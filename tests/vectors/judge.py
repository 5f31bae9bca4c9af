"""Lets the independent readers judge files of vectors: `python -m tests.vectors.judge tests/vectors/*.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.vectors import (
    independent,
    independent_bodies,
    independent_clip,
    independent_grant,
    independent_keys,
    independent_live,
)

CLIPS, GRANTS, BODIES = ("state", "open", "chunk", "segment"), ("grant", "log"), ("event-body", "command-body")


def judge(case: dict[str, Any]) -> bool:
    """Whether the reader for this kind of case does with it what it says; those of sev1.json have no kind."""
    kind = case.get("kind")
    if kind is None:
        return independent.judge(case)
    if kind in CLIPS:
        return independent_clip.judge(case)
    if kind == "live":
        return independent_live.judge(case)
    if kind in GRANTS:
        return independent_grant.judge(case)
    return independent_bodies.judge(case) if kind in BODIES else independent_keys.judge(case)


if __name__ == "__main__":
    cases = [case for path in sys.argv[1:] for case in json.loads(Path(path).read_text())]
    wrong = [case["name"] for case in cases if not judge(case)]
    print(f"{len(cases) - len(wrong)} passed, {len(wrong)} failed")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)
