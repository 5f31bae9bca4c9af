"""Which prekeys are free: told too late costs nothing, told too early loses what is queued."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sealcam.generations import MAX_ROWS, Rows, Used, oldest, pruned

A, B = b"a" * 8, b"b" * 8


def rows(*found: tuple[int, bytes, int]) -> Rows:
    return tuple(Used(generation=generation, hub=hub, number=number) for generation, hub, number in found)


def test_the_oldest_is_the_one_in_force_when_the_oldest_in_the_queue_was_sealed() -> None:
    held = rows((1, A, 10), (2, B, 3), (3, A, 11), (4, A, 12))
    assert [oldest(held, A, queued) for queued in (1, 2, 3, 4, None)] == [10, 10, 11, 12, 12]
    assert [oldest(held, B, queued) for queued in (1, 2, 3, 4, None)] == [3, 3, 3, 3, 3]


def test_a_hub_without_a_prekey_has_none() -> None:
    assert oldest(rows((1, A, 10)), B, 1) == 0


def test_a_hub_that_left_is_remembered_while_something_is_queued_for_it() -> None:
    held = rows((1, A, 10), (1, B, 3), (2, B, 0), (3, A, 11))
    assert pruned(held, 1, (A,)) == held
    assert oldest(held, B, 1) == 3
    assert pruned(held, 2, (A,)) == rows((1, A, 10), (3, A, 11))
    assert pruned(held, None, (A,)) == rows((3, A, 11))


def test_a_hub_that_came_back_is_told_of_what_is_still_sealed_to_its_earlier_prekeys() -> None:
    held = rows((1, A, 1), (1, B, 3), (2, B, 0), (3, B, 9))
    assert oldest(held, B, 1) == 3
    assert oldest(held, B, 2) == 9


Change = st.tuples(st.sampled_from([A, B, b"c" * 8]), st.integers(0, 5))


@given(changes=st.lists(Change, max_size=40), queued=st.integers(0, 45) | st.none(), at=st.integers(0, 45))
def test_pruning_never_tells_a_later_prekey_than_the_whole_history_does(
    changes: list[tuple[bytes, int]], queued: int | None, at: int
) -> None:
    history: list[Used] = []
    for generation, (hub, step) in enumerate(changes, 1):
        before = max((row.number for row in history if row.hub == hub), default=0)
        history.append(Used(generation=generation, hub=hub, number=before + step if step else 0))
    for hub, _ in changes:
        kept = pruned(tuple(history), queued, (hub,))
        later = at if queued is None else max(at, queued)
        if queued is not None:
            assert oldest(kept, hub, later) == oldest(tuple(history), hub, later)
        assert oldest(kept, hub, None) == oldest(tuple(history), hub, None)


def test_too_many_rows_are_merged_into_earlier_ones() -> None:
    held = rows(*((number, A, number) for number in range(1, 1000)))
    kept = pruned(held, 1, (A,))
    assert len(kept) == MAX_ROWS
    assert oldest(kept, A, None) == 999
    for queued in range(1, 1000):
        assert 0 < oldest(kept, A, queued) <= queued
