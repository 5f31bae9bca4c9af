"""Targets with state: a whole hub that takes mail, and a whole camera that takes what the hub says, both on a disk.

One hub or camera takes many inputs, one after the other, and is made anew after some: what it has kept is part of
what is tried. So a failure names its last input alone; the target is run again from an empty one to see it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sealcam.clocks import SimulatedClock
from sealcam.commands import Commands
from sealcam.duties import Duties
from sealcam.outbox import Outbox
from sealcam.privacy import Privacy
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.wire.bodies import ClockQuality, Traffic
from sealcam.wire.envelope import SCM1, seal
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS
from sealcam_hub.home import Home
from sealcam_hub.receive import Receiver
from tests import hubs
from tests.claimed import Household, household
from tests.fuzz.choices import Choices, Seed, edits
from tests.vectors.body_examples import EVENTS
from tests.vectors.builder import Signer, cbor, draw
from tests.vectors.command_cases import WISHES
from tests.vectors.refusals import ENCODINGS
from tests.vectors.statement_builder import statement
from tests.vectors.statement_cases import EXAMPLES, KID
from tests.vectors.statement_cases import HUB as EXAMPLE_HUB

INPUTS = 500  # that one hub or camera takes
_SHARED = Path("/dev/shm")  # a disk in memory: every input is written through
MEMORY = None if "TMPDIR" in os.environ or not _SHARED.is_dir() else str(_SHARED)
Whole = TypeVar("Whole")


class _Renewed(Generic[Whole]):
    """Makes one in a new folder when there is none, or it has taken its share."""

    def __init__(self, make: Callable[[Path, contextlib.ExitStack], Whole]) -> None:
        self._make = make
        self._stack = contextlib.ExitStack()
        self._left = 0
        self._now: Whole | None = None

    def take(self) -> Whole:
        if self._now is None or self._left == 0:
            self.close()
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY)))
            self._now, self._left = self._make(folder, self._stack), INPUTS
        self._left -= 1
        return self._now

    def close(self) -> None:
        self._stack.close()
        self._stack, self._now = contextlib.ExitStack(), None


@dataclass
class _Hub:
    home: Home
    receiver: Receiver
    camera: hubs.Camera
    seen: int = 0


def _hub(folder: Path, stack: contextlib.ExitStack) -> _Hub:
    home = stack.enter_context(hubs.opened(folder / "hub"))
    camera = hubs.Camera()
    camera.claim(home)
    return _Hub(home, Receiver(home.store, home.keys, home.clock), camera)


HUB = _Renewed(_hub)


def mail(data: bytes) -> None:
    """Mail of a claimed camera: any body at the next place of its chain, beside it, or outside. Now and then shown."""
    hub, choices = HUB.take(), Choices(data)
    camera = hub.camera
    for _ in range(1 + choices.below(3)):
        kind, how = choices.byte(), choices.byte()
        body = choices.take(choices.number(2))
        hub.seen += 1
        if kind >= 0x80:
            envelope = camera.seal(kind, body, hub.seen, GENESIS)
        elif how & 1:  # beside the chain: perhaps another event at a place that is taken
            envelope = camera.seal(kind, body, max(1, camera.seq + how // 2 % 5 - 2), draw("fuzz prev"))
        else:
            envelope = _event(camera, kind, body)
        if how & 128:
            envelope = choices.edited(envelope)
        hub.receiver.take(camera.alias, envelope, hubs.WALL_NS)
    if hub.seen % 4:  # showing takes longer than taking
        return
    ledger = hub.home.ledger()
    ledger.incidents(5)
    ledger.lines(max(0, ledger.last_place() - 3))
    ledger.cameras()
    ledger.notices()


def _event(camera: hubs.Camera, kind: int, body: bytes) -> bytes:
    """The next event; its epoch body counts, if it does, for a key that nobody here has: the camera goes on."""
    try:
        return camera.event(kind, body)
    except (ValueError, EnvelopeError):  # a body over 1 MiB can't be sealed
        return b""


@dataclass
class _Camera:
    owner: Household
    clock: SimulatedClock
    outbox: Outbox
    sealer: Sealer
    commands: Commands
    number: int = 0


def _camera(folder: Path, stack: contextlib.ExitStack) -> _Camera:
    owner, clock = household(folder), SimulatedClock(boot_ns=10**12)
    outbox = Outbox(folder / "outbox.db", max_bytes=1 << 22)
    stack.callback(outbox.close)
    stamps = Stamps(clock, lambda: ClockQuality.UNKNOWN)
    sealing = Sealing(owner.camera, outbox, stamps.now)
    watching = Watching(frames=0, dropped=0, newest_ns=0, mode=ArmMode.HOME)
    sealer = Sealer(sealing, clock, lambda: watching, stamps, Traffic.INSTANT)
    scene = Scene(folder / "scene", owner.camera.wrapping, SceneSettings(), ArmMode.HOME, lambda: None)
    duties = Duties(outbox, Privacy(folder / "privacy"), scene)
    commands = Commands(owner.camera, outbox, sealing, sealer, clock, duties.handlers)
    return _Camera(owner, clock, outbox, sealer, commands)


CAMERA = _Renewed(_camera)
STATEMENT, COMMAND, POKED, BYTES = range(4)


def said(data: bytes) -> None:
    """What the hub says to a camera: statements of every kind and commands with any body, in order and out of it."""
    camera, choices = CAMERA.take(), Choices(data)
    hub, root = Signer(camera.owner.hub.seed), Signer(camera.owner.owner.root.seed)
    for _ in range(1 + choices.below(3)):
        how = choices.below(4)
        if how == BYTES:
            message = choices.take(choices.number(2))
        elif how == STATEMENT:
            kind, who = 1 + choices.below(11), (hub, root, Signer(draw("nobody")))[choices.below(3)]
            body = choices.take(choices.number(2)).replace(KID, camera.owner.camera.camera)
            message = statement(who, kind, body.replace(EXAMPLE_HUB.public, hub.public))
        else:
            message = _command(camera, choices)
            message = choices.edited(message) if how == POKED else message
        camera.commands.deliver(message)
    camera.clock.advance(choices.below(4))


def _command(camera: _Camera, choices: Choices) -> bytes:
    """A command in answer to a fresh beat, or to none."""
    kind, odd = choices.byte(), choices.byte()
    camera.number += 1 - (odd >> 1 & 1)
    nonce = bytes(32)
    if odd & 1:
        with contextlib.suppress(EnvelopeError):  # it seals to a prekey that the fuzzer gave it
            nonce = bytes(camera.owner.open(camera.sealer.beat()).fields[2])  # type: ignore[arg-type]
    keys = camera.owner.camera
    return seal(
        SigningKey(camera.owner.hub.seed),
        [keys.command.public],
        kind=kind,
        seq=camera.number,
        prev=nonce,
        body=choices.take(choices.number(2)),
        epoch=keys.epoch,
        recipient_set=1,
        form=SCM1,
    )


def close() -> None:
    """Give back what the targets of this file hold."""
    HUB.close()
    CAMERA.close()


def _sized(body: bytes) -> bytes:
    return len(body).to_bytes(2, "big") + body


def mail_seeds() -> list[Seed]:
    found = [Seed(f"body-{n}", bytes([0, kind, 0]) + _sized(cbor(one))) for n, (kind, one) in enumerate(EVENTS)]
    found += [
        Seed(f"odd-{n}", bytes([0, 1, 0]) + _sized(bytes.fromhex(one))) for n, one in enumerate(ENCODINGS.values())
    ]
    found += [Seed(f"beside-{n}", bytes([0, 1, n]) + _sized(cbor(EVENTS[0][1]))) for n in (1, 3, 5, 7, 9)]
    found.append(Seed("poked", bytes([0, 1, 128]) + _sized(cbor(EVENTS[0][1])) + edits((60, 1))))
    return found


def said_seeds() -> list[Seed]:
    found = [
        Seed(f"statement-{kind}-{who}", bytes([0, STATEMENT, kind - 1, who]) + _sized(cbor(fields)))
        for kind, (_, fields) in EXAMPLES.items()
        for who in (0, 1)
    ]
    found += [
        Seed(f"wish-{n}", bytes([0, COMMAND, kind, 1]) + _sized(cbor(one))) for n, (_, kind, one) in enumerate(WISHES)
    ]
    found += [Seed("stale", bytes([0, COMMAND, 1, 0]) + _sized(cbor({1: 2})))]
    found += [
        Seed(
            "repeated", bytes([1, COMMAND, 1, 1]) + _sized(cbor({1: 2})) + bytes([COMMAND, 1, 3]) + _sized(cbor({1: 2}))
        )
    ]
    found += [Seed("poked", bytes([0, POKED, 1, 1]) + _sized(cbor({1: 2})) + edits((9, 9)))]
    return found
