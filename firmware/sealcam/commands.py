"""What the hub says to this camera: statements and commands; each counts by its signature alone.

The post hands every message on as it came. Nothing is parsed before its signature holds, and whatever doesn't hold
is dropped without a word to the sender. A command of the home hub is answered, once (design/wire.md section 5.3).
What a wish does is its handler's, which keys count `sealing`'s and `keystore`'s.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from sealcam.clocks import Clock
from sealcam.command_bodies import BODIES, read
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer
from sealcam.sealing import Sealing
from sealcam.wire import statement
from sealcam.wire.bodies import Outcome
from sealcam.wire.envelope import SCM1, Opened, open_envelope
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement_kinds import ClipHeld, Kind, Receipt
from sealcam.wire.wishes import CommandType

_log = logging.getLogger(__name__)

KNOWN_COMMANDS = 4096  # envelopes whose repeats are known; older ones are held back by the bounds below
OLD_BURST, OLD_EVERY_S = 8, 60.0  # answers to what is stale or repeated: anybody who kept one can send it
NEW_BURST, NEW_EVERY_S = 60, 1.0  # answers to what the hub has signed in the last minute
PREKEY_BURST, PREKEY_EVERY_S = 8, 60.0  # prekeys of one hub: each is a write of the key file, and a beat

Handler = Callable[[Any], str]
"""Carries out a wish (an instance of its type in `command_bodies.BODIES`), and says so in words for a person."""


class Declined(Exception):
    """Raised by a handler: the wish is not carried out, with the outcome and the words for its answer."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class Commands:
    """Takes the hub's messages, in the link's thread.

    `handlers` has what this camera can carry out; the other commands of `command_bodies.BODIES` are answered with
    *unsupported*. `renewed` is called after keys or recipients have changed, `held` with what the hub has of a clip.
    """

    def __init__(
        self,
        keys: Keystore,
        outbox: Outbox,
        sealing: Sealing,
        sealer: Sealer,
        clock: Clock,
        handlers: Mapping[CommandType, Handler],
        renewed: Callable[[], None] = lambda: None,
        held: Callable[[ClipHeld], None] = lambda _: None,
    ) -> None:
        self._keys = keys
        self._renewed = renewed
        self._outbox = outbox
        self._sealer = sealer
        self._handlers = handlers
        self._statements: dict[int, Callable[[bytes], object]] = {
            Kind.RECEIPT: self._receipt,
            Kind.PREKEY: lambda message: sealing.take_prekey(message, self._may_renew),
            Kind.RECIPIENT_SET: sealing.take_set,
            Kind.ROTATION: sealing.take_rotation,
            Kind.CLIP_HELD: lambda message: self._clip_held(message, held),
        }
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._old_answers = Allowance(clock, OLD_BURST, OLD_EVERY_S)
        self._new_answers = Allowance(clock, NEW_BURST, NEW_EVERY_S)
        self._clock = clock
        self._prekeys: dict[bytes, Allowance] = {}
        self._last_number = 0
        self.refused = 0

    def deliver(self, message: bytes) -> None:
        """Take one message; a bad one is counted and changes nothing.

        Raises:
            StorageError: the disk is full.
        """
        try:
            if message[:4] == SCM1.magic:
                self._command(message)
            else:
                self._statement(message)
        except EnvelopeError:
            self.refused += 1
            if self.refused & (self.refused - 1) == 0:  # told at 1, 2, 4, 8 ...: a flood must not fill the journal
                _log.warning("%d messages to this camera were refused", self.refused)

    def _statement(self, message: bytes) -> None:
        """Receipts, prekeys, sets, rotations, what the hub holds: numbered or idempotent, so a late one is taken."""
        take = self._statements.get(message[4]) if len(message) > 4 else None
        if take is None:
            raise EnvelopeError
        if take(message) and message[4] != Kind.RECEIPT:
            _log.info("taken: a newer %s", Kind(message[4]).name.lower().replace("_", " "))
            self._renewed()

    def _may_renew(self, hub: bytes) -> bool:
        """Whether this hub may change its prekey again now; one that came too soon is sent again at the next beats."""
        if hub not in self._prekeys:  # as many as the owner's sets have named
            self._prekeys[hub] = Allowance(self._clock, PREKEY_BURST, PREKEY_EVERY_S)
        return self._prekeys[hub].take()

    def _receipt(self, message: bytes) -> bool:
        return self._outbox.acknowledge(statement.read(message, self._keys.hub, Receipt).envelope_hash)

    def _clip_held(self, message: bytes, held: Callable[[ClipHeld], None]) -> bool:
        """What the home hub has of a clip of this camera; it changes no key, and so says false."""
        said = statement.read(message, self._keys.hub, ClipHeld)
        if said.camera != self._keys.camera:
            raise EnvelopeError
        held(said)
        return False

    def _command(self, message: bytes) -> None:
        opened = open_envelope(message, self._keys.hub, [self._keys.command], form=SCM1)
        name = envelope_hash(message)
        if name in self._known:
            return
        self._known[name] = None
        if len(self._known) > KNOWN_COMMANDS:
            self._known.popitem(last=False)
        outcome, detail = self._carry_out(opened)
        old = outcome in (Outcome.STALE, Outcome.REPEATED)
        if (self._old_answers if old else self._new_answers).take():
            self._sealer.answer(opened.seq, opened.kind, outcome, detail)

    def _carry_out(self, opened: Opened) -> tuple[Outcome, str]:
        """The checks of design/wire.md 5.3 that follow the signature, in its order, and the deed."""
        if not self._sealer.fresh(opened.prev):
            return Outcome.STALE, "it came too late; it is carried out if it is said again now"
        if opened.seq <= self._last_number:
            return Outcome.REPEATED, f"a command with a number of {self._last_number} was taken before"
        self._last_number = opened.seq
        if opened.kind not in BODIES:
            return Outcome.UNSUPPORTED, "this camera's version doesn't know this command"
        kind = CommandType(opened.kind)
        handler = self._handlers.get(kind)
        try:
            wish = read(kind, opened.body)
        except EnvelopeError:
            if handler is not None:
                return Outcome.UNREADABLE, "its content isn't as specified"
            return Outcome.UNSUPPORTED, f"this camera has no {kind.name.lower()}, and the content isn't as specified"
        if handler is None:
            return Outcome.UNSUPPORTED, f"this camera has no {kind.name.lower()} yet"
        try:
            return Outcome.DONE, handler(wish)
        except Declined as declined:
            return declined.outcome, declined.detail


class Allowance:
    """So many at once, and one more each `every_s`: whoever replays can't fill the chain."""

    def __init__(self, clock: Clock, burst: int, every_s: float) -> None:
        self._clock = clock
        self._every_ns = round(every_s * 1e9)
        self._burst_ns = burst * self._every_ns
        self._used_until_ns = clock.boot_ns()

    def take(self) -> bool:
        """Whether one more is allowed; then it is used."""
        now_ns = self._clock.boot_ns()
        used_ns = max(self._used_until_ns, now_ns) + self._every_ns
        if used_ns > now_ns + self._burst_ns:
            return False
        self._used_until_ns = used_ns
        return True
