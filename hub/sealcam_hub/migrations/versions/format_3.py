"""Format 3: the vault, for sealed clips."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "3", "2"


def upgrade() -> None:
    """From format 2."""
    op.create_table(
        "vault",
        sa.Column("clip", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("camera", sa.Integer, sa.ForeignKey("cameras.id"), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("asked_ns", sa.BigInteger),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_vault_camera", "vault", ["camera"])
