"""What a camera says inside an envelope: incidents, losses, health, beats (design/wire.md 5.1, 5.2).

Only unsigned integers, bytes, text and lists of them: probabilities travel in per mille, times in nanoseconds.
"""

from __future__ import annotations

from enum import IntEnum

from sealcam.wire.schema import body, key


class EventType(IntEnum):
    """The first byte of an event's plaintext; from 0x80 on a type stands outside the chain."""

    INCIDENT = 0x01
    LOSS = 0x02
    HEALTH = 0x03
    EPOCH = 0x04
    ANSWER = 0x05
    PIECE = 0x06
    CLIP = 0x07
    FAREWELL = 0x08
    PRIVACY = 0x09
    BEAT = 0x80
    COVER = 0x81
    WILL = 0x82


class Stage(IntEnum):
    """Where in its life an incident is."""

    NEW = 0
    UPDATE = 1
    END = 2


class Subject(IntEnum):
    """What an incident is about."""

    NONE = 0
    PERSON = 1
    VEHICLE = 2
    ANIMAL = 3


class Verdict(IntEnum):
    """What it means for the owner."""

    FALSE_ALARM = 0
    BENIGN = 1
    THREAT = 2


class Mode(IntEnum):
    """How watchful the camera is."""

    OFF = 0
    HOME = 1
    AWAY = 2
    NIGHT = 3


class Trigger(IntEnum):
    """What began an incident."""

    MOTION = 0
    PIR = 1
    START = 2


class ClockQuality(IntEnum):
    """What the camera's wall time is worth."""

    UNKNOWN = 0
    SYNCHRONISED = 1


@body
class Stamp:
    """When something was, in the camera's own words: order never depends on `wall_ns`.

    `boot` names the boot (16 random bytes of the kernel), `boot_ns` is nanoseconds since it, `wall_ns` nanoseconds
    since 1970-01-01 UTC.
    """

    boot: bytes = key(1, size=16)
    boot_ns: int = key(2)
    wall_ns: int = key(3)
    quality: ClockQuality = key(4)


class Traffic(IntEnum):
    """When the camera sends: as things happen, or always the same whatever happens."""

    INSTANT = 0
    COVER = 1


class Outcome(IntEnum):
    """What became of a command that was signed by the home hub."""

    DONE = 0
    STALE = 1  # it names no nonce of the last 60 s
    REPEATED = 2  # its number isn't above the last one taken
    UNSUPPORTED = 3  # this camera doesn't know the type, or has no such part
    UNREADABLE = 4  # its body isn't as specified
    ARMED = 5  # not while armed
    FAILED = 6


class ClipState(IntEnum):
    """What became of a clip on the camera."""

    COMPLETE = 0
    INTERRUPTED = 1
    EVICTED = 2


class Cause(IntEnum):
    """Who or what brought it about."""

    COMMAND = 0
    BUTTON = 1
    SCHEDULE = 2
    SERVICE = 3  # a person at the camera's own command line


@body
class ClipKey:
    """A clip's content key on its way to the recipients: sent before the clip's first chunk is written.

    `part` counts the clips of one incident from 0; `started_ns` is the boot clock of the first picture.
    """

    clip: bytes = key(1, size=16)
    content_key: bytes = key(2, size=32)
    started_ns: int = key(3)
    part: int = key(4)


@body
class Judged:
    """What the judge knew of an incident, as the numbers that the verdict model takes, in per mille; `version` says
    which numbers, in which order."""

    version: int = key(1, limit=255)
    numbers: tuple[int, ...] = key(2, limit=1000)


@body
class IncidentPath:
    """Where the main track of an incident stood, in per mille of the picture; `boxes` has four numbers for each time:
    the middle of the box's lower edge, width, height. `framed` is the part that the report's picture shows."""

    after_ms: tuple[int, ...] = key(1, limit=(1 << 32) - 1)
    boxes: tuple[int, ...] = key(2, limit=1000)
    aspect: int = key(3, limit=(1 << 16) - 1)
    framed: tuple[int, ...] | None = key(4, limit=1000, default=None)


@body
class IncidentBody:
    """Type 0x01: what sight says of an incident. Times of start and last evidence are ns on the boot's clock."""

    incident: bytes = key(1, size=8)
    stage: Stage = key(2)
    at: Stamp = key(3)
    trigger: Trigger = key(4)
    started_ns: int = key(5)
    ended_ns: int = key(6)
    subject: Subject = key(7)
    confidence_permille: int = key(8, limit=1000)
    verdict: Verdict = key(9)
    threat_permille: int = key(10, limit=1000)
    reasons: tuple[str, ...] = key(11)
    mode: Mode = key(12)
    thumbnail: bytes | None = key(13, default=None)  # JPEG
    clip: ClipKey | None = key(14, default=None)
    judged: Judged | None = key(15, default=None)
    path: IncidentPath | None = key(16, default=None)


@body
class Run:
    """Numbers from first to last, both counted in."""

    first: int = key(1)
    last: int = key(2)


@body
class Tombstone:
    """A run of events that were queued and then evicted unsent: first and last sequence, hash of the last."""

    first: int = key(1)
    last: int = key(2)
    last_hash: bytes = key(3, size=32)


@body
class LossBody:
    """Type 0x02: events that will never come, so that the chain verifies across the hole."""

    at: Stamp = key(1)
    tombstones: tuple[Tombstone, ...] = key(2)


@body
class HealthBody:
    """Type 0x03: something about the camera itself that the owner should know. `code` is for programs."""

    at: Stamp = key(1)
    code: str = key(2)
    detail: str = key(3)


@body
class EpochBody:
    """Type 0x04: from the next sequence on, only this new key signs; `proof` is the new key's own signature.

    `nonce` is the one that the home hub gave for this epoch. What `proof` covers is `keys.epoch_proof`.
    """

    at: Stamp = key(1)
    epoch: int = key(2, limit=(1 << 32) - 1)
    public: bytes = key(3, size=32)  # Ed25519
    command: bytes = key(4, size=32)  # X25519
    nonce: bytes = key(5, size=32)
    proof: bytes = key(6, size=64)


@body
class AnswerBody:
    """Type 0x05: what became of the command with this number and type; `detail` is for a person."""

    at: Stamp = key(1)
    number: int = key(2)
    command: int = key(3, limit=255)
    outcome: Outcome = key(4)
    detail: str = key(5)


@body
class PieceBody:
    """Type 0x06: one of `count` pieces of an incident's picture (JPEG), where all envelopes have one size."""

    incident: bytes = key(1, size=8)
    picture: bytes = key(2, size=8)
    index: int = key(3, limit=255)
    count: int = key(4, limit=255)
    data: bytes = key(5)


@body
class ClipBody:
    """Type 0x07: what became of a clip: state, whole chunks, plain bytes, chain hash of its last checkpoint."""

    at: Stamp = key(1)
    clip: bytes = key(2, size=16)
    state: ClipState = key(3)
    chunks: int = key(4)
    size: int = key(5)
    chain: bytes = key(6, size=32)


@body
class FarewellBody:
    """Type 0x08: the last event of a camera before its keys are destroyed."""

    at: Stamp = key(1)
    cause: Cause = key(2)


@body
class PrivacyBody:
    """Type 0x09: capture was stopped at the source, or began again."""

    at: Stamp = key(1)
    on: bool = key(2)
    cause: Cause = key(3)


@body
class HubPrekey:
    """In a beat: which prekey of another hub (by key id) is sealed to, and the oldest that something queued is."""

    hub: bytes = key(1, size=8)
    prekey: int = key(2)
    oldest_prekey: int = key(3)


@body
class Storage:
    """In a beat: size of the disk that has the clips, what is free of it, what clips take and may take, in MiB."""

    disk_mib: int = key(1, limit=(1 << 32) - 1)
    free_mib: int = key(2, limit=(1 << 32) - 1)
    clips_mib: int = key(3, limit=(1 << 32) - 1)
    clips_most_mib: int = key(4, limit=(1 << 32) - 1)


@body
class BeatBody:
    """Type 0x80: the camera lives. Outside the chain; the envelope's sequence is the beat's counter since boot.

    `nonce` is what a command must name; `newest_seq` and `newest_hash` are the chain's head; `prekey` is the number
    that the camera seals to; `frame_age_ns` is how old the newest picture is.
    """

    at: Stamp = key(1)
    nonce: bytes = key(2, size=32)
    newest_seq: int = key(3)
    newest_hash: bytes = key(4, size=32)
    prekey: int = key(5)
    queued: int = key(6)
    queued_bytes: int = key(7)
    frames: int = key(8)
    dropped: int = key(9)
    frame_age_ns: int = key(10)
    mode: Mode = key(11)
    firmware: str = key(12)
    oldest_prekey: int = key(13)  # nothing queued is sealed to a lower one
    recipient_set: int | None = key(14, default=None)  # number of the set that it seals to
    others: tuple[HubPrekey, ...] | None = key(15, default=None)  # the hubs of the set that aren't the home hub
    traffic: Traffic | None = key(16, default=None)  # absent: instant
    privacy: bool | None = key(17, default=None)  # absent: off
    scheduled: bool | None = key(18, default=None)  # the schedule decides on the mode; absent: no
    storage: Storage | None = key(19, default=None)  # absent: not told


@body
class CoverBody:
    """Type 0x81: nothing; its envelope is as long as any other, and is answered like any other."""


@body
class WillBody:
    """Type 0x82: sealed beforehand, said by the broker when the camera's connection breaks."""

    at: Stamp = key(1)
