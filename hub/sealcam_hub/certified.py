"""Which certificates and names this home's authority has given out: what the broker's lists are made of.

Kept in `values`: the serial numbers of each camera's and each other hub's certificates, and the name of a hub's link.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from sealcam.wire.keys import key_id
from sealcam_hub.rekey import put
from sealcam_hub.tables import values

SERIAL_BYTES = 20
MOST = 64  # of one camera: older ones have run out long ago
_CERTIFICATES, _LINK = "certificates/", "hub-link/"  # and an alias or a link's name, or a hub's key id in hex


def keep(connection: Connection, alias: str, serial: int) -> None:
    """Note the serial number of a certificate that a camera, by its alias, or a hub, by its link's name, was given."""
    before = _row(connection, _CERTIFICATES + alias) or b""
    now = (before + serial.to_bytes(SERIAL_BYTES, "big"))[-MOST * SERIAL_BYTES :]
    put(connection, _CERTIFICATES + alias, now)


def serials(connection: Connection, alias: str) -> list[int]:
    """The serial numbers of a camera's or hub's certificates, oldest first."""
    found = _row(connection, _CERTIFICATES + alias) or b""
    return [int.from_bytes(found[at : at + SERIAL_BYTES], "big") for at in range(0, len(found), SERIAL_BYTES)]


def keep_link(connection: Connection, hub: bytes, name: str) -> None:
    """Note what another hub, by its operating key, is called at the broker."""
    put(connection, _LINK + key_id(hub).hex(), name.encode())


def link(connection: Connection, hub: bytes) -> str | None:
    """What another hub, by its operating key, is called at the broker."""
    found = _row(connection, _LINK + key_id(hub).hex())
    return None if found is None else found.decode()


def links(connection: Connection) -> dict[str, str]:
    """What the other hubs that were ever let in are called at the broker, by key id in hex."""
    rows = connection.execute(select(values).where(values.c.name.like(f"{_LINK}%")).order_by(values.c.name))
    return {row.name.removeprefix(_LINK): row.value.decode() for row in rows}


def _row(connection: Connection, name: str) -> bytes | None:
    found: bytes | None = connection.execute(select(values.c.value).where(values.c.name == name)).scalar()
    return found
