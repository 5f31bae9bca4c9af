"""`sealcam eye`: opens what the configuration names, edge by edge, and runs the eye.

The one place that knows every edge of the camera; each is imported only when the configuration asks for it.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import secrets
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from sealcam import config, models
from sealcam.board.led import GpioLight
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.pir import GpioPir
from sealcam.board.replay import ReplayCamera
from sealcam.clocks import SystemClock, synchronised
from sealcam.eye import Eye, Parts
from sealcam.keystore import Keystore
from sealcam.notify import harden
from sealcam.outbox import Outbox
from sealcam.service import Service
from sealcam.sight.candidates import Candidates
from sealcam.sight.watch import Watch
from sealcam.wire.bodies import ClockQuality

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

    from sealcam.board.protocols import Camera

_log = logging.getLogger(__name__)


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("eye", help="run the camera: see, decide, seal, queue")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")


def run(options: argparse.Namespace) -> int:
    """Run until told to stop, or until recorded footage has ended; the exit code."""
    harden()
    cv2.setNumThreads(1)  # threads of its own make OpenCV slower on small pictures
    settings = config.load(options.config)
    clock = SystemClock()
    keys = Keystore.open(settings.paths.state / "eye")
    _ = keys.claim  # unclaimed there is nobody to seal to: say so before anything is opened
    loaded = models.load(settings.model.name, runtime_name())
    network = LiteRtNetwork(loaded.content, settings.model.threads)
    outbox = Outbox(settings.paths.state / "eye" / "outbox.db", max_bytes=settings.outbox.max_bytes)
    parts = Parts(
        keys=keys,
        outbox=outbox,
        socket=settings.paths.socket,
        clock=clock,
        watch=Watch(Candidates(network, loaded.spec), settings.sight, _incident_id, settings.arm),
        mode=settings.arm,
        camera=partial(open_camera, settings.camera, clock),
        motion_sensor=None if settings.camera.pir_pin is None else GpioPir(settings.camera.pir_pin),
        light=None if settings.camera.led_pin is None else GpioLight(settings.camera.led_pin),
        quality=lambda: ClockQuality.SYNCHRONISED if synchronised() else ClockQuality.UNKNOWN,
    )
    eye = Eye(parts, Service("eye", clock))
    try:
        return eye.run()
    finally:
        stats = outbox.stats()
        outbox.close()
        sys.stdout.write(json.dumps({"incidents": eye.incidents, "queued": stats.queued}) + "\n")


def _incident_id(_number: int) -> str:
    return secrets.token_hex(8)


def open_camera(settings: config.CameraSettings, clock: SystemClock) -> Camera:
    """The camera that the configuration names.

    Raises:
        HardwareError: the device is missing, busy or not ours.
        ClipError: a recorded file can't be read.
    """
    if settings.source == "pi":
        from sealcam.board.picamera import PiCamera

        return PiCamera(fps=settings.fps)
    if re.fullmatch(r"/dev/.+", settings.source):
        from sealcam.board.v4l2 import V4l2Camera

        return V4l2Camera(settings.source, fps=settings.fps)
    return ReplayCamera(Path(settings.source), paced=True, repeat=settings.repeat, clock=clock)
