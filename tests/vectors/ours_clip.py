"""Answers the cases of `scl1.json` and `grants.json` with the product's own code."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sealcam.wire import schema, statement
from sealcam.wire.audit import Head, verify_log
from sealcam.wire.clip import (
    BytesSource,
    Reader,
    content_key,
    read_header,
    read_info,
    verify,
    verify_segment,
)
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.grant import granted_content, open_grant, read_grant, verify_granted
from sealcam.wire.keys import BoxKey
from sealcam.wire.statement_kinds import HubCertificate, granted_segments
from tests.vectors import stock

Case = dict[str, Any]


def _measured(plain: bytes) -> Case:
    return {"size": len(plain), "sha256_hex": sha256(plain).hexdigest()}


def _clip(case: Case) -> Case:
    source = BytesSource(stock.join(case["clip"]))
    signers = [bytes.fromhex(one) for one in case["signers_hex"]]
    header = read_header(source, signers)
    if case["kind"] == "chunk":
        return _measured(Reader(source, header, bytes.fromhex(case["content_key_hex"])).chunk(case["chunk"]))
    if case["kind"] == "segment":
        found = verify_segment(source, header, signers, case["segment"])
        return {"blanked": found.blanked, "chunks": found.chunks}
    status = verify(source, signers)
    told = {"state": str(status.state), "chunks": status.chunks, "signed_chunks": status.signed_chunks}
    if case["kind"] == "state":
        return told
    if "content_key_hex" in case:
        key = bytes.fromhex(case["content_key_hex"])
    else:
        key = content_key(header, [BoxKey(bytes.fromhex(case["recipient_secret_hex"]))])
    reader = Reader(source, header, key)
    info = schema.encode(read_info(header, key)).hex()
    return told | {"info_cbor_hex": info} | _measured(b"".join(reader))


def _grant(case: Case) -> Case:
    source = BytesSource(stock.join(case["clip"]))
    recipient = BoxKey(bytes.fromhex(case["recipient_secret_hex"]))
    bundle, fingerprint = bytes.fromhex(case["bundle_hex"]), bytes.fromhex(case["fingerprint_hex"])
    grant = read_grant(bundle, fingerprint, recipient.public, int(case["now_ns"]))
    granted = open_grant(grant, source, recipient)
    verify_granted(granted, source)
    segments = None if grant.segments is None else list(granted_segments(grant.segments))
    return {"segments": segments} | _measured(b"".join(granted_content(granted, source)))


def _log(case: Case) -> Case:
    root = bytes.fromhex(case["root_hex"])
    hubs = [statement.read(bytes.fromhex(one), root, HubCertificate).hub for one in case["certificates_hex"]]
    pins = [Head(pin["number"], bytes.fromhex(pin["hash_hex"])) for pin in case["pins"]]
    found = verify_log([bytes.fromhex(one) for one in case["entries_hex"]], hubs, pins)
    return {"head": {"number": found.head.number, "hash_hex": found.head.hash.hex()}}


def answer(case: Case) -> Case:
    """What our code says to a case."""
    if case["kind"] == "grant":
        return _grant(case)
    return _log(case) if case["kind"] == "log" else _clip(case)


def judge(case: Case) -> bool:
    """Whether our code answers a case as it says."""
    try:
        found = answer(case)
    except EnvelopeError:
        return case.get("refuse") is True
    return "refuse" not in case and all(case[name] == value for name, value in found.items())
