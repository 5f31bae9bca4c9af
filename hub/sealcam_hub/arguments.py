"""Words of a command line as values: addresses, moments, lengths of time, runs of numbers, keys."""

from __future__ import annotations

import datetime as dt
import re

from sealcam.wire.bodies import Run
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import KEY_BYTES
from sealcam_hub.folder import Address

MAX_RUNS = 256  # a command must fit its envelope
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_S = 3653 * 86400  # ten years
_LATEST_NS = (1 << 63) - 1  # what the ledger's columns hold
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
        ConfigError: it is neither, or no time from 1970 on that the ledger can hold.
    """
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    try:
        if ago is not None:
            when_ns = now_ns - int(ago[1]) * _UNITS_S[ago[2]] * 1_000_000_000
        else:
            when_ns = int(dt.datetime.fromisoformat(text).timestamp() * 1_000_000_000)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"{text!r} is no time", "write it as 2026-05-01T12:00, or as 90m, 2h or 7d ago") from error
    if not 0 <= when_ns <= _LATEST_NS:
        raise ConfigError(f"{text!r} is too far away", "name a time between 1970 and 2262")
    return when_ns


def lasting(text: str) -> int:
    """A length of time such as `90m`, `12h` or `7d`, in nanoseconds; never zero.

    Raises:
        ConfigError: it is none, or longer than ten years.
    """
    found = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    if found is None or not int(found[1]):
        raise ConfigError(f"{text!r} is no length of time", "write it as 90m, 12h or 7d")
    seconds = int(found[1]) * _UNITS_S[found[2]]
    if seconds > _LONGEST_S:
        raise ConfigError(f"{text} is too long", "ten years at the most: 3653d")
    return seconds * 1_000_000_000


def parse_runs(text: str) -> tuple[Run, ...]:
    """Numbers such as `0-3,7` as runs, which rise and don't overlap.

    Raises:
        ConfigError: they are none, don't, or are too many for one message.
    """
    runs: list[Run] = []
    parts = text.split(",")
    if len(parts) > MAX_RUNS:
        raise ConfigError(f"these are {len(parts):,} runs of numbers", f"{MAX_RUNS} at a time is the most")
    for part in parts:
        found = re.fullmatch(r"\s*(\d{1,18})(?:-(\d{1,18}))?\s*", part, re.ASCII)
        run = Run(first=int(found[1]), last=int(found[2] or found[1])) if found else None
        if run is None or run.first > run.last or (runs and run.first <= runs[-1].last):
            raise ConfigError(f"{text!r} names no rising numbers", "write them as 0-3,7")
        runs.append(run)
    return tuple(runs)


def parse_root(text: str) -> bytes:
    """The owner root's fingerprint or public key as it is typed: 64 hex digits, blanks and colons ignored.

    Raises:
        ConfigError: it is neither.
    """
    try:
        root = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        root = b""
    if len(root) != KEY_BYTES:
        hint = "`sealcam-hub status` prints it on the owner's hub; get it by another way than the file"
        raise ConfigError("--root takes the 64 hex digits of the owner's fingerprint", hint)
    return root
