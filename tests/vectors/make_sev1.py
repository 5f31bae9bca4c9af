"""Writes tests/vectors/sev1.json: the same bytes each time. `python -m tests.vectors.make_sev1 [FILE]`.

The file is frozen. A vector may be added in a new file, none is ever changed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.vectors.builder import Recipe, Signer, accepted, cbor, draw, envelope_hash, padded_size
from tests.vectors.refusals import refusals

FILE = Path(__file__).with_name("sev1.json")
SIGNER = Signer(draw("signer"))
SECRETS = tuple(draw(f"recipient {n}") for n in range(16))
STAMP = {1: draw("boot", 16), 2: 81_000_000_000, 3: 1_790_000_000_000_000_000, 4: 1}
PICTURE = b"\xff\xd8\xff\xe0" + draw("picture", 70_000)
PREFIX_BYTES = 41


def incident(thumbnail: bytes | None = None, **changes: object) -> dict[int, object]:
    """The map of a person at the door; `changes` replace a field: `key_11=[...]`."""
    fields: dict[int, object] = {
        1: draw("incident", 8),
        2: 0,
        3: STAMP,
        4: 0,
        5: 79_900_000_000,
        6: 80_950_000_000,
        7: 1,
        8: 873,
        9: 2,
        10: 912,
        11: ["a person", "armed away"],
        12: 2,
    }
    if thumbnail is not None:
        fields[13] = thumbnail
    return fields | {int(name.removeprefix("key_")): value for name, value in changes.items()}


def beat(**changes: object) -> dict[int, object]:
    fields: dict[int, object] = {
        1: STAMP,
        2: draw("nonce"),
        3: 7,
        4: draw("newest hash"),
        5: 1_048_577,
        6: 2,
        7: 4_096,
        8: 1_200,
        9: 3,
        10: 90_000_000,
        11: 2,
        12: "0.1.0",
        13: 1_048_576,
    }
    return fields | {int(name.removeprefix("key_")): value for name, value in changes.items()}


def loss(runs: int) -> dict[int, object]:
    stones = [{1: 10 * n + 1, 2: 10 * n + 4, 3: draw(f"tombstone {n}")} for n in range(runs)]
    return {1: STAMP, 2: stones}


def health(detail: str) -> dict[int, object]:
    return {1: STAMP, 2: "storage", 3: detail}


def filled(size: int) -> bytes:
    """An incident's CBOR whose plaintext, the 0x80 counted, is exactly `size` bytes."""
    wanted = size - PREFIX_BYTES - 1
    for room in range(max(0, wanted - 200), wanted):
        body = cbor(incident(PICTURE[:room]))
        if len(body) == wanted:
            return body
    raise AssertionError(size)


def _recipe(name: str, fields: dict[int, object] | bytes, recipients: int = 2, **rest: object) -> Recipe:
    body = fields if isinstance(fields, bytes) else cbor(fields)
    values = {"seq": 7, "prev": draw("some predecessor")} | rest
    return Recipe(name, SIGNER, SECRETS[:recipients], body=body, **values)  # type: ignore[arg-type]


def _bodies() -> Iterator[dict[str, object]]:
    yield accepted(_recipe("an incident, to one recipient", incident(), 1))
    yield accepted(_recipe("an incident with a thumbnail, to two", incident(PICTURE[:3000]), 2))
    yield accepted(_recipe("an incident with an empty thumbnail", incident(b"")))
    yield accepted(_recipe("an update of an incident", incident(key_2=1)))
    yield accepted(_recipe("the end of a false alarm", incident(key_2=2, key_7=0, key_8=0, key_9=0, key_10=1000)))
    yield accepted(_recipe("a loss of two runs, to four", loss(2), 4, type=2), 3)
    yield accepted(_recipe("a loss of 40 runs", loss(40), type=2))
    yield accepted(_recipe("health, to five", health("the card is 91 % full"), 5, type=3), 4)
    yield accepted(_recipe("a beat", beat(), type=0x80, seq=42, prev=bytes(32)))
    yield accepted(
        _recipe("the first beat of a camera", beat(key_3=0, key_4=bytes(32)), type=0x80, seq=1, prev=bytes(32))
    )
    yield accepted(_recipe("a type in the chain that nobody knows", {1: 5}, type=0x7F))
    yield accepted(_recipe("a type outside the chain that nobody knows", {1: 5}, type=0xFF, seq=0, prev=bytes(32)))
    yield accepted(_recipe("a field that nobody knows", incident(key_42={1: [True, False, "later"]})))
    yield accepted(_recipe("a body that lacks every field", b"\xa0"))


def _edges() -> Iterator[dict[str, object]]:
    yield accepted(_recipe("the largest sequence number", incident(), seq=2**64 - 1))
    yield accepted(_recipe("the largest epoch and recipient set", incident(), epoch=2**32 - 1, rset=2**32 - 1))
    yield accepted(_recipe("epoch 0, sealed to no owner's set", incident(), epoch=0, rset=0))
    yield accepted(_recipe("the largest integer and the highest key", incident(key_18446744073709551615=2**64 - 1)))
    yield accepted(
        _recipe("integers at every width", incident(key_99=[23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32]))
    )
    words = [
        "Übergang: ein Mensch",
        "人が玄関にいる",
        "\u202eright to left",
        "e\u0301 and \u00e9",
        "\U0001f6a8",
        "nul \0",
        "",
    ]
    yield accepted(_recipe("reasons in many scripts", incident(key_11=words)))
    yield accepted(_recipe("no reasons", incident(key_11=[])))
    yield accepted(_recipe("a text of 4,096 bytes", health("é" * 2048), type=3))
    yield accepted(_recipe("a list of 1,024 items", {1: [0] * 1024}))
    yield accepted(_recipe("containers four deep", {1: [[{1: 2}]]}))
    yield accepted(_recipe("eight recipients in eight slots", incident(), 8), 7)
    yield accepted(_recipe("nine recipients in sixteen slots", incident(), 9), 8)
    yield accepted(_recipe("sixteen recipients", incident(), 16), 15)
    yield accepted(_recipe("one recipient in sixteen slots", incident(), 1, slots=16))


def _sizes() -> Iterator[dict[str, object]]:
    for bucket in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        yield accepted(_recipe(f"a body that just fits {bucket} bytes", filled(bucket)))
    for size in (513, 4097, 65537):
        yield accepted(_recipe(f"{size} bytes, padded to {padded_size(size)}", filled(size)))


def _chain() -> Iterator[dict[str, object]]:
    first = _recipe("the first event of a chain", incident(), seq=1, prev=bytes(32))
    second = _recipe("its successor", incident(key_2=1), seq=2, prev=envelope_hash(first.envelope()))
    yield accepted(first)
    yield accepted(second)
    both = _recipe("one envelope, opened by the hub", incident(), 2)
    yield accepted(both, 0)
    yield accepted(both, 1) | {"name": "the same envelope, opened by recovery"}


def vectors() -> list[dict[str, object]]:
    """All vectors, in the order of the file."""
    base = _recipe("what the refused ones start from", incident(), 3)
    return [*_bodies(), *_edges(), *_sizes(), *_chain(), accepted(base, 1), *refusals(base, SECRETS[3])]


def text() -> str:
    """The file's content: one vector a line."""
    return "[\n" + ",\n".join(json.dumps(vector) for vector in vectors()) + "\n]\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else FILE).write_text(text())
