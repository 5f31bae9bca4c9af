"""Who may send this hub clips, and how often it answers: what the intake knows of cameras for a moment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from sealcam_hub.clock import Clock
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, epochs

FRESH_NS = 2_000_000_000  # how old what is known of a camera may be: it may be expelled, or hand over
_SECOND_NS = 1_000_000_000
WORDS_A_SECOND = 16  # to one camera that tell nothing new, whatever clips it names


@dataclass(frozen=True, slots=True)
class Sender:
    """A camera as it was at `known_ns`; `signers` are all epoch keys that it has had."""

    id: int
    alias: str
    kid: bytes
    signers: tuple[bytes, ...]
    known_ns: int


class Senders:
    """The cameras that send, by alias; one thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._known: dict[str, Sender] = {}
        self._words: dict[str, tuple[int, int]] = {}  # by alias: a second, and how many words of it

    def find(self, alias: str) -> Sender | None:
        """The camera of that alias, unless it was turned out.

        Raises:
            StorageError: the ledger can't be read.
        """
        now_ns = self._clock.boot_ns()
        known = self._known.get(alias)
        if known is not None and now_ns - known.known_ns < FRESH_NS:
            return known
        self._known.pop(alias, None)
        with self._store.reading() as connection:
            row = connection.execute(select(cameras).where(cameras.c.alias == alias)).one_or_none()
            if row is None or row.expelled:
                return None
            signers = connection.execute(select(epochs.c.public).where(epochs.c.camera == row.id)).scalars()
            found = Sender(row.id, alias, row.kid, tuple(signers), now_ns)
        self._known[alias] = found
        return found

    def may_hear(self, sender: Sender) -> bool:
        """Whether one more word that tells it nothing new is all right in this second."""
        second = self._clock.boot_ns() // _SECOND_NS
        before, count = self._words.get(sender.alias, (second, 0))
        count = count + 1 if before == second else 1
        self._words[sender.alias] = second, count
        return count <= WORDS_A_SECOND
