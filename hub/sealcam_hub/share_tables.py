"""The table of copies: clips that this hub has made anew to be shared, with their keys under the table key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table

from sealcam_hub.tables import Raw, metadata

copies = Table(
    "share_copies",
    metadata,
    Column("clip", Raw(16), primary_key=True),  # its own id; its file is HUB/shared/ID.scl1
    Column("source", Raw(16), nullable=False),  # the clip that it was made of
    Column("made_ns", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),  # of the sealed file
    Column("wrapped", Raw),  # its content key; none: destroyed
    Column("facts", Raw, nullable=False),  # `redact.pack`; wrapped under the table key
    Index("share_copies_source", "source"),
)
