"""No bit of a statement, command, bundle or log can be changed, and no end cut off, without a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sealcam.wire import statement
from sealcam.wire.audit import verify_log
from sealcam.wire.envelope import SCM1, open_envelope
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.grant import read_grant
from sealcam.wire.keys import BoxKey
from tests.vectors.builder import public_of
from tests.vectors.claim_cases import CERTIFICATE, FINGERPRINT
from tests.vectors.command_cases import BASE, SECRET
from tests.vectors.grant_cases import NEIGHBOUR, NOW_NS, grant
from tests.vectors.log_cases import log
from tests.vectors.ours_keys import CLASSES
from tests.vectors.statement_builder import bundle
from tests.vectors.statement_builder import statement as signed
from tests.vectors.statement_cases import EXAMPLES, HUB, ROOT


def flips(data: bytes) -> Iterator[bytes]:
    """`data` with one bit changed, for each bit."""
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def cuts(data: bytes) -> Iterator[bytes]:
    """`data` without its end, for each length."""
    return (data[:size] for size in range(len(data)))


def assert_all_refused(data: bytes, read: Callable[[bytes], object]) -> None:
    read(data)
    for wrong in (*flips(data), *cuts(data), data + b"\0"):
        with pytest.raises(EnvelopeError):
            read(wrong)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_of_a_statement(kind: int) -> None:
    signer, fields = EXAMPLES[kind]
    assert_all_refused(signed(signer, kind, fields), lambda data: statement.read(data, signer.public, CLASSES[kind]))


def test_of_a_command() -> None:
    keys = [BoxKey(SECRET)]
    assert_all_refused(BASE.envelope(), lambda data: open_envelope(data, HUB.public, keys, form=SCM1))


def test_of_a_grant_with_what_proves_the_hub() -> None:
    item = bundle(ROOT.public, CERTIFICATE, grant())
    public = public_of(NEIGHBOUR)
    assert_all_refused(item, lambda data: read_grant(data, FINGERPRINT, public, NOW_NS))


def test_of_a_log_in_its_middle() -> None:
    first, second, third = log(3)
    assert_all_refused(second, lambda data: verify_log([first, data, third], [HUB.public]))
