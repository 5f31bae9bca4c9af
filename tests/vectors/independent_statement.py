"""A second reader of statements, bundles, claims and hand-overs, written from design/wire.md 2, 5.4 and 6 alone."""

from __future__ import annotations

from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.vectors.independent import (
    P,
    RefusedError,
    check_cbor,
    check_signature,
    labelled,
    padded_size,
    require,
    unseal,
)

U32 = 2**32 - 1
U64 = 2**64 - 1
GENESIS = bytes(32)
# A field is its type, in a tuple where it may be absent: an int is the limit of an integer, a set an
# enumeration, "bytes" or "bytes n", "text" or "bool", a list holds the type of its items, a dict is a map.
RUN: dict[int, Any] = {1: U64, 2: U64}
TABLES: dict[int, tuple[str, dict[int, Any]]] = {
    1: ("hub-certificate", {1: "bytes 32", 2: U64}),
    2: ("recipient-set", {1: U32, 2: 255, 3: "bytes 32", 4: [{1: {1, 2}, 2: "bytes 32"}]}),
    3: ("prekey", {1: "bytes 8", 2: U64, 3: "bytes 32"}),
    4: ("receipt", {1: "bytes 32"}),
    5: ("claim-request", {1: U32, 2: "bytes 32", 3: "bytes 32", 4: "bytes", 5: (U64,)}),
    6: (
        "claim-answer",
        {1: "bytes 8", 2: "text", 3: "bytes", 4: "bytes", 5: "bytes", 6: "bytes", 7: "text", 8: 65535},
    ),
    7: ("rotation", {1: "bytes 8", 2: U32, 3: "bytes 32"}),
    8: (
        "grant",
        {
            1: "bytes 16",
            2: "bytes 32",
            3: "bytes 32",
            4: ([RUN],),
            5: "text",
            6: U64,
            7: U64,
            8: "bytes 32",
            9: "bytes",
            10: ["bytes 32"],
        },
    ),
    9: (
        "log-entry",
        {
            1: U64,
            2: "bytes 32",
            3: U64,
            4: "text",
            5: set(range(1, 11)),
            6: ("bytes",),
            7: ("bytes 32",),
            8: "text",
        },
    ),
    10: ("technician-token", {1: "bytes 8", 2: ["bytes 8"], 3: [set(range(1, 6))], 4: 86400}),
    11: ("ask", {1: "bytes 8", 2: [RUN]}),
    12: ("clip-held", {1: "bytes 8", 2: "bytes 16", 3: U64, 4: "bool", 5: ("bool",)}),
    13: ("deleted-since", {1: "bytes 8", 2: U64, 3: "bytes 8", 4: "bytes 32"}),
    14: ("deletions", {1: "bytes 8", 2: "bytes"}),
}
PART: dict[int, Any] = {1: "bytes 8", 2: "bytes 8", 3: [U64], 4: ["bytes 16"]}
DELETED: dict[int, Any] = {1: U64, 2: U64, 3: "bytes 8", 4: [PART]}
STAMP: dict[int, Any] = {1: "bytes 16", 2: U64, 3: U64, 4: {0, 1}}
EPOCH: dict[int, Any] = {1: STAMP, 2: U32, 3: "bytes 32", 4: "bytes 32", 5: "bytes 32", 6: "bytes 64"}


def check_fields(value: Any, kind: Any) -> None:
    """Section 3, fields: require that a decoded value is of a type."""
    if isinstance(kind, dict):
        require(type(value) is dict)
        for number, inner in kind.items():
            if isinstance(inner, tuple):
                if number in value:
                    check_fields(value[number], inner[0])
            else:
                require(number in value)
                check_fields(value[number], inner)
    elif isinstance(kind, list):
        require(type(value) is list)
        for item in value:
            check_fields(item, kind[0])
    elif isinstance(kind, set):
        require(type(value) is int and value in kind)
    elif isinstance(kind, int):
        require(type(value) is int and value <= kind)
    elif kind in ("text", "bool"):
        require(type(value) is (str if kind == "text" else bool))
    else:
        require(type(value) is bytes)
        if " " in kind:
            require(len(value) == int(kind.split()[1]))


def read_map(data: bytes, kind: dict[int, Any]) -> dict[int, Any]:
    """The map that deterministic CBOR holds, with the fields it must have."""
    check_cbor(data)
    value = cbor2.loads(data)
    check_fields(value, kind)
    return dict(value)


def sealable(public: bytes) -> None:
    """Section 2.4."""
    require(len(public) == 32 and int.from_bytes(public, "little") < P)
    try:
        X25519PrivateKey.from_private_bytes(b"k" * 32).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise RefusedError from None


def numbers(runs: list[dict[int, int]]) -> list[int]:
    """The numbers of runs that rise and don't overlap: 1 to 1,024."""
    last, total = -1, 0
    for run in runs:
        require(last < run[1] <= run[2])
        last, total = run[2], total + run[2] - run[1] + 1
    require(1 <= total <= 1024)
    return [number for run in runs for number in range(run[1], run[2] + 1)]


def check_rules(kind: int, body: dict[int, Any], signer: bytes) -> None:
    """Section 6, rules, and those of sections 8 and 9."""
    if kind == 2:
        hubs = [one[2] for one in body[4] if one[1] == 1]
        recovery = [one[2] for one in body[4] if one[1] == 2]
        require(body[1] >= 1 and body[2] == 1 and 1 <= len(body[4]) <= 16)
        require(len(set(hubs + recovery)) == len(body[4]) and body[3] in hubs and len(recovery) >= 1)
        for public in recovery:
            sealable(public)
    if kind in (3, 5):
        sealable(body[3])
    if kind == 5:
        require(body[2] == signer)
    if kind == 8:
        sealable(body[3])
        count = len(numbers(body[4])) if 4 in body else 1
        require(body[7] > body[6] and len(body[9]) == 48 + 32 * count and 1 <= len(body[10]) <= 16)
    if kind == 9:
        require(body[1] >= 1 and (body[1] == 1) == (body[2] == GENESIS))
    if kind == 10:
        require(len(body[2]) > 0 and len(body[3]) > 0 and body[4] > 0)
    if kind == 11:
        numbers(body[2])
    if kind == 13:
        sealable(body[4])


def read(data: bytes, signer: bytes, kind: int) -> dict[int, Any]:
    """Section 6, reading."""
    require(78 <= len(data) <= 65_535)
    message = data[:-64]
    name, table = TABLES[kind]
    check_signature(signer, data[-64:], labelled(f"sealcam/sgn1/{name}", message, 512))
    require(message[:4] == b"SGN1" and message[4] == kind and message[5:13] == labelled("sealcam/key-id", signer, 64))
    body = read_map(message[13:], table)
    check_rules(kind, body, signer)
    return body


def read_deleted(sealed: bytes, secret: bytes) -> bytes:
    """Section 6.2: the CBOR of the list that a `deletions` seals."""
    padded = unseal(sealed, secret) or b""
    plain = padded.rstrip(b"\0")
    require(plain[-1:] == b"\x80" and len(padded) == padded_size(len(plain)) <= 32768)
    said = read_map(plain[:-1], DELETED)
    require(said[1] < said[2])
    for part in said[4]:
        firsts, lasts = part[3][::2], part[3][1::2]
        require(len(firsts) == len(lasts))
        last = -1
        for one, other in zip(firsts, lasts, strict=True):
            require(last < one <= other)
            last = other
    return plain[:-1]


def unbundle(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Section 6.1: root, hub certificate, statement."""
    require(len(data) > 34)
    size = int.from_bytes(data[32:34], "big")
    require(len(data) > 34 + size)
    return data[:32], data[34 : 34 + size], data[34 + size :]


def certified(data: bytes, fingerprint: bytes) -> tuple[bytes, bytes, bytes]:
    """Root, the hub that it certified, and the hub's statement of a bundle, for who knows the fingerprint."""
    root, certificate, item = unbundle(data)
    require(labelled("sealcam/root-fingerprint", root, 256) == fingerprint)
    return root, read(certificate, root, 1)[1], item


def read_claim_answer(data: bytes, fingerprint: bytes, camera: bytes) -> dict[str, Any]:
    """Section 6.1, what the camera checks."""
    root, hub, item = certified(data, fingerprint)
    answer = read(item, hub, 6)
    chosen = read(answer[3], root, 2)
    require(chosen[3] == hub)
    prekey = read(answer[4], hub, 3)
    require(answer[1] == prekey[1] == camera)
    require(1 <= prekey[2] <= 2**62 - 1)
    return {"hub_hex": hub.hex(), "set": chosen[1], "prekey": str(prekey[2])}


def read_claim_request(data: bytes) -> dict[str, Any]:
    """Section 6.1, what the hub checks."""
    read(data[32:], data[:32], 5)
    return {"public_hex": data[:32].hex(), "body_cbor_hex": data[45:-64].hex()}


def read_hand_over(
    body: bytes, seq: int, prev: bytes, camera: bytes, epoch: int, nonce: bytes, before: list[bytes]
) -> dict[str, Any]:
    """Section 5.4, when a hub takes it."""
    said = read_map(body, EPOCH)
    require(said[2] == epoch + 1 and said[5] == nonce and said[3] not in before)
    sealable(said[4])
    proof = camera + nonce + said[2].to_bytes(4, "big") + said[4] + seq.to_bytes(8, "big") + prev
    check_signature(said[3], said[6], labelled("sealcam/epoch-proof", proof, 512))
    return {"public_hex": said[3].hex(), "command_hex": said[4].hex()}
