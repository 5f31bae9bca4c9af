"""What a board says of its strain, out of the kernel's files below `root`: heat, throttling, load, waiting."""

from __future__ import annotations

import os
from pathlib import Path

from sealcam.governor import Readings

_NOW = 0b1111  # of a Raspberry Pi's flags: low voltage, capped, throttled, at its soft limit of heat, now


def read(root: Path) -> Readings:
    """The readings of now; a file that isn't there, or can't be read, says nothing."""
    flags = throttled(root)
    slowed = flags is not None and flags & _NOW != 0
    return Readings(celsius(root), slowed, _load(root), _waited(root, "cpu"), _waited(root, "memory"))


def celsius(root: Path) -> float | None:
    """The warmest of the board's own thermometers."""
    found = []
    for path in sorted((root / "sys/class/thermal").glob("thermal_zone*/temp")):
        try:
            found.append(int(path.read_text()) / 1000)
        except (OSError, ValueError):  # a zone that is asleep
            continue
    return max(found, default=None)


def firmware(root: Path) -> Path | None:
    """The file with the flags of a Raspberry Pi's firmware; on a Pi 5 its folders' names hold an address. None: this
    board has none."""
    return next((root / "sys/devices/platform").glob("soc*/soc*:firmware/get_throttled"), None)


def throttled(root: Path) -> int | None:
    """Those flags (the firmware's documentation, `get_throttled`)."""
    path = firmware(root)
    try:
        return None if path is None else int(path.read_text(), 16)
    except (OSError, ValueError):
        return None


def _load(root: Path) -> float | None:
    """Processes that want to run, over the last minute, for each core that this one may use."""
    try:
        return float((root / "proc/loadavg").read_text().split()[0]) / len(os.sched_getaffinity(0))
    except (OSError, ValueError, IndexError):
        return None


def _waited(root: Path, what: str) -> float | None:
    """The share of the last minute in which some process waited for `what` (the kernel's `accounting/psi`); none where
    the kernel was built, or started, without it."""
    try:
        some = (root / "proc/pressure" / what).read_text().splitlines()[0].split()
        return float(dict(word.split("=") for word in some[1:])["avg60"]) / 100
    except (OSError, ValueError, IndexError, KeyError):
        return None
