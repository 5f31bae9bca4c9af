"""What is due to be told because nothing came: cameras that fell silent, events that stay missing.

Pure: times are handed in, nanoseconds on the hub's own clock since boot. While the broker is away nothing is due, for
then it is the hub that is cut off; afterwards every camera has its time again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SILENT_NS = 60_000_000_000  # three beats of 20 s
GAP_NS = 60_000_000_000
Run = tuple[int, int]


@dataclass(slots=True)
class Watch:
    """Remembers when each camera was last heard and since when its next event is missing."""

    _heard: dict[str, int] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _missing: dict[str, tuple[int, int]] = field(default_factory=dict)  # alias: first missing sequence, since when
    _told: set[tuple[str, int]] = field(default_factory=set)

    def expect(self, aliases: Iterable[str], now_ns: int, silent: Iterable[str] = ()) -> None:
        """Cameras that should beat from now on; those in `silent` are known to be silent already."""
        for alias in aliases:
            self._heard.setdefault(alias, now_ns)
        self._silent.update(silent)

    def beat(self, alias: str, now_ns: int) -> None:
        """A beat of that camera was counted."""
        self._heard[alias] = now_ns
        self._silent.discard(alias)

    def forget(self, aliases: Iterable[str]) -> None:
        """Cameras that have left: nobody waits for them any more."""
        for alias in aliases:
            self._heard.pop(alias, None)
            self._missing.pop(alias, None)

    def away(self, now_ns: int) -> None:
        """The broker is away: nobody can be heard."""
        for alias in self._heard:
            self._heard[alias] = now_ns
        self._missing = {alias: (first, now_ns) for alias, (first, _) in self._missing.items()}

    def silent(self, now_ns: int) -> list[str]:
        """Cameras that have just become silent: each once, until it beats again."""
        due = [alias for alias, at_ns in self._heard.items() if now_ns - at_ns >= SILENT_NS]
        fresh = [alias for alias in due if alias not in self._silent]
        self._silent.update(fresh)
        return fresh

    def gaps(self, missing: Mapping[str, Run | None], now_ns: int) -> list[tuple[str, Run]]:
        """Runs of events that have been missing for long enough: each once.

        A run counts as the same while it begins at the same sequence.
        """
        due: list[tuple[str, Run]] = []
        for alias, run in missing.items():
            if run is None:
                self._missing.pop(alias, None)
                continue
            first, since_ns = self._missing.get(alias, (run[0], now_ns))
            if first != run[0]:
                since_ns = now_ns
            self._missing[alias] = (run[0], since_ns)
            if now_ns - since_ns >= GAP_NS and (alias, run[0]) not in self._told:
                self._told.add((alias, run[0]))
                due.append((alias, run))
        return due
