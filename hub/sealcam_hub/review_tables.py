"""The tables of the owner's own annotation: what was said of incidents, and the models that were trained by it.

Words stand under the table key, like what cameras said. A mark goes with its incident. design/hub.md, "Review".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, Table

from sealcam_hub.tables import Raw, metadata

marks = Table(  # one row for each word that was said, none overwritten: the newest that wasn't undone counts
    "review_marks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", Integer, nullable=False),
    Column("incident", Raw(8), nullable=False),
    Column("said", Raw, nullable=False),  # `review_marks.Said`, CBOR; wrapped under the table key
    Column("at_ns", BigInteger, nullable=False),
    Column("undone_ns", BigInteger),
    ForeignKeyConstraint(["camera", "incident"], ["incidents.camera", "incidents.incident"], ondelete="CASCADE"),
    Index("review_marks_by_incident", "camera", "incident"),
    sqlite_autoincrement=True,  # a page names the newest mark that its reader saw: no number comes twice
)

models = Table(  # trained at home; none is in force unless its owner sent it
    "review_models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wrapped", Raw, nullable=False),  # `review_models.Made`, CBOR; wrapped under the table key
    Column("made_ns", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
