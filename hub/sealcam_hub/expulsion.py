"""Turns a camera out: from now on nothing it says counts, and nothing it sealed can be opened any more.

What it said before stays in the ledger. Here is the ledger's part, which is what protects the owner; that the broker
lets it in no more is `doorkeeper`'s. Implements design/wire.md 10.1.
"""

from __future__ import annotations

from sqlalchemy import Connection, Row, or_, select, update

from sealcam.wire.errors import ConfigError
from sealcam_hub import deletion, prekeys
from sealcam_hub.tables import cameras


def find(connection: Connection, name: str) -> Row[int, str, str, bytes]:
    """Id, alias, name and key id of the camera that the owner calls so, by name or alias.

    Raises:
        ConfigError: there is none.
    """
    query = select(cameras.c.id, cameras.c.alias, cameras.c.name, cameras.c.kid)
    rows = connection.execute(query.where(or_(cameras.c.alias == name, cameras.c.name == name))).all()
    if len(rows) != 1:
        raise ConfigError(f"there is no camera {name!r}", "sealcam-hub status lists them")
    return rows[0]


def expel(connection: Connection, alias: str) -> None:
    """Refuse whatever the camera says from now on, and destroy all its prekeys; `deletion.settle` is to follow."""
    camera = find(connection, alias).id
    marked = update(cameras).where(cameras.c.id == camera)
    connection.execute(marked.values(expelled=True, revision=cameras.c.revision + 1))
    prekeys.destroy_all(connection, camera)
    deletion.complete(connection)


def expelled(connection: Connection) -> list[str]:
    """Aliases of all cameras that were turned out."""
    return list(connection.execute(select(cameras.c.alias).where(cameras.c.expelled).order_by(cameras.c.id)).scalars())
