"""Bytes read as decisions, so that whatever makes bytes (a fuzzer, a seeded generator) makes structured input."""

from __future__ import annotations

from dataclasses import dataclass


class Choices:
    """Goes through bytes from front to back; at their end every answer is 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        return self.number(1)

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1, of one byte."""
        return self.byte() % count

    def number(self, width: int) -> int:
        """The next `width` bytes as a number."""
        return int.from_bytes(self.take(width), "big")

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end."""
        found = self._data[self._at : self._at + count]
        self._at += len(found)
        return found

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def edited(self, data: bytes) -> bytes:
        """`data` with some bytes overwritten: up to seven, at 16-bit places."""
        changed = bytearray(data)
        for _ in range(self.below(8)):
            at = self.number(2)
            value = self.byte()
            if changed:
                changed[at % len(changed)] = value
        return bytes(changed)


def edits(*pokes: tuple[int, int]) -> bytes:
    """What `Choices.edited` reads as these places and values."""
    return bytes([len(pokes)]) + b"".join(at.to_bytes(2, "big") + bytes([value]) for at, value in pokes)


@dataclass(frozen=True)
class Seed:
    """An input to begin with; the name is its file's."""

    name: str
    data: bytes
