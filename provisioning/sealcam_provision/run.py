"""`sealcam-provision run`, what `make run` calls: the whole product on this machine, on real footage.

Sets up what is missing, starts a home (see `home`), shows each event as the hub opens it, and ends everything
cleanly on Ctrl-C or, with `--once`, when the footage has ended and everything is delivered.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import threading
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_provision import home as homes
from sealcam_provision.home import Home, Wish

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

_ROOT = Path(__file__).resolve().parents[2]  # the checkout
_CONSOLE = 8480
_COLOURS = {"threat": "bold red", "benign": "green", "false_alarm": "dim"}
_MARKS = {"threat": "▲ threat", "benign": "● benign", "false_alarm": "○ false alarm"}


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("run", help="the whole product on this machine: camera, broker, hub, console")
    parser.add_argument("--camera", metavar="SOURCE", help="pi, /dev/videoN, or a recorded file; default: real footage")
    parser.add_argument("--arm", choices=("off", "home", "away", "night"), default="away")
    parser.add_argument("--once", action="store_true", help="end when the footage does")
    parser.add_argument(
        "--console-port", type=_port, metavar="PORT", help=f"default {_CONSOLE}, one more for each run at the same time"
    )


def run(options: argparse.Namespace) -> int:
    """Run until Ctrl-C or the footage's end; the exit code."""
    out = Console(highlight=False, soft_wrap=True)
    source = _source(options.camera, out)
    _need_mosquitto(out)
    signal.signal(signal.SIGTERM, as_interrupt)  # however the run is ended, its parts must not outlive it
    home = homes.open_folder(_state())
    port = options.console_port if options.console_port is not None else _CONSOLE + int(home.folder.name) - 1
    wish = Wish(source, _name(options.camera), options.arm, options.once, port)
    try:
        return _live(home, wish, out)
    finally:
        home.end_all()


def _port(text: str) -> int:
    """A port as a person types it; 0 is any."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _in_checkout() -> bool:
    return (_ROOT / "provisioning" / "footage.sh").exists()


def _state() -> Path:
    """Where runs keep their folders: in the checkout, or for an installed product with the person's own state."""
    if _in_checkout():
        return _ROOT / "build" / "run"
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "sealcam" / "run"


def as_interrupt(_number: int, _frame: FrameType | None) -> None:
    """A signal handler: end as Ctrl-C does, so that no part outlives the command.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt


def _live(home: Home, wish: Wish, out: Console) -> int:
    shown = home.folder.relative_to(_ROOT) if home.folder.is_relative_to(_ROOT) else home.folder
    out.print(f"sealcam: starting broker, hub and camera in {shown}")
    out.print("sealcam: the owner's words of this run are throw-away and lie in that folder", style="dim")
    try:
        address = homes.build(home, wish)
    except KeyboardInterrupt:
        return 130
    problem: SealcamError | None = None
    events: threading.Thread | None = None
    try:
        events = _follow(home, out)
        out.print(f"sealcam: watching {wish.name}, armed {wish.arm}")
        out.print(Text("sealcam: console  ").append(address, style="bold underline"))
        out.print("sealcam: choose a passphrase there; it is for this run alone, and goes with it", style="dim")
        _wait(home, wish)
    except SealcamError as error:
        problem = error
    except KeyboardInterrupt:
        out.print("\nsealcam: ending")
    try:
        counts = homes.tally(home)
    except SealcamError as error:
        raise problem or error from None
    if events is not None:
        home.parts["events"].terminate()
        events.join(5.0)
    if counts.queued:
        out.print(f"sealcam: {counts.queued} sealed events had not reached the hub yet", style="yellow")
    if counts.sealed or problem is None:
        said = f"sealcam: {counts.sealed} incidents sealed, {counts.opened} opened, {counts.refused} refused"
        out.print(said, style="bold")
    if problem is not None:
        raise problem
    return 0 if counts.opened >= counts.sealed and not counts.refused else 1


def _wait(home: Home, wish: Wish) -> None:
    """Wait for the camera to end, or for a part to fail."""
    while True:
        for name, part in home.parts.items():
            try:
                code = part.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            if name == "eye" and code == 0 and wish.once:
                return
            raise home.last_words(name)


def _follow(home: Home, out: Console) -> threading.Thread:
    """Print each event as the hub opens it."""
    hub = str(home.folder / "hub")
    part = home.start(
        "events", homes.program("sealcam-hub"), "--state", hub, "events", "--follow", "--json", stdout=subprocess.PIPE
    )
    assert part.stdout is not None
    thread = threading.Thread(target=_print_events, args=(part.stdout, out), daemon=True)
    thread.start()
    return thread


def _print_events(lines: IO[str], out: Console) -> None:
    for line in lines:
        if not line.endswith("\n"):
            return  # the hub's command was ended in the middle of a line
        event = json.loads(line)
        if event["type"] == "incident":
            out.print(_incident_line(event))
        elif event["type"] == "notice":
            out.print(f"          notice: {event.get('text') or event.get('kind')}", style="yellow")


def _incident_line(event: dict[str, object]) -> Text:
    verdict = str(event["verdict"])
    clock = datetime.fromisoformat(str(event["occurred"])).astimezone().strftime("%H:%M:%S")
    line = Text(f"{clock}  ").append(f"{_MARKS[verdict]:<14}", style=_COLOURS[verdict])
    line.append(f"{event['subject']!s:<8} {event['stage']!s:<7}")
    if event["thumbnail_bytes"]:
        line.append(f"[picture, {event['thumbnail_bytes']} B] ", style="cyan")
    reasons = event["reasons"]
    return line.append("; ".join(str(one) for one in reasons) if isinstance(reasons, list) else "")


def _name(camera: str | None) -> str:
    """What the camera is called in this run; a file gives its name, not its path."""
    if camera is None:
        return "Campus (recorded)"
    return {"pi": "Pi camera"}.get(camera, Path(camera).name)


def _source(camera: str | None, out: Console) -> str:
    """The camera's source, with the default footage fetched where it is missing.

    Raises:
        SealcamError: a named file isn't there, or the footage can't be had.
    """
    if camera is not None:
        if camera != "pi" and not Path(camera).exists():
            raise ConfigError(f"no camera or file {camera}", "CAMERA=pi, CAMERA=/dev/video0 or CAMERA=file.mp4")
        return camera if camera == "pi" else str(Path(camera).resolve())
    return str(default_footage())


def default_footage() -> Path:
    """Real surveillance footage, fetched where it is missing.

    Raises:
        SealcamError: it can't be had.
    """
    if not _in_checkout():
        raise ConfigError("there is no footage beside an installed product", "name a camera or a file: --camera SOURCE")
    footage = _ROOT / "build" / "footage" / "vtest.avi"
    if not footage.exists() and subprocess.run((str(_ROOT / "provisioning" / "footage.sh"),), check=False).returncode:
        raise SealcamError("the footage could not be had", "the message above says why; or name a file: CAMERA=...")
    return footage


def _need_mosquitto(out: Console) -> None:
    """Install the broker where it is missing and this person may.

    Raises:
        SealcamError: it is missing and can't be installed.
    """
    try:
        homes.find_mosquitto()
    except SealcamError:
        if shutil.which("apt-get") is None or not _in_checkout():
            raise
        out.print("sealcam: installing Mosquitto, the broker (once)")
        subprocess.run((str(_ROOT / "provisioning" / "testdeps.sh"), "broker"), check=False)
        homes.find_mosquitto()
