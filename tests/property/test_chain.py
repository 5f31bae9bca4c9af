"""The chain against a camera's own list: whatever the order, what was sent stands there once and in order."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire.sealed import GENESIS
from sealcam_hub.chain import Bridge, Chain, Link, Step, offer


def name(*parts: object) -> bytes:
    return blake2b(repr(parts).encode(), digest_size=32).digest()


@dataclass(frozen=True)
class Sent:
    """One event and the tombstones it carries."""

    link: Link
    bridges: tuple[Bridge, ...] = ()


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Sent], set[int]]:
    """What a camera made, and which sequences it evicted and announced in a later loss event."""
    plan = draw(st.lists(st.sampled_from(["event", "evicted", "loss"]), max_size=14))
    sent: list[Sent] = []
    evicted: set[int] = set()
    prev, waiting = GENESIS, list[Bridge]()
    for seq, what in enumerate([*plan, "loss"], 1):
        link = Link(seq, name(seq, prev), prev)
        prev = link.hash
        if what == "loss":
            sent.append(Sent(link, tuple(waiting)))
            waiting = []
            continue
        sent.append(Sent(link))
        if what == "evicted":
            evicted.add(seq)
            if waiting and waiting[-1].last == seq - 1 and draw(st.booleans()):
                waiting[-1] = Bridge(waiting[-1].first, seq, link.hash)
            else:
                waiting.append(Bridge(seq, seq, link.hash))
    return sent, evicted


class Hub:
    """The chain with the memory that the ledger gives it."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.ledger: list[Link] = []
        self.late: set[int] = set()
        self.clones = 0

    def take(self, one: Sent) -> Step:
        known = {link.seq: link for link in self.ledger}
        move = offer(self.chain, one.link, known.get, one.bridges)
        self.chain = move.chain
        self.ledger += move.appended
        self.late |= {one.link.seq} if move.step is Step.LATE else set()
        self.clones += (move.step is Step.CLONE) + len(move.disputed)
        return move.step


@given(st.data(), histories())
def test_in_any_order_and_however_often_everything_stands_there_once(
    data: st.DataObject, history: tuple[list[Sent], set[int]]
) -> None:
    sent, evicted = history
    late = {seq for seq in evicted if data.draw(st.booleans())}  # published before its eviction, and held back
    coming = [one for one in sent if one.link.seq not in evicted - late]
    again = data.draw(st.lists(st.sampled_from(coming), max_size=5))
    hub = Hub()
    for one in data.draw(st.permutations(coming + again)):
        hub.take(one)
    assert hub.clones == 0
    assert sorted(link.seq for link in hub.ledger) == [one.link.seq for one in coming]
    assert (hub.chain.seq, hub.chain.hash) == (sent[-1].link.seq, sent[-1].link.hash)
    assert not hub.chain.parked
    assert hub.chain.bridges == ()
    in_order = [link.seq for link in hub.ledger if link.seq not in hub.late]
    assert in_order == sorted(in_order)


@given(st.data(), st.integers(1, 10))
def test_nonsense_signed_with_a_copied_key_never_holds_up_the_true_chain(data: st.DataObject, length: int) -> None:
    true: list[Sent] = []
    for seq in range(1, length + 1):
        prev = true[-1].link.hash if true else GENESIS
        true.append(Sent(Link(seq, name(seq), prev)))
    places = st.integers(1, length + 3)
    false = [Sent(Link(seq, name("false", seq, n), name("no", n))) for n, seq in enumerate(data.draw(st.lists(places)))]
    hub = Hub()
    for one in data.draw(st.permutations(true + false)):
        hub.take(one)
    for one in true:  # a camera sends again what has no receipt
        hub.take(one)
    assert [link for link in hub.ledger if link.seq <= length] == [one.link for one in true]
    if any(one.link.seq <= length for one in false):
        assert hub.clones
