"""A camera without its pixels and its sockets for tests: keys, outbox, sealing and commands are the product's own.

What it hands out is what its post would carry; what it is given is what its post would bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sealcam import claim
from sealcam.clocks import SimulatedClock
from sealcam.commands import Commands
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.wire import statement
from sealcam.wire.bodies import ClockQuality
from sealcam.wire.keys import fingerprint
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer
from sealcam.wire.wishes import ArmBody, CommandType
from sealcam_hub.home import Home


class CameraEnd:
    """One claimed camera on a disk of its own."""

    def __init__(self, state: Path, clock: SimulatedClock, max_bytes: int = 1 << 26) -> None:
        self.state = state
        self.clock = clock
        self.mode = ArmMode.AWAY
        self.alias = ""
        self._max_bytes = max_bytes

    def claim(self, home: Home, name: str) -> ClaimAnswer:
        """Belong to that hub's owner, as `sealcam claim` does it; keys are made the first time."""
        answer = home.enroller().answer(claim.request(self.state), name)
        claim.accept(self.state, answer, fingerprint(home.keys.root_public))
        read = statement.read(Bundle.unpack(answer).answer, home.keys.operating.public, ClaimAnswer)
        self.alias = read.alias
        return read

    def start(self) -> None:
        """Begin a boot, with what is on the disk."""
        self.keys = Keystore.open(self.state / "eye")
        self.outbox = Outbox(self.state / "eye" / "outbox.db", max_bytes=self._max_bytes)
        self.stamps = stamps = Stamps(self.clock, lambda: ClockQuality.SYNCHRONISED)
        self.sealing = Sealing(self.keys, self.outbox, stamps.now)
        self.sealer = Sealer(self.sealing, self.clock, lambda: Watching(0, 0, self.clock.boot_ns(), self.mode), stamps)
        self.commands = Commands(
            self.keys, self.outbox, self.sealing, self.sealer, self.clock, {CommandType.ARM: self._arm}
        )

    def stop(self) -> None:
        """End the boot."""
        self.outbox.close()

    def restart(self) -> None:
        """End this boot and begin another."""
        self.stop()
        self.start()

    def says(self, code: str, detail: str) -> tuple[int, bytes]:
        """Queue an event, and return its sequence and hash."""
        self.sealer.health(code, detail)
        return self.outbox.head()

    def mail(self) -> Iterator[bytes]:
        """Everything that is due, the most urgent first; it stays queued until a receipt comes."""
        while (queued := self.outbox.next(self.clock.boot_ns())) is not None:
            self.outbox.published(queued.seq, self.clock.boot_ns())
            yield queued.envelope

    def takes(self, message: bytes) -> None:
        """One message from the hub, or from whoever."""
        self.commands.deliver(message)

    def _arm(self, wish: ArmBody) -> str:
        self.mode = ArmMode[wish.mode.name]
        return f"armed: {self.mode}"
