"""Cases of `keys.json`: statements whose fields are of the right types and whose rules are broken, or just kept."""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.builder import Signer, draw, public_of
from tests.vectors.key_cases import LOW_ORDER_U, P, little
from tests.vectors.statement_builder import Fields, statement
from tests.vectors.statement_cases import (
    EXAMPLES,
    HUB,
    OTHER,
    RECOVERY,
    SECOND,
    Case,
    accepted,
    changed,
    refused,
)

HUBS = [{1: 1, 2: HUB.public}, {1: 1, 2: SECOND.public}]
RECOVERIES = [{1: 2, 2: RECOVERY}]


def rules() -> Iterator[Case]:
    """Every rule of section 6, and those of grants and of the log that one statement alone can break."""
    yield from _sets()
    yield from _keys()
    yield from _grants()
    yield from _entries()
    yield from _tokens_and_asks()


def _yes(kind: int, name: str, fields: Fields) -> Case:
    signer = EXAMPLES[kind][0]
    return accepted(name, signer, kind, statement(signer, kind, fields))


def _no(kind: int, name: str, fields: Fields) -> Case:
    signer = EXAMPLES[kind][0]
    return refused(name, signer, kind, statement(signer, kind, fields))


def _many(count: int) -> list[dict[int, object]]:
    return [{1: 2, 2: public_of(draw(f"recovery {n}"))} for n in range(count)]


def _sets() -> Iterator[Case]:
    yield _yes(2, "a set of one hub and one recovery recipient", changed(2, f4=[HUBS[0], *RECOVERIES]))
    yield _yes(2, "a set with recovery first", changed(2, f4=[*RECOVERIES, *HUBS]))
    yield _yes(2, "a set with two recovery recipients", changed(2, f4=[*HUBS, *_many(2)]))
    yield _yes(2, "a set of sixteen", changed(2, f4=[HUBS[0], *_many(15)]))
    yield _yes(2, "the highest set number", changed(2, f1=2**32 - 1))
    yield _no(2, "a set of seventeen", changed(2, f4=[HUBS[0], *_many(16)]))
    yield _no(2, "a set of nobody", changed(2, f4=[]))
    yield _no(2, "set number 0", changed(2, f1=0))
    yield _no(2, "a set of suite 0", changed(2, f2=0))
    yield _no(2, "a set of suite 2", changed(2, f2=2))
    yield _no(2, "a set without recovery recipient", changed(2, f4=HUBS))
    yield _no(2, "a set without hub", changed(2, f4=RECOVERIES))
    yield _no(2, "a set whose home hub isn't in it", changed(2, f3=OTHER.public))
    yield _no(2, "a set whose home hub is its recovery recipient", changed(2, f3=RECOVERY))
    yield _no(2, "a set with a hub twice", changed(2, f4=[*HUBS, HUBS[0], *RECOVERIES]))
    yield _no(2, "a set with a recovery recipient twice", changed(2, f4=[*HUBS, *RECOVERIES, *RECOVERIES]))
    yield _no(2, "a set with one key as both", changed(2, f4=[*HUBS, {1: 2, 2: HUB.public}, *RECOVERIES]))
    yield _no(2, "a set with a recipient of kind 3", changed(2, f4=[*HUBS, *RECOVERIES, {1: 3, 2: OTHER.public}]))
    yield _no(2, "a set with a recipient of kind 0", changed(2, f4=[*HUBS, *RECOVERIES, {1: 0, 2: OTHER.public}]))
    yield _no(2, "a set with a recipient without key", changed(2, f4=[*HUBS, {1: 2}]))
    yield _no(2, "a set with a recipient's short key", changed(2, f4=[*HUBS, {1: 2, 2: RECOVERY[:31]}]))


def _keys() -> Iterator[Case]:
    """Keys that nothing may be sealed to, wherever a statement carries one."""
    top = RECOVERY[:31] + bytes([RECOVERY[31] | 0x80])
    wrong = [*(little(u) for u in LOW_ORDER_U), little(P), little(P + 2), top]
    for public in wrong:
        yield _no(2, f"a set with recovery recipient {public.hex()}", changed(2, f4=[*HUBS, {1: 2, 2: public}]))
        yield _no(3, f"prekey {public.hex()}", changed(3, f3=public))
        yield _no(5, f"command key {public.hex()}", changed(5, f3=public))
        yield _no(8, f"grant's recipient {public.hex()}", changed(8, f3=public))
    yield _no(5, "a claim request with another's key", changed(5, f2=OTHER.public))
    yield _yes(3, "prekey number 0", changed(3, f2=0))


def _grants() -> Iterator[Case]:
    def of(*runs: tuple[int, int], keys: int | None = None) -> Fields:
        count = sum(last - first + 1 for first, last in runs) if keys is None else keys
        return changed(8, f4=[{1: a, 2: b} for a, b in runs], f9=draw("wrapped", 48 + 32 * count))

    yield _yes(8, "a grant of the whole clip", changed(8, f4=None, f9=draw("wrapped", 80)))
    yield _yes(8, "a grant of runs that touch", of((0, 1), (2, 2)))
    yield _yes(8, "a grant of 1,024 segments", of((0, 1000), (2000, 2022)))
    yield _yes(8, "a grant of sixteen signers", changed(8, f10=[_signer(n) for n in range(16)]))
    yield _no(8, "a grant of 1,025 segments", of((0, 1000), (2000, 2023)))
    yield _no(8, "a grant of 2^64 segments", of((0, 2**64 - 1), keys=1))
    yield _no(8, "a grant of no runs", of(keys=0))
    yield _no(8, "a grant of no runs, with a key", of(keys=1))
    yield _no(8, "a grant of runs that overlap", of((0, 2), (2, 3)))
    yield _no(8, "a grant of a run twice", of((1, 1), (1, 1)))
    yield _no(8, "a grant of runs that fall", of((5, 5), (1, 2)))
    yield _no(8, "a grant of a run that ends before it begins", of((2, 1), keys=0))
    yield _no(8, "a grant of such a run beside a good one", of((0, 0), (5, 3), keys=1))
    yield _no(8, "a grant with a key too few", of((0, 2), keys=2))
    yield _no(8, "a grant with a key too many", of((0, 2), keys=4))
    yield _no(8, "a grant of the whole clip with two keys", changed(8, f4=None, f9=draw("wrapped", 112)))
    yield _no(8, "a grant of the whole clip with nothing wrapped", changed(8, f4=None, f9=b""))
    yield _no(8, "a grant that expires when it is issued", changed(8, f7=EXAMPLES[8][1][6]))
    yield _no(8, "a grant that expires before", changed(8, f7=1))
    yield _no(8, "a grant without signers", changed(8, f10=[]))
    yield _no(8, "a grant of seventeen signers", changed(8, f10=[_signer(n) for n in range(17)]))
    yield _no(8, "a grant with a short signer", changed(8, f10=[_signer(0)[:31]]))


def _signer(number: int) -> bytes:
    return Signer(draw(f"signer {number}")).public


def _entries() -> Iterator[Case]:
    yield _yes(9, "the first entry", changed(9, f1=1, f2=bytes(32)))
    yield _no(9, "entry 0", changed(9, f1=0, f2=bytes(32)))
    yield _no(9, "entry 0 with a predecessor", changed(9, f1=0))
    yield _no(9, "the first entry with a predecessor", changed(9, f1=1))
    yield _no(9, "the second entry without a predecessor", changed(9, f2=bytes(32)))
    yield _no(9, "an entry of action 0", changed(9, f5=0))
    for action in range(1, 11):
        yield _yes(9, f"an entry of action {action}", changed(9, f5=action))


def _tokens_and_asks() -> Iterator[Case]:
    yield _no(10, "a token for no camera", changed(10, f2=[]))
    yield _no(10, "a token of no scope", changed(10, f3=[]))
    yield _no(10, "a token of no second", changed(10, f4=0))
    yield _no(10, "a token of scope 6", changed(10, f3=[6]))
    yield _no(10, "a token of scope 0", changed(10, f3=[0]))
    yield _no(10, "a token with a short camera", changed(10, f2=[b"1234567"]))
    yield _yes(10, "a token of one second", changed(10, f4=1))

    def ask(*runs: tuple[int, int]) -> Fields:
        return changed(11, f2=[{1: a, 2: b} for a, b in runs])

    yield _yes(11, "an ask of one number", ask((2**64 - 1, 2**64 - 1)))
    yield _yes(11, "an ask of 1,024 numbers", ask((1, 1024)))
    yield _no(11, "an ask of nothing", ask())
    yield _no(11, "an ask of 1,025 numbers", ask((1, 1025)))
    yield _no(11, "an ask of 2^64 numbers", ask((0, 2**64 - 1)))
    yield _no(11, "an ask of runs that overlap", ask((1, 5), (5, 6)))
    yield _no(11, "an ask of runs that fall", ask((9, 9), (1, 2)))
    yield _no(11, "an ask of a run that ends before it begins", ask((3, 2)))
    yield _no(11, "an ask whose run lacks its end", changed(11, f2=[{1: 4}]))
