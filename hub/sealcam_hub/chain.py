"""The chain of one camera's events as a state machine: where an event belongs, and whether it fits there.

Pure: values in, values out; storage is left to `receive`. Implements design/pipeline.md, "Hub", step 4.

Every event names its predecessor's hash. What links to the head is appended; what lies ahead is parked until its
predecessors come; a loss event's tombstones bridge runs that never will. What arrives after its run was bridged is
late: it was sent, so it is kept. Two claims to one place are a clone: the camera's key exists twice. Between two, the
one that links to the head is taken and a parked one that contradicts it becomes disputed, so that nobody who parks
nonsense ahead can hold up the true chain. Behind a hand-over nothing counts that was parked before it: all of that
was signed by the key that signs no more. What waits has a bound that no honest camera reaches; beyond it an event is
refused until the chain has caught up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from heapq import heappop, heappush

from sealcam.wire.sealed import GENESIS
from sealcam_hub.places import Places

MOST_PARKED = 100_000  # an outbox of 64 MiB holds at most 69,474 envelopes, the smallest being 966 bytes
MOST_BRIDGES = 8_192  # runs ahead that don't meet, as from thousands of incidents of one outage


@dataclass(frozen=True, slots=True)
class Link:
    """An event's place in the chain: its sequence, its own hash and its predecessor's (32 bytes each).

    `ends` marks a hand-over that holds: the key of `epoch`, which signed it, signs nothing that follows
    (design/wire.md 5.4). `farewell` marks the last thing that a camera says.
    """

    seq: int
    hash: bytes
    prev: bytes
    ends: bool = False
    epoch: int = 0
    farewell: bool = False


@dataclass(frozen=True, slots=True)
class Bridge:
    """A run of events that will never come: first and last sequence, and the hash of the last.

    `epoch` is whose key has told of it; 0 is this hub itself.
    """

    first: int
    last: int
    last_hash: bytes
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """The head, what is parked ahead of it, and bridges that begin further on than the next place.

    Bridges rise; those that one epoch's key has told of neither overlap nor adjoin. `ends` is where they end: last
    sequence and its hash.
    """

    seq: int = 0
    hash: bytes = GENESIS
    parked: Places[Link] = field(default_factory=Places)
    bridges: tuple[Bridge, ...] = ()
    ends: Mapping[int, bytes] = field(default_factory=dict, compare=False, repr=False)

    def gap(self, newest_seq: int = 0) -> tuple[int, int] | None:
        """First and last of the next missing run; `newest_seq` is the newest that the camera says it has made."""
        ahead = [one.first for one in self.bridges[:1]]
        if (parked := self.parked.after(self.seq)) is not None:
            ahead.append(parked)
        last = min(ahead) - 1 if ahead else newest_seq
        return (self.seq + 1, last) if last > self.seq else None


class Step(StrEnum):
    """What became of an event that was offered."""

    APPENDED = "appended"
    PARKED = "parked"
    LATE = "late"
    REPEAT = "repeat"
    CLONE = "clone"
    FULL = "full"


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

    Repeats, clones and what there is no room for leave the chain as it was.
    """
    if link.seq == chain.seq + 1:
        where, there = _Where.NEXT, chain.parked.get(link.seq)
    elif link.seq > chain.seq:
        where, there = _Where.AHEAD, chain.parked.get(link.seq)
    else:
        where, there = _Where.BEHIND, known(link.seq)
    bridges = tuple(one for one in bridges if one.last >= chain.seq)  # what lies behind the head is decided
    taken = _Taken.FREE if there is None else _Taken.SAME if there.hash == link.hash else _Taken.OTHER
    fits = _link_fits(chain, link, known, where) and all(_bridge_fits(chain, link, one) for one in bridges)
    step = _TABLE[where, taken, fits]
    if step in (Step.REPEAT, Step.CLONE):
        return Move(step, chain)
    now = chain
    if step is Step.PARKED:
        now = Chain(chain.seq, chain.hash, chain.parked.put(link.seq, link), chain.bridges, chain.ends)
    elif step is Step.APPENDED:
        now = Chain(link.seq, link.hash, chain.parked, chain.bridges, chain.ends)
    first = () if step is Step.PARKED else (link,)
    move = _settle(_with_bridges(now, bridges), step, link, first)
    return Move(Step.FULL, chain) if _overfull(chain, move.chain) else move


def chain_at(seq: int, head: bytes, parked: Mapping[int, Link], bridges: Iterable[Bridge]) -> Chain:
    """The chain that ends there, with these parked and bridged ahead of its end."""
    return _with_bridges(Chain(seq, head, Places(parked)), tuple(bridges))


def bridge(chain: Chain, lost: Bridge) -> Move:
    """The move across a run, next to the head, that will never come and that no loss event tells of."""
    return _settle(_with_bridges(chain, (lost,)), Step.APPENDED, Link(0, lost.last_hash, b""), ())


def _overfull(before: Chain, now: Chain) -> bool:
    """Whether more waits than may, and more than did."""
    if len(now.bridges) > max(MOST_BRIDGES, len(before.bridges)):
        return True
    return len(now.parked) > max(MOST_PARKED, len(before.parked))


def _link_fits(chain: Chain, link: Link, known: Known, where: _Where) -> bool:
    """Whether no hash that is known contradicts `link`."""
    if where is _Where.NEXT:
        return link.prev == chain.hash
    if where is _Where.BEHIND:
        before = GENESIS if link.seq == 1 else _hash(known(link.seq - 1))
        if link.seq == chain.seq and link.hash != chain.hash:
            return False
    else:
        if chain.ends.get(link.seq, link.hash) != link.hash:
            return False
        before = chain.ends.get(link.seq - 1) or _hash(chain.parked.get(link.seq - 1))
    after = known(link.seq + 1) if link.seq < chain.seq else chain.parked.get(link.seq + 1)
    return before in (None, link.prev) and (after is None or after.prev == link.hash)


def _bridge_fits(chain: Chain, link: Link, bridge: Bridge) -> bool:
    """Whether no hash that is known contradicts the end of `bridge`, at the head or ahead, which `link` carries."""
    last, after = bridge.last, bridge.last + 1
    there = chain.hash if last == chain.seq else _hash(chain.parked.get(last))
    following = link if after == link.seq else chain.parked.get(after)
    if last > chain.seq and chain.ends.get(last, bridge.last_hash) != bridge.last_hash:
        return False
    if following is not None and following.prev != bridge.last_hash:
        return False
    return there in (None, bridge.last_hash)


def _hash(link: Link | None) -> bytes | None:
    return None if link is None else link.hash


def _with_bridges(chain: Chain, bridges: tuple[Bridge, ...]) -> Chain:
    new = tuple(one for one in bridges if one.last > chain.seq)
    return _bridged(chain, _merged((*chain.bridges, *new))) if new else chain


def _bridged(chain: Chain, bridges: tuple[Bridge, ...]) -> Chain:
    return Chain(chain.seq, chain.hash, chain.parked, bridges, {one.last: one.last_hash for one in bridges})


def _merged(bridges: Iterable[Bridge]) -> tuple[Bridge, ...]:
    """What one key has told of and overlaps or adjoins, as one run; what several have told of, by the newest.

    This hub's own word counts most.
    """
    growing: dict[int, Bridge] = {}
    grown: list[Bridge] = []
    for one in sorted(bridges, key=lambda one: one.first):
        run = growing.get(one.epoch)
        if run is None or one.first > run.last + 1:
            grown.extend([run] if run is not None else [])
            growing[one.epoch] = one
        elif one.last > run.last:
            growing[one.epoch] = Bridge(run.first, one.last, one.last_hash, one.epoch)
    grown.extend(growing.values())
    by_trust = sorted(grown, key=lambda one: (one.epoch == 0, one.epoch))
    runs = {(one.first, one.last): one for one in by_trust}
    return tuple(sorted(runs.values(), key=lambda one: one.first))


def _settle(chain: Chain, step: Step, link: Link, first: tuple[Link, ...]) -> Move:
    """The move once everything that waited for it has followed."""
    if not chain.parked and not chain.bridges:
        return Move(step, chain, first)
    ended: tuple[Link, ...] = ()
    if step is Step.APPENDED and link.ends:
        chain, ended = _without(chain, link)
    chain, followed, disputed = _advance(chain)
    appended, disputed = first + followed, ended + disputed
    return Move(Step.APPENDED if step is Step.PARKED and link in appended else step, chain, appended, disputed)


def _without(chain: Chain, link: Link) -> tuple[Chain, tuple[Link, ...]]:
    """The chain without what the key that ends with `link` has signed or told beyond it, and what was signed so."""
    ended = tuple(one for one in chain.parked.values() if one.epoch <= link.epoch)
    parked = chain.parked.without([one.seq for one in ended])
    bridges = tuple(one for one in chain.bridges if not (0 < one.epoch <= link.epoch and one.last > link.seq))
    return _bridged(Chain(link.seq, link.hash, parked), bridges), ended


def _advance(chain: Chain) -> tuple[Chain, tuple[Link, ...], tuple[Link, ...]]:
    """Follow parked events and bridges from the head as far as they go."""
    seq, head = chain.seq, chain.hash
    appended: list[Link] = []
    disputed: list[Link] = []
    done: set[int] = set()  # of what is parked
    ends: list[tuple[int, bytes]] = []  # a heap, of the bridges that begin at the next place or before it
    begun = 0  # how many those are
    while True:
        link = chain.parked.get(seq + 1) if seq + 1 not in done else None
        if link is not None and link.prev != head:
            done.add(link.seq)
            disputed.append(link)
            continue
        if link is None:
            while begun < len(chain.bridges) and chain.bridges[begun].first <= seq + 1:
                heappush(ends, (chain.bridges[begun].last, chain.bridges[begun].last_hash))
                begun += 1
            while ends and ends[0][0] <= seq:
                heappop(ends)
            if not ends:
                break
            # Inside a bridged run a parked event's predecessor may be gone for good: its signature has to do.
            link = _inside(chain, seq, done, ends[0][0])
            if link is None:
                seq, head = ends[0]
                continue
        done.add(link.seq)
        appended.append(link)
        seq, head = link.seq, link.hash
        if link.ends:
            chain, ended = _without(Chain(seq, head, chain.parked.without(done), chain.bridges), link)
            done, ends, begun = set(), [], 0
            disputed.extend(ended)
    rest = Chain(seq, head, chain.parked.without(done), chain.bridges[begun:], chain.ends)
    return rest, tuple(appended), tuple(disputed)


def _inside(chain: Chain, seq: int, done: set[int], last: int) -> Link | None:
    """The first parked event behind `seq` and up to `last` that isn't done with."""
    at = chain.parked.after(seq)
    if at in done:  # the next place alone can be: what stood there was disputed
        at = chain.parked.after(seq + 1)
    return chain.parked[at] if at is not None and at <= last else None
