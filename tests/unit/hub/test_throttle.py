"""Wrong tries are slowed down: more and more, never for ever, and forgotten after a quiet hour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sealcam_hub.console.throttle import FORGOTTEN_S, FREE, LONGEST_S, Throttle

SECOND_NS = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 7 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns

    def go(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)


def test_the_waits_double_up_to_the_longest() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(FREE + 11):
        waits.append(throttle.wait_s())
        clock.go(throttle.wait_s())
        throttle.failed()
    assert waits == [0] * FREE + [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_S, LONGEST_S]


def test_a_second_that_has_begun_counts_as_one() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(FREE + 1):
        throttle.failed()
    clock.go(1.1)
    assert throttle.wait_s() == 1
    clock.go(0.9)
    assert throttle.wait_s() == 0


def test_the_right_one_and_a_quiet_hour_forget_the_wrong_ones() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for forget in (throttle.passed, lambda: clock.go(FORGOTTEN_S)):
        for _ in range(FREE + 8):
            throttle.failed()
        assert throttle.wait_s() > 60
        forget()
        throttle.failed()
        assert throttle.wait_s() == 0


@given(st.lists(st.floats(0, 2 * FORGOTTEN_S), max_size=60))
def test_whoever_waits_the_longest_may_always_try_and_no_pattern_of_pauses_gives_many_tries(
    pauses: list[float],
) -> None:
    clock = Clock()
    throttle = Throttle(clock)
    began_ns, tries = clock.now_ns, 0
    for pause in pauses:
        clock.go(pause)
        if throttle.wait_s() == 0:
            throttle.failed()
            tries += 1
    hours = (clock.now_ns - began_ns) / SECOND_NS / 3600
    assert tries <= FREE + 10 + 14 * hours
    clock.go(LONGEST_S)
    assert throttle.wait_s() == 0
