"""When to try again, and how often to say so."""

from __future__ import annotations

import logging
import random

import pytest

from sealcam.retry import Retry
from sealcam.wire.errors import LinkDown

S = 1_000_000_000
REFUSED = LinkDown("nobody listens", "is it running?")


def retry(chance: random.Random | None = None) -> Retry:
    log = logging.getLogger("test-retry")
    return Retry(log, "there again", chance or random.Random(1), first_s=1, last_s=30)


def test_pauses_double_up_to_the_longest_and_jitter_takes_at_most_half() -> None:
    one, now_ns, pauses = retry(), 0, []
    for _ in range(200):
        one.failed(REFUSED, now_ns)
        pauses.append((one.due_ns - now_ns) / S)
        now_ns = one.due_ns
    for pause, longest in zip(pauses, [1, 2, 4, 8, 16, *[30] * 195], strict=True):
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)


def test_two_cameras_dont_come_back_at_once() -> None:
    one, other = retry(random.Random(1)), retry(random.Random(2))
    one.failed(REFUSED, 0)
    other.failed(REFUSED, 0)
    assert one.due_ns != other.due_ns


def test_what_was_there_for_a_while_is_tried_soon_again() -> None:
    one = retry()
    for _ in range(10):
        one.failed(REFUSED, 0)
    one.came(0)
    one.failed(LinkDown("gone"), 10 * S)
    assert one.due_ns - 10 * S <= S


def test_what_comes_and_goes_at_once_is_not_tried_faster() -> None:
    one, now_ns = retry(), 0
    for _ in range(20):
        one.failed(REFUSED, now_ns)
        now_ns = one.due_ns
        one.came(now_ns)
    one.failed(REFUSED, now_ns)
    assert one.due_ns - now_ns >= 15 * S


def test_each_reason_is_told_once_an_outage_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    one = retry()
    one.came(0)
    for _ in range(3):
        one.failed(REFUSED, 0)
        one.failed(LinkDown("name unknown"), 0)
    one.came(0)
    one.came(0)
    one.failed(REFUSED, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "nobody listens (is it running?); trying again",
        "name unknown; trying again",
        "there again",
        "nobody listens (is it running?); trying again",
    ]
