"""What the owner fetches is due at once: of what is queued, exactly the run that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.outbox import Outbox
from sealcam.wire.sealed import Sealed


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    made = Outbox(tmp_path / "outbox.db", max_bytes=1 << 20)
    for _ in range(6):
        seq = made.append(lambda number, prev: Sealed(number.to_bytes(8, "big") + prev), 2, 1)
        made.published(seq, 0)
    return made


def drain(outbox: Outbox) -> list[int]:
    found = []
    while (mail := outbox.next(0)) is not None:
        found.append(mail.seq)
        outbox.published(mail.seq, 0)
    return found


@pytest.mark.parametrize(
    ("first", "last", "due"),
    [
        (2, 3, [2, 3]),
        (0, (1 << 64) - 1, [1, 2, 3, 4, 5, 6]),
        (6, 9, [6]),
        (7, 9, []),
        (4, 3, []),
    ],
)
def test_what_is_queued_of_a_run_is_due_at_once(outbox: Outbox, first: int, last: int, due: list[int]) -> None:
    assert drain(outbox) == []
    assert outbox.due_now(first, last) == len(due)
    assert drain(outbox) == due
    outbox.close()


def test_what_is_due_already_is_counted_and_goes_once(outbox: Outbox) -> None:
    assert outbox.due_now(1, 2) == outbox.due_now(1, 2) == 2
    assert drain(outbox) == [1, 2]
    outbox.close()


def test_a_loss_event_carries_no_more_tombstones_than_fit(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "small.db", max_bytes=1000)
    for number in range(20):  # every other one is evicted, so that neighbours don't merge
        outbox.append(lambda seq, prev: Sealed(seq.to_bytes(8, "big") + prev + bytes(160)), 3 if number % 2 else 0, 1)
    told: list[int] = []

    def seal(seq: int, prev: bytes, tombs: tuple[object, ...]) -> Sealed:
        told.append(len(tombs))
        return Sealed(seq.to_bytes(8, "big") + prev)

    outbox.append_loss(seal, 1, at_most=3)
    outbox.append_loss(seal, 1, at_most=3)
    assert told
    assert max(told) <= 3
    outbox.close()
