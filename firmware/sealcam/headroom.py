"""How much memory a process may still have: what the board has left, and what its control group is bound to.

A model larger than that is refused before it is read: the kernel would end the camera without a word.
"""

from __future__ import annotations

import re
from pathlib import Path


def most_bytes(root: Path = Path("/")) -> int | None:
    """The least of what is available on the board and of what is left below the bounds (`memory.max`) of this process's
    control group and those above it; none where neither is told. Of what a group uses, pages of files don't count: the
    kernel takes them back. `root` is where the kernel's files are."""
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
    bounds = [(folder, _text(folder / "memory.max").strip()) for folder in folders]
    return [max(0, int(text) - _used(folder)) for folder, text in bounds if text.isdecimal()]


def _used(folder: Path) -> int:
    """What a group uses and can't give back; 0 where that isn't told."""
    current = _text(folder / "memory.current").strip()
    files = re.findall(r"^(?:in)?active_file (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return max(0, int(current) - sum(map(int, files))) if current.isdecimal() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
