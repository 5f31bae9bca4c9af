"""Makes ledgers, and brings one of an older format up to this one, in one transaction: whole, or as it was.

The steps are Alembic's (`migrations/versions`), one a format. `schema.version` is what older hubs look at, Alembic's
own row beside it what newer ones do: both are written in the same transaction. Format 1 is of Sealcam 0.1.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from sealcam_hub import tables

Wrap = Callable[[bytes], bytes]
"""Puts a secret under the table key."""


def create(connection: Connection) -> None:
    """Make the tables of a new ledger.

    Raises:
        DBAPIError: the database can't be written.
    """
    tables.metadata.create_all(connection)
    connection.execute(insert(tables.schema).values(version=tables.SCHEMA))
    connection.execute(insert(tables.alembic).values(version_num=str(tables.SCHEMA)))


def upgrade(connection: Connection, wrap: Wrap) -> None:
    """Make a ledger of an older format one of this; `wrap` puts a secret under the table key.

    Raises:
        DBAPIError: the database can't be written.
    """
    from alembic import command  # what a hub whose ledger is up to date has no need of
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    version = connection.execute(select(tables.schema.c.version)).scalar_one()
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes.update(connection=connection, wrap=wrap)
    command.stamp(config, str(version))
    command.upgrade(config, "head")
    connection.execute(update(tables.schema).values(version=tables.SCHEMA))
