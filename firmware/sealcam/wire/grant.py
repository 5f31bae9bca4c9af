"""Sharing a clip with one recipient, whole or in part: making a grant and reading one (design/wire.md section 8).

A grant carries the clip's content key, or the keys of some segments, in a sealed box for its recipient; a bundle
carries the grant with what proves the hub. The clip itself is handed over beside it. Reading needs the recipient's
X25519 secret, the owner root's fingerprint from elsewhere, and a clock; every refusal is the one error. Who may be
granted what is the owner's to say; keeping grants and revoking them is left to the hub (`sealcam_hub.shares`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.clip_format import SCL1, Geometry
from sealcam.wire.clip_header import Header, check_content_key, read_header, segment_keys
from sealcam.wire.clip_reader import Reader
from sealcam.wire.clip_source import Source
from sealcam.wire.clip_verify import State, verify, verify_segment
from sealcam.wire.clip_walk import Progress
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import KEY_BYTES, BoxKey, SigningKey, fingerprint, seal_slot
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import Grant, HubCertificate, granted_segments


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What a grant opens: the grant, its clip's header, and the content key or the keys of the segments."""

    grant: Grant
    header: Header
    keys: bytes | dict[int, bytes]


@dataclass(frozen=True, slots=True)
class GrantedStatus:
    """What the signatures say of the granted part.

    For a whole clip `state` and the counts are the clip's; for a part `state` is none, and every chunk is signed.
    """

    state: State | None
    chunks: int
    signed_chunks: int


def make_grant(
    hub: SigningKey,
    header: Header,
    content_key: bytes,
    *,
    recipient: bytes,
    segments: tuple[Run, ...] | None,
    purpose: str,
    issued_ns: int,
    expires_ns: int,
    log_prev: bytes,
    signers: Sequence[bytes],
) -> bytes:
    """The grant statement that opens the clip with this header, or the `segments` of it, to the X25519 `recipient`.

    `signers` are the 1 to 16 Ed25519 keys that may have signed the clip's header and checkpoints, `log_prev` is the
    hash of the audit log's entry before the one that tells of this grant; times are wall time of the hub, ns.

    Raises:
        EnvelopeError: nothing may be sealed to `recipient`, the content key is another clip's, or a reader would
            refuse the grant: runs that don't rise, no or too many segments or signers, an expiry that isn't later.
        ValueError: a field that isn't as specified, such as a purpose that is too long.
    """
    check_content_key(header, content_key)
    secret = content_key
    if segments is not None:
        secret = b"".join(segment_keys(header, content_key, granted_segments(segments)))
    item = Grant(
        clip=header.clip,
        header_hash=header.hash,
        recipient=recipient,
        segments=segments,
        purpose=purpose,
        issued_ns=issued_ns,
        expires_ns=expires_ns,
        log_prev=log_prev,
        wrapped=seal_slot(recipient, secret),
        signers=tuple(signers),
    )
    signed = statement.sign(hub, item)
    statement.read(signed, hub.public, Grant)  # better now than at the recipient's
    return signed


def read_grant(bundle: bytes, root_fingerprint: bytes, recipient_public: bytes, now_ns: int) -> Grant:
    """The grant in `bundle`, if it is for `recipient_public`, by a hub of that root, and not past its date.

    `now_ns` is the reader's own wall time. These are checks 1 to 3 of section 8; `open_grant` does 4 and 5.

    Raises:
        EnvelopeError: for every reason there is.
    """
    parts = Bundle.unpack(bundle)
    if fingerprint(parts.root_public) != root_fingerprint:
        raise EnvelopeError
    hub = statement.read(parts.hub_certificate, parts.root_public, HubCertificate).hub
    grant = statement.read(parts.answer, hub, Grant)
    if grant.recipient != recipient_public or now_ns >= grant.expires_ns:
        raise EnvelopeError
    return grant


def open_grant(grant: Grant, source: Source, recipient: BoxKey) -> Granted:
    """What a grant that was read opens of the clip in `source`.

    Raises:
        EnvelopeError: it is another clip, none of the grant's signers signed its header, or the keys don't open.
    """
    header = read_header(source, grant.signers)
    if header.clip != grant.clip or header.hash != grant.header_hash:
        raise EnvelopeError
    secret = recipient.open_box(grant.wrapped)
    if secret is None:
        raise EnvelopeError
    if grant.segments is None:
        check_content_key(header, secret)
        return Granted(grant, header, secret)
    numbers = granted_segments(grant.segments)
    if len(secret) != KEY_BYTES * len(numbers):
        raise EnvelopeError
    keys = (secret[at : at + KEY_BYTES] for at in range(0, len(secret), KEY_BYTES))
    return Granted(grant, header, dict(zip(numbers, keys, strict=True)))


def verify_granted(
    granted: Granted, source: Source, progress: Progress | None = None, *, geometry: Geometry = SCL1
) -> GrantedStatus:
    """What is signed of the granted part, from the ciphertext alone (check 6 of section 8).

    `progress` is told how far the check of a whole clip has come; a part is checked by segments.

    Raises:
        EnvelopeError: a granted segment isn't there, is blanked, or was changed.
    """
    signers = granted.grant.signers
    if isinstance(granted.keys, bytes):
        status = verify(source, signers, progress, geometry=geometry)
        return GrantedStatus(status.state, status.chunks, status.signed_chunks)
    chunks = 0
    for number in granted.keys:
        found = verify_segment(source, granted.header, signers, number, geometry=geometry)
        if found.blanked or not found.chunks:
            raise EnvelopeError
        chunks += found.chunks
    return GrantedStatus(None, chunks, chunks)


def granted_content(granted: Granted, source: Source, *, geometry: Geometry = SCL1) -> Iterator[bytes]:
    """The content of the granted part, chunk by chunk; a part that wasn't verified is only as good as its tags.

    Raises:
        EnvelopeError: a chunk was changed, moved or blanked.
    """
    yield from Reader(source, granted.header, granted.keys, geometry=geometry)
