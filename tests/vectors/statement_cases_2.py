"""Cases of `statements_2.json`: kinds of statement that came later, and the list that one of them seals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import cbor, draw, labelled, padded_size, public_of, sealed_box
from tests.vectors.statement_builder import NAMES, Fields, statement
from tests.vectors.statement_cases import HUB, KID, OTHER, SECOND, Case, accepted, refused

ASKED = draw("key of a question")
LIST: Fields = {
    1: 7,
    2: 12,
    3: draw("mark", 8),
    4: [
        {1: KID, 2: draw("incident", 8), 3: [3, 9, 12, 12, 20, 900], 4: [draw("clip", 16), draw("another clip", 16)]},
        {1: OTHER.kid, 2: draw("another incident", 8), 3: [], 4: []},
    ],
}
EXAMPLES = {
    12: (HUB, {1: KID, 2: draw("clip", 16), 3: 1_048_945, 4: False, 5: True}),
    13: (SECOND, {1: HUB.kid, 2: 7, 3: draw("mark before", 8), 4: public_of(ASKED)}),
    14: (HUB, {1: SECOND.kid, 2: draw("sealed", 560)}),
}
BOOLEANS = {(12, 4), (12, 5)}
LOW_ORDER = {"zero": bytes(32), "one": b"\1" + bytes(31), "not canonical": b"\xed" + b"\xff" * 30 + b"\x7f"}


def sealed(body: Fields | bytes, *, end: bytes = b"\x80", size: int | None = None) -> bytes:
    """A list for who asked with the key of the examples."""
    plain = (body if isinstance(body, bytes) else cbor(body)) + end
    return sealed_box(plain.ljust(size or padded_size(len(plain)), b"\0"), public_of(ASKED), draw("ephemeral"))


def changed(fields: Fields, **new: object) -> Fields:
    """`fields` with some replaced: `f3=...`; none drops one."""
    given = {int(name[1:]): value for name, value in new.items()}
    return {number: value for number, value in (fields | given).items() if value is not None}


def statements() -> Iterator[Case]:
    """Each kind right, and each way in which its frame and its fields can be wrong."""
    for kind, (signer, fields) in EXAMPLES.items():
        name, good = NAMES[kind], _signed(kind, fields)
        yield accepted(name, signer, kind, good)
        yield accepted(f"{name} with a field nobody knows", signer, kind, _signed(kind, fields | {40: [1, {1: "x"}]}))
        other = 12 + (kind - 11) % 3
        yield refused(f"{name} read as {NAMES[other]}", signer, other, good)
        wrong = statement(signer, kind, fields, label=f"sealcam/sgn1/{NAMES[other]}")
        yield refused(f"{name} signed as {NAMES[other]}", signer, kind, wrong)
        yield refused(f"{name} with another kind's number", signer, kind, _signed(kind, fields, number=other))
        yield refused(f"{name} by another signer", OTHER, kind, good)
        yield refused(f"{name} without its last byte", signer, kind, good[:-1])
        for number, value in fields.items():
            yield from _field(kind, number, value)
    signer, fields = EXAMPLES[12]
    yield accepted("clip-held without its optional field 5", signer, 12, _signed(12, changed(fields, f5=None)))
    signer, fields = EXAMPLES[13]
    nothing = changed(fields, f2=0, f3=bytes(8))
    yield accepted("deleted-since by who has done nothing", signer, 13, _signed(13, nothing))
    yield accepted("deleted-since with the largest number", signer, 13, _signed(13, changed(fields, f2=2**64 - 1)))
    for how, key in LOW_ORDER.items():
        yield refused(f"deleted-since with a key that is {how}", signer, 13, _signed(13, changed(fields, f4=key)))


def _signed(kind: int, fields: Fields, number: int | None = None) -> bytes:
    return statement(EXAMPLES[kind][0], kind, fields, number=number)


def _field(kind: int, number: int, value: object) -> Iterator[Case]:
    signer, fields = EXAMPLES[kind]

    def no(how: str, wrong: object) -> Case:
        data = _signed(kind, changed(fields, **{f"f{number}": wrong}))
        return refused(f"{NAMES[kind]}: field {number} {how}", signer, kind, data)

    if (kind, number) != (12, 5):
        yield no("is missing", None)
    yield no("has another type", "text")
    yield no("is of a type near it", 1 if (kind, number) in BOOLEANS else True)
    if isinstance(value, bytes) and (kind, number) != (14, 2):
        yield no("is a byte too short", value[:-1])
        yield no("is a byte too long", value + b"\0")


def lists() -> Iterator[Case]:
    """What is sealed in `deletions`, right and wrong."""
    good = sealed(LIST)
    yield _list("a list of deletions", good, LIST)
    yield _list("a list with a field nobody knows", sealed(LIST | {40: [True]}), LIST | {40: [True]})
    empty = changed(LIST, f4=[])
    yield _list("a list that names nothing", sealed(empty), empty)
    many = changed(LIST, f4=[{1: KID, 2: labelled("case", bytes([n]), 64), 3: [n, n], 4: []} for n in range(1, 200)])
    yield _list("a longer list", sealed(many), many)
    yield _list(
        "a list in a box for another key", sealed_box(cbor(LIST), public_of(draw("nobody")), draw("ephemeral")), None
    )
    yield _list("a list whose box was cut", good[:-1], None)
    yield _list("a box of nothing", sealed_box(b"", public_of(ASKED), draw("ephemeral")), None)
    yield _list("a list without its end", sealed(LIST, end=b""), None)
    yield _list("a list padded too little", sealed(LIST, size=1), None)
    yield _list("a list padded too much", sealed(LIST, size=1024), None)
    yield _list("a list with a byte behind its map", sealed(cbor(LIST) + b"\1"), None)
    for number, value in LIST.items():
        for how, wrong in (("is missing", None), ("has another type", "text"), ("is a boolean", True)):
            yield _list(f"a list whose field {number} {how}", sealed(changed(LIST, **{f"f{number}": wrong})), None)
        if isinstance(value, bytes):
            yield _list(
                f"a list whose field {number} is short", sealed(changed(LIST, **{f"f{number}": value[1:]})), None
            )
    yield _list("a list that moves no number", sealed(changed(LIST, f2=7)), None)
    yield _list("a list that goes back", sealed(changed(LIST, f2=6)), None)
    part: Any = LIST[4][0]  # type: ignore[index]
    for number, wrong in ((1, KID[1:]), (2, bytes(9)), (3, 5), (3, [b"1", b"2"]), (4, [bytes(15)]), (4, {})):
        one = changed(LIST, f4=[part | {number: wrong}])
        yield _list(f"a part whose field {number} is {wrong!r}", sealed(one), None)
    for runs in ([1], [1, 2, 3], [2, 1], [5, 6, 1, 2], [1, 3, 3, 4]):
        yield _list(f"a part whose runs are {runs}", sealed(changed(LIST, f4=[part | {3: runs}])), None)


def _list(name: str, data: bytes, fields: Fields | None) -> Case:
    case = {"name": name, "kind": "deleted", "recipient_secret_hex": ASKED.hex(), "sealed_hex": data.hex()}
    return case | ({"refuse": True} if fields is None else {"body_cbor_hex": cbor(fields).hex()})
