"""Which pages and scripts these are: an open tab of another version is told to load itself again."""

from __future__ import annotations

import hashlib
from pathlib import Path

_HERE = Path(__file__).parent


def _version() -> str:
    """A name for what browsers are given, another one once any of it has changed."""
    digest = hashlib.blake2b(digest_size=8)
    for folder in ("static", "templates"):
        for path in sorted((_HERE / folder).rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                digest.update(f"{path.relative_to(_HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


VERSION = _version()
