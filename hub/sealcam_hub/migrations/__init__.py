"""The ledger's migrations, one file a format; `upgrade` runs them with Alembic."""
