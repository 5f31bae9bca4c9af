"""Two hubs of one home: both open, one receipts and commands, and what the other missed it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from sealcam.wire import statement
from sealcam.wire.bodies import HubPrekey, Run, Traffic
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import SigningKey
from sealcam.wire.statement_kinds import Ask, Prekey
from sealcam_hub import mosquitto
from sealcam_hub.exchange import AGAIN_NS, MAX_ASKED, PACE, WAIT_NS, Exchange
from sealcam_hub.keys import SET_ROW
from sealcam_hub.newest import READ_NS
from sealcam_hub.prekeys import issue
from sealcam_hub.pump import Pump
from sealcam_hub.rekey import put
from sealcam_hub.tables import prekeys
from tests.hubs import WALL_NS
from tests.pair import LINK, Pair
from tests.pair import pair as made_pair
from tests.receiving import DAY_S

NOW_NS = 10**15
WAIT_S, AGAIN_S = WAIT_NS / 1e9, AGAIN_NS / 1e9


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with made_pair(tmp_path) as made:
        yield made


def run_of(pair: Pair, message: bytes) -> tuple[int, int]:
    ask = statement.read(message, pair.second.home.keys.operating.public, Ask)
    assert ask.camera == pair.camera.kid
    (run,) = ask.runs
    return run.first, run.last


def carry(pair: Pair) -> int:
    """Let what each hub says to the other arrive, until both are still; how many envelopes went over."""
    count = 0
    while pair.second.link.asks:
        pair.first.exchange.hear(LINK, pair.second.link.asks.pop(0))
        for _ in range(MAX_ASKED // PACE + 1):
            pair.passes(0.25)
            for link, message in pair.first.link.fills:
                assert link == LINK
                pair.second.hears(message[:16].decode(), message[16:])
                count += 1
            pair.first.link.fills.clear()
    return count


def numbers(pair: Pair) -> list[int]:
    """The second hub's live prekeys."""
    with pair.second.home.store.reading() as connection:
        return sorted(connection.execute(select(prekeys.c.number)).scalars())


def become_home(pair: Pair) -> None:
    """The owner makes the second hub the home hub, with set 3."""
    home = pair.second.home
    chosen = replace(home.keys.chosen, number=3, home_hub=home.keys.operating.public)
    home.folder.write("keys/recipient-set", statement.sign(pair.owner.root, chosen))
    with home.store.writing() as connection:
        put(connection, SET_ROW, (3).to_bytes(4, "big"))
    with home.store.reading():
        pass  # takes it up
    assert home.keys.is_home


def test_both_hubs_open_and_only_the_home_hub_answers(pair: Pair) -> None:
    sent = [pair.beat(), pair.camera.incident(1), pair.camera.cover(), pair.beat(traffic=Traffic.COVER)]
    for side in (pair.first, pair.second):
        side.hears(pair.camera.alias, *sent)
        assert side.seqs() == [1]
    assert [message[4] for _, message in pair.first.link.sent] == [4, 4, 4], "receipts for all but an instant beat"
    assert pair.second.link.sent == []


def test_a_camera_that_seals_to_an_older_set_is_sent_the_newest_by_the_home_hub(pair: Pair) -> None:
    for side in (pair.first, pair.second):
        side.hears(pair.camera.alias, pair.beat(recipient_set=1), pair.beat(recipient_set=2))
    assert [one for _, one in pair.first.link.sent] == [pair.first.home.keys.recipient_set]
    assert pair.second.link.sent == []


def test_only_the_home_hub_commands(pair: Pair) -> None:
    pair.first.home.wishes().ask("Door", "away")
    with pytest.raises(ConfigError, match="home hub"):
        pair.second.home.wishes().ask("Door", "away")
    for side in (pair.first, pair.second):
        side.hears(pair.camera.alias, pair.beat())
    pair.passes(1)
    commands = [[one for _, one in side.link.sent if one[:4] == b"SCM1"] for side in (pair.first, pair.second)]
    assert [len(one) for one in commands] == [1, 0]


def test_another_hub_issues_its_own_prekeys_and_destroys_them_by_its_own_entry(pair: Pair) -> None:
    hub = pair.second.home.keys.kid
    pair.second.hears(pair.camera.alias, pair.beat())
    pair.passes(DAY_S)
    issued = [one for _, one in pair.second.link.sent if one[4] == 3]
    assert statement.read(issued[0], pair.second.home.keys.operating.public, Prekey).number == 2
    pair.second.hears(pair.camera.alias, pair.beat(prekey=9, oldest_prekey=9))
    assert numbers(pair) == [1, 2], "what the camera says of the home hub's series says nothing of this one's"
    mine = HubPrekey(hub=hub, prekey=2, oldest_prekey=2)
    pair.second.hears(pair.camera.alias, pair.beat(others=(mine,)))
    assert numbers(pair) == [2]


def test_a_new_home_hub_destroys_nothing_by_the_numbers_of_the_one_before(pair: Pair) -> None:
    """The camera still seals under the set in which this hub was another one."""
    home, hub = pair.second.home, pair.second.home.keys.kid
    with home.store.writing() as connection:
        for number in range(2, 6):
            issue(connection, home.keys, 1, number, WALL_NS)
    become_home(pair)
    mine = HubPrekey(hub=hub, prekey=4, oldest_prekey=1)
    for others in ((), (mine,)):
        beat = pair.beat(prekey=300, oldest_prekey=300, others=others, recipient_set=2)
        pair.second.hears(pair.camera.alias, beat)
        assert numbers(pair) == [1, 2, 3, 4, 5]
    assert pair.second.pump.receiver.standings()[0].life.prekey == 4
    pair.second.hears(pair.camera.alias, pair.beat(prekey=5, oldest_prekey=5, others=(), recipient_set=3))
    assert numbers(pair) == [5]


def test_a_hub_asks_for_what_it_missed_and_is_sent_it(pair: Pair) -> None:
    camera = pair.camera
    events = [camera.incident(number) for number in range(1, 41)]
    pair.first.hears(camera.alias, *events, pair.beat())
    pair.second.hears(camera.alias, events[0], events[39], pair.beat())
    assert pair.second.link.asks == []
    pair.passes(WAIT_S)
    assert [run_of(pair, one) for one in pair.second.link.asks] == [(2, 39)]
    assert carry(pair) == 38
    assert pair.second.seqs() == list(range(1, 41))
    assert pair.second.notices() == []


def test_an_ask_is_repeated_while_the_gap_stays_and_never_by_the_home_hub(pair: Pair) -> None:
    camera = pair.camera
    camera.incident(1)
    second = camera.incident(2)
    for side in (pair.first, pair.second):
        side.hears(camera.alias, second)
    for _ in range(3):
        pair.passes(WAIT_S)
    assert len(pair.second.link.asks) == 1
    pair.passes(AGAIN_S)
    assert len(pair.second.link.asks) == 2
    assert pair.first.link.asks == []


def test_what_the_home_hub_has_deleted_is_given_up_one_day_and_told(pair: Pair) -> None:
    camera, home = pair.camera, pair.second.home
    pair.second.pump.exchange = pair.second.exchange = Exchange(home.store, home.keys, patience=3)
    events = [camera.incident(number) for number in range(1, 6)]
    pair.second.hears(camera.alias, events[0], events[2], events[4], pair.beat())
    pair.passes(WAIT_S)
    for _ in range(3):
        assert pair.second.seqs() == [1]
        pair.passes(AGAIN_S)
    assert pair.second.seqs() == [1, 3], "the next run is asked for as long"
    pair.passes(1)
    pair.passes(WAIT_S)
    for _ in range(3):
        assert pair.second.seqs() == [1, 3]
        pair.passes(AGAIN_S)
    assert pair.second.seqs() == [1, 3, 5]
    assert "gap" in pair.second.notices()
    pair.second.hears(camera.alias, events[1])
    assert pair.second.seqs() == [1, 3, 5, 2], "late, and kept"
    asked = len(pair.second.link.asks)
    pair.passes(AGAIN_S)
    assert len(pair.second.link.asks) == asked


def test_the_home_hub_paces_what_it_sends(pair: Pair) -> None:
    camera = pair.camera
    pair.first.hears(camera.alias, *(camera.incident(n) for n in range(1, 3 * PACE)), pair.beat())
    ask = Ask(camera=camera.kid, runs=(Run(first=1, last=MAX_ASKED),))
    pair.first.exchange.hear(LINK, statement.sign(pair.second.home.keys.operating, ask))
    assert [len(pair.first.exchange.answers(NOW_NS)) for _ in range(4)] == [PACE, PACE, PACE - 1, 0]


def test_only_a_hub_of_the_set_is_answered(pair: Pair) -> None:
    camera, keys = pair.camera, pair.second.home.keys
    pair.first.hears(camera.alias, camera.incident(1), pair.beat())
    ask = Ask(camera=camera.kid, runs=(Run(first=1, last=1),))
    good = statement.sign(keys.operating, ask)
    strangers = [
        statement.sign(SigningKey.generate(), ask),
        statement.sign(camera.signer, ask),
        statement.sign(pair.first.home.keys.operating, ask),
        good[:-1] + bytes([good[-1] ^ 1]),
        statement.sign(keys.operating, Ask(camera=b"x" * 8, runs=(Run(first=1, last=1),))),
        statement.sign(keys.operating, Ask(camera=camera.kid, runs=(Run(first=1 << 63, last=1 << 63),))),
        b"",
    ]
    for at, one in enumerate(strangers):
        pair.first.exchange.hear(LINK, one)
        assert pair.first.exchange.answers(at * READ_NS) == []
    pair.second.exchange.hear(LINK, good)
    assert pair.second.exchange.answers(NOW_NS) == [], "only the home hub answers"
    pair.first.exchange.hear(LINK, good)
    assert len(pair.first.exchange.answers(NOW_NS)) == 1


def test_a_flood_of_asks_takes_no_more_room_than_one(pair: Pair) -> None:
    camera = pair.camera
    pair.first.hears(camera.alias, *(camera.incident(n) for n in range(1, 5)), pair.beat())
    ask = statement.sign(pair.second.home.keys.operating, Ask(camera=camera.kid, runs=(Run(first=1, last=4),)))
    for _ in range(1000):
        pair.first.exchange.hear(LINK, ask)
    assert len(pair.first.exchange.answers(NOW_NS)) == 4
    assert pair.first.exchange.answers(NOW_NS) == []


def test_the_newest_ask_of_each_hub_is_read_once_a_second(pair: Pair) -> None:
    camera, first = pair.camera, pair.first
    first.hears(camera.alias, *(camera.incident(n) for n in range(1, 9)), pair.beat())

    def ask(*seqs: int) -> None:
        runs = tuple(Run(first=seq, last=seq) for seq in seqs)
        first.exchange.hear(LINK, statement.sign(pair.second.home.keys.operating, Ask(camera=camera.kid, runs=runs)))

    ask(1, 2, 3)
    ask(2, 4, 7, 900)
    assert len(first.exchange.answers(NOW_NS)) == 3, "the newest, in one look"
    ask(1)
    assert first.exchange.answers(NOW_NS + READ_NS - 1) == []
    assert len(first.exchange.answers(NOW_NS + READ_NS)) == 1
    for link in range(100):
        first.exchange.hear(f"hub-{link}", b"")
    assert first.exchange.answers(NOW_NS + 2 * READ_NS) == []


def test_what_was_sealed_before_a_hub_was_a_recipient_raises_no_alarm_there(pair: Pair) -> None:
    camera = pair.camera
    mine, camera.others = camera.others, camera.others[1:]
    pair.second.hears(camera.alias, camera.incident(1))
    assert pair.second.home.ledger().counts().refused_by_kind == (("foreign", 1),)
    pair.second.hears(camera.alias, pair.beat(others=()))
    camera.others = mine
    pair.second.hears(camera.alias, pair.beat())
    camera.others = camera.others[1:]
    pair.second.hears(camera.alias, camera.incident(2))
    assert pair.second.notices() == ["unopenable"], "from then on it is one"


def test_a_hand_over_needs_no_nonce_of_a_hub_that_gave_none(pair: Pair) -> None:
    camera = pair.camera
    for side in (pair.first, pair.second):
        side.hears(camera.alias, pair.beat())
    pair.clock.advance(7 * DAY_S)
    for side in (pair.first, pair.second):
        side.hears(camera.alias, pair.beat())
    assert not [one for _, one in pair.second.link.sent if one[4] == 7]
    rotation = next(one for _, one in pair.first.link.sent if one[4] == 7)
    sent = [camera.hand_over(rotation), camera.incident(1)]
    for side in (pair.first, pair.second):
        side.hears(camera.alias, *sent)
        assert side.seqs() == [1, 2]
        assert "clone" not in side.notices()


def test_a_worker_without_other_hubs_asks_nobody(pair: Pair) -> None:
    home = pair.second.home
    alone = Pump(pair.second.pump.receiver, home.wishes(), pair.second.pump.feed, pair.clock)
    alone.run_once(pair.second.link, 0)
    assert pair.second.link.asks == []
    assert Exchange(home.store, home.keys).questions((), 0) == []


def test_the_access_list_lets_each_hub_ask_on_its_own_topic_alone() -> None:
    text = mosquitto.access_list(["hub-home", "hub-other"])
    home, other = text.split("user hub-home")[1].split("user hub-other")
    assert "read sealcam/+/ask" in home
    assert "write sealcam/+/fill" in home
    assert "write sealcam/hub-other/ask" in other
    assert "read sealcam/hub-other/fill" in other
    assert "sealcam/+/ask" not in other
