"""The ledger's tables for what stands wrong: what was told of it is in `tables.notices`, and here for the hub itself.

`troubles` says how; design/hub.md, "Silence is an alarm".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from sealcam_hub.tables import metadata

HUB = 0  # in `troubles.camera`: no camera, but this hub

hub_notices = Table(  # notices of the hub itself; `journal.notice` names them by their negative id
    "hub_notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("why", String(16), nullable=False, default=""),
    Column("subject", String(64), nullable=False, default=""),  # what of the hub, such as a file
    Column("mark", String(96), nullable=False, unique=True),  # as in `notices`
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False, default=1),
)

troubles = Table(
    "troubles",
    metadata,
    Column("camera", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("seen", BigInteger, nullable=False),  # how often running
    Column("told", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
)

certificate_ends = Table(  # of the certificates that this home's authority gave to cameras
    "certificate_ends",
    metadata,
    Column("alias", String(16), primary_key=True),
    Column("begin_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
)
