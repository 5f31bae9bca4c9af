"""The ledger's tables, in SQLAlchemy Core and nothing that only one database knows.

What is stored in bulk stays sealed: envelopes as they came, content keys and prekeys under the table key. Clear are
names of cameras, sequence numbers, hashes, types, incident ids, arrival times and the state a camera's beat tells.
`store` opens the database, `receive` writes it, `ledger` reads it. design/pipeline.md, "Hub".
"""

from __future__ import annotations

import secrets

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

SCHEMA = 5
MAX_INT = (1 << 63) - 1  # what a signed 64-bit column holds


class Raw(LargeBinary):
    """Bytes as they are: the drivers take them so, and wrapping each one took as long as writing it."""

    def bind_processor(self, dialect: Dialect) -> None:
        """None is needed."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """None is needed."""


metadata = MetaData()


def fresh_id() -> int:
    """The number of a new row that pages name: no row before had it, so that an old tab speaks of no other one."""
    return secrets.randbelow(999_999_999) + 1


schema = Table("schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))
alembic = Table("alembic_version", metadata, Column("version_num", String(32), primary_key=True))

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
    Column("will_counter", BigInteger, nullable=False, default=0),  # of the newest will that was taken in this boot
    Column("prekey", BigInteger),  # of this hub's series, that it says that it seals to
    Column("recipient_set", BigInteger),  # the number of the set it says that it seals to
    Column("traffic", Integer),
    Column("privacy", Boolean),
    Column("cut_off", Boolean, nullable=False, default=False),  # its last will came, and no beat since
    Column("expelled", Boolean, nullable=False, default=False),  # revoked: nothing it says counts any more
    Column("gone", Boolean, nullable=False, default=False),  # it has said farewell, and nothing since
    Column("farewell_seq", BigInteger, nullable=False, default=0),  # where
    Column("skip", Boolean, nullable=False, default=False),  # after a restore: its next prekey skips 2^20 numbers
    Column("disk_mib", BigInteger),  # of the disk that has its clips; null with the next three: it doesn't tell
    Column("free_mib", BigInteger),
    Column("clips_mib", BigInteger),  # what they take, and may take
    Column("clips_most_mib", BigInteger),
)

epochs = Table(  # the keys that a camera has signed with; `cameras.public` and `.command` are those of the newest
    "epochs",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("public", Raw(32), nullable=False),
    Column("command", Raw(32), nullable=False),
    Column("after_seq", BigInteger, nullable=False),  # signs what comes after this place in the chain; 0 for the first
    Column("since_ns", BigInteger, nullable=False, default=0),  # wall time at which this hub took it
)

handovers = Table(  # what hand-overs that hold bring, kept from their arrival until they are appended
    "handovers",
    metadata,
    Column("hash", Raw(32), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("public", Raw(32), nullable=False),
    Column("command", Raw(32), nullable=False),
)

clips = Table(  # the key table's part for clips, and what became of them
    "clips",
    metadata,
    Column("clip", Raw(16), primary_key=True),
    Column("camera", ForeignKey("cameras.id"), nullable=False),
    Column("incident", Raw(8)),
    Column("event", Raw(32)),  # that brought the key
    Column("part", BigInteger, nullable=False, default=0),
    Column("wrapped", Raw(72)),  # content key; null once it was deleted
    Column("state", Integer),  # `bodies.ClipState`, null while it is being written
    Column("said", BigInteger, nullable=False, default=0),  # sequence of the event that said so: the last one counts
    Column("chunks", BigInteger),
    Column("size", BigInteger),
    Column("chain", Raw(32)),
    Index("clips_by_incident", "camera", "incident"),
)

vault = Table(  # sealed clips that came, come or were asked for; how much of one has come its file's size says
    "vault",
    metadata,
    Column("clip", Raw(16), primary_key=True),
    Column("camera", ForeignKey("cameras.id"), nullable=False, index=True),
    Column("state", Integer, nullable=False),  # `vault_rows.Kept`
    Column("size", BigInteger, nullable=False, default=0),  # of its file once it is whole
    Column("interrupted", Boolean, nullable=False, default=False),
    Column("asked_ns", BigInteger),  # wall time at which the owner asked for it last
    Column("changed_ns", BigInteger, nullable=False),
)

boots = Table(  # boots a camera has left: a beat of one of them is old
    "boots",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("boot", Raw(16), primary_key=True),
    Column("counter", BigInteger, nullable=False, default=0),  # of its last beat that was counted
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
    Column("epoch", BigInteger, nullable=False),  # of the key that signed it
    Column("kind", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("incident", Raw(8)),
    Column("arrived_ns", BigInteger, nullable=False),
    Index("events_by_seq", "camera", "seq"),
    Index(
        "events_of_incident", "camera", "incident", "seq"
    ),  # with its order: else SQLite reads the camera's whole chain
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
    Column("epoch", BigInteger, nullable=False, default=0),  # whose key has told of it; 0 is this hub itself
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
    Column("why", String(16), nullable=False, default=""),  # which of a kind's sentences says it: `notices`
    Column("mark", String(96), nullable=False, unique=True),  # what makes it the same notice when it comes again
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False, default=1),
)

journal = Table(  # the ledger's order: one row for each event that is appended and each notice
    "journal",
    metadata,
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
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

wishes = Table(  # what the owner wants of each camera and what became of it, the newest of each kind of command
    "wishes",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("kind", Integer, primary_key=True, autoincrement=False),  # `wishes.CommandType`
    Column("body", Raw, nullable=False),  # CBOR; wrapped under the table key
    Column("mode", Integer),  # of an arm command, to compare with what beats say
    Column("asked_ns", BigInteger, nullable=False),
    Column("sent_nonce", Raw(32)),  # the beat that it was last signed for
    Column("sent_number", BigInteger),  # and the number of that command
    Column("outcome", Integer),  # of the camera's answer, null while it stands
    Column("detail", String(256)),
)

audit = Table(  # the audit log: statements of kind log-entry, as they were signed
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Raw(32), nullable=False),
    Column("entry", Raw, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("clip", Raw(16), nullable=False),
    Column("recipient", Raw(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("bundle", Raw, nullable=False),
    Column("issued_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger),
)

deletions = Table(  # what was deleted, and which prekeys must die before that is complete
    "deletions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", ForeignKey("cameras.id"), nullable=False),
    Column("incident", Raw(8), nullable=False),
    Column("below_prekey", BigInteger, nullable=False),
    Column("asked_ns", BigInteger, nullable=False),
    Column("done_ns", BigInteger),
)

values = Table(  # single values of this hub, such as the id of the table key that the secrets here are wrapped under
    "values",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Raw, nullable=False),
)
