"""All fuzz targets by name. Each takes any bytes; what escapes is a bug: only refusals are expected, and are caught.

Every target signs, and encrypts, what it was told to change, so that it gets past the signature; and wherever there
is an independent reader, both must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz import clips, envelopes, grants, plain, statements, ways, whole
from tests.fuzz.choices import Seed


@dataclass(frozen=True)
class Target:
    """A function of bytes, and what to begin with."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[Seed]]


TARGETS = {
    "event": Target(envelopes.event, envelopes.event_seeds),
    "command": Target(envelopes.command, envelopes.command_seeds),
    "statement": Target(statements.run, statements.seeds),
    "clip": Target(clips.clip, clips.seeds),
    "grant": Target(grants.grant, grants.grant_seeds),
    "log": Target(grants.log, grants.log_seeds),
    "pieces": Target(ways.pieces, ways.piece_seeds),
    "live": Target(ways.live, ways.live_seeds),
    "cbor": Target(plain.decoder, plain.decoder_seeds),
    "messages": Target(plain.messages, plain.message_seeds),
    "mail": Target(whole.mail, whole.mail_seeds),
    "said": Target(whole.said, whole.said_seeds),
}
