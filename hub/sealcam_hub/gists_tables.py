"""The table of gists: what a filter of the timeline asks of each incident, under the table key like its reports' keys.

Nothing of it is clear: which incident there is and when it came stands in `incidents` already.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from sealcam_hub.tables import Raw, metadata

gists = Table(
    "gists",
    metadata,
    Column("camera", ForeignKey("cameras.id"), primary_key=True),
    Column("incident", Raw(8), primary_key=True),
    Column("wrapped", Raw, nullable=False),  # `gists.pack`
)
