"""What a camera writes to its card in an hour, at rest and under load: the product's own processes, a whole home each.

The kernel counts what the eye causes to be written (`write_bytes` of `/proc/PID/io`, proc(5)), in whole pages; the file
system's journal and what the card makes of it come on top. The post writes nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire.errors import SealcamError
from sealcam_provision import home as homes
from sealcam_provision.home import Home, Wish

SETTLE_S = 10.0  # a start tells its first event, and the hub answers
WATCHED_S = 60.0
_WITHIN_S = 60.0
_WIDTH_PX, _HEIGHT_PX, _FRAMES = 320, 180, 20


@dataclass(frozen=True, slots=True)
class Wear:
    """Bytes an hour."""

    rest: float
    load: float


def measure(footage: Path, watched_s: float = WATCHED_S) -> Wear | None:
    """The eye on a still picture, and on `footage` with people in it while it records; none where nobody may count.

    Raises:
        SealcamError: a part of the home didn't start.
    """
    with tempfile.TemporaryDirectory(prefix="sealcam-wear-") as folder:
        still = Path(folder) / "still.y4m"
        still.write_bytes(_still())
        rest = _bytes_an_hour(Path(folder) / "rest", still, watched_s)
        load = _bytes_an_hour(Path(folder) / "load", footage, watched_s)
    return None if rest is None or not load else Wear(rest, load)


def _bytes_an_hour(folder: Path, source: Path, watched_s: float) -> float | None:
    folder.mkdir()
    home = Home(folder)
    try:
        homes.build(
            home, Wish(str(source), "Bench", "away", once=False, console_port=0, extra="[clips]\nrecord = true\n")
        )
        _until_watching(home)
        time.sleep(SETTLE_S)
        before = _written(home)
        time.sleep(watched_s)
        after = _written(home)
    except PermissionError:  # an eye keeps others of its user out
        return None
    finally:
        home.end_all()
    return (after - before) * 3600 / watched_s


def _until_watching(home: Home) -> None:
    argv = (homes.program("sealcam-hub"), "--state", str(home.folder / "hub"), "status", "--json")
    deadline = time.monotonic() + _WITHIN_S
    while (
        json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)["cameras"][0]["last_beat"]
        is None
    ):
        if time.monotonic() > deadline:
            raise SealcamError(f"nothing reached the hub within {_WITHIN_S:g} s", "is this machine too busy?")
        time.sleep(0.2)


def _written(home: Home) -> int:
    found = re.search(r"^write_bytes: (\d+)$", Path(f"/proc/{home.parts['eye'].pid}/io").read_text(), re.MULTILINE)
    if found is None:
        raise SealcamError(
            "this kernel doesn't count what a process writes", "CONFIG_TASK_IO_ACCOUNTING is what it lacks"
        )
    return int(found[1])


def _still() -> bytes:
    """Two seconds of one picture, a grey slope, as YUV4MPEG2."""
    rows = b"".join(bytes([60 + row // 2]) * _WIDTH_PX for row in range(_HEIGHT_PX))
    frame = b"FRAME\n" + rows + bytes([128]) * (_WIDTH_PX * _HEIGHT_PX // 2)
    return f"YUV4MPEG2 W{_WIDTH_PX} H{_HEIGHT_PX} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * _FRAMES


if __name__ == "__main__":
    sys.stdout.write(f"{measure(Path(sys.argv[1]))}\n")
