"""How much memory a process may still have: what the board has left, and what its control group is bound to.

A model larger than that is refused before it is read: the kernel would end the camera without a word.
"""

from __future__ import annotations

import re
from pathlib import Path


def most_bytes(root: Path = Path("/")) -> int | None:
    """The least of what is available on the board and of the bounds (`memory.max`) of this process's control group and
    those above it; none where neither is told. What the group uses already isn't counted: most of that the kernel can
    take back. `root` is where the kernel's files are."""
    found = [*_bounds(root)]
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    if available is not None:
        found.append(int(available[1]) * 1024)
    return min(found, default=None)


def _bounds(root: Path) -> list[int]:
    group = re.search(r"^0::/(.*)$", _text(root / "proc/self/cgroup"), re.MULTILINE)
    if group is None:
        return []
    top = root / "sys/fs/cgroup"
    mine = top / group[1]
    folders = [mine, *(parent for parent in mine.parents if parent.is_relative_to(top))]
    texts = [_text(folder / "memory.max").strip() for folder in folders]
    return [int(text) for text in texts if text.isdecimal()]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
