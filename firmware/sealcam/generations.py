"""Which prekeys the queue is sealed to: a row says that from a generation on, a hub's prekey had this number.

The outbox keeps one small number with each envelope, its generation; the key file keeps these rows, so that a beat
can tell every hub which of its prekeys are free (design/wire.md sections 5.2 and 10.1). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sealcam.wire.schema import body, key

NONE = 0  # the number in a row from which on a hub was not sealed to
MAX_ROWS = 256


@body
class Used:
    """From `generation` on, what is sealed is sealed to prekey `number` of `hub` (its key id)."""

    generation: int = key(1)
    hub: bytes = key(2, size=8)
    number: int = key(3)


Rows = tuple[Used, ...]


def oldest(rows: Rows, hub: bytes, queued: int | None) -> int:
    """The lowest number of a prekey of `hub` that something queued is sealed to, or may be sealed to next.

    `queued` is the lowest generation in the queue, or none. 0 when there was no prekey of that hub.
    """
    live = [row.number for row in pruned(rows, queued, (hub,)) if row.hub == hub and row.number != NONE]
    return min(live, default=NONE)


def changed(rows: Rows, generation: int, numbers: Mapping[bytes, int]) -> Rows:
    """The rows once `generation` seals to the prekeys with these `numbers` by hub, and to no other hub's."""
    before = {row.hub: row.number for row in rows}
    after = dict.fromkeys(before, NONE) | dict(numbers)
    new = [hub for hub, number in after.items() if number != before.get(hub, NONE)]
    return (*rows, *(Used(generation=generation, hub=hub, number=after[hub]) for hub in new))


def pruned(rows: Rows, queued: int | None, hubs: Collection[bytes]) -> Rows:
    """The rows that still say something: of `hubs` the newest, and all that the queue from `queued` on may need.

    Over `MAX_ROWS` the oldest are merged: what was sealed to the later prekey is then said to be sealed to the
    earlier one, which keeps a hub from destroying too early and costs nothing else.
    """
    kept = []
    for at, row in enumerate(rows):
        after = next((one for one in rows[at + 1 :] if one.hub == row.hub), None)
        over = after is not None and (queued is None or after.generation <= queued)
        gone = after is None and row.number == NONE and row.hub not in hubs
        if not over and not (gone and (queued is None or row.generation <= queued)):
            kept.append(row)
    while len(kept) > MAX_ROWS:
        kept.pop(_mergeable(kept))
    return tuple(kept)


def _mergeable(rows: list[Used]) -> int:
    """The first row that the one before of the same hub can stand for; there is one, since hubs are at most 16."""
    seen: dict[bytes, int] = {}
    for at, row in enumerate(rows):
        newest = not any(one.hub == row.hub for one in rows[at + 1 :])
        if seen.get(row.hub, NONE) != NONE and row.number != NONE and not newest:
            return at
        seen[row.hub] = row.number
    return 0
