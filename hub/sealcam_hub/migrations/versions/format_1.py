"""Format 1, of Sealcam 0.1: it had no migrations, and nothing leads up to it."""

revision, down_revision = "1", None


def upgrade() -> None:
    """Nothing is older."""
