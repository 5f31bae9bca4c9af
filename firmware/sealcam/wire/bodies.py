"""What is inside an envelope: incidents, losses, health, beats, commands (design/wire.md section 5).

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
    BEAT = 0x80


class CommandType(IntEnum):
    """The first byte of a command's plaintext."""

    ARM = 0x01


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
    thumbnail: bytes | None = key(13, optional=True)  # JPEG


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


@body
class ArmBody:
    """Command 0x01: how watchful the camera shall be from now on."""

    mode: Mode = key(1)
