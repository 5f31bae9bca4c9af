"""The ladder: for every order of faults, pictures, new processes and boots it climbs in order and never for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sealcam.ladder import (
    MOST_PAUSE_S,
    MOST_REBOOTS,
    RESTARTS,
    SOUND_S,
    STEADY_S,
    Climbed,
    Ladder,
    Move,
    Rung,
    climb,
    needed_s,
)

NS = 1_000_000_000
COUNTS = st.builds(Climbed, st.integers(0, 3), st.integers(0, 50), st.integers(0, MOST_REBOOTS))


@given(COUNTS, st.floats(0, 1e7), st.booleans())
def test_every_rung_waits_for_the_one_below_and_the_board_for_its_owner_and_its_uptime(
    now: Climbed, uptime_s: float, may_reboot: bool
) -> None:
    then, move = climb(now, uptime_s, may_reboot=may_reboot)
    assert 0 <= move.after_s <= MOST_PAUSE_S
    match move.rung:
        case Rung.REOPEN:
            assert now.reopened == 0
            assert then == Climbed(1, now.restarts, now.reboots)
        case Rung.RESTART:
            assert now.reopened > 0
            assert then == Climbed(now.reopened, now.restarts + 1, now.reboots)
        case Rung.REBOOT:
            assert may_reboot
            assert now.reopened > 0
            assert now.restarts >= RESTARTS
            assert now.reboots < MOST_REBOOTS
            assert uptime_s >= needed_s(now.reboots)
            assert then == Climbed(now.reopened, 0, now.reboots + 1)


class Board:
    """A board with a camera that is lost again and again; time goes on by what the moves take."""

    def __init__(self, *, may_reboot: bool) -> None:
        self.may_reboot = may_reboot
        self.up_ns = 20 * NS
        self.kept = Climbed()
        self.ladder = Ladder(self.kept)
        self.moves: list[Move] = []
        self.uptimes_s: list[float] = []

    def fails(self) -> Move:
        self.up_ns += 2 * NS
        move = self.ladder.fails(self.up_ns, may_reboot=self.may_reboot)
        self.kept = self.ladder.climbed
        self.moves.append(move)
        self.up_ns += round(move.after_s * NS)
        match move.rung:
            case Rung.RESTART:
                self.starts(5)
            case Rung.REBOOT:
                self.uptimes_s.append(self.up_ns / NS)
                self.up_ns = 0
                self.starts(20)
        return move

    def starts(self, seconds: int) -> None:
        self.up_ns += seconds * NS
        self.ladder = Ladder(self.kept)

    def sees(self, seconds: float) -> None:
        for _ in range(2):
            if self.ladder.sees(self.up_ns):
                self.kept = self.ladder.climbed
            self.up_ns += round(seconds * NS)
        if self.ladder.sees(self.up_ns):
            self.kept = self.ladder.climbed


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fail"), st.integers(1, 60)),
        st.tuples(st.just("see"), st.sampled_from((0.1, STEADY_S / 4, STEADY_S, 600.0))),
        st.tuples(st.just("killed"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_board_whose_pictures_never_last_an_hour_is_restarted_a_few_times_and_then_no_more(
    steps: list[tuple[str, float]],
) -> None:
    board, lasted_s = Board(may_reboot=True), 0.0
    for what, amount in steps:
        match what:
            case "fail":
                for _ in range(int(amount)):
                    board.fails()
            case "see":
                if lasted_s + 2 * amount >= SOUND_S:
                    continue  # one after the other they would last
                board.sees(amount)
                lasted_s += 2 * amount
                continue
            case "killed":
                board.starts(int(amount))
        lasted_s = 0.0
    assert len(board.uptimes_s) <= MOST_REBOOTS
    for number, uptime_s in enumerate(board.uptimes_s):
        assert uptime_s >= needed_s(number)


@given(STEPS)
def test_a_board_that_may_not_is_never_restarted(steps: list[tuple[str, float]]) -> None:
    board = Board(may_reboot=False)
    for what, amount in steps:
        if what == "see":
            board.sees(amount)
        else:
            board.fails()
    assert Rung.REBOOT not in {move.rung for move in board.moves}


@given(COUNTS, st.integers(0, 10**15))
def test_once_pictures_have_lasted_the_next_fault_opens_the_camera_again_at_once(now: Climbed, up_ns: int) -> None:
    ladder = Ladder(now)
    ladder.sees(up_ns)
    ladder.sees(up_ns + round(STEADY_S * NS))
    assert ladder.climbed == Climbed(0, 0, now.reboots)
    assert ladder.fails(up_ns + 100 * NS, may_reboot=True) == Move(Rung.REOPEN, 0.0)


@given(COUNTS, st.integers(0, 10**15), st.floats(0.1, STEADY_S - 0.1))
def test_pictures_that_do_not_last_change_nothing(now: Climbed, up_ns: int, seconds: float) -> None:
    ladder = Ladder(now)
    assert not ladder.sees(up_ns)
    assert not ladder.sees(up_ns + round(seconds * NS))
    ladder.rests()
    assert not ladder.sees(up_ns + round(10 * STEADY_S * NS))
    assert ladder.climbed == now


def test_a_camera_that_stays_away_is_opened_again_then_processes_then_the_board() -> None:
    board = Board(may_reboot=True)
    while not board.uptimes_s:
        board.fails()
    rungs = [move.rung for move in board.moves]
    assert rungs[0] is Rung.REOPEN
    assert set(rungs[1:-1]) == {Rung.RESTART}
    assert [move.after_s for move in board.moves[1:9]] == [0, 2, 4, 8, 16, 32, 60, 60]
    assert rungs[-1] is Rung.REBOOT


def test_after_an_hour_of_pictures_the_boards_restarts_are_forgotten() -> None:
    ladder = Ladder(Climbed(1, 4, MOST_REBOOTS))
    ladder.sees(0)
    assert ladder.sees(round(SOUND_S * NS))
    assert ladder.climbed == Climbed()
