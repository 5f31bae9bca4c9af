"""The table of household rules: they tell how a home lives, so each stands under the table key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table

from sealcam_hub.tables import Raw, metadata

household_rules = Table(
    "household_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", Raw, nullable=False),  # `rules.encode`; wrapped under the table key
    Column("made_ns", BigInteger, nullable=False),
)
