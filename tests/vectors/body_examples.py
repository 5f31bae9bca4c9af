"""A body of every type, as the map that its CBOR holds: what cases and fuzzing begin with (design/wire.md 5)."""

from __future__ import annotations

from tests.vectors.builder import draw, public_of
from tests.vectors.clip_builder import STAMP
from tests.vectors.make_sev1 import beat, health, incident, loss

Fields = dict[int, object]
CLIP = {1: draw("clip", 16), 2: draw("content key"), 3: 79_900_000_000, 4: 0}
EVENTS: tuple[tuple[int, Fields], ...] = (
    (0x01, incident()),
    (0x01, incident(b"\xff\xd8 a picture")),
    (0x01, incident(key_14=CLIP)),
    (0x02, loss(2)),
    (0x03, health("storage")),
    (
        0x04,
        {1: STAMP, 2: 2, 3: draw("public"), 4: public_of(draw("command")), 5: draw("nonce"), 6: draw("proof", 64)},
    ),
    (0x05, {1: STAMP, 2: 7, 3: 1, 4: 0, 5: "armed away"}),
    (0x06, {1: draw("incident", 8), 2: draw("picture", 8), 3: 0, 4: 3, 5: draw("piece", 300)}),
    (0x07, {1: STAMP, 2: draw("clip", 16), 3: 1, 4: 17, 5: 1_114_112, 6: draw("chain")}),
    (0x08, {1: STAMP, 2: 1}),
    (0x09, {1: STAMP, 2: True, 3: 0}),
    (0x80, beat()),
    (0x80, beat(key_14=3, key_15=[{1: draw("hub", 8), 2: 4, 3: 2}], key_16=1, key_17=True)),
    (0x81, {255: bytes(60)}),
    (0x82, {1: STAMP}),
    (0x7F, {1: 5}),
)
