"""What is remembered of one clip on the camera: what it is worth, and how far it is on its way to the hub.

Pure: values, their bytes for the index, and which of them goes first when there is no room. Where they are kept is
`clip_store`'s. design/clips.md, store and transfer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

# Rank, incident, and since clips travel what was sent and asked: all of one length, so that a card alone tells nothing.
# The index has no newer version for it: an older eye reads the first two, and a newer one takes them alone.
_WORTH = struct.Struct(">B8sBI")
_NO_INCIDENT = bytes(8)


class Rank(IntEnum):
    """What a clip is worth."""

    FALSE_ALARM = 0
    BENIGN = 1
    THREAT = 2


class Sent(IntEnum):
    """How far a clip is on its way, as far as a restart must know it."""

    NOT = 0
    WHOLE = 1  # the hub has said that it keeps all of it
    STOPPED = 2  # the hub doesn't want it


@dataclass(frozen=True, slots=True)
class Kept:
    """One clip: its place in time, its bytes, what it is worth, whose incident it is of, whether the hub has it.

    What nobody knows counts as a threat's. `asked` numbers the owner's wishes for clips, 0 for none.
    """

    turn: int
    size: int
    rank: Rank = Rank.THREAT
    incident: bytes = _NO_INCIDENT
    sent: Sent = Sent.NOT
    asked: int = 0


def packed(one: Kept) -> bytes:
    """What the index locks."""
    return _WORTH.pack(one.rank, one.incident, one.sent, one.asked)


def unpacked(turn: int, size: int, worth: bytes) -> Kept:
    """The same read, of this version, an older one (9 bytes) or a newer one (more)."""
    rank, incident, sent, asked = _WORTH.unpack(worth[: _WORTH.size].ljust(_WORTH.size, b"\0"))
    return Kept(turn, size, Rank(rank), incident, Sent(sent), asked)


def first_to_go(one: Kept) -> tuple[int, bool, int]:
    """The least of all is evicted first: by rank, then what the hub has, then by age."""
    return one.rank, one.sent is not Sent.WHOLE, one.turn
