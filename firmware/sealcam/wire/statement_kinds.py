"""The kinds of statements and what each one says (design/wire.md section 6); `statement` signs and reads them."""

from __future__ import annotations

from enum import IntEnum

from sealcam.wire.bodies import Run
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.schema import body, key

MAX_SEGMENTS = 1024  # in one grant: 1 GiB of a clip
_MAX_U32 = (1 << 32) - 1


class Kind(IntEnum):
    """What a statement says; its lower-case name is part of the label it is signed under."""

    HUB_CERTIFICATE = 1
    RECIPIENT_SET = 2
    PREKEY = 3
    RECEIPT = 4
    CLAIM_REQUEST = 5
    CLAIM_ANSWER = 6
    ROTATION = 7
    GRANT = 8
    LOG_ENTRY = 9
    TECHNICIAN_TOKEN = 10
    ASK = 11
    CLIP_HELD = 12
    DELETED_SINCE = 13
    DELETIONS = 14


class RecipientKind(IntEnum):
    """Who a recipient is."""

    HUB = 1
    RECOVERY = 2


@body
class HubCertificate:
    """By the owner root: this operating key is one of my hubs."""

    hub: bytes = key(1, size=32)  # Ed25519 operating key
    number: int = key(2)


@body
class Recipient:
    """One who may open: a hub by its operating key (its prekeys are what is sealed to), or the recovery recipient."""

    kind: RecipientKind = key(1)
    public: bytes = key(2, size=32)


@body
class RecipientSet:
    """By the owner root: who may open what is sealed from now on; numbered from 1, one suite, one home hub.

    Only a higher number than the one held replaces it. Number 0 in an envelope says: sealed to no owner's set.
    """

    number: int = key(1, limit=_MAX_U32)
    suite: int = key(2, limit=255)
    home_hub: bytes = key(3, size=32)
    recipients: tuple[Recipient, ...] = key(4)


@body
class Prekey:
    """By a hub: the newest X25519 key to seal to, one series per camera (named by its first epoch key's id)."""

    camera: bytes = key(1, size=8)
    number: int = key(2)
    public: bytes = key(3, size=32)


@body
class Receipt:
    """By the home hub: the envelope with this hash is needed no more. Names neither sequence nor content."""

    envelope_hash: bytes = key(1, size=32)


@body
class ClaimRequest:
    """By a camera's epoch key: these are my keys, and this certificate request is my post's."""

    epoch: int = key(1, limit=_MAX_U32)
    public: bytes = key(2, size=32)
    command: bytes = key(3, size=32)
    csr: bytes = key(4)  # PKCS #10, DER
    prekey: int | None = key(5, default=None)  # the highest number it ever took: the hub's series goes on above it


@body
class ClaimAnswer:
    """By the hub's operating key: you are claimed; this is all you need to seal and to connect."""

    camera: bytes = key(1, size=8)
    alias: str = key(2)
    recipient_set: bytes = key(3)  # statement
    prekey: bytes = key(4)  # statement
    certificate: bytes = key(5)  # X.509 of the post, PEM
    authority: bytes = key(6)  # X.509 of the hub's authority, PEM
    host: str = key(7)
    port: int = key(8, limit=65535)


@body
class Rotation:
    """By the home hub: hand over to this epoch now, and let the new key sign this nonce."""

    camera: bytes = key(1, size=8)
    epoch: int = key(2, limit=_MAX_U32)
    nonce: bytes = key(3, size=32)


@body
class Grant:
    """By a certified hub, in the owner's name: this recipient may open this clip, or these segments of it.

    `wrapped` is a sealed box to `recipient` (X25519): the content key, or for a part the segment keys in order.
    `signers` are the keys that may have signed the clip's header and checkpoints. `log_prev` is the hash of the
    audit log's entry before the one that tells of this grant. Times are wall time of the hub, ns.
    """

    clip: bytes = key(1, size=16)
    header_hash: bytes = key(2, size=32)
    recipient: bytes = key(3, size=32)
    segments: tuple[Run, ...] | None = key(4, default=None)
    purpose: str = key(5)
    issued_ns: int = key(6)
    expires_ns: int = key(7)
    log_prev: bytes = key(8, size=32)
    wrapped: bytes = key(9)
    signers: tuple[bytes, ...] = key(10, size=32)


class Action(IntEnum):
    """What an entry of the audit log tells of."""

    OPENED = 1
    SHARED = 2
    REVOKED = 3
    DELETED = 4
    RECIPIENTS = 5
    ENROLLED = 6
    EXPELLED = 7
    RECOVERED = 8
    COMMANDED = 9
    SERVED = 10


@body
class LogEntry:
    """By a certified hub: who did what, when and why; numbered from 1, each naming the hash of the entry before.

    `subject` is what it was done to: a clip's or incident's id, an envelope's hash. `recipient` is for whom.
    """

    number: int = key(1)
    prev: bytes = key(2, size=32)
    at_ns: int = key(3)
    actor: str = key(4)
    action: Action = key(5)
    subject: bytes | None = key(6, default=None)
    recipient: bytes | None = key(7, size=32, default=None)
    detail: str = key(8)


class Scope(IntEnum):
    """What a technician may do; that there is no word for viewing or adding a recipient is the point."""

    AIM = 1  # tilt, focus and brightness as numbers
    NETWORK = 2
    RESTART = 3
    LOGS = 4
    UPDATE = 5


@body
class TechnicianToken:
    """By the home hub, after the owner confirmed: these cameras, these scopes, so long from the first use."""

    serial: bytes = key(1, size=8)
    cameras: tuple[bytes, ...] = key(2, size=8)
    scopes: tuple[Scope, ...] = key(3)
    seconds: int = key(4, limit=86400)


@body
class Ask:
    """By another hub to the home hub: I miss these events of this camera."""

    camera: bytes = key(1, size=8)
    runs: tuple[Run, ...] = key(2)


@body
class ClipHeld:
    """By the home hub: of this camera's clip I have verified so many bytes of the file, from its beginning.

    `whole`: that is all of it, kept. `stop`: send no more of it until it is asked for again.
    """

    camera: bytes = key(1, size=8)
    clip: bytes = key(2, size=16)
    held: int = key(3)
    whole: bool = key(4)
    stop: bool | None = key(5, default=None)


@body
class DeletedSince:
    """By another hub to the home hub: I did all that you deleted up to there; tell me what came since, under this key.

    `done` is the number of the newest deletion that was done here, 0 for none, `mark` what the home hub said with it.
    `public` (X25519) is of this one question.
    """

    home: bytes = key(1, size=8)  # the home hub that numbered them
    done: int = key(2)
    mark: bytes = key(3, size=8)
    public: bytes = key(4, size=32)


@body
class Deletions:
    """By the home hub to the hub of that key id: what it deleted, as `deleted` seals it."""

    to: bytes = key(1, size=8)
    sealed: bytes = key(2)


def granted_segments(runs: tuple[Run, ...]) -> tuple[int, ...]:
    """The numbers in `runs`, which rise and don't touch what was before.

    Raises:
        EnvelopeError: they don't, there is none, or they name more than `MAX_SEGMENTS`.
    """
    found: list[int] = []
    for run in runs:
        if run.first > run.last or (found and run.first <= found[-1]) or run.last - run.first >= MAX_SEGMENTS:
            raise EnvelopeError
        found.extend(range(run.first, run.last + 1))
        if len(found) > MAX_SEGMENTS:
            raise EnvelopeError
    if not found:
        raise EnvelopeError
    return tuple(found)
