"""Cases of `keys.json`: a statement of every kind, and one for every way in which its fields can be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import Signer, draw, public_of
from tests.vectors.refusals import ENCODINGS
from tests.vectors.statement_builder import NAMES, Fields, statement

Case = dict[str, Any]
ROOT = Signer(draw("owner root"))
HUB = Signer(draw("hub operating key"))
SECOND = Signer(draw("second hub"))
CAMERA = Signer(draw("signer"))
OTHER = Signer(draw("another signer"))
KID = CAMERA.kid
RECOVERY = public_of(draw("recovery"))
PREKEY = public_of(draw("prekey"))
SET: Fields = {
    1: 1,
    2: 1,
    3: HUB.public,
    4: [{1: 1, 2: HUB.public}, {1: 1, 2: SECOND.public}, {1: 2, 2: RECOVERY}],
}
EXAMPLES: dict[int, tuple[Signer, Fields]] = {
    1: (ROOT, {1: HUB.public, 2: 1}),
    2: (ROOT, SET),
    3: (HUB, {1: KID, 2: 1_048_577, 3: PREKEY}),
    4: (HUB, {1: draw("an envelope's hash")}),
    5: (CAMERA, {1: 1, 2: CAMERA.public, 3: public_of(draw("command")), 4: draw("csr", 200), 5: 7}),
    6: (
        HUB,
        {
            1: KID,
            2: "front-door",
            3: statement(ROOT, 2, SET),
            4: statement(HUB, 3, {1: KID, 2: 1, 3: PREKEY}),
            5: b"-----BEGIN CERTIFICATE-----\n",
            6: b"-----BEGIN CERTIFICATE-----\n",
            7: "hub.local",
            8: 8883,
        },
    ),
    7: (HUB, {1: KID, 2: 2, 3: draw("rotation nonce")}),
    8: (
        HUB,
        {
            1: draw("clip", 16),
            2: draw("header hash"),
            3: public_of(draw("neighbour")),
            4: [{1: 0, 2: 1}, {1: 5, 2: 5}],
            5: "the delivery of Tuesday",
            6: 1_790_000_000_000_000_000,
            7: 1_790_600_000_000_000_000,
            8: draw("log head"),
            9: draw("wrapped", 48 + 3 * 32),
            10: [CAMERA.public],
        },
    ),
    9: (
        HUB,
        {
            1: 2,
            2: draw("log head"),
            3: 1_790_000_000_000_000_000,
            4: "owner",
            5: 2,
            6: draw("clip", 16),
            7: public_of(draw("neighbour")),
            8: "a week",
        },
    ),
    10: (HUB, {1: draw("serial", 8), 2: [KID, OTHER.kid], 3: [1, 2, 3, 4, 5], 4: 86400}),
    11: (SECOND, {1: KID, 2: [{1: 3, 2: 9}, {1: 10, 2: 10}, {1: 20, 2: 900}]}),
}
OPTIONAL = {(5, 5), (8, 4), (9, 6), (9, 7)}
ANY_SIZE = {(5, 4), (6, 3), (6, 4), (6, 5), (6, 6), (9, 6)}
LIMITS = {
    (2, 1): 2**32,
    (2, 2): 256,
    (5, 1): 2**32,
    (6, 8): 65536,
    (7, 2): 2**32,
    (9, 5): 11,
    (10, 4): 86401,
}


def accepted(name: str, signer: Signer, kind: int, data: bytes) -> Case:
    body = data[13:-64].hex()
    return _case(name, signer.public, kind, data) | {"body_cbor_hex": body}


def refused(name: str, signer: Signer, kind: int, data: bytes) -> Case:
    return _case(name, signer.public, kind, data) | {"refuse": True}


def _case(name: str, public: bytes, kind: int, data: bytes) -> Case:
    return {
        "name": name,
        "kind": "statement",
        "expected": kind,
        "signer_public_hex": public.hex(),
        "statement_hex": data.hex(),
    }


def changed(kind: int, **fields: object) -> Fields:
    """An example with some fields replaced: `f3=...`; none drops the field."""
    found = dict(EXAMPLES[kind][1])
    for name, value in fields.items():
        number = int(name[1:])
        if value is None:
            del found[number]
        else:
            found[number] = value
    return found


def statements() -> Iterator[Case]:
    """All that hold for any kind; what only one kind has is in `statement_rules`."""
    for kind, (signer, fields) in EXAMPLES.items():
        yield accepted(f"{NAMES[kind]}", signer, kind, statement(signer, kind, fields))
        more = fields | {40: [True, {1: "later"}]}
        yield accepted(f"{NAMES[kind]} with a field nobody knows", signer, kind, statement(signer, kind, more))
        for number, value in fields.items():
            yield from _field(kind, number, value)
        yield from _frame(kind)
    for kind, number in sorted(OPTIONAL - {(8, 4)}):
        signer = EXAMPLES[kind][0]
        data = statement(signer, kind, changed(kind, **{f"f{number}": None}))
        yield accepted(f"{NAMES[kind]} without its optional field {number}", signer, kind, data)
    yield from _whole()


def _field(kind: int, number: int, value: object) -> Iterator[Case]:
    """One field wrong in each way that its type allows."""
    signer = EXAMPLES[kind][0]

    def no(how: str, wrong: object) -> Case:
        data = statement(signer, kind, changed(kind, **{f"f{number}": wrong}))
        return refused(f"{NAMES[kind]}: field {number} {how}", signer, kind, data)

    if (kind, number) not in OPTIONAL:
        yield no("is missing", None)
    other: object = "text" if not isinstance(value, str) else value.encode()
    yield no("has another type", other)
    yield no("is a boolean", True)
    if isinstance(value, bytes) and (kind, number) not in ANY_SIZE:
        yield no("is a byte too short", value[:-1])
        yield no("is a byte too long", value + b"\0")
    if (kind, number) in LIMITS:
        yield no("is over its limit", LIMITS[kind, number])
    if isinstance(value, list):
        yield no("holds another type", [*value, "text"])
        yield no("is a map", {1: 1})


def _frame(kind: int) -> Iterator[Case]:
    """What stands around the body."""
    signer, fields = EXAMPLES[kind]
    good, name = statement(signer, kind, fields), NAMES[kind]
    after = kind % 11 + 1
    yield refused(f"{name} read as {NAMES[after]}", signer, after, good)
    yield refused(
        f"{name} signed as {NAMES[after]}",
        signer,
        kind,
        statement(signer, kind, fields, label=f"sealcam/sgn1/{NAMES[after]}"),
    )
    yield refused(f"{name} with another kind's number", signer, kind, statement(signer, kind, fields, number=after))
    yield refused(f"{name} by another signer", OTHER, kind, good)
    yield refused(f"{name} with another kid", signer, kind, statement(signer, kind, fields, kid=OTHER.kid))
    yield refused(f"{name} with another magic", signer, kind, statement(signer, kind, fields, magic=b"SGN2"))
    flipped = good[:20] + bytes([good[20] ^ 1]) + good[21:]
    yield refused(f"{name} with a bit flipped", signer, kind, flipped)
    yield refused(f"{name} without its last byte", signer, kind, good[:-1])


def _whole() -> Iterator[Case]:
    """Sizes and encodings, for one kind each."""
    signer, fields = EXAMPLES[4]
    good = statement(signer, 4, fields)
    for size in (0, 1, 63, 64, 76, 77):
        yield refused(f"a receipt cut to {size} bytes", signer, 4, good[:size])
    yield refused("a receipt of no body", signer, 4, statement(signer, 4, b""))
    yield refused("a receipt with a byte behind the signature", signer, 4, good + b"\0")
    yield refused("a receipt without signature", signer, 4, good[:-64] + bytes(64))
    for name, body in ENCODINGS.items():
        wrong = bytes.fromhex(body)
        yield refused(f"a receipt that is not deterministic CBOR: {name}", signer, 4, statement(signer, 4, wrong))
    camera, request = EXAMPLES[5]
    room = 65_535 - len(statement(camera, 5, request | {4: bytes(60_000)})) + 60_000
    longest = statement(camera, 5, request | {4: draw("csr", room)})
    assert len(longest) == 65_535
    yield accepted("a statement of 65,535 bytes", camera, 5, longest)
    over = statement(camera, 5, request | {4: draw("csr", room + 1)})
    yield refused("a statement of 65,536 bytes", camera, 5, over)
    yield accepted("the largest numbers", HUB, 3, statement(HUB, 3, {1: KID, 2: 2**64 - 1, 3: PREKEY}))
