"""Alembic's environment: `upgrade` hands the connection in, inside the transaction that all of it belongs to."""

from alembic import context

from sealcam_hub import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
context.run_migrations()
