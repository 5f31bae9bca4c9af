"""Format 5: what a camera's beat says of its own disk."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "5", "4"


def upgrade() -> None:
    """From format 4."""
    for name in ("disk_mib", "free_mib", "clips_mib", "clips_most_mib"):
        op.add_column("cameras", sa.Column(name, sa.BigInteger))
