"""The chain's state machine, one row of its table after another."""

from __future__ import annotations

from sealcam.wire.sealed import GENESIS
from sealcam_hub.chain import MOST_BRIDGES, MOST_PARKED, Bridge, Chain, Link, Move, Step, chain_at, offer

H = [GENESIS, *(bytes([n]) * 32 for n in range(1, 20))]
OTHER = b"\xee" * 32


def link(seq: int, prev: bytes | None = None, name: bytes | None = None) -> Link:
    return Link(seq, H[seq] if name is None else name, H[seq - 1] if prev is None else prev)


def run(*offers: Link | tuple[Link, Bridge]) -> list[Move]:
    """The moves of these offers, one after another."""
    chain, moves, known = Chain(), [], {}
    for one in offers:
        what, bridges = (one[0], one[1:]) if isinstance(one, tuple) else (one, ())
        move = offer(chain, what, known.get, bridges)
        known |= {each.seq: each for each in move.appended}
        chain = move.chain
        moves.append(move)
    return moves


def steps(*offers: Link | tuple[Link, Bridge]) -> list[Step]:
    return [move.step for move in run(*offers)]


def test_what_links_to_the_head_is_appended() -> None:
    moves = run(link(1), link(2))
    assert [move.step for move in moves] == [Step.APPENDED, Step.APPENDED]
    assert (moves[-1].chain.seq, moves[-1].chain.hash) == (2, H[2])


def test_a_first_event_with_a_predecessor_is_a_clone() -> None:
    assert steps(link(1, prev=OTHER)) == [Step.CLONE]


def test_what_lies_ahead_is_parked_and_follows_in_order() -> None:
    moves = run(link(3), link(2), link(1))
    assert [move.step for move in moves] == [Step.PARKED, Step.PARKED, Step.APPENDED]
    assert moves[-1].appended == (link(1), link(2), link(3))


def test_the_same_event_again_is_a_repeat_wherever_it_stands() -> None:
    assert steps(link(1), link(3), link(1), link(3)) == [Step.APPENDED, Step.PARKED, Step.REPEAT, Step.REPEAT]


def test_another_event_in_a_taken_place_is_a_clone() -> None:
    assert steps(link(1), link(3), link(1, name=OTHER), link(3, name=OTHER))[2:] == [Step.CLONE, Step.CLONE]


def test_a_parked_neighbour_that_contradicts_makes_a_clone() -> None:
    assert steps(link(5), link(6, prev=OTHER)) == [Step.PARKED, Step.CLONE]
    assert steps(link(6), link(5, name=OTHER)) == [Step.PARKED, Step.CLONE]


def test_between_two_claims_the_one_that_links_to_the_head_is_taken() -> None:
    moves = run(link(2, prev=OTHER, name=OTHER), link(1))
    assert (moves[1].step, moves[1].disputed) == (Step.APPENDED, (link(2, prev=OTHER, name=OTHER),))
    assert steps(link(2, prev=OTHER, name=OTHER), link(1), link(2)) == [Step.PARKED, Step.APPENDED, Step.APPENDED]


def test_a_bridge_carries_the_chain_over_what_never_comes() -> None:
    moves = run(link(1), (link(5), Bridge(2, 4, H[4])))
    assert (moves[1].step, moves[1].appended, moves[1].chain) == (Step.APPENDED, (link(5),), Chain(5, H[5]))


def test_a_bridge_that_lies_ahead_waits_for_the_chain_to_reach_it() -> None:
    moves = run((link(5), Bridge(3, 4, H[4])), link(1), link(2))
    assert [move.step for move in moves] == [Step.PARKED, Step.APPENDED, Step.APPENDED]
    assert moves[-1].appended == (link(2), link(5))


def test_a_bridge_over_what_has_come_all_the_same_changes_nothing() -> None:
    moves = run(link(1), link(2), link(3), (link(4), Bridge(2, 3, H[3])))
    assert moves[-1].chain == Chain(4, H[4])
    moves = run(link(1), link(3), (link(5), Bridge(2, 4, H[4])))
    assert moves[-1].appended == (link(3), link(5))


def test_a_bridge_that_ends_in_another_hash_is_a_clone() -> None:
    assert steps(link(1), link(2), (link(3), Bridge(2, 2, OTHER)))[-1] is Step.CLONE
    assert steps(link(3), (link(5), Bridge(2, 3, OTHER)))[-1] is Step.CLONE
    assert steps(link(4), (link(6), Bridge(2, 3, OTHER)))[-1] is Step.CLONE
    assert steps((link(5), Bridge(2, 3, H[3])), (link(6), Bridge(2, 3, OTHER)))[-1] is Step.CLONE
    assert steps((link(5), Bridge(4, 4, OTHER))) == [Step.CLONE]


def test_what_comes_after_its_bridge_is_late_if_it_fits() -> None:
    bridged = (link(1), (link(5), Bridge(2, 4, H[4])))
    assert steps(*bridged, link(3), link(2), link(4))[2:] == [Step.LATE] * 3
    assert steps(*bridged, link(3), link(3))[2:] == [Step.LATE, Step.REPEAT]
    for wrong in (link(2, prev=OTHER), link(4, name=OTHER)):
        assert steps(*bridged, wrong)[-1] is Step.CLONE
    assert steps(*bridged, link(3), link(4, prev=OTHER))[-1] is Step.CLONE


def test_the_last_of_a_bridged_run_must_have_the_hash_that_the_tombstone_names() -> None:
    ahead = (link(1), (link(9), Bridge(2, 4, H[4])))
    assert steps(*ahead, link(4, name=OTHER))[-1] is Step.CLONE
    assert steps(*ahead, link(4))[-1] is Step.LATE
    waiting = ((link(9), Bridge(3, 4, H[4])),)
    assert steps(*waiting, link(4, name=OTHER))[-1] is Step.CLONE
    assert steps(*waiting, link(5, prev=OTHER))[-1] is Step.CLONE


def test_the_next_missing_run_is_known() -> None:
    assert Chain().gap() is None
    assert Chain().gap(newest_seq=3) == (1, 3)
    assert run(link(1), link(5))[-1].chain.gap(newest_seq=9) == (2, 4)
    assert run((link(5), Bridge(3, 4, H[4])))[-1].chain.gap() == (1, 2)
    assert run(link(1), link(2))[-1].chain.gap(newest_seq=2) is None


def test_bridges_that_meet_become_one() -> None:
    chain = run(
        (link(12), Bridge(3, 4, H[4], 1), Bridge(8, 8, H[8], 1)),
        (link(13), Bridge(5, 6, H[6], 1), Bridge(8, 9, H[9], 1), Bridge(10, 10, H[10], 2)),
    )[-1].chain
    assert chain.bridges == (Bridge(3, 6, H[6], 1), Bridge(8, 9, H[9], 1), Bridge(10, 10, H[10], 2))
    assert steps((link(12), Bridge(3, 4, H[4]), Bridge(5, 6, H[6])), link(6, name=OTHER))[-1] is Step.CLONE


def test_a_run_that_two_keys_have_told_of_is_bridged_by_the_newer() -> None:
    chain = run((link(12), Bridge(3, 4, H[4], 1)), (link(13), Bridge(3, 4, H[4], 2)))[-1].chain
    assert chain.bridges == (Bridge(3, 4, H[4], 2),)


def far(seq: int) -> bytes:
    return seq.to_bytes(32, "big")


def test_more_than_an_honest_camera_ever_has_waiting_is_refused_until_the_chain_has_caught_up() -> None:
    parked = {seq: Link(seq, far(seq), far(seq - 1)) for seq in range(3, MOST_PARKED + 3)}
    chain = chain_at(1, H[1], parked, ())
    last = MOST_PARKED + 3
    assert offer(chain, Link(last, far(last), far(last - 1)), {}.get) == Move(Step.FULL, chain)
    caught_up = offer(chain, Link(2, far(2), H[1]), {}.get)
    assert (caught_up.step, caught_up.chain.seq, len(caught_up.appended)) == (Step.APPENDED, last - 1, MOST_PARKED + 1)
    assert len(caught_up.chain.parked) == 0


def test_more_runs_than_an_honest_camera_ever_loses_are_refused_and_the_next_one_is_not() -> None:
    top = 4 * MOST_BRIDGES
    chain = chain_at(0, GENESIS, {}, (Bridge(seq, seq + 1, far(seq), 1) for seq in range(5, top + 5, 4)))
    assert len(chain.bridges) == MOST_BRIDGES
    told = Link(top + 100, far(9), far(8))
    move = offer(chain, told, {}.get, (Bridge(top + 9, top + 9, far(7), 1),))
    assert (move.step, move.chain) == (Step.FULL, chain)
    assert offer(chain, told, {}.get, (Bridge(7, 8, far(6), 1),)).step is Step.PARKED, "it joins two"
    assert offer(chain, told, {}.get, (Bridge(1, 4, far(6), 1),)).step is Step.PARKED, "it is crossed at once"


def test_what_stands_in_bridged_runs_is_followed_however_much_it_is() -> None:
    parked = {seq: Link(seq, far(seq), far(0)) for seq in range(4, 40_000, 2)}
    for bridges in ([Bridge(3, 40_000, H[1], 1)], [Bridge(seq, seq, far(0), 1) for seq in range(3, 40_001, 2)]):
        move = offer(chain_at(1, H[1], parked, bridges), Link(2, far(2), H[1]), {}.get)
        assert len(move.appended) == len(parked) + 1
        assert (len(move.chain.parked), move.chain.bridges) == (0, ())
