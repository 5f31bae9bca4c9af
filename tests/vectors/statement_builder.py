"""Builds statements and bundles by hand, right and wrong; shares no code with `sealcam.wire` (design/wire.md 6)."""

from __future__ import annotations

from tests.vectors.builder import Signer, cbor

NAMES = {
    1: "hub-certificate",
    2: "recipient-set",
    3: "prekey",
    4: "receipt",
    5: "claim-request",
    6: "claim-answer",
    7: "rotation",
    8: "grant",
    9: "log-entry",
    10: "technician-token",
    11: "ask",
    12: "clip-held",
    13: "deleted-since",
    14: "deletions",
}
Fields = dict[int, object]


def statement(
    signer: Signer,
    kind: int,
    fields: Fields | bytes,
    *,
    label: str | None = None,
    magic: bytes = b"SGN1",
    number: int | None = None,
    kid: bytes | None = None,
) -> bytes:
    """The statement of a kind; what is None is as specified, and what isn't is signed all the same."""
    body = fields if isinstance(fields, bytes) else cbor(fields)
    message = magic + bytes([kind if number is None else number]) + (kid or signer.kid) + body
    return message + signer.sign(message, label or f"sealcam/sgn1/{NAMES[kind]}")


def bundle(root: bytes, certificate: bytes, item: bytes) -> bytes:
    return root + len(certificate).to_bytes(2, "big") + certificate + item
