"""Targets: grants of a small clip, and audit logs; each part right or of the fuzzer's making, and signed."""

from __future__ import annotations

from typing import Any

from sealcam.wire.audit import Head, verify_log
from sealcam.wire.clip import BytesSource
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.grant import granted_content, open_grant, read_grant, verify_granted
from sealcam.wire.keys import BoxKey
from sealcam.wire.statement_kinds import granted_segments
from tests.fuzz.choices import Choices, Seed
from tests.fuzz.clips import BASE, CHUNK, LATER, PER_SEGMENT, SEALED, SHAPE, SIGNER, SMALL, chunk
from tests.vectors import independent_clip as clips
from tests.vectors import independent_grant as theirs
from tests.vectors.builder import cbor, draw, public_of, sealed_box
from tests.vectors.claim_cases import CERTIFICATE, FINGERPRINT
from tests.vectors.clip_builder import END, MORE
from tests.vectors.independent import RefusedError
from tests.vectors.log_cases import digest, entry
from tests.vectors.statement_builder import bundle, statement
from tests.vectors.statement_cases import HUB, OTHER, ROOT, SECOND

NEIGHBOUR = draw("neighbour")
PUBLIC = public_of(NEIGHBOUR)
ISSUED_NS, NOW_NS, EXPIRES_NS = 1_000, 2_000, 3_000
FIELDS, PROGRAM, PIECES = range(3)
assert CHUNK + 16 == SEALED


def _whole() -> bytes:
    """Two full segments and one of a final chunk."""
    chunks = [chunk(n, 0) for n in range(2 * PER_SEGMENT)] + [chunk(2 * PER_SEGMENT, 1)]
    parts = [BASE.header]
    for start in range(0, len(chunks), PER_SEGMENT):
        end = min(start + PER_SEGMENT, len(chunks))
        parts += [*chunks[start:end], BASE.checkpoint(END if end == len(chunks) else MORE, chunks[:end])]
    return b"".join(parts)


CLIP = _whole()


def _keys(numbers: list[int]) -> bytes:
    return b"".join(BASE.segment_key(n) for n in numbers)


def _fields(choices: Choices) -> dict[int, object]:
    """A grant that fits, but for what the choices change."""
    runs = [{1: choices.below(4), 2: choices.below(4)} for _ in range(choices.below(4))]
    wrong = choices.byte()
    numbers = [n for run in runs for n in range(run[1], run[2] + 1)]
    held = _keys(numbers) if runs else BASE.content_key
    if wrong & 1:
        held = choices.take(choices.below(120))
    fields: dict[int, object] = {
        1: BASE.clip,
        2: BASE.header_hash,
        3: PUBLIC if not wrong & 2 else choices.take(32).ljust(32, b"\0"),
        5: "",
        6: ISSUED_NS,
        7: EXPIRES_NS if not wrong & 4 else choices.number(2),
        8: bytes(32),
        9: sealed_box(held, PUBLIC, draw("fuzz grant")),
        10: [SIGNER.public] if not wrong & 8 else [LATER.public, SIGNER.public] * choices.below(10),
    }
    if runs:
        fields[4] = runs
    return fields


def grant(data: bytes) -> None:
    """Both readers open the same of a clip by a grant, or nothing."""
    choices = Choices(data)
    how = choices.below(3)
    built = bytearray(CLIP)
    if how == FIELDS:
        signed = statement(HUB, 8, choices.rest())
    else:
        signed = statement(HUB, 8, _fields(choices))
        for _ in range(choices.below(4)):
            at = len(BASE.header) + choices.below(5) * SEALED
            built[at : at + SEALED] = bytes(SEALED) if choices.below(2) else choices.take(SEALED).ljust(SEALED, b"\1")
        del built[len(built) - choices.number(2) % len(built) if how == PIECES else len(built) :]
    item = bundle(ROOT.public, CERTIFICATE, signed)
    try:
        said: Any = theirs.open_granted(item, FINGERPRINT, NEIGHBOUR, NOW_NS, bytes(built), SHAPE)
    except RefusedError:
        said = None
    try:
        found = _opened(item, bytes(built))
    except EnvelopeError:
        assert said is None, "the independent reader opens what ours refuses"
        return
    assert said == found


def _opened(item: bytes, built: bytes) -> dict[str, Any]:
    source = BytesSource(built)
    read = read_grant(item, FINGERPRINT, PUBLIC, NOW_NS)
    granted = open_grant(read, source, BoxKey(NEIGHBOUR))
    verify_granted(granted, source, geometry=SMALL)
    segments = None if read.segments is None else list(granted_segments(read.segments))
    plain = b"".join(granted_content(granted, source, geometry=SMALL))
    return {"segments": segments} | clips.measured(plain)


def grant_seeds() -> list[Seed]:
    fields = _fields(Choices(b""))
    return [
        Seed("whole", bytes([PROGRAM])),
        Seed("parts", bytes([PROGRAM, 2, 0, 0, 2, 2])),
        Seed("all", bytes([PROGRAM, 1, 0, 2])),
        Seed("overlap", bytes([PROGRAM, 2, 0, 1, 1, 2])),
        Seed("wrapped", bytes([PROGRAM, 1, 0, 1, 1, 64]) + bytes(64)),
        Seed("signers", bytes([PROGRAM, 0, 8, 1])),
        Seed("blank", bytes([PROGRAM, 1, 1, 1, 0, 2, 0, 1, 1, 1])),
        Seed("cut", bytes([PIECES, 1, 0, 0, 0, 0, 0, 200])),
        Seed("fields", bytes([FIELDS]) + cbor(fields)),
    ]


def log(data: bytes) -> None:
    """Both readers take the same logs, pins included."""
    choices = Choices(data)
    entries: list[bytes] = []
    for _ in range(1 + choices.below(8)):
        wrong = choices.byte()
        number, prev = len(entries) + 1, digest(entries[-1]) if entries else bytes(32)
        if wrong & 1:
            number = choices.below(10)
        if wrong & 2:
            prev = choices.take(32).ljust(32, b"\0")
        signer = (HUB, SECOND, OTHER)[choices.below(3)] if wrong & 4 else HUB
        made = entry(number, prev, signer) if not wrong & 8 else statement(signer, 9, choices.take(choices.byte()))
        entries.append(choices.edited(made) if wrong & 16 else made)
    if choices.below(2):
        del entries[choices.below(len(entries)) :]
    numbers = [choices.below(8) for _ in range(choices.below(3))]
    pins = [(n, digest(entries[n - 1]) if 0 < n <= len(entries) else draw("pin")) for n in numbers]
    hubs = [HUB.public, SECOND.public]
    try:
        said: Any = theirs.read_log(entries, hubs, pins)
    except RefusedError:
        said = None
    try:
        found = verify_log(entries, hubs, [Head(number, pin) for number, pin in pins])
    except EnvelopeError:
        assert said is None, "the independent reader takes what ours refuses"
        return
    assert said == (found.head.number, found.head.hash)


def log_seeds() -> list[Seed]:
    return [
        Seed("one", bytes([0])),
        Seed("eight", bytes([7])),
        Seed("two-hubs", bytes([3, 0, 0, 4, 1, 4, 1])),
        Seed("stranger", bytes([1, 0, 4, 2])),
        Seed("pinned", bytes([2, 0, 0, 0, 0, 2, 1, 3])),
        Seed("cut", bytes([2, 0, 0, 0, 1, 1, 1, 2])),
        Seed("number", bytes([1, 0, 1, 7])),
        Seed("body", bytes([0, 8, 3]) + bytes.fromhex("a10102")),
        Seed("flipped", bytes([0, 16, 1, 0, 40, 9])),
    ]
