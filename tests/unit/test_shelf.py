"""The clips in memory: what a plain search finds is found, in a hundredth of the steps."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sealcam.shelf import Shelf


@dataclass(frozen=True)
class One:
    size: int
    incident: bytes
    turn: int


class Order:
    """Counts how often it is asked."""

    asked = 0

    def __call__(self, one: One) -> int:
        self.asked += 1
        return one.turn


def clip(number: int) -> bytes:
    return number.to_bytes(16, "big")


ones = st.builds(One, st.integers(0, 9), st.sampled_from([b"a", b"b"]), st.integers(0, 5))


@given(
    st.lists(st.tuples(st.integers(0, 12), ones), max_size=5),
    st.lists(st.tuples(st.integers(0, 12), st.none() | ones), max_size=200),
)
def test_it_knows_what_a_search_would_find(begun: list[tuple[int, One]], changes: list[tuple[int, One | None]]) -> None:
    plain = {clip(number): one for number, one in begun}
    shelf: Shelf[One] = Shelf(Order(), plain.items())
    for number, one in changes:
        if one is None:
            plain.pop(clip(number), None)
            shelf.pop(clip(number))
        else:
            plain[clip(number)] = one
            shelf.put(clip(number), one)
        assert len(shelf) == len(plain)
        assert shelf.copy() == plain
        assert shelf.size_bytes == sum(one.size for one in plain.values())
        assert shelf.get(clip(number)) == plain.get(clip(number))
        for incident in (b"a", b"b"):
            wanted = sorted(clip for clip, one in plain.items() if one.incident == incident)
            assert [pair[0] for pair in shelf.of(incident)] == wanted
        first = shelf.first()
        assert first == min(plain, key=lambda clip: (plain[clip].turn, clip), default=None)


def test_to_empty_ten_thousand_takes_steps_of_their_number_not_of_its_square() -> None:
    order = Order()
    shelf = Shelf(order, ((clip(n), One(1, clip(n), n * 7919 % 10_000)) for n in range(10_000)))
    gone = []
    while (first := shelf.first()) is not None:
        gone.append(first)
        shelf.pop(first)
    assert len(gone) == 10_000
    assert order.asked <= 3 * 10_000


def test_what_changes_a_thousand_times_leaves_no_heap_behind() -> None:
    order = Order()
    shelf = Shelf(order, ((clip(n), One(1, b"a", n)) for n in range(100)))
    for turn in range(10_000):
        shelf.put(clip(5), One(1, b"a", turn))
    assert order.asked <= 4 * 10_000
    assert shelf.first() == clip(0)
