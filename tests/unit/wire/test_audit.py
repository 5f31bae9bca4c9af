"""The audit log: whatever is changed, taken out, put in or moved is refused, and a pin catches the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire import statement
from sealcam.wire.audit import NO_ENTRY, Head, Log, entry_hash, pin_text, read_pin, verify_log
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS
from sealcam.wire.statement_kinds import Action, LogEntry, Receipt

HUB = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(reversed(range(32))))


def entry(number: int, prev: bytes, detail: str = "a clip", signer: SigningKey = HUB) -> bytes:
    item = LogEntry(number=number, prev=prev, at_ns=number, actor="owner", action=Action.OPENED, detail=detail)
    return statement.sign(signer, item)


def chain(length: int, detail: str = "a clip", signers: tuple[SigningKey, ...] = (HUB,)) -> list[bytes]:
    made, prev = [], GENESIS
    for number in range(1, length + 1):
        made.append(entry(number, prev, detail, signers[number * len(signers) // (length + 1)]))
        prev = entry_hash(made[-1])
    return made


LOG = chain(6)
PINS = [Head(number, entry_hash(one)) for number, one in enumerate(LOG, 1)]


def refused(log: list[bytes], pins: tuple[Head, ...] = (), hubs: tuple[bytes, ...] = (HUB.public,)) -> None:
    with pytest.raises(EnvelopeError):
        verify_log(log, hubs, pins)


def verified(log: list[bytes], pins: tuple[Head, ...] = ()) -> Log:
    return verify_log(log, [HUB.public], pins)


def test_a_whole_log_reads_and_has_its_newest_entry_for_a_head() -> None:
    log = verified(LOG, tuple(PINS))
    assert [one.number for one in log.entries] == [1, 2, 3, 4, 5, 6]
    assert log.head == PINS[-1]


def test_an_empty_log_is_whole_until_something_was_pinned() -> None:
    assert verified([]).head == NO_ENTRY
    assert verified([], (NO_ENTRY,)).head == NO_ENTRY
    refused([], (PINS[0],))
    assert verified(LOG, (NO_ENTRY,)).head == PINS[-1]


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(LOG) - 1), st.integers(0), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_refused(which: int, where: int, flip: int) -> None:
    changed = bytearray(LOG[which])
    changed[where % len(changed)] ^= flip
    refused([*LOG[:which], bytes(changed), *LOG[which + 1 :]])


@pytest.mark.parametrize("which", range(len(LOG) - 1))
def test_an_entry_that_was_taken_out_is_missed(which: int) -> None:
    refused([*LOG[:which], *LOG[which + 1 :]])


@pytest.mark.parametrize("which", range(len(LOG) - 1))
def test_two_entries_that_changed_places_are_refused(which: int) -> None:
    refused([*LOG[:which], LOG[which + 1], LOG[which], *LOG[which + 2 :]])


@pytest.mark.parametrize("which", range(len(LOG) + 1))
def test_an_entry_that_was_put_in_is_refused_even_if_the_hub_signed_it(which: int) -> None:
    prev = entry_hash(LOG[which - 1]) if which else GENESIS
    extra = entry(which + 1, prev, "put in") if which < len(LOG) else LOG[-1]
    refused([*LOG[:which], extra, *LOG[which:]])


def test_a_log_that_was_cut_behind_the_pin_is_refused() -> None:
    assert verified(LOG[:4], (PINS[3],)).head == PINS[3]
    refused(LOG[:4], (PINS[4],))
    refused(LOG[:4], (PINS[3], PINS[5]))


def test_a_log_that_was_written_anew_is_refused_by_who_has_seen_the_old_one() -> None:
    anew = chain(6, "nothing happened")
    assert verified(anew).head.number == 6
    for pin in PINS:
        refused(anew, (pin,))
    refused(LOG, (Head(3, PINS[3].hash),))


def test_numbers_begin_with_one_even_if_the_hub_says_otherwise() -> None:
    refused([entry(1, b"x" * 32)])
    refused([entry(0, GENESIS)])
    refused([entry(2, GENESIS)])
    refused(LOG[1:])


def test_another_signer_and_another_statement_are_no_entries() -> None:
    refused(LOG, hubs=(OTHER.public,))
    refused(LOG, hubs=())
    refused([statement.sign(HUB, Receipt(envelope_hash=GENESIS))])
    refused([entry(1, GENESIS, signer=OTHER)])


def test_after_a_recovery_the_log_goes_on_under_the_new_hub() -> None:
    both = chain(6, signers=(HUB, OTHER))
    log = verify_log(both, [OTHER.public, HUB.public], [Head(2, entry_hash(both[1]))])
    assert (log.signers[0], log.signers[-1]) == (HUB.public, OTHER.public)
    refused(both)


@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))
def test_a_pin_survives_its_text(number: int, name: bytes) -> None:
    assert read_pin(pin_text(Head(number, name)) + "\n") == Head(number, name)


@pytest.mark.parametrize(
    "text", ["", "1", "1:", ":" + "00" * 32, "1:" + "00" * 31, "-1:" + "00" * 32, "x:y", "²:" + "0" * 64]
)
def test_what_is_no_pin_is_refused(text: str) -> None:
    with pytest.raises(EnvelopeError):
        read_pin(text)
