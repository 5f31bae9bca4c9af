"""A program that outgrows its unit's memory, in the place of the eye, and one beside it that doesn't, in the post's.

Told by shell commands alone, so that a container and a virtual machine are asked the same. The units are the product's,
with another program; what is started again doesn't grow a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.system.root import REPO

Shell = Callable[[str], str]

EYE, POST = "sealcam-eye-grown.service", "sealcam-post-beside.service"
GROWN = "/var/lib/sealcam/eye/grown"
_SCRIPT = f"""
import pathlib, sys, time
once = pathlib.Path("{GROWN}")
held = []
if sys.argv[1] == "grows" and not once.exists():
    once.touch()
    while len(held) < 1024:
        held.append(bytearray(b"x") * (1 << 20))
time.sleep(3600)
"""


def unit_of(service: str, words: str) -> str:
    """The product's unit with the program in the place of its own, which tells systemd nothing."""
    text = (REPO / "systemd" / "system" / service).read_text()
    for pattern, ours in (
        (r"^ExecStart=.*$", f"ExecStart=/usr/bin/python3 /usr/lib/sealcam-growing.py {words}"),
        (r"^Type=.*$", "Type=exec"),
        (r"^(ConditionPathExists|WatchdogSec|WatchdogSignal|Wants|After|PartOf|LoadCredentialEncrypted)=.*\n", ""),
    ):
        text = re.sub(pattern, ours, text, flags=re.MULTILINE)
    return text


def most_bytes(service: str) -> int:
    """What the product's unit may take."""
    text = (REPO / "systemd" / "system" / service).read_text()
    (mebibytes,) = re.findall(r"^MemoryMax=(\d+)M$", text, re.MULTILINE)
    return int(mebibytes) << 20


def is_enforced(sh: Shell) -> bool:
    """Whether the kernel counts a unit's memory here; without its memory controller no limit is kept."""
    return sh("systemctl show -p MemoryCurrent --value dbus.service").strip().isdecimal()


def put(sh: Shell, write: Callable[[str, str], None]) -> None:
    """Put program and units there, each a text by `write` under its path, and start the post's."""
    write("/usr/lib/sealcam-growing.py", _SCRIPT)
    write(f"/run/systemd/system/{EYE}", unit_of("sealcam-eye.service", "grows"))
    write(f"/run/systemd/system/{POST}", unit_of("sealcam-post.service", "stays"))
    sh(f"systemctl daemon-reload; systemctl start {POST}")


def outgrow(sh: Shell) -> None:
    """Start the eye's, and see it killed alone and started again.

    Raises:
        AssertionError: another was killed, too, or it wasn't.
    """
    beside = sh(f"systemctl show -p MainPID --value {POST}").strip()
    sh(f"systemctl start {EYE}")
    sh(
        f"for turn in $(seq 240); do"
        f' [ "$(systemctl show -p NRestarts --value {EYE})" -ge 1 ] && systemctl -q is-active {EYE} && exit 0;'
        f" sleep 0.5; done; systemctl status {EYE}; exit 1"
    )
    assert sh(f"systemctl show -p NRestarts --value {EYE}").strip() == "1"
    assert "code=killed, status=9/KILL" in sh(f"journalctl --sync; journalctl --no-pager -o cat -u {EYE}")
    assert sh(f"systemctl show -p MainPID --value {POST}").strip() == beside
    assert sh(f"systemctl show -p NRestarts --value {POST}").strip() == "0"
    assert sh(f"systemctl is-active {POST}").strip() == "active"


def clear(sh: Shell) -> None:
    """Stop both, and take away what was put there."""
    sh(f"systemctl stop {EYE} {POST}; rm -f /run/systemd/system/{EYE} /run/systemd/system/{POST} {GROWN}")
    sh("rm -f /usr/lib/sealcam-growing.py; systemctl daemon-reload")
