"""What our code writes is read by readers that were written from the specification alone (design/wire.md)."""

from __future__ import annotations

import io

import pytest

from sealcam.wire import statement
from sealcam.wire.audit import entry_hash
from sealcam.wire.bodies import Run
from sealcam.wire.clip import BytesSource, ClipInfo, ClipWriter, read_header, recover
from sealcam.wire.envelope import SCM1, seal
from sealcam.wire.grant import make_grant
from sealcam.wire.keys import BoxKey, SigningKey, epoch_proof, fingerprint, prove_epoch
from sealcam.wire.schema import decode
from sealcam.wire.sealed import GENESIS
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import Action, HubCertificate, LogEntry
from tests.vectors import independent, independent_clip, independent_grant, independent_statement, statement_cases_2
from tests.vectors.builder import cbor
from tests.vectors.clip_builder import STAMP, content
from tests.vectors.ours_keys import CLASSES
from tests.vectors.statement_cases import EXAMPLES as FIRST_EXAMPLES

EXAMPLES = FIRST_EXAMPLES | statement_cases_2.EXAMPLES
SIGNER, HUB, ROOT = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
OPENER, NEIGHBOUR = BoxKey(b"o" * 32), BoxKey(b"n" * 32)
INFO = decode(cbor({1: b"incident", 2: STAMP, 3: "video/mp4", 4: 2}), ClipInfo)
SEGMENT = 16 * 65_536


def written(plain: bytes, *, finish: bool = True) -> tuple[bytes, bytes]:
    """A clip of ours, and its content key."""
    file = io.BytesIO()
    recipients = [None, OPENER.public]
    writer = ClipWriter(file, SIGNER, recipients, clip=b"c" * 16, info=INFO, epoch=1, recipient_set=1)
    key = writer.content_key
    writer.write(plain)
    if finish:
        writer.finish()
    return file.getvalue(), key


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, SEGMENT - 1, SEGMENT, SEGMENT + 65_536])
def test_a_clip(size: int) -> None:
    plain = content("ours", size)
    data, key = written(plain)
    found = independent_clip.read_clip(data, [SIGNER.public])
    assert (found.state, len(found.chunks)) == ("complete", size // 65_536 + 1)
    assert independent_clip.content_key(found.header, None, OPENER.secret) == key
    assert independent_clip.open_info(found.header, key)
    assert independent_clip.open_clip(found, key) == plain


@pytest.mark.parametrize("cut", [0, 1, 65_552 - 113, 5 * 65_552, SEGMENT + 16 * 16 + 40])
def test_a_clip_that_was_cut_and_recovered(cut: int) -> None:
    plain = content("ours", SEGMENT + 3 * 65_536)
    data, key = written(plain, finish=False)
    file = io.BytesIO(data[: len(data) - cut])
    recover(file, [SIGNER.public], HUB, 2)
    found = independent_clip.read_clip(file.getvalue(), [SIGNER.public, HUB.public])
    assert found.state == "interrupted"
    assert found.signed == len(found.chunks)
    assert independent_clip.open_clip(found, key) == plain[: 65_536 * len(found.chunks)]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_statement(kind: int) -> None:
    signer, fields = EXAMPLES[kind]
    item = decode(cbor(fields), CLASSES[kind])
    assert independent_statement.read(statement.sign(SigningKey(signer.seed), item), signer.public, kind) == fields


@pytest.mark.parametrize("runs", [None, (Run(first=1, last=1),), (Run(first=0, last=0), Run(first=1, last=1))])
def test_a_grant(runs: tuple[Run, ...] | None) -> None:
    plain = content("ours", SEGMENT + 70_000)
    data, key = written(plain)
    header = read_header(BytesSource(data), [SIGNER.public])
    item = make_grant(
        HUB,
        header,
        key,
        recipient=NEIGHBOUR.public,
        segments=runs,
        purpose="",
        issued_ns=1,
        expires_ns=9,
        log_prev=GENESIS,
        signers=[SIGNER.public],
    )
    bundle = Bundle(ROOT.public, statement.sign(ROOT, HubCertificate(hub=HUB.public, number=1)), item).pack()
    found = independent_grant.open_granted(bundle, fingerprint(ROOT.public), NEIGHBOUR.secret, 8, data)
    wanted = plain[SEGMENT:] if runs is not None and len(runs) == 1 else plain
    assert found["sha256_hex"] == independent_clip.measured(wanted)["sha256_hex"]


def test_an_audit_log() -> None:
    entries: list[bytes] = []
    for number in range(1, 6):
        prev = entry_hash(entries[-1]) if entries else GENESIS
        item = LogEntry(number=number, prev=prev, at_ns=number, actor="owner", action=Action.OPENED, detail="")
        entries.append(statement.sign(HUB, item))
    pins = [(3, entry_hash(entries[2]))]
    assert independent_grant.read_log(entries, [HUB.public], pins) == (5, entry_hash(entries[-1]))


def test_a_command() -> None:
    envelope = seal(
        HUB, [OPENER.public], kind=1, seq=3, prev=b"n" * 32, body=b"\xa0", epoch=1, recipient_set=1, form=SCM1
    )
    said = independent.open_scm1(envelope, HUB.public, [OPENER.secret])
    assert (said.type, said.seq, said.prev, said.body) == (1, 3, b"n" * 32, b"\xa0")


def test_a_hand_over() -> None:
    camera, nonce, prev = SIGNER.kid, b"n" * 32, b"p" * 32
    proof = prove_epoch(ROOT, epoch_proof(camera, nonce, 2, OPENER.public, 9, prev))
    body = cbor({1: STAMP, 2: 2, 3: ROOT.public, 4: OPENER.public, 5: nonce, 6: proof})
    found = independent_statement.read_hand_over(body, 9, prev, camera, 1, nonce, [SIGNER.public])
    assert found["public_hex"] == ROOT.public.hex()
