"""A map from places in a chain to what stands there, of which every change makes a new one without copying it all.

Pure. The changes since the last whole copy lie in a layer of their own over it; the layer is small, so that a change
costs little however much there is below. What a chain keeps waiting is one of these (`chain`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

LAYER = 256  # changes until the whole is copied
Value = TypeVar("Value")


class Places(Mapping[int, Value]):
    """What stands at which place; never changes itself."""

    __slots__ = ("_base", "_changed", "_count", "_order")

    def __init__(self, items: Mapping[int, Value] | None = None) -> None:
        self._base: dict[int, Value] = dict(items or {})
        self._order = sorted(self._base)
        self._changed: dict[int, Value | None] = {}  # none: it was taken out
        self._count = len(self._base)

    def __getitem__(self, place: int) -> Value:
        """What stands there.

        Raises:
            KeyError: nothing.
        """
        found = self._changed[place] if place in self._changed else self._base[place]
        if found is None:
            raise KeyError(place)
        return found

    def __iter__(self) -> Iterator[int]:
        """The places, in no order."""
        yield from (one for one in self._order if one not in self._changed)
        yield from (one for one, value in self._changed.items() if value is not None)

    def __len__(self) -> int:
        """How many places are taken."""
        return self._count

    def after(self, place: int) -> int | None:
        """The lowest taken place above `place`, if there is one."""
        found = [one for one, value in self._changed.items() if one > place and value is not None]
        for at in range(bisect_right(self._order, place), len(self._order)):
            if self._order[at] not in self._changed:
                found.append(self._order[at])
                break
        return min(found, default=None)

    def put(self, place: int, value: Value) -> Places[Value]:
        """The same with `value` at `place`."""
        return self._with({place: value}, self._count + (place not in self))

    def without(self, places: Collection[int]) -> Places[Value]:
        """The same with nothing at `places`."""
        there = [one for one in places if one in self]
        return self._with(dict.fromkeys(there), self._count - len(there)) if there else self

    def _with(self, new: Mapping[int, Value | None], count: int) -> Places[Value]:
        changed = {**self._changed, **new}
        made: Places[Value] = Places.__new__(Places)
        if len(changed) <= LAYER:
            made._base, made._order, made._changed = self._base, self._order, changed
        else:
            fresh = sorted(one for one, value in changed.items() if value is not None)
            made._order = sorted([one for one in self._order if one not in changed] + fresh)  # two runs: merged
            whole = {**self._base, **changed}
            made._base = {one: value for one in made._order if (value := whole[one]) is not None}
            made._changed = {}
        made._count = count
        return made
