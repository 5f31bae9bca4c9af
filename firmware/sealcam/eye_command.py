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
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from sealcam import config
from sealcam.board import strain
from sealcam.board.encoders import Encoders
from sealcam.board.jetson_pipeline import sensor_of
from sealcam.board.npu_record import NpuRecord
from sealcam.board.replay import ReplayCamera
from sealcam.camera_opening import opened
from sealcam.clips import ClipFolder
from sealcam.clocks import KnownTime, SystemClock, synchronised
from sealcam.eye import Eye, Parts
from sealcam.eyesight import open_eyes
from sealcam.governing import Governing
from sealcam.governor import Governor, Step
from sealcam.keystore import Keystore
from sealcam.ladder import Ladder
from sealcam.memoryfile import MemoryFile
from sealcam.notify import harden
from sealcam.outbox import Outbox
from sealcam.ownmodel import OwnModel
from sealcam.privacy import Privacy
from sealcam.recovery import LadderFile, Recovering, ask_for_reboot
from sealcam.reset import Places, reset
from sealcam.scene import Scene
from sealcam.service import Service
from sealcam.sight.panel import Panel, Trouble
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.watch import Watch
from sealcam.sight.zones import NOTHING_WATCHED, nothing_watched
from sealcam.standstill import LiveCamera
from sealcam.taping import Kit
from sealcam.wire.bodies import Cause, ClockQuality, Traffic
from sealcam.wired import open_wired

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
    npu = NpuRecord(settings.paths.state / "eye" / "npu")
    detector = open_eyes(settings.model, npu_allowed=lambda: npu.begin(clock.boot_ns()))
    judge = OwnModel(
        settings.paths.state / "eye" / "verdict",
        keys.wrapping,
        lambda why: detector.note(Trouble("verdict-model", why)),
    )
    known_time = KnownTime(clock, synchronised)
    scene = Scene(settings.paths.state / "eye" / "scene", keys.wrapping, settings.scene, settings.arm, known_time)
    if nothing_watched(scene.place.zones):
        _log.warning("zones are in force, and %s", NOTHING_WATCHED)
    memory = MemoryFile(
        settings.paths.state / "eye" / "memory",
        keys.wrapping,
        settings.model.name,
        lambda: clock.wall_ns() // 1_000_000_000 if synchronised() else 0,
    )
    outbox = Outbox(settings.paths.state / "eye" / "outbox.db", max_bytes=settings.outbox.max_bytes)
    kit = Kit(settings.clips, Encoders(settings.clips), settings.camera.name or None)
    wired = open_wired(settings.pins, clock)
    watch = Watch(
        detector,
        settings.sight,
        _incident_id,
        scene.order().mode,
        surroundings=Surroundings(place=scene.place, statics=memory.statics),
        memory=memory.memory,
        live=_live(settings.camera),
        judge=judge,
    )

    def apply(step: Step) -> None:
        watch.set_pace(step.share)
        detector.ease(step.further)

    governor = Governor(settings.board.budget, settings.board.warm_c)
    governing = Governing(governor, partial(strain.read, Path("/")), apply)
    parts = Parts(
        keys=keys,
        outbox=outbox,
        socket=settings.paths.socket,
        clock=clock,
        watch=watch,
        scene=scene,
        memory=memory,
        privacy=Privacy(settings.paths.state / "eye" / "privacy"),
        clips=ClipFolder(settings.paths.state / "eye" / "clips"),
        traffic=Traffic[settings.outbox.traffic.name],
        camera=partial(_open_watched, settings.camera, clock),
        motion_sensor=wired.motion_sensor,
        light=wired.light,
        button=wired.button,
        infrared=wired.infrared,
        shutter=wired.shutter,
        unusable=wired.unusable,
        tend=_tending(detector, npu, governing, clock),
        keeping=settings.clips,
        recording=kit if settings.clips.record else None,
        showing=kit,
        model=judge,
        recovering=_recovering(settings),
        quality=lambda: ClockQuality.SYNCHRONISED if synchronised() else ClockQuality.UNKNOWN,
    )
    eye = Eye(parts, Service("eye", clock))
    try:
        return eye.run()
    finally:
        npu.end()  # for a lost camera say; a processor that takes the eye down leaves no time for it
        stats = outbox.stats()
        outbox.close()
        sys.stdout.write(json.dumps({"incidents": eye.incidents, "queued": stats.queued}) + "\n")
        if eye.reset:
            places = Places(settings.paths.state / "eye", None, settings.paths.socket)
            reset(places, clock, _log.warning, parts.traffic, Cause.BUTTON)
        wired.close()


def _tending(
    detector: Panel, npu: NpuRecord, governing: Governing, clock: SystemClock
) -> Callable[[int], Sequence[Trouble]]:
    def tend(t_ns: int) -> Sequence[Trouble]:
        now_ns = clock.boot_ns()
        npu.lives(now_ns)
        return (*detector.tend(t_ns), *governing.tend(now_ns))

    return tend


def _incident_id(_number: int) -> str:
    return secrets.token_hex(8)


def _recovering(settings: config.Config) -> Recovering:
    """How this camera recovers: counted on the disk, and with the board only where its owner allows that."""
    kept = LadderFile(settings.paths.state / "eye" / "ladder")
    reboot = partial(ask_for_reboot, settings.paths.socket.parent / "reboot")
    return Recovering(Ladder(kept.load()), kept.save, reboot if settings.camera.reboot else None)


def _open_watched(settings: config.CameraSettings, clock: SystemClock) -> Camera:
    """The camera, and a live one as a `LiveCamera`.

    Raises:
        HardwareError, ClipError: as `open_camera`, or a live one doesn't open in time.
    """
    if not _live(settings):
        return open_camera(settings, clock)
    return LiveCamera(opened(partial(open_camera, settings, clock)), clock)


def _live(settings: config.CameraSettings) -> bool:
    """Whether the source is a sensor, with noise of its own: a recorded file repeats pictures rightly."""
    return settings.source == "pi" or settings.source.startswith("/dev/") or sensor_of(settings.source) is not None


def open_camera(settings: config.CameraSettings, clock: SystemClock) -> Camera:
    """The camera that the configuration names.

    Raises:
        HardwareError: the device is missing, busy or not ours.
        ClipError: a recorded file can't be read.
    """
    if settings.source == "pi":
        from sealcam.board.picamera import PiCamera

        return PiCamera(fps=settings.fps, sensor=settings.sensor)
    if (number := sensor_of(settings.source)) is not None:
        from sealcam.board.gst_camera import open_jetson

        return open_jetson(number, settings.fps, settings.sensor, clock)
    if re.fullmatch(r"/dev/.+", settings.source) and not Path(settings.source).is_file():  # /dev/shm holds files
        from sealcam.board.v4l2 import V4l2Camera

        return V4l2Camera(settings.source, fps=settings.fps)
    return ReplayCamera(Path(settings.source), paced=True, repeat=settings.repeat, clock=clock)
