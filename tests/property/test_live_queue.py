"""Whatever comes and goes in whatever order: a live view's queue is bounded, and what leaves it can be decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sealcam.livequeue import MOST_AGE_NS, LiveQueue

MOST_BYTES = 1000
_STEP = st.one_of(
    st.tuples(st.just("key"), st.integers(1, 600)),
    st.tuples(st.just("picture"), st.integers(1, 300)),
    st.tuples(st.just("take"), st.integers(1, 5)),
    st.tuples(st.just("clear"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, MOST_AGE_NS)),
)
_SESSION = b"s" * 16


@given(steps=st.lists(_STEP, max_size=60))
def test_what_leaves_needs_nothing_that_did_not(steps: list[tuple[str, int]]) -> None:
    queue, now_ns, gop, number = LiveQueue(MOST_BYTES), 0, 0, 0
    left: list[tuple[int, int]] = []
    begun: dict[int, int] = {}

    def message(size: int) -> bytes:
        return gop.to_bytes(4, "big") + number.to_bytes(4, "big") + bytes(size)

    for what, count in steps:
        if what == "key":
            gop, number = gop + 1, 0
            begun[gop] = now_ns
            queue.begin(_SESSION, [message(count)], now_ns)
        elif what == "picture":
            number += 1
            queue.follow(_SESSION, message(count))
        elif what == "clear":
            queue.clear()
        elif what == "wait":
            now_ns += count
        for _ in range(count if what == "take" else 0):
            load = queue.take(now_ns)
            if load is None:
                assert not queue.waiting
                break
            of, at = int.from_bytes(load.payload[:4], "big"), int.from_bytes(load.payload[4:8], "big")
            assert now_ns - begun[of] <= MOST_AGE_NS or of == gop, "what is old leaves only if nothing newer waits"
            left.append((of, at))
        assert queue.queued_bytes <= MOST_BYTES
    assert left == sorted(set(left))
    for of, at in left:
        assert at == 0 or (of, at - 1) in left
