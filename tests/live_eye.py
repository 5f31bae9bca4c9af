"""An eye as a process of its own, on a fake sensor whose mood lies in a file. `python -m tests.live_eye FOLDER UPTIME`.

The folder holds a claimed camera's keys; the board has been up for so many seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sealcam.board.fake_live import FakeLive, Mood
from sealcam.board.protocols import Camera, Frame
from sealcam.clips import ClipFolder
from sealcam.clocks import SystemClock
from sealcam.eye import Eye, Parts
from sealcam.keystore import Keystore
from sealcam.ladder import Ladder
from sealcam.outbox import Outbox
from sealcam.privacy import Privacy
from sealcam.recovery import LadderFile, Recovering, ask_for_reboot
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.service import Service
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection
from sealcam.sight.watch import Watch
from sealcam.standstill import LiveCamera
from sealcam.wire.bodies import ClockQuality, Traffic

STALL_S, FROZEN_S, STEADY_S = 2.0, 1.5, 3.0  # steady is longer than frozen: a frozen picture is no recovery


class Nobody:
    """A detector that finds nobody."""

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        return ()

    def look(self, box: Box) -> Look | None:
        return None


class Uptime(SystemClock):
    """A board that has been up for so long when this process begins."""

    def __init__(self, seconds: float) -> None:
        self._off_ns = round(seconds * 1e9) - super().boot_ns()

    def boot_ns(self) -> int:
        return super().boot_ns() + self._off_ns


def main(folder: Path, uptime_s: float) -> int:
    clock, kept = Uptime(uptime_s), LadderFile(folder / "ladder")
    keys = Keystore.open(folder)
    outbox = Outbox(folder / "outbox.db", max_bytes=8 << 20)

    def mood() -> Mood:
        return Mood((folder / "mood").read_text())

    def camera() -> Camera:
        return LiveCamera(FakeLive(mood, clock=clock, stall_s=STALL_S), clock, FROZEN_S)

    parts = Parts(
        keys=keys,
        outbox=outbox,
        socket=folder / "eye.sock",
        clock=clock,
        watch=Watch(Nobody(), SightSettings(), str, ArmMode.AWAY, live=True),
        scene=Scene(folder / "scene", keys.wrapping, SceneSettings(), ArmMode.AWAY, lambda: None),
        privacy=Privacy(folder / "privacy"),
        clips=ClipFolder(folder / "clips"),
        traffic=Traffic.INSTANT,
        camera=camera,
        motion_sensor=None,
        light=None,
        quality=lambda: ClockQuality.UNKNOWN,
        recovering=Recovering(
            Ladder(kept.load(), steady_s=STEADY_S), kept.save, lambda: ask_for_reboot(folder / "reboot")
        ),
    )
    try:
        return Eye(parts, Service("eye", clock)).run()
    finally:
        outbox.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
