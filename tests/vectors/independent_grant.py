"""A second reader of grants and of the audit log, written from design/wire.md sections 8 and 9 alone.

`judge` says whether it does with a case of `grants.json` what the case says.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.vectors import independent_clip as clips
from tests.vectors import stock
from tests.vectors.independent import RefusedError, labelled, require, unseal
from tests.vectors.independent_statement import certified, numbers, read

Case = dict[str, Any]


def open_granted(
    bundle: bytes, fingerprint: bytes, secret: bytes, now_ns: int, data: bytes, shape: clips.Shape = clips.SCL1
) -> Case:
    """Section 8, step by step."""
    _, hub, item = certified(bundle, fingerprint)  # 1, 2
    grant = read(item, hub, 8)
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    require(grant[3] == public and now_ns < grant[7])  # 3
    signers = grant[10]
    header = clips.read_header(data, signers)  # 4
    require(header.clip == grant[1] and header.hash == grant[2])
    keys = unseal(grant[9], secret)  # 5
    require(keys is not None)
    keys = keys or b""
    if 4 not in grant:
        key = clips.content_key(header, keys, None)
        return {"segments": None} | clips.measured(clips.open_clip(clips.read_clip(data, signers, shape), key, shape))
    named = numbers(grant[4])
    require(len(keys) == 32 * len(named))
    plain = [_segment(data, header, signers, n, keys[32 * k : 32 * k + 32], shape) for k, n in enumerate(named)]
    return {"segments": named} | clips.measured(b"".join(plain))


def _segment(
    data: bytes, header: clips.Header, signers: list[bytes], number: int, key: bytes, shape: clips.Shape
) -> bytes:
    """6: one granted segment, verified and opened."""
    blanked, segment = clips.check_segment(data, header, signers, number, shape)
    require(not blanked and len(segment.chunks) > 0)
    found = []
    for n, chunk in enumerate(segment.chunks):
        last = n == len(segment.chunks) - 1 and segment.end == len(data)
        found.append(clips.open_chunk(key, shape.chunks * number + n, chunk, (0, 1) if last else (0,)))
    return b"".join(found)


def read_log(entries: list[bytes], hubs: list[bytes], pins: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """Section 9: the head of a log that holds."""
    named = {labelled("sealcam/key-id", hub, 64): hub for hub in hubs}
    before, seen = bytes(32), {}
    for count, data in enumerate(entries, 1):
        require(data[5:13] in named)
        entry = read(data, named[data[5:13]], 9)
        require(entry[1] == count and entry[2] == before)
        before = labelled("sealcam/log-entry", data, 256)
        seen[count] = before
    for number, digest in pins:
        require(seen.get(number) == digest)
    return len(entries), before


def answer(case: Case) -> Case:
    """What this reader says to a case."""
    if case["kind"] == "grant":
        bundle, fingerprint, secret = (
            bytes.fromhex(case[f"{name}_hex"]) for name in ("bundle", "fingerprint", "recipient_secret")
        )
        return open_granted(bundle, fingerprint, secret, int(case["now_ns"]), stock.join(case["clip"]))
    root = bytes.fromhex(case["root_hex"])
    hubs = [read(bytes.fromhex(one), root, 1)[1] for one in case["certificates_hex"]]
    pins = [(pin["number"], bytes.fromhex(pin["hash_hex"])) for pin in case["pins"]]
    number, digest = read_log([bytes.fromhex(one) for one in case["entries_hex"]], hubs, pins)
    return {"head": {"number": number, "hash_hex": digest.hex()}}


def judge(case: Case) -> bool:
    """Whether this reader answers a case as it says."""
    try:
        found = answer(case)
    except RefusedError:
        return case.get("refuse") is True
    return "refuse" not in case and all(case[name] == value for name, value in found.items())
