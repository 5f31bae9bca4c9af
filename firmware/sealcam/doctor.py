"""`sealcam doctor`: one command on a board that looks at every part, and says of each how it does and what would help.

It opens the camera and the pins, so that the eye must not run meanwhile. `--json` is what the technician's tool reads.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam import __version__, checks_board, checks_npu, checks_pins, config
from sealcam.checks import Check, Finding, Grade
from sealcam.clocks import SystemClock
from sealcam.pin_settings import PinSettings
from sealcam.wire.errors import ConfigError
from sealcam.wired import Wired

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

ROOT = Path("/")
_MARKS = {Grade.GOOD: "good", Grade.WARNING: "look", Grade.BAD: "BAD", Grade.ABSENT: "-"}


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("doctor", help="look at every part of this board, and say how each does")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")
    parser.add_argument("--only", nargs="+", metavar="PART", help="these parts alone, such as: camera storage")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Look and tell; 0 when nothing is bad, else 1.

    Raises:
        ConfigError: the configuration can't be used, or there is no such part.
    """
    settings = config.load(options.config)
    checks = chosen(parts(settings, ROOT), options.only)
    found: list[Finding] = []
    for check in checks:
        sys.stderr.write(f"sealcam: looking at {check.part}\n")
        for one in check.run():
            found.append(one)
            if not options.json:
                _show(one)
    bad = sum(one.grade is Grade.BAD for one in found)
    if options.json:
        document = {
            "board": checks_board.model(ROOT),
            "version": __version__,
            "good": not bad,
            "findings": [asdict(one) for one in found],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        looks = sum(one.grade is Grade.WARNING for one in found)
        sys.stdout.write(f"{len(found)} parts: {bad} bad, {looks} to look at\n")
    return 1 if bad else 0


def parts(settings: config.Config, root: Path) -> list[Check]:
    """What there is to look at on a board with this configuration; libraries of a part are loaded when it is looked at.

    `root` is where the kernel's files are.
    """
    return [
        Check("camera", partial(_camera, settings)),
        *_wired(settings.pins),
        Check("recognition", partial(checks_board.recognition, settings.model.name, settings.model.threads)),
        Check("neural processor", partial(checks_npu.look, settings.model)),
        Check("speed", partial(_speed, settings)),
        Check("temperature", partial(checks_board.heat, root)),
        Check("supply", partial(checks_board.supply, root)),
        Check("memory", partial(checks_board.memory, root)),
        Check("storage", partial(checks_board.storage, settings.paths.state)),
        Check("wear", partial(checks_board.wear, root)),
        Check("clock", checks_board.clock),
        Check("wireless", partial(_radio, root)),
        Check("broker", partial(_broker, settings.paths.state / "post")),
    ]


def chosen(checks: Sequence[Check], names: Sequence[str] | None) -> list[Check]:
    """Those of the checks that were asked for, all where none was.

    Raises:
        ConfigError: there is no such part.
    """
    known = {check.part.replace(" ", "-"): check for check in checks}
    for name in names or ():
        if name not in known:
            raise ConfigError(f"there is no part {name}", f"there are: {', '.join(known)}")
    return [check for name, check in known.items() if not names or name in names]


def _show(one: Finding) -> None:
    sys.stdout.write(f"{_MARKS[one.grade]:<5} {one.part + ':':<15} {one.words}\n")
    if one.hint is not None:
        sys.stdout.write(f"{'':<21} {one.hint}\n")
    sys.stdout.flush()


def _camera(settings: config.Config) -> list[Finding]:
    from sealcam import checks_camera
    from sealcam.eye_command import open_camera

    clock = SystemClock()
    return checks_camera.look(lambda: open_camera(settings.camera, clock), settings.camera.fps, clock)


def _wired(settings: PinSettings) -> list[Check]:
    """The parts on the pins."""

    def check(part: str, names: tuple[str, ...], at: Callable[[Wired], list[Finding]]) -> Check:
        return Check(part, partial(checks_pins.look, part, names, settings, SystemClock(), at))

    return [
        check("motion sensor", ("pir",), lambda wired: checks_pins.feel(wired.motion_sensor)),
        check("status light", ("led",), lambda wired: checks_pins.shine(wired.light)),
        check("button", ("button",), lambda wired: checks_pins.press(wired.button)),
        check("infrared", ("ir_cut", "ir_lamp"), lambda wired: checks_pins.darken(wired.infrared)),
        check("shutter", ("shutter",), lambda wired: checks_pins.cover(wired.shutter)),
    ]


def _speed(settings: config.Config) -> list[Finding]:
    from sealcam import checks_speed
    from sealcam.governor import LEAST, STEPS

    usual_hz = min(settings.sight.detector_hz, float(settings.camera.fps))
    return checks_speed.look(settings.model, usual_hz * STEPS[LEAST[settings.board.budget]].share)


def _radio(root: Path) -> list[Finding]:
    from sealcam import checks_link

    return checks_link.radio(root)


def _broker(post: Path) -> list[Finding]:
    from sealcam import checks_link

    return checks_link.broker(post)
