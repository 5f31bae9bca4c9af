"""The map that the chain parks in against a dict: whatever is put and taken out, older ones stay as they were."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam_hub.places import LAYER, Places

places = st.integers(0, 600)


@given(st.dictionaries(places, st.integers()), st.lists(st.one_of(st.tuples(places, st.integers()), st.sets(places))))
def test_it_holds_what_a_dict_would_and_never_changes(
    first: dict[int, int], changes: list[tuple[int, int] | set[int]]
) -> None:
    made, model = Places(first), dict(first)
    before: list[tuple[Places[int], dict[int, int]]] = []
    for change in changes:
        before.append((made, dict(model)))
        if isinstance(change, set):
            made = made.without(change)
            model = {place: value for place, value in model.items() if place not in change}
        else:
            made = made.put(*change)
            model[change[0]] = change[1]
    for one, expected in [*before, (made, model)]:
        assert one == expected
        assert (len(one), sorted(one)) == (len(expected), sorted(expected))
        for place in (-1, 0, 300, 600):
            assert one.after(place) == min((there for there in expected if there > place), default=None)


@given(st.permutations(range(2 * LAYER + 10)))
@settings(max_examples=5)
def test_many_changes_are_as_good_as_few(order: list[int]) -> None:
    made = Places[int]()
    for place in order:
        made = made.put(place, place)
    assert made == {place: place for place in order}
    for place in order:
        made = made.without([place])
        assert made.get(place) is None
    assert (len(made), made.after(-1)) == (0, None)
