"""A second reader of `SLV1`, written from design/wire.md section 15 alone; shares no code with `sealcam.wire`.

`judge` says whether it does with a case of `slv1.json` what the case says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.vectors.independent import RefusedError, check_signature, labelled, require
from tests.vectors.independent_clip import Header, content_key, decrypt, open_info, read_header


@dataclass
class Reader:
    """Whoever asked for one session."""

    session: bytes
    signers: list[bytes]
    secret: bytes
    infos: list[bytes] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    header: Header | None = None
    key: bytes = b""
    known: set[bytes] = field(default_factory=set)
    last: int = -1
    waits: bool = True

    def hear(self, message: bytes) -> None:
        """Take one message; what doesn't count is dropped without a word."""
        try:
            require(len(message) > 5 and message[:4] == b"SLV1" and message[4] in (0, 1))
            if message[4] == 0:
                self.start(message[5:])
            else:
                self.part(message[5:])
        except RefusedError:
            return

    def start(self, data: bytes) -> None:
        header = read_header(data, self.signers)
        require(header.size == len(data) and header.clip == self.session)
        key = content_key(header, None, self.secret)
        if header.hash in self.known:
            return
        info = open_info(header, key)
        self.known.add(header.hash)
        self.header, self.last, self.waits = header, -1, True
        self.key = labelled("sealcam/slv1/key", key + header.hash, 256)
        self.infos.append(info)

    def part(self, data: bytes) -> None:
        header = self.header
        require(header is not None and len(data) >= 8 + 17 + 16 + 64)
        assert header is not None
        signer = next(one for one in self.signers if labelled("sealcam/key-id", one, 64) == header.kid)
        digest = labelled("sealcam/slv1/part", header.hash + data[:-64], 512)
        check_signature(signer, data[-64:], digest)
        number = int.from_bytes(data[:8], "big")
        require(number > self.last)
        plain = decrypt(self.key, bytes(4) + data[:8], data[8:-64])
        content = plain[0]
        require(content <= 3 and len(plain) - 17 <= 1 << 20)
        if content == 0:
            self.waits = False
        elif number != self.last + 1:
            self.waits = True
        self.last = number
        if self.waits and content != 3:
            return
        self.taken.append(
            {
                "number": str(number),
                "content": content,
                "seen_ns": str(int.from_bytes(plain[1:9], "big")),
                "sealed_ns": str(int.from_bytes(plain[9:17], "big")),
                "data_hex": plain[17:].hex(),
            }
        )


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What this reader says to a case."""
    signers = [bytes.fromhex(one) for one in case["signers_hex"]]
    reader = Reader(bytes.fromhex(case["session_hex"]), signers, bytes.fromhex(case["recipient_secret_hex"]))
    for message in case["messages_hex"]:
        reader.hear(bytes.fromhex(message))
    return {"infos_hex": [one.hex() for one in reader.infos], "taken": reader.taken}


def judge(case: dict[str, Any]) -> bool:
    """Whether this reader answers a case as it says."""
    return all(case[name] == value for name, value in answer(case).items())
