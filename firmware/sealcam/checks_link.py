"""The self-test's look at the way to the owner: the radio, and the broker behind it."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

from sealcam.checks import Finding, Grade
from sealcam.post import read_address
from sealcam.tls import explain, tls_context
from sealcam.wire.errors import LinkDown

WEAK_DBM, BAD_DBM = -67, -75  # below the first video suffers, below the second everything does
WITHIN_S = 5.0
_ROW = re.compile(r"^\s*(\w+):\s+\S+\s+\S+\s+(-?\d+)\.?", re.MULTILINE)


def radio(root: Path) -> list[Finding]:
    """How well the access point is heard (/proc/net/wireless: the third number of a row, in dBm)."""
    try:
        rows = _ROW.findall((root / "proc/net/wireless").read_text())
    except OSError:
        rows = []
    if not rows:
        return [Finding("wireless", Grade.ABSENT, "no wireless network is in use")]
    name, level = max(rows, key=lambda row: int(row[1]))
    dbm = int(level)
    figures = {"dbm": dbm}
    words = f"{name} hears its access point at {dbm} dBm"
    if dbm >= WEAK_DBM:
        return [Finding("wireless", Grade.GOOD, words, None, figures)]
    hint = "bring the access point nearer, or lay a cable"
    return [Finding("wireless", Grade.BAD if dbm < BAD_DBM else Grade.WARNING, words, hint, figures)]


def broker(post: Path) -> list[Finding]:
    """Whether the claim's broker answers and is the one that it should be; nothing is said to it.

    Raises:
        ConfigError: the claim's files are damaged.
    """
    if not post.is_dir():
        return [Finding("broker", Grade.ABSENT, "this camera isn't claimed yet")]
    address = read_address(post)
    context = tls_context(address)
    where = f"{address.host}:{address.port}"
    begun = time.perf_counter()
    try:
        with (
            socket.create_connection((address.host, address.port), WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host),
        ):
            took_ms = 1e3 * (time.perf_counter() - begun)
    except OSError as error:
        found: LinkDown = explain(error, where)
        return [Finding("broker", Grade.BAD, found.message, found.hint)]
    figures = {"connect_ms": round(took_ms, 1)}
    return [Finding("broker", Grade.GOOD, f"{where} is this home's, and answers in {took_ms:.0f} ms", None, figures)]
