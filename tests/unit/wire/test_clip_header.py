"""A clip's header: who made it, who opens it, and what is no header (design/wire.md 7.1)."""

from __future__ import annotations

import dataclasses
import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire import labels
from sealcam.wire.clip import (
    BytesSource,
    ClipWriter,
    Reader,
    check_content_key,
    content_key,
    read_header,
    read_info,
    segment_keys,
)
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, key_id
from tests.scl1 import (
    CLIP,
    CONTENT_KEY,
    INFO,
    RECIPIENTS,
    SIGNER,
    STRANGER,
    content,
    header_of,
    sealed,
)


def test_every_recipient_finds_the_key_and_a_stranger_does_not() -> None:
    header = header_of(sealed(b"x"))
    assert [content_key(header, [key]) for key in RECIPIENTS] == [CONTENT_KEY] * 3
    with pytest.raises(EnvelopeError):
        content_key(header, [BoxKey(b"s" * 32)])


def test_a_slot_that_holds_another_key_than_the_header_commits_to_is_passed_over() -> None:
    header = header_of(sealed(b"x"))
    other = header_of(sealed(b"x", content_key=b"o" * 32))
    mixed = dataclasses.replace(header, slots=(other.slots[0], *header.slots[1:]))
    assert content_key(mixed, RECIPIENTS) == CONTENT_KEY
    with pytest.raises(EnvelopeError):
        content_key(dataclasses.replace(header, slots=other.slots), RECIPIENTS)


def test_the_header_says_what_it_was_given() -> None:
    header = header_of(sealed(b"x"))
    assert (header.kid, header.epoch, header.recipient_set, header.clip) == (key_id(SIGNER.public), 3, 7, CLIP)
    assert header.signer == SIGNER.public
    assert read_info(header, CONTENT_KEY) == INFO


@pytest.mark.parametrize(("recipients", "slots"), [(1, 4), (4, 4), (5, 8), (9, 16), (16, 16)])
def test_the_number_of_recipients_shows_only_roughly(recipients: int, slots: int) -> None:
    file = io.BytesIO()
    publics = [BoxKey(bytes([n]) * 32).public for n in range(1, recipients + 1)]
    ClipWriter(file, SIGNER, publics, clip=CLIP, info=INFO, epoch=1, recipient_set=1)
    assert len(header_of(file.getvalue()).slots) == slots


def test_a_recipient_without_a_key_yet_has_a_decoy_in_its_place() -> None:
    file = io.BytesIO()
    ClipWriter(file, SIGNER, [None, RECIPIENTS[0].public], clip=CLIP, info=INFO, epoch=1, recipient_set=1)
    header = header_of(file.getvalue())
    assert [RECIPIENTS[0].open(slot) is not None for slot in header.slots] == [False, True, False, False]
    with pytest.raises(EnvelopeError):
        ClipWriter(io.BytesIO(), SIGNER, [None, None], clip=CLIP, info=INFO, epoch=1, recipient_set=1)


@pytest.mark.parametrize("recipients", [0, 17])
def test_nobody_and_too_many_are_refused(recipients: int) -> None:
    publics = [RECIPIENTS[0].public] * recipients
    with pytest.raises(EnvelopeError):
        ClipWriter(io.BytesIO(), SIGNER, publics, clip=CLIP, info=INFO, epoch=1, recipient_set=1)


def test_an_info_block_that_does_not_fit_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="too long"):
        sealed(b"", info=dataclasses.replace(INFO, media="x" * 300))


@pytest.mark.parametrize(
    "changes", [{"clip": b"short"}, {"content_key": b"short"}, {"epoch": -1}, {"recipient_set": 1 << 32}]
)
def test_what_no_header_can_hold_is_the_callers_mistake(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"out of range|has 16 bytes"):
        sealed(b"", **changes)


def test_another_clips_key_opens_nothing() -> None:
    data = sealed(content(500))
    header = header_of(data)
    for wrong in (lambda: check_content_key(header, b"o" * 32), lambda: read_info(header, b"o" * 32)):
        with pytest.raises(EnvelopeError):
            wrong()
    with pytest.raises(EnvelopeError):
        Reader(BytesSource(data), header, b"o" * 32)
    with pytest.raises(EnvelopeError):
        segment_keys(header, b"o" * 32, [0])


def test_a_header_counts_only_if_a_known_key_signed_it() -> None:
    data = sealed(b"x")
    for signers in ([], [STRANGER.public]):
        with pytest.raises(EnvelopeError):
            read_header(BytesSource(data), signers)


@pytest.mark.parametrize(("offset", "value"), [(0, b"SCL2"), (4, b"\x02"), (69, b"\x01"), (69, b"\x05"), (69, b"\xff")])
def test_a_header_of_another_format_is_refused_though_it_is_signed(offset: int, value: bytes) -> None:
    data = sealed(b"x")
    message = data[:662]
    message = message[:offset] + value + message[offset + len(value) :]
    signed = message + SIGNER.sign(labels.CLIP_HEADER, message) + data[726:]
    with pytest.raises(EnvelopeError):
        read_header(BytesSource(signed), [SIGNER.public])


def test_an_info_block_without_its_padding_mark_is_refused() -> None:
    data = sealed(b"x")
    key = labels.blake2b(labels.CLIP_INFO_KEY, CONTENT_KEY, data[:390])
    for plain in (bytes(256), b"\x01".ljust(256, b"\0"), b"\xa0\x80".ljust(256, b"\0")):
        message = data[:390] + ChaCha20Poly1305(key).encrypt(bytes(12), plain, data[:390])
        header = read_header(BytesSource(message + SIGNER.sign(labels.CLIP_HEADER, message)), [SIGNER.public])
        with pytest.raises(EnvelopeError):
            read_info(header, CONTENT_KEY)


def test_no_flipped_bit_of_a_header_goes_unseen() -> None:
    data = sealed(b"")[:726]  # without a checkpoint, which would be for another header
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeError):
            read_header(BytesSource(bytes(changed)), [SIGNER.public])
