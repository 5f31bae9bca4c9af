"""The tables of the off-site copy: which objects there are, and which event is in which."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from sealcam_hub.tables import Raw, metadata


class Stored(IntEnum):
    """What `offsite_objects.state` holds."""

    GOING = 0  # being sent: whether it is there isn't known
    THERE = 1
    DOOMED = 2  # to be deleted there: it doesn't count any more
    LEFT = 3  # to be deleted there: left halfway, and what it may hold comes in another


objects = Table(
    "offsite_objects",
    metadata,
    Column("name", String(48), primary_key=True),
    Column("kind", Integer, nullable=False),  # `offsite.Kind`
    Column("state", Integer, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),  # of its content
    Column("newest_ns", BigInteger, nullable=False),  # wall time at which the newest of what it holds came to the hub
    Column("locked_ns", BigInteger, nullable=False, default=0),  # wall time until which nobody can delete it
    Column("clip", Raw(16), index=True),
    Column("at", BigInteger),  # where a part of a clip begins; of the log the number of the last entry in it
    Column("mark", Raw(32)),  # of a directory: the hash of what it says
)

held = Table(
    "offsite_events",
    metadata,
    Column("hash", Raw(32), primary_key=True),
    Column("name", String(48), nullable=False, index=True),
    Column("sealed", Boolean, nullable=False),  # the envelope, or of a deleted event its place alone
)
