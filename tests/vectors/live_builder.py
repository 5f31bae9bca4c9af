"""Builds messages of live views `SLV1` by hand, right and wrong, from fixed seeds; shares no code with `sealcam.wire`.

A start is a header as `clip_builder` makes it; a part can be wrong in one way alone (design/wire.md section 15).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

from tests.vectors.builder import Signer, cbor, draw, labelled
from tests.vectors.clip_builder import STAMP, ClipRecipe, seal

BEGINNING, KEYFRAME, PICTURES, END = range(4)
SESSION = draw("live session", 16)
MEDIA = 'video/mp4; codecs="avc1.42C01F"'


@dataclass(frozen=True)
class LiveRecipe(ClipRecipe):
    """One header of a session and the parts behind it; what is None is as specified."""

    session: bytes = SESSION
    part: int = 0

    @property
    def clip(self) -> bytes:
        return self.session

    @property
    def info_cbor(self) -> bytes:
        return cbor({1: bytes(8), 2: STAMP, 3: MEDIA, 4: self.part, 5: "yard"})

    def start(self, prefix: bytes = b"SLV1\0") -> bytes:
        return prefix + self.header

    @cached_property
    def key(self) -> bytes:
        return labelled("sealcam/slv1/key", self.content_key + self.header_hash)

    def send(
        self,
        number: int,
        content: int,
        data: bytes = b"",
        *,
        prefix: bytes = b"SLV1\1",
        key: bytes | None = None,
        nonce: bytes | None = None,
        aad: bytes = b"",
        plain: bytes | None = None,
        signer: Signer | None = None,
        label: str = "sealcam/slv1/part",
        over: bytes | None = None,
        written: int | None = None,
    ) -> bytes:
        """Part `number`; `written` stands in it in place of the number that it was sealed with."""
        seen = 81_000_000_000 + 100_000_000 * (number % 2**20)
        head = struct.pack(">BQQ", content, seen, seen + 30_000_000)
        sealed = seal(
            self.key if key is None else key,
            bytes(4) + number.to_bytes(8, "big") if nonce is None else nonce,
            head + data if plain is None else plain,
            aad,
        )
        clear = (number if written is None else written).to_bytes(8, "big") + sealed
        signed = (self.header_hash if over is None else over) + clear
        return prefix + clear + (signer or self.signer).sign(signed, label)


def told(number: int, content: int, data: bytes = b"") -> dict[str, object]:
    """What a part of that number says, as a case has it."""
    seen = 81_000_000_000 + 100_000_000 * (number % 2**20)
    return {
        "number": str(number),
        "content": content,
        "seen_ns": str(seen),
        "sealed_ns": str(seen + 30_000_000),
        "data_hex": data.hex(),
    }
