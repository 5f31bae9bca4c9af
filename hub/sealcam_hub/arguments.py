"""Words of a command line as values: addresses and moments."""

from __future__ import annotations

import datetime as dt
import re

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Address

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_HOST = re.compile(r"[0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]+\]")


def parse_address(text: str) -> Address:
    """`HOST:PORT` as an address.

    Raises:
        ConfigError: it isn't one.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{text!r} is no address", "write it as HOST:PORT, such as localhost:8883")
    return Address(host.strip("[]"), int(port))


def moment(text: str, now_ns: int) -> int:
    """A time as the owner writes it, in nanoseconds since 1970-01-01 UTC: ISO 8601 (local unless it says), or `2h` ago.

    Raises:
        ConfigError: it is neither.
    """
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if ago is not None:
        return now_ns - int(ago[1]) * _UNITS_S[ago[2]] * 1_000_000_000
    try:
        return int(dt.datetime.fromisoformat(text).timestamp() * 1_000_000_000)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"{text!r} is no time", "write it as 2026-05-01T12:00, or as 90m, 2h or 7d ago") from error
