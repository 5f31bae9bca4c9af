"""The stock of sealed bytes that clips in cases are put together from, and the parts that say so.

A part is `{"hex": ...}`, `{"zeros": n}` or `{"file": name, "from": a, "to": b}` (design/wire.md section 13).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("scl1")
Part = dict[str, Any]


@cache
def _stored(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def join(parts: Iterable[Part]) -> bytes:
    """The bytes that the parts say."""
    return b"".join(_bytes(part) for part in parts)


def _bytes(part: Part) -> bytes:
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "zeros" in part:
        return bytes(part["zeros"])
    data = _stored(part["file"])[part["from"] : part["to"]]
    assert len(data) == part["to"] - part["from"]
    return data


def piece(name: str, start: int, end: int) -> Part:
    return {"file": name, "from": start, "to": end}


def literal(data: bytes) -> Part:
    return {"hex": data.hex()}


def text(cases: Iterable[dict[str, Any]]) -> str:
    """A file of cases: one a line."""
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
