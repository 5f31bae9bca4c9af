"""Format 4: several workers, PostgreSQL beside SQLite, and the tables that the hub's other parts keep for themselves.

They are made as they are declared, since format 5 changed none of them: whoever does writes down here what was
declared until then. They are named, so that what a later format brings isn't made before its own step.
"""

from alembic import op

from sealcam_hub import tables

revision, down_revision = "4", "3"
_NEW = (
    "certificate_ends",
    "gists",
    "household_rules",
    "hub_notices",
    "invitations",
    "members",
    "notify_seen",
    "notify_targets",
    "notify_told",
    "offsite_events",
    "offsite_objects",
    "passkeys",
    "review_marks",
    "review_models",
    "share_copies",
    "troubles",
)


def upgrade() -> None:
    """From format 3."""
    op.drop_index("events_by_incident", "events")
    op.create_index("events_of_incident", "events", ["camera", "incident", "seq"])
    tables.metadata.create_all(op.get_bind(), [tables.metadata.tables[name] for name in _NEW])
