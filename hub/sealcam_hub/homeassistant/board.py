"""What stands at the broker, as far as is known, and what has to be sent so that it is what should. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Board:
    """Retained topics. A value that isn't known differs from every other one."""

    _stands: dict[str, bytes | None] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing is known of what is there any more, but which topics were used."""
        self._stands = dict.fromkeys(self._stands)

    def found(self, topic: str) -> None:
        """Somebody says that something stands there."""
        self._stands[topic] = None

    def changes(self, wanted: Mapping[str, bytes]) -> dict[str, bytes]:
        """What to send, emptied topics first, then in the order of `wanted`."""
        gone = {topic: b"" for topic in self._stands if topic not in wanted}
        changed = {topic: value for topic, value in wanted.items() if self._stands.get(topic) != value}
        return gone | changed

    def sent(self, topic: str, value: bytes) -> None:
        """That was sent."""
        if value:
            self._stands[topic] = value
        else:
            self._stands.pop(topic, None)
