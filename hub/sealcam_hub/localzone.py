"""The name of the time zone that this machine lives in, for forms that ask for one."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCAL, _FOLDER = Path("/etc/localtime"), "/zoneinfo/"


def local_zone() -> str:
    """An IANA name; `UTC` where the machine tells none."""
    named = os.environ.get("TZ", "").lstrip(":")
    for name in (named, str(_LOCAL.resolve()).partition(_FOLDER)[2]):
        try:
            if name:
                return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return "UTC"
