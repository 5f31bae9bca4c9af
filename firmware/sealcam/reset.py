"""`sealcam reset`: a camera becomes nobody's, with new keys at its next claim (design/wire.md section 10.2).

It tells the hub first, if it can: the farewell is the last event of its chain, and the post has ten seconds to bring
the hub's receipt. Then everything goes, whether it came or not. It can be run again after a crash.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam import config
from sealcam.clocks import Clock, SystemClock, synchronised
from sealcam.keystore import Keystore
from sealcam.link import Link
from sealcam.outbox import Outbox
from sealcam.pace import CoverPace, InstantPace
from sealcam.pieces import COVER_PADDED_BYTES
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.storage import InUse
from sealcam.wire import schema, statement
from sealcam.wire.bodies import Cause, ClockQuality, EventType, FarewellBody, Traffic
from sealcam.wire.errors import SealcamError, StorageError
from sealcam.wire.statement_kinds import Receipt

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

WAIT_S = 10.0
_URGENT = 0
_NS = 1_000_000_000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a camera keeps what a reset destroys, and where its post finds it; without `post`, as in the eye's own
    process, the post is told to destroy what it has."""

    eye: Path
    post: Path | None
    socket: Path

    def doomed(self) -> tuple[Path, ...]:
        """What will be destroyed, keys after what they signed: a reset that a crash ended is begun again."""
        folders = [folder for folder in (self.eye, self.post) if folder is not None and folder.is_dir()]
        found = [path for folder in folders for path in sorted(folder.iterdir())]
        return tuple(sorted(found, key=lambda path: path.name in ("keys", "wrap")))


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    words = "say farewell to the hub, and destroy the camera's keys and all it kept"
    parser = commands.add_parser("reset", help=words, description=words)
    parser.add_argument("--yes", action="store_true", help="do it; without this it only says what would go")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")


def run(options: argparse.Namespace) -> int:
    """Reset the camera; the exit code: 2 if nothing was done because `--yes` was missing."""
    settings = config.load(options.config)
    paths = settings.paths
    places = Places(paths.state / "eye", paths.state / "post", paths.socket)
    if not options.yes:
        sys.stderr.write(plan(places))
        return 2
    reset(places, SystemClock(), _say, Traffic[settings.outbox.traffic.name])
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def plan(places: Places) -> str:
    """What a reset would do, for a person."""
    lines = [f"  {path}{'/' if path.is_dir() else ''}" for path in places.doomed()] or [
        "  nothing: it is reset already"
    ]
    return "\n".join(
        (
            "sealcam: a reset says farewell to the hub and then destroys, for good:",
            *lines,
            "What the hub hasn't fetched is lost, and the camera belongs to nobody until it is claimed again.",
            "hint: sealcam reset --yes\n",
        )
    )


def reset(
    places: Places, clock: Clock, say: Say, traffic: Traffic = Traffic.INSTANT, cause: Cause = Cause.SERVICE
) -> bool:
    """Destroy keys, outbox, clips and the post's files; true if the hub has confirmed the farewell.

    With cover traffic the farewell looks like every other envelope, and waits for its turn.

    Raises:
        InUse: the eye is running, and nothing has happened.
        StorageError: something can't be removed.
    """
    if not places.doomed():
        say("there is nothing to destroy: this camera is reset")
        return False
    confirmed = False
    try:
        confirmed = _farewell(places, clock, say, traffic, cause)
    except InUse:
        raise
    except SealcamError as error:
        say(f"the hub is not told: {error.message}")
    for path in places.doomed():
        _destroy(path)
    say("done: keys, outbox, clips and the post's files are destroyed")
    say("the hub has confirmed the farewell" if confirmed else "the hub has not confirmed: expel the camera there")
    say("to use it again: systemctl stop sealcam.target, sealcam-provision claim, systemctl start sealcam.target")
    return confirmed


def _farewell(places: Places, clock: Clock, say: Say, traffic: Traffic, cause: Cause) -> bool:
    """Queue the farewell and serve the post until its receipt comes, or the time is over."""
    outbox = Outbox(places.eye / "outbox.db", max_bytes=1 << 62)
    try:
        keys = Keystore.open(places.eye)
        _ = keys.claim
        with _as_the_eye(places):
            parting = _Parting(keys, outbox, places.socket, clock, traffic, cause)
            return parting.wait(say, forgets=places.post is None)
    finally:
        outbox.close()


class _Parting:
    """An eye that says one thing and then waits."""

    def __init__(
        self, keys: Keystore, outbox: Outbox, socket: Path, clock: Clock, traffic: Traffic, cause: Cause
    ) -> None:
        self._keys = keys
        self._outbox = outbox
        self._clock = clock
        self._stop = threading.Event()
        self._confirmed = False
        stamps = Stamps(clock, lambda: ClockQuality.SYNCHRONISED if synchronised() else ClockQuality.UNKNOWN)
        cover = traffic is Traffic.COVER
        sealing = Sealing(keys, outbox, stamps.now, padded=COVER_PADDED_BYTES if cover else None)
        sealer = Sealer(sealing, clock, lambda: Watching(0, 0, clock.boot_ns(), ArmMode.OFF), stamps, traffic)
        if sealing.lost is not None:
            sealer.losses()
        body = FarewellBody(at=stamps.now(), cause=cause)
        sealing.event(EventType.FAREWELL, schema.encode(body), _URGENT)
        self._name = outbox.head()[1]
        instant = InstantPace(outbox, sealer.beat)
        self._link = Link(
            socket,
            outbox,
            clock,
            pace=CoverPace(instant, sealer.cover) if cover else instant,
            make_will=sealer.will,
            deliver=self._deliver,
        )

    def wait(self, say: Say, *, forgets: bool) -> bool:
        """Serve for up to `WAIT_S`; whether the receipt came. `forgets`: the post then destroys what it has."""
        if forgets:
            self._link.forget()
        until_ns = self._clock.boot_ns() + round(WAIT_S * _NS)
        said: list[str] = []

        def beat() -> None:
            left_ns = until_ns - self._clock.boot_ns()
            state = "the post has a connection to the broker" if self._link.up else "waiting for the post"
            if said[-1:] != [state]:
                said.append(state)
                say(f"saying farewell: {state}, up to {max(0, left_ns) / _NS:.0f} s more")
            if left_ns <= 0:
                self._stop.set()

        self._link.run(beat, self._stop)
        if self._link.forgets:
            say("the post was not told: remove its folder's files by hand, or run: sealcam reset --yes")
        return self._confirmed

    def _deliver(self, message: bytes) -> None:
        """Take receipts alone: what else the hub wants doesn't matter any more."""
        receipt = statement.read(message, self._keys.hub, Receipt)
        self._outbox.acknowledge(receipt.envelope_hash)
        if receipt.envelope_hash == self._name:
            self._confirmed = True
            self._stop.set()


@contextmanager
def _as_the_eye(places: Places) -> Iterator[None]:
    """As root: the socket belongs to the eye's group, so that the post may connect, and has a folder."""
    if os.geteuid() != 0:
        yield
        return
    owner, before = places.eye.stat(), os.getegid()
    folder = places.socket.parent
    if not folder.exists():
        folder.mkdir(mode=0o750, parents=True)
        os.chown(folder, owner.st_uid, owner.st_gid)
    os.setegid(owner.st_gid)
    try:
        yield
    finally:
        os.setegid(before)


def _destroy(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"can't remove {path}: {error.strerror}", "run it as root; it can be run again") from error
