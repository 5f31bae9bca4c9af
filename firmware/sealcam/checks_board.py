"""The self-test's look at the board: heat, supply, memory, storage and its wear, clock, and how fast it recognises.

What the kernel tells is read from files below `root`, so that a test can be any board.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import time
from pathlib import Path

import numpy as np

from sealcam import models
from sealcam.board import strain
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.checks import Finding, Grade
from sealcam.clocks import synchronised

# A Raspberry Pi slows down from 80 degrees on and at 85 further (its documentation, "Frequency management and thermal
# control"); a Jetson later. In summer the same board is 15 degrees warmer.
WARM_C, HOT_C = 70.0, 80.0
LEAST_FREE_MB, LEAST_ROOM_MB = 80, 500
SLOW_WRITE_MB_S, SLOW_SYNC_MS = 4.0, 200.0  # 1080p at the default budget writes 0.4 MB/s; an alarm waits for a sync
WRITTEN_BYTES, SYNCS = 8 << 20, 16
LOOKS, SLOW_LOOK_MS = 12, 100.0  # ten looks a second take all of a core
_THROTTLED = ((0, "its voltage is too low now"), (2, "it is slowed down now"), (3, "it is close to being slowed down"))
_THROTTLED_BEFORE = ((16, "its voltage was too low"), (18, "it was slowed down"))
_LIFE = re.compile(r"0x([0-9a-fA-F]{2}) 0x([0-9a-fA-F]{2})")


def model(root: Path) -> str:
    """What board this is, in its own words; empty where it doesn't say."""
    try:
        return (root / "proc/device-tree/model").read_text(errors="replace").strip("\0 \n")
    except OSError:
        return ""


def heat(root: Path) -> list[Finding]:
    """The warmest of the board's own thermometers."""
    warmest = strain.celsius(root)
    if warmest is None:
        return [Finding("temperature", Grade.ABSENT, "this board has no thermometer that the kernel knows")]
    figures = {"celsius": round(warmest, 1)}
    words = f"{warmest:.0f} degrees Celsius"
    if warmest < WARM_C:
        return [Finding("temperature", Grade.GOOD, words, None, figures)]
    hint = "give it air, a heat sink, shade; it gets slower before it breaks"
    return [Finding("temperature", Grade.BAD if warmest >= HOT_C else Grade.WARNING, words, hint, figures)]


def supply(root: Path) -> list[Finding]:
    """What a Raspberry Pi's firmware says of its supply and its speed."""
    if strain.firmware(root) is None:
        return [Finding("supply", Grade.ABSENT, "this board doesn't tell of its supply")]
    bits = strain.throttled(root)
    if bits is None:
        return [Finding("supply", Grade.ABSENT, "what the board tells of its supply can't be read")]
    figures = {"flags": bits}
    now = [words for bit, words in _THROTTLED if bits >> bit & 1]
    before = [words for bit, words in _THROTTLED_BEFORE if bits >> bit & 1]
    hint = "use the board's own power supply and a short cable"
    if now:
        return [Finding("supply", Grade.BAD, ", ".join(now), hint, figures)]
    if before:
        return [Finding("supply", Grade.WARNING, f"since it was switched on {', '.join(before)}", hint, figures)]
    return [Finding("supply", Grade.GOOD, "steady since it was switched on", None, figures)]


def memory(root: Path) -> list[Finding]:
    """What is free for the camera."""
    text = (root / "proc/meminfo").read_text()
    free_mb, all_mb = (int(re.search(rf"{name}:\s+(\d+)", text)[1]) // 1024 for name in ("MemAvailable", "MemTotal"))  # type: ignore[index]
    figures = {"free_mb": free_mb, "all_mb": all_mb}
    words = f"{free_mb} of {all_mb} MB are free"
    if free_mb < LEAST_FREE_MB:
        hint = "end what else runs on it: the camera is ended by the kernel where memory is short"
        return [Finding("memory", Grade.WARNING, words, hint, figures)]
    return [Finding("memory", Grade.GOOD, words, None, figures)]


def storage(state: Path) -> list[Finding]:
    """Room and speed of the disk that has the state: 8 MiB at a time, and as small as an event, each synced."""
    path = state / f".doctor-{os.getpid()}"
    try:
        room_mb = shutil.disk_usage(state).free // 1_000_000
        speed_mb_s, sync_ms = _written(path)
    except OSError as error:
        hint = "is the card full, read-only, or broken? the kernel's messages say: dmesg"
        if not state.is_dir():
            hint = "it is made when the camera is claimed; is it named right (state under [paths])?"
        return [Finding("storage", Grade.BAD, f"{state} can't be written: {error.strerror}", hint)]
    finally:
        path.unlink(missing_ok=True)
    figures = {"free_mb": room_mb, "write_mb_s": round(speed_mb_s, 1), "sync_ms": round(sync_ms, 1)}
    words = f"{room_mb} MB are free, {speed_mb_s:.0f} MB/s, {sync_ms:.0f} ms until a small write is safe"
    if room_mb < LEAST_ROOM_MB:
        return [Finding("storage", Grade.WARNING, words, "make room: clips need gigabytes", figures)]
    if speed_mb_s < SLOW_WRITE_MB_S or sync_ms > SLOW_SYNC_MS:
        hint = "take a card of application class A1 or better"
        return [Finding("storage", Grade.WARNING, words, hint, figures)]
    return [Finding("storage", Grade.GOOD, words, None, figures)]


def _written(path: Path) -> tuple[float, float]:
    """MB/s of a large write with its sync, and the median time of a small one, in ms."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        block = os.urandom(1 << 20)
        begun = time.perf_counter()
        for _ in range(WRITTEN_BYTES // len(block)):
            os.write(handle, block)
        os.fdatasync(handle)
        large_s = time.perf_counter() - begun
        small_s = []
        for _ in range(SYNCS):
            begun = time.perf_counter()
            os.write(handle, block[:4096])
            os.fdatasync(handle)
            small_s.append(time.perf_counter() - begun)
    finally:
        os.close(handle)
    return WRITTEN_BYTES / 1e6 / large_s, 1e3 * statistics.median(small_s)


def wear(root: Path) -> list[Finding]:
    """What soldered flash tells of its age (JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST); cards tell nothing."""
    ages = []
    for path in sorted((root / "sys/block").glob("mmcblk*/device/life_time")):
        found = _LIFE.search(path.read_text(errors="replace"))
        if found is not None:
            ages += [int(one, 16) for one in found.groups() if int(one, 16)]
    if not ages:
        return [Finding("wear", Grade.ABSENT, "this storage doesn't tell its age; memory cards don't")]
    used = min(10 * max(ages), 110)
    figures = {"used_percent": used}
    words = f"up to {used} % of its life is used" if used <= 100 else "its life is used up"
    if used >= 80:
        hint = "replace it before it fails: the owner's keys aren't on it, but events that wait are"
        return [Finding("wear", Grade.BAD if used > 100 else Grade.WARNING, words, hint, figures)]
    return [Finding("wear", Grade.GOOD, words, None, figures)]


def clock() -> list[Finding]:
    """Whether the kernel believes its wall time."""
    if synchronised():
        return [Finding("clock", Grade.GOOD, "synchronised")]
    hint = "let it reach a time server (systemd-timesyncd, port 123), or the hub; events are in order anyway"
    return [Finding("clock", Grade.WARNING, "the time isn't synchronised: schedules wait for it", hint)]


def recognition(name: str, threads: int) -> list[Finding]:
    """How long the model takes for one look.

    Raises:
        ModelError: the model isn't here, or no runtime.
    """
    runtime = runtime_name()
    network = LiteRtNetwork(models.load(name, runtime).content, threads)
    chance = np.random.default_rng(1)
    image = (chance.random(network.input_shape) * 255).astype(network.input_dtype)
    took_ms = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        network.invoke(image)
        took_ms.append(1e3 * (time.perf_counter() - begun))
    middle_ms = statistics.median(took_ms[2:])
    figures = {"look_ms": round(middle_ms, 1)}
    words = f"{name} on {runtime}, on the processor: {middle_ms:.0f} ms for a look"
    if middle_ms > SLOW_LOOK_MS:
        hint = 'let a faster model look first: make model NAME=person-192, and `first = "person-192"` under [model]'
        return [Finding("recognition", Grade.WARNING, words, hint, figures)]
    return [Finding("recognition", Grade.GOOD, words, None, figures)]
