"""What the hub and its media process say to each other, over two pipes. Pure.

In: the job as JSON behind its length, then a film (fragmented MP4) up to the end of the pipe. Out: blocks of a kind, a
length and bytes. The hub believes nothing of it but that: a block that isn't as written here is an error.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import NamedTuple

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">BI")
PROGRESS = struct.Struct(">Q")  # microseconds of the film that are done
DONE = struct.Struct(">QQIHHI")
MOST_JOB_BYTES = 4096
MOST_BLOCK_BYTES = 1 << 24  # a GOP at 1080p has a quarter of it
MOST_PICTURE_BYTES = 16 << 20  # of a QR code: a phone's photo has 2 to 15


class Say(IntEnum):
    """Kinds of blocks."""

    FILM = 1
    PROGRESS = 2
    DONE = 3
    FAILED = 4  # one byte: a `Fault`


class Fault(IntEnum):
    """Why nothing came of a job, as far as the process knows."""

    UNREADABLE = 1  # the film can't be decoded
    EMPTY = 2  # no picture lies in the chosen part
    MODEL = 3  # no detector is here, or it is broken
    CAGE = 4  # this machine can't lock the process up
    ENCODER = 5


class Area(NamedTuple):
    """A rectangle as shares of width and height, 0 to 1, from the top left."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Job:
    """What shall become of a film: pictures from `begin_us` to before `end_us` (of the film's first one; none: to the
    end), people blurred or not, and what lies outside `area` black, if there is one."""

    people: bool
    area: Area | None = None
    begin_us: int = 0
    end_us: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: times in microseconds, the first picture's from the film's first one; how many pictures, their
    size, and in how many of them somebody was blurred."""

    first_us: int
    lasts_us: int
    pictures: int
    width_px: int
    height_px: int
    blurred: int


def pack_job(job: Job) -> bytes:
    """A job for the pipe."""
    said = json.dumps(asdict(job)).encode()
    return LENGTH.pack(len(said)) + said


def read_job(said: bytes) -> Job:
    """The job that the hub sent, without its length."""
    values = json.loads(said)
    values["area"] = None if values["area"] is None else Area(*values["area"])
    return Job(**values)


def block(kind: Say, data: bytes) -> bytes:
    """A block for the pipe."""
    return HEAD.pack(kind, len(data)) + data


def pack_done(done: Done) -> bytes:
    """The last block's bytes."""
    return DONE.pack(done.first_us, done.lasts_us, done.pictures, done.width_px, done.height_px, done.blurred)


def read_done(data: bytes) -> Done:
    """What the last block says.

    Raises:
        ValueError: it isn't one, or is impossible.
    """
    if len(data) != DONE.size:
        raise ValueError("a last block of another length")
    done = Done(*DONE.unpack(data))
    if not done.pictures or not done.width_px or not done.height_px or done.blurred > done.pictures:
        raise ValueError("a film of nothing")
    return done
