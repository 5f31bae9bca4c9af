"""Format 4: several workers, PostgreSQL beside SQLite, and the tables that the hub's other parts keep for themselves.

All of them are new, so they are made as they are declared: format 5 changed none of them. Whoever does writes down
here what was declared until then.
"""

from alembic import op

from sealcam_hub import tables

revision, down_revision = "4", "3"


def upgrade() -> None:
    """From format 3."""
    op.drop_index("events_by_incident", "events")
    op.create_index("events_of_incident", "events", ["camera", "incident", "seq"])
    tables.metadata.create_all(op.get_bind())
