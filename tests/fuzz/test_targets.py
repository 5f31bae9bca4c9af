"""A short run of every fuzz target without coverage: all seeds, then seeded changes of them (`make soak` goes on)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.fuzz import whole
from tests.fuzz.targets import TARGETS

RUNS = 300
SLOW = {"clip": 150, "mail": 80, "said": 150}


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    whole.close()


def changed(data: bytes, source: random.Random) -> bytes:
    """One of the changes that a fuzzer makes."""
    found = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(found) + 1)
        match source.randrange(5):
            case 0 if at < len(found):
                found[at] ^= 1 << source.randrange(8)
            case 1 if at < len(found):
                found[at] = source.choice([0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)])
            case 2:
                found[at:at] = source.randbytes(source.randint(1, 8))
            case 3:
                del found[at : at + source.randint(1, 8)]
            case _:
                found[at:at] = found[: source.randint(0, 16)]
    return bytes(found)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_refusal_comes_out_of(name: str) -> None:
    target, source = TARGETS[name], random.Random(name)
    seeds = [seed.data for seed in target.seeds()]
    for data in seeds:
        target.run(data)
    for _ in range(SLOW.get(name, RUNS)):
        target.run(changed(source.choice(seeds), source))


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_has_its_own_name(name: str) -> None:
    names = [seed.name for seed in TARGETS[name].seeds()]
    assert len(set(names)) == len(names)
