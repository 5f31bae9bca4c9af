"""What the hub says to this camera: receipts, prekeys, commands; each counts by its signature alone.

The post hands every message on as it came. Nothing is parsed before its signature holds, and whatever doesn't hold
is dropped without a word to the sender (design/wire.md section 5.3).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer
from sealcam.sight.types import ArmMode
from sealcam.wire import schema, statement
from sealcam.wire.bodies import ArmBody, CommandType
from sealcam.wire.envelope import SCM1, open_envelope
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.statement import Kind, Receipt

_log = logging.getLogger(__name__)


class Commands:
    """Takes the hub's messages in the link's thread; `set_mode` is called with the mode that a command asks for."""

    def __init__(self, keys: Keystore, outbox: Outbox, sealer: Sealer, set_mode: Callable[[ArmMode], None]) -> None:
        self._hub = keys.claim.hub
        self._command_key = keys.command
        self._outbox = outbox
        self._sealer = sealer
        self._set_mode = set_mode
        self._last_number = 0
        self.refused = 0

    def deliver(self, message: bytes) -> None:
        """Take one message; a bad one is counted and changes nothing."""
        try:
            if message[:4] == SCM1.magic:
                self._command(message)
            elif message[4:5] == bytes([Kind.PREKEY]):
                if self._sealer.take_prekey(message):
                    _log.info("sealing to a newer prekey from now on")
            else:
                receipt = statement.read(message, self._hub, Receipt)
                self._outbox.acknowledge(receipt.envelope_hash)
        except EnvelopeError:
            self.refused += 1
            if self.refused & (self.refused - 1) == 0:  # told at 1, 2, 4, 8 ...: a flood must not fill the journal
                _log.warning("%d messages to this camera were refused", self.refused)

    def _command(self, message: bytes) -> None:
        opened = open_envelope(message, self._hub, [self._command_key], form=SCM1)
        if opened.seq <= self._last_number or not self._sealer.fresh(opened.prev):
            raise EnvelopeError
        if opened.kind != CommandType.ARM:
            raise EnvelopeError
        wish = schema.decode(opened.body, ArmBody)
        self._last_number = opened.seq
        self._set_mode(ArmMode[wish.mode.name])
