"""A second reader of the bodies of events and commands: the tables of design/wire.md 5.1 to 5.4, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.vectors.independent import RefusedError, require
from tests.vectors.independent_statement import EPOCH, RUN, STAMP, U64, read_map

MODE = {0, 1, 2, 3}
CAUSE = {0, 1, 2, 3}
INCIDENT: dict[int, Any] = {
    1: "bytes 8",
    2: {0, 1, 2},
    3: STAMP,
    4: {0, 1, 2},
    5: U64,
    6: U64,
    7: {0, 1, 2, 3},
    8: 1000,
    9: {0, 1, 2},
    10: 1000,
    11: ["text"],
    12: MODE,
    13: ("bytes",),
    14: ({1: "bytes 16", 2: "bytes 32", 3: U64, 4: U64},),
    15: ({1: 255, 2: [1000]},),
    16: ({1: [2**32 - 1], 2: [1000], 3: 65535, 4: ([1000],)},),
}
BEAT: dict[int, Any] = {
    1: STAMP,
    2: "bytes 32",
    3: U64,
    4: "bytes 32",
    5: U64,
    6: U64,
    7: U64,
    8: U64,
    9: U64,
    10: U64,
    11: MODE,
    12: "text",
    13: U64,
    14: (U64,),
    15: ([{1: "bytes 8", 2: U64, 3: U64}],),
    16: ({0, 1},),
    17: ("bool",),
    18: ("bool",),
    19: ({1: 2**32 - 1, 2: 2**32 - 1, 3: 2**32 - 1, 4: 2**32 - 1},),
}
EVENTS: dict[int, dict[int, Any]] = {
    0x01: INCIDENT,
    0x02: {1: STAMP, 2: [{1: U64, 2: U64, 3: "bytes 32"}]},
    0x03: {1: STAMP, 2: "text", 3: "text"},
    0x04: EPOCH,
    0x05: {1: STAMP, 2: U64, 3: 255, 4: set(range(7)), 5: "text"},
    0x06: {1: "bytes 8", 2: "bytes 8", 3: 255, 4: 255, 5: "bytes"},
    0x07: {1: STAMP, 2: "bytes 16", 3: {0, 1, 2}, 4: U64, 5: U64, 6: "bytes 32"},
    0x08: {1: STAMP, 2: CAUSE},
    0x09: {1: STAMP, 2: "bool", 3: CAUSE},
    0x80: BEAT,
    0x81: {},
    0x82: {1: STAMP},
}
CORNERS = [1000]
COMMANDS: dict[int, dict[int, Any]] = {
    0x01: {1: MODE},
    0x02: {1: "bool"},
    0x03: {1: "bytes 16", 2: 3600},
    0x04: {1: [RUN], 2: [{1: "bytes 16", 2: (RUN,)}]},
    0x05: {1: [{1: "text", 2: {0, 1, 2}, 3: CORNERS}]},
    0x06: {1: [{1: CORNERS}]},
    0x07: {1: [{1: 127, 2: 1439, 3: 1440, 4: MODE}], 2: "text", 3: ([{1: 127, 2: 1439, 3: 1440}],)},
    0x08: {1: [{1: "bytes 8", 2: {0, 1, 2, 3}}], 2: (["bytes 8"],)},
    0x09: {1: "text", 2: "bytes 32", 3: ("bytes",)},
    0x0A: {1: "bytes"},
    0x0B: {1: ["bytes 16"]},
}


def read_command(kind: int, data: bytes) -> dict[int, Any]:
    """A command's body; corners come in pairs, 3 to 32 of them."""
    body = read_map(data, COMMANDS[kind])
    shapes = [one[3 if kind == 5 else 1] for one in body[1]] if kind in (5, 6) else []
    for corners in shapes:
        require(len(corners) % 2 == 0 and 6 <= len(corners) <= 64)
    return body


def judge(case: dict[str, Any]) -> bool:
    """Whether this reader reads a case of `bodies.json` or one of its sequels as it says."""
    data = bytes.fromhex(case["body_cbor_hex"])
    try:
        if case["kind"] == "event-body":
            read_map(data, EVENTS[case["type"]])
        else:
            read_command(case["type"], data)
    except RefusedError:
        return case.get("refuse") is True
    return case.get("readable") is True
