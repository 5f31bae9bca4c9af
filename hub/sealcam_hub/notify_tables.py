"""The ledger's tables for notifications: who is told, what each was told, and what a person has seen.

No word of what happened is here. `notifying.rows` reads and writes; design/hub.md, "Notifications".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from sealcam_hub.tables import Raw, metadata

targets = Table(
    "notify_targets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),  # `notifying.rows.Kind`
    Column("name", String(64), nullable=False, unique=True),
    Column("place", String(128), nullable=False),  # a push service's host, or what kind of service it is
    Column("secret", Raw, nullable=False),  # a subscription or an address; wrapped under the table key
    Column("digest", Raw(32), nullable=False, unique=True),  # of the secret: the same browser comes again
    Column("after_s", BigInteger, nullable=False, default=0),
    Column("added_ns", BigInteger, nullable=False),
    Column("sent_ns", BigInteger),
    Column("failed_ns", BigInteger),  # null once something went through again
)

told = Table(
    "notify_told",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("target", ForeignKey("notify_targets.id"), primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("said", String(16), nullable=False, default=""),  # digest of the words that were sent last
    Column("loud", Boolean, nullable=False, default=True),
    Column("due_ns", BigInteger),  # null: nothing is to be sent
    Column("tries", Integer, nullable=False, default=0),
    Column("rings", Integer, nullable=False, default=0),  # how often it was sent aloud
    Column("begun", Boolean, nullable=False, default=False),  # it is being sent, or the hub ended while it was
    Column("since_ns", BigInteger, nullable=False),
    Index("notify_told_due", "due_ns"),
)

seen = Table(
    "notify_seen",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
)
