"""The chain of one camera's events as a state machine: where an event belongs, and whether it fits there.

Pure: values in, values out; storage is left to `receive`. Implements design/pipeline.md, "Hub", step 4.

Every event names its predecessor's hash. What links to the head is appended; what lies ahead is parked until its
predecessors come; a loss event's tombstones bridge runs that never will. What arrives after its run was bridged is
late: it was sent, so it is kept. Two claims to one place are a clone: the camera's key exists twice. Between two, the
one that links to the head is taken and a parked one that contradicts it becomes disputed, so that nobody who parks
nonsense ahead can hold up the true chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from sealcam.wire.sealed import GENESIS


@dataclass(frozen=True, slots=True)
class Link:
    """An event's place in the chain: its sequence, its own hash and its predecessor's (32 bytes each)."""

    seq: int
    hash: bytes
    prev: bytes


@dataclass(frozen=True, slots=True)
class Bridge:
    """A run of events that will never come: first and last sequence, and the hash of the last."""

    first: int
    last: int
    last_hash: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """The head, what is parked ahead of it, and bridges that begin further on than the next place."""

    seq: int = 0
    hash: bytes = GENESIS
    parked: Mapping[int, Link] = field(default_factory=dict)
    bridges: tuple[Bridge, ...] = ()

    def gap(self, newest_seq: int = 0) -> tuple[int, int] | None:
        """First and last of the next missing run; `newest_seq` is the newest that the camera says it has made."""
        ahead = [*self.parked, *(one.first for one in self.bridges)]
        last = min(ahead) - 1 if ahead else newest_seq
        return (self.seq + 1, last) if last > self.seq else None


class Step(StrEnum):
    """What became of an event that was offered."""

    APPENDED = "appended"
    PARKED = "parked"
    LATE = "late"
    REPEAT = "repeat"
    CLONE = "clone"


@dataclass(frozen=True, slots=True)
class Move:
    """The new chain, and which events were appended (in order) or became disputed on the way."""

    step: Step
    chain: Chain
    appended: tuple[Link, ...] = ()
    disputed: tuple[Link, ...] = ()


Known = Callable[[int], Link | None]
"""Looks up the event at a place up to the head; none where a bridge passed."""


class _Where(Enum):
    NEXT = "next"
    AHEAD = "ahead"
    BEHIND = "behind"


class _Taken(Enum):
    FREE = "free"
    SAME = "same"
    OTHER = "other"


# A missing row is a broken promise: nothing is ever parked at the next place, for `_advance` would have taken it.
_TABLE: dict[tuple[_Where, _Taken, bool], Step] = {
    (_Where.NEXT, _Taken.FREE, True): Step.APPENDED,
    (_Where.NEXT, _Taken.FREE, False): Step.CLONE,
    (_Where.AHEAD, _Taken.FREE, True): Step.PARKED,
    (_Where.AHEAD, _Taken.FREE, False): Step.CLONE,
    (_Where.AHEAD, _Taken.SAME, True): Step.REPEAT,
    (_Where.AHEAD, _Taken.SAME, False): Step.REPEAT,
    (_Where.AHEAD, _Taken.OTHER, True): Step.CLONE,
    (_Where.AHEAD, _Taken.OTHER, False): Step.CLONE,
    (_Where.BEHIND, _Taken.FREE, True): Step.LATE,
    (_Where.BEHIND, _Taken.FREE, False): Step.CLONE,
    (_Where.BEHIND, _Taken.SAME, True): Step.REPEAT,
    (_Where.BEHIND, _Taken.SAME, False): Step.REPEAT,
    (_Where.BEHIND, _Taken.OTHER, True): Step.CLONE,
    (_Where.BEHIND, _Taken.OTHER, False): Step.CLONE,
}


def offer(chain: Chain, link: Link, known: Known, bridges: tuple[Bridge, ...] = ()) -> Move:
    """Where `link` belongs, and the chain after it; `bridges` are the tombstones it carries, all below it.

    Repeats and clones leave the chain as it was.
    """
    if link.seq == chain.seq + 1:
        where, there = _Where.NEXT, chain.parked.get(link.seq)
    elif link.seq > chain.seq:
        where, there = _Where.AHEAD, chain.parked.get(link.seq)
    else:
        where, there = _Where.BEHIND, known(link.seq)
    taken = _Taken.FREE if there is None else _Taken.SAME if there.hash == link.hash else _Taken.OTHER
    fits = _link_fits(chain, link, known, where) and all(_bridge_fits(chain, link, known, one) for one in bridges)
    step = _TABLE[where, taken, fits]
    if step in (Step.REPEAT, Step.CLONE):
        return Move(step, chain)
    if step is Step.PARKED:
        chain = Chain(chain.seq, chain.hash, {**chain.parked, link.seq: link}, chain.bridges)
    elif step is Step.APPENDED:
        chain = Chain(link.seq, link.hash, chain.parked, chain.bridges)
    first = () if step is Step.PARKED else (link,)
    return _settle(_with_bridges(chain, bridges), step, link, first)


def _link_fits(chain: Chain, link: Link, known: Known, where: _Where) -> bool:
    """Whether no hash that is known contradicts `link`."""
    if where is _Where.NEXT:
        return link.prev == chain.hash
    if where is _Where.BEHIND:
        before = GENESIS if link.seq == 1 else _hash(known(link.seq - 1))
        if link.seq == chain.seq and link.hash != chain.hash:
            return False
    else:
        ends = [one.last_hash for one in chain.bridges if one.last == link.seq]
        if any(end != link.hash for end in ends):
            return False
        bridged = [one.last_hash for one in chain.bridges if one.last == link.seq - 1]
        before = bridged[0] if bridged else _hash(chain.parked.get(link.seq - 1))
    after = known(link.seq + 1) if link.seq < chain.seq else chain.parked.get(link.seq + 1)
    return before in (None, link.prev) and (after is None or after.prev == link.hash)


def _bridge_fits(chain: Chain, link: Link, known: Known, bridge: Bridge) -> bool:
    """Whether no hash that is known contradicts the end of `bridge`, which `link` carries."""
    at, after = bridge.last, bridge.last + 1
    last = Link(at, chain.hash, b"") if at == chain.seq else _at(chain, known, at)
    following = link if after == link.seq else _at(chain, known, after)
    if any(one.last_hash != bridge.last_hash for one in chain.bridges if one.last == at):
        return False
    if following is not None and following.prev != bridge.last_hash:
        return False
    return last is None or last.hash == bridge.last_hash


def _at(chain: Chain, known: Known, seq: int) -> Link | None:
    return known(seq) if seq <= chain.seq else chain.parked.get(seq)


def _hash(link: Link | None) -> bytes | None:
    return None if link is None else link.hash


def _with_bridges(chain: Chain, bridges: tuple[Bridge, ...]) -> Chain:
    new = tuple(one for one in bridges if one.last > chain.seq and one not in chain.bridges)
    return replace(chain, bridges=chain.bridges + new) if new else chain


def _settle(chain: Chain, step: Step, link: Link, first: tuple[Link, ...]) -> Move:
    """The move once everything that waited for it has followed."""
    if not chain.parked and not chain.bridges:
        return Move(step, chain, first)
    chain, followed, disputed = _advance(chain)
    appended = first + followed
    return Move(Step.APPENDED if step is Step.PARKED and link in appended else step, chain, appended, disputed)


def _advance(chain: Chain) -> tuple[Chain, tuple[Link, ...], tuple[Link, ...]]:
    """Follow parked events and bridges from the head as far as they go."""
    seq, head, parked = chain.seq, chain.hash, dict(chain.parked)
    appended: list[Link] = []
    disputed: list[Link] = []
    while True:
        link = parked.pop(seq + 1, None)
        bridge = next((one for one in chain.bridges if one.first <= seq + 1 <= one.last), None)
        if link is None and bridge is not None:
            # Inside a bridged run a parked event's predecessor may be gone for good: its signature has to do.
            inside = min((at for at in parked if at <= bridge.last), default=None)
            link = parked.pop(inside) if inside is not None else None
            if link is None:
                seq, head = bridge.last, bridge.last_hash
                continue
        elif link is None:
            break
        elif link.prev != head:
            disputed.append(link)
            continue
        appended.append(link)
        seq, head = link.seq, link.hash
    bridges = tuple(one for one in chain.bridges if one.last > seq)
    return Chain(seq, head, parked, bridges), tuple(appended), tuple(disputed)
