"""The ledger's tables, in SQLAlchemy Core and nothing that only one database knows.

What is stored in bulk stays sealed: envelopes as they came, content keys and prekeys under the table key. Clear are
names of cameras, sequence numbers, hashes, types, incident ids, arrival times and the state a camera's beat tells.
`store` opens the database, `receive` writes it, `ledger` reads it. design/pipeline.md, "Hub".
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    literal_column,
)

SCHEMA = 1
MAX_INT = (1 << 63) - 1  # what a signed 64-bit column holds


class Raw(LargeBinary):
    """Bytes as they are: the drivers take them so, and wrapping each one took as long as writing it."""

    def bind_processor(self, dialect: Dialect) -> None:
        """None is needed."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """None is needed."""


metadata = MetaData()

schema = Table("schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

cameras = Table(
    "cameras",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alias", String(16), nullable=False, unique=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("kid", Raw(8), nullable=False, unique=True),  # of its first epoch key: names its prekey series
    Column("public", Raw(32), nullable=False),
    Column("command", Raw(32), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("enrolled_ns", BigInteger, nullable=False),
    Column("head_seq", BigInteger, nullable=False, default=0),
    Column("head_hash", Raw(32), nullable=False),
    Column("revision", BigInteger, nullable=False, default=0),  # counts the commits that moved the chain
    Column("silent", Boolean, nullable=False, default=False),
    Column("boot", Raw(16)),
    Column("counter", BigInteger),
    Column("beat_ns", BigInteger),  # wall time at which the newest counted beat came
    Column("nonce", Raw(32)),
    Column("newest_seq", BigInteger),
    Column("queued", BigInteger),
    Column("frame_age_ns", BigInteger),
    Column("mode", Integer),
    Column("firmware", String(128)),
    Column("command_number", BigInteger, nullable=False, default=0),
)

boots = Table(  # boots a camera has left: a beat of one of them is old
    "boots",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("boot", Raw(16), primary_key=True),
)

envelopes = Table(
    "envelopes",
    metadata,
    Column("hash", Raw(32), primary_key=True),
    Column("sealed", Raw, nullable=False),
)

content_keys = Table(
    "content_keys",
    metadata,
    Column("hash", Raw(32), primary_key=True),
    Column("wrapped", Raw(72), nullable=False),
    sqlite_with_rowid=False,  # one tree instead of two: these rows are small
)

PENDING, APPENDED, LATE, DISPUTED = 0, 1, 2, 3  # what `events.status` holds; `chain` says what they mean

events = Table(
    "events",
    metadata,
    Column("hash", Raw(32), primary_key=True),
    Column("camera", ForeignKey("cameras.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("prev", Raw(32), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("incident", Raw(8)),
    Column("arrived_ns", BigInteger, nullable=False),
    Index("events_by_seq", "camera", "seq"),
    Index("events_by_incident", "camera", "incident"),
)
# Few events are anything but appended: an index over the others alone costs nothing to keep. It is found only by
# these very words, so the numbers stand in them as they are instead of as parameters.
waiting = events.c.status.not_in((literal_column(str(APPENDED)), literal_column(str(LATE))))
Index("events_waiting", events.c.camera, events.c.seq, sqlite_where=waiting, postgresql_where=waiting)

bridges = Table(  # tombstones that reach beyond the head
    "bridges",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, primary_key=True),
    Column("last_hash", Raw(32), nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("incident", Raw(8), primary_key=True),
    Column("arrived_ns", BigInteger, nullable=False, index=True),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", ForeignKey("cameras.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("mark", String(96), nullable=False, unique=True),  # what makes it the same notice when it comes again
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False, default=1),
)

journal = Table(  # the ledger's order: one row for each event that is appended and each notice
    "journal",
    metadata,
    Column("place", Integer, primary_key=True),
    Column("event", Raw(32)),
    Column("notice", Integer),
)

counters = Table(
    "counters",
    metadata,
    Column("alias", String(16), primary_key=True),  # empty for senders that are no camera of this hub
    Column("kind", String(16), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

prekeys = Table(
    "prekeys",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("public", Raw(32), nullable=False),
    Column("wrapped", Raw(72), nullable=False),
    Column("issued_ns", BigInteger, nullable=False),
)

wishes = Table(  # how watchful the owner wants each camera to be
    "wishes",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("mode", Integer, nullable=False),
    Column("asked_ns", BigInteger, nullable=False),
    Column("sent_nonce", Raw(32)),  # the beat that it was last signed for
)
