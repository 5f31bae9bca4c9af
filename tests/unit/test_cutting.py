"""How large pieces are: what the line and the broker bear, found without losing a connection again and again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.cutting import LEAST_BYTES, MANY, Cut
from sealcam.wire.piece import MAX_DATA_BYTES, PREFIX_BYTES

NS = 1_000_000_000


def losses(limit: int, pieces: int) -> int:
    """How often a broker that breaks the connection over more than `limit` bytes does so."""
    cut, lost = Cut(), 0
    for _ in range(pieces):
        if cut.bytes > limit:
            cut.broke(cut.bytes)
            lost += 1
        else:
            cut.took(cut.bytes, NS // 100)
    return lost


@pytest.mark.parametrize("limit", [2048, 10_000, 20_000, 65_664])
def test_a_size_at_which_the_connection_is_lost_is_tried_ever_more_seldom(limit: int) -> None:
    assert losses(limit, 1000) <= 16
    assert losses(limit, 20_000) - losses(limit, 10_000) <= 10_000 // MANY + 1


def test_a_connection_that_was_lost_for_another_reason_costs_a_few_small_pieces() -> None:
    cut = Cut()
    for _ in range(10):
        cut.broke(cut.bytes)
        for _ in range(40):
            cut.took(cut.bytes, NS // 100)
        assert cut.bytes == MAX_DATA_BYTES


@given(st.lists(st.tuples(st.sampled_from("tbar"), st.integers(0, 10 * NS)), max_size=200))
def test_whatever_happens_a_piece_is_neither_too_small_nor_too_large(steps: list[tuple[str, int]]) -> None:
    cut = Cut()
    for step, value in steps:
        if step == "t":
            cut.took(cut.bytes, value)
        elif step == "b":
            cut.broke(cut.bytes)
        elif step == "a":
            before = cut.bytes
            allowed = cut.allow(value % 70_000)
            assert allowed is (LEAST_BYTES <= value % 70_000 - PREFIX_BYTES < before)
            assert not allowed or cut.bytes == value % 70_000 - PREFIX_BYTES
        else:
            cut.renew()
        assert LEAST_BYTES <= cut.bytes <= MAX_DATA_BYTES
