"""Grants: their recipient opens what was granted of this one clip until the date, and nobody opens anything else."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.clip import BytesSource, Reader, State, blanked, segment_keys
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.grant import (
    Granted,
    GrantedStatus,
    granted_content,
    make_grant,
    open_grant,
    read_grant,
    verify_granted,
)
from sealcam.wire.keys import BoxKey, SigningKey, fingerprint, seal_slot
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import Grant, HubCertificate, Receipt
from tests.scl1 import BOTH, CONTENT_KEY, SIGNER, SMALL, STRANGER, chunks_of, content, header_of, sealed

ROOT, HUB = SigningKey(b"r" * 32), SigningKey(b"h" * 32)
THEM, OTHERS = BoxKey(b"t" * 32), BoxKey(b"o" * 32)
NOW, SOON = 1_000, 2_000
PLAIN = content(900)  # 8 chunks: segments 0 to 3 of two
CLIP = sealed(PLAIN)
HEADER = header_of(CLIP)
ANOTHER = sealed(PLAIN, clip=b"another clip id.")
PART = (Run(first=1, last=1), Run(first=3, last=3))
LOW_ORDER = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")


def certificate(hub: SigningKey = HUB, root: SigningKey = ROOT) -> bytes:
    return statement.sign(root, HubCertificate(hub=hub.public, number=1))


def granted(segments: tuple[Run, ...] | None = None, /, **changed: Any) -> bytes:
    """The grant as the hub makes it."""
    values: dict[str, Any] = {
        "recipient": THEM.public,
        "segments": segments,
        "purpose": "claim 4711",
        "issued_ns": NOW,
        "expires_ns": SOON,
        "log_prev": b"p" * 32,
        "signers": [SIGNER.public],
    }
    return make_grant(HUB, HEADER, CONTENT_KEY, **(values | changed))


def bundle(grant: bytes, root: SigningKey = ROOT, signed: bytes | None = None) -> bytes:
    return Bundle(root.public, certificate() if signed is None else signed, grant).pack()


def forged(segments: tuple[Run, ...] | None = None, /, **changed: Any) -> bytes:
    """A bundle whose grant a careless or hostile hub has signed with other fields."""
    honest = statement.read(granted(segments), HUB.public, Grant)
    values = {one.name: getattr(honest, one.name) for one in dataclasses.fields(honest)}
    return bundle(statement.sign(HUB, Grant(**(values | changed))))


@dataclass
class Recipient:
    """Who opens: its key, the fingerprint it was told, its clock."""

    key: BoxKey = THEM
    root: bytes = fingerprint(ROOT.public)
    now_ns: int = NOW

    def opens(self, handed: bytes, clip: bytes = CLIP) -> tuple[GrantedStatus, bytes]:
        source = BytesSource(clip)
        found = open_grant(read_grant(handed, self.root, self.key.public, self.now_ns), source, self.key)
        status = verify_granted(found, source, geometry=SMALL)
        return status, b"".join(granted_content(found, source, geometry=SMALL))

    def refused(self, handed: bytes, clip: bytes = CLIP) -> None:
        with pytest.raises(EnvelopeError):
            self.opens(handed, clip)


def part(*segments: int) -> bytes:
    """The content of these segments."""
    chunks = chunks_of(PLAIN)
    return b"".join(b"".join(chunks[2 * number : 2 * number + 2]) for number in segments)


def test_a_whole_clip_is_opened() -> None:
    assert Recipient().opens(bundle(granted())) == (GrantedStatus(State.COMPLETE, 8, 8), PLAIN)


def test_of_a_part_the_granted_segments_open_and_no_others() -> None:
    source = BytesSource(b"".join(blanked(BytesSource(CLIP), HEADER, {1, 3}, geometry=SMALL)))
    handed = bundle(granted(PART))
    for clip in (CLIP, source.read(0, source.size)):
        assert Recipient().opens(handed, clip) == (GrantedStatus(None, 4, 4), part(1, 3))
    found = open_grant(read_grant(handed, Recipient().root, THEM.public, NOW), BytesSource(CLIP), THEM)
    assert not isinstance(found.keys, bytes)
    assert list(found.keys) == [1, 3]
    reader = Reader(BytesSource(CLIP), HEADER, found.keys, geometry=SMALL)
    for chunk in (0, 1, 4, 5):
        with pytest.raises(EnvelopeError):
            reader.chunk(chunk)


def test_a_grant_past_its_date_is_refused() -> None:
    assert Recipient(now_ns=SOON - 1).opens(bundle(granted()))
    Recipient(now_ns=SOON).refused(bundle(granted()))
    Recipient(now_ns=10 * SOON).refused(bundle(granted(PART)))


def test_a_grant_is_for_its_recipient() -> None:
    Recipient(key=OTHERS).refused(bundle(granted()))
    Recipient(key=OTHERS).refused(forged(recipient=OTHERS.public))  # its keys are for somebody else
    Recipient().refused(forged(wrapped=seal_slot(OTHERS.public, CONTENT_KEY)))


def test_a_grant_is_for_its_clip() -> None:
    Recipient().refused(bundle(granted()), ANOTHER)
    Recipient().refused(forged(clip=b"another clip id."))
    Recipient().refused(forged(header_hash=b"x" * 32))
    Recipient().refused(forged(clip=b"another clip id.", header_hash=header_of(ANOTHER).hash), CLIP)


def test_a_grant_is_by_a_hub_of_the_root_that_the_recipient_knows() -> None:
    thief = SigningKey(b"x" * 32)
    Recipient(root=fingerprint(thief.public)).refused(bundle(granted()))
    Recipient(root=ROOT.public).refused(bundle(granted()))
    Recipient().refused(bundle(granted(), root=thief))
    Recipient().refused(bundle(granted(), root=thief, signed=certificate(root=thief)))
    Recipient().refused(bundle(granted(), signed=certificate(hub=thief)))
    Recipient().refused(bundle(granted(), signed=statement.sign(ROOT, Receipt(envelope_hash=b"x" * 32))))
    Recipient().refused(bundle(statement.sign(ROOT, statement.read(granted(), HUB.public, Grant))))
    Recipient().refused(bundle(statement.sign(HUB, Receipt(envelope_hash=b"x" * 32))))


def test_who_may_have_signed_the_clip_is_what_the_grant_says() -> None:
    Recipient().refused(bundle(granted(signers=[STRANGER.public])))
    assert Recipient().opens(bundle(granted(signers=[STRANGER.public, *BOTH])))
    for signers in ([], [bytes([n]) * 32 for n in range(17)]):
        with pytest.raises(EnvelopeError):
            granted(signers=signers)
        Recipient().refused(forged(signers=tuple(signers)))


def test_keys_of_other_segments_open_nothing() -> None:
    others = b"".join(segment_keys(HEADER, CONTENT_KEY, [0, 2]))
    Recipient().refused(forged(PART, wrapped=seal_slot(THEM.public, others)))
    Recipient().refused(forged(wrapped=seal_slot(THEM.public, b"x" * 32)))  # not what the header commits to
    for count in (31, 33, 64):
        Recipient().refused(forged(wrapped=seal_slot(THEM.public, bytes(count))))
    Recipient().refused(forged(PART, segments=(Run(first=0, last=0), Run(first=3, last=3))))
    Recipient().refused(forged(PART, segments=None))


@pytest.mark.parametrize(
    "runs",
    [
        (),
        ((3, 3), (1, 1)),
        ((1, 3), (3, 4)),
        ((2, 1),),
        ((0, 1024),),
        ((0, 2**63),),
        (*((2 * n, 2 * n) for n in range(1023)), (5000, 5001)),
    ],
)
def test_runs_that_do_not_rise_or_name_too_much_are_refused(runs: tuple[tuple[int, int], ...]) -> None:
    named = tuple(Run(first=first, last=last) for first, last in runs)
    with pytest.raises(EnvelopeError):
        granted(named)
    count = min(1025, sum(max(0, last - first + 1) for first, last in runs))
    Recipient().refused(forged(segments=named, wrapped=bytes(48 + 32 * count)))


def test_segments_that_are_not_there_are_refused() -> None:
    Recipient().refused(bundle(granted((Run(first=3, last=4),))))
    Recipient().refused(bundle(granted((Run(first=2**32 - 1, last=2**32 - 1),))))


def test_a_granted_segment_that_was_taken_out_or_changed_is_refused() -> None:
    handed = bundle(granted(PART))
    Recipient().refused(handed, b"".join(blanked(BytesSource(CLIP), HEADER, {1}, geometry=SMALL)))
    at = SMALL.chunk_at(HEADER.size_bytes, 2)
    changed = bytearray(CLIP)
    changed[at] ^= 1
    Recipient().refused(handed, bytes(changed))
    Recipient().refused(bundle(granted()), bytes(changed))
    untouched = bytearray(CLIP)
    untouched[SMALL.chunk_at(HEADER.size_bytes, 0)] ^= 1  # in a segment that wasn't granted
    assert Recipient().opens(handed, bytes(untouched))[1] == part(1, 3)


def test_a_cut_clip_is_never_called_complete() -> None:
    cut = CLIP[: SMALL.chunk_at(HEADER.size_bytes, 5) + 7]
    assert Recipient().opens(bundle(granted()), cut) == (GrantedStatus(State.CUT, 5, 4), PLAIN[: 5 * 128])
    Recipient().refused(bundle(granted((Run(first=2, last=2),))), cut)  # nobody has signed for it


@pytest.mark.parametrize("bad", [LOW_ORDER, bytes(32), b"\1" + bytes(31), b"\xff" * 32, THEM.public[:31]])
def test_nothing_is_granted_to_a_key_that_is_none(bad: bytes) -> None:
    with pytest.raises((EnvelopeError, ValueError)):
        granted(recipient=bad)
    if len(bad) == 32:
        Recipient().refused(forged(recipient=bad))


def test_a_hub_makes_no_grant_that_its_reader_would_refuse() -> None:
    for expires_ns in (NOW, NOW - 1):
        with pytest.raises(EnvelopeError):
            granted(expires_ns=expires_ns)
        Recipient(now_ns=0).refused(forged(expires_ns=expires_ns))
    with pytest.raises(EnvelopeError):
        make_grant(HUB, HEADER, b"x" * 32, **_fields())
    with pytest.raises(ValueError, match=r"specified|bytes|text|long"):
        granted(purpose="x" * 5000)


def _fields() -> dict[str, Any]:
    names = ("recipient", "segments", "purpose", "issued_ns", "expires_ns", "log_prev", "signers")
    honest = statement.read(granted(), HUB.public, Grant)
    return {name: getattr(honest, name) for name in names}


BUNDLES = [bundle(granted()), bundle(granted(PART))]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(BUNDLES), st.integers(0), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_refused(handed: bytes, where: int, flip: int) -> None:
    changed = bytearray(handed)
    changed[where % len(changed)] ^= flip
    Recipient().refused(bytes(changed))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(BUNDLES), st.integers(0), st.binary(max_size=80))
def test_a_bundle_that_ends_early_or_goes_on_is_refused(handed: bytes, where: int, more: bytes) -> None:
    Recipient().refused(handed[: where % len(handed)])
    if more:
        Recipient().refused(handed + more)


def test_what_was_granted_is_not_in_a_traceback() -> None:
    found = open_grant(read_grant(BUNDLES[0], Recipient().root, THEM.public, NOW), BytesSource(CLIP), THEM)
    assert isinstance(found, Granted)
    assert CONTENT_KEY.hex() not in repr(found)
    assert repr(CONTENT_KEY) not in repr(found)
