"""An incident's picture in pieces: which of them make a whole one (design/wire.md 5.1, type 06).

Pure. Of two pieces that contradict each other (another count, other data in one place) the one that comes first in
the chain counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_PIECES = 64
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece says of itself; `size` is that of its data, in bytes."""

    picture: bytes
    index: int
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole picture: the sequences of its pieces, in the order of their data, and the highest of them."""

    seqs: tuple[int, ...]
    newest_seq: int


def whole(pieces: Iterable[tuple[int, Piece]]) -> list[Whole]:
    """The whole pictures among the pieces of one incident, each with its sequence; by their newest piece."""
    kept: dict[bytes, dict[int, tuple[int, Piece]]] = {}
    for seq, piece in sorted(pieces, key=lambda one: one[0]):
        mine = kept.setdefault(piece.picture, {})
        count = next(iter(mine.values()))[1].count if mine else piece.count
        if piece.count == count and piece.index < count:
            mine.setdefault(piece.index, (seq, piece))
    found = [_joined(list(mine.values())) for mine in kept.values() if _is_whole(list(mine.values()))]
    return sorted(found, key=lambda one: one.newest_seq)


def _is_whole(pieces: list[tuple[int, Piece]]) -> bool:
    if not pieces or len(pieces) > MAX_PIECES:
        return False
    return len(pieces) == pieces[0][1].count and sum(one.size for _, one in pieces) <= MAX_BYTES


def _joined(pieces: list[tuple[int, Piece]]) -> Whole:
    ordered = sorted(pieces, key=lambda one: one[1].index)
    return Whole(tuple(seq for seq, _ in ordered), max(seq for seq, _ in ordered))
