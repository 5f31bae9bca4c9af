"""The bridge's and Home Assistant's accounts at the hub's own Mosquitto: a certificate each, and no camera's topics.

Names are new each time, so that a certificate of an earlier time stays revoked. What an account may do is
`mosquitto`'s; its lists are written by `doorkeeper`.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from sealcam.wire.errors import ConfigError
from sealcam_hub import ca, certified
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home
from sealcam_hub.homeassistant.settings import Settings, load
from sealcam_hub.rekey import put
from sealcam_hub.tables import values

BRIDGE, ACCOUNT = "bridge-", "assistant-"
_ROW = "homeassistant-accounts"  # of `values`: every name that was ever given, each on a line


def standing(folder: Folder) -> tuple[str, str] | None:
    """The names that count now: the bridge's and Home Assistant's; none where it isn't on at this broker.

    Raises:
        StorageError: the settings can't be read.
    """
    settings = load(folder)
    return _names(settings) if settings is not None and settings.own else None


def over(connection: Connection, folder: Folder) -> list[str]:
    """Names that count no more.

    Raises:
        StorageError: the settings can't be read.
    """
    now = standing(folder) or ()
    return [name for name in _given(connection) if name not in now]


def make(home: Home) -> tuple[str, str, bytes, bytes]:
    """New accounts: both names, and Home Assistant's key and certificate (PEM). The bridge's are kept in `link/`.

    Raises:
        ConfigError: this hub has no broker of its own.
        StorageError: the folder or ledger can't be written.
    """
    if not home.keys.is_home or not (home.folder.path / "broker" / "acl").exists():
        raise ConfigError("this hub has no broker of its own", "name Home Assistant's: --broker HOST:PORT")
    authority, names = home.authority(), [part + secrets.token_hex(2) for part in (BRIDGE, ACCOUNT)]
    (bridge_key, bridge), (key, certificate) = (ca.client_certificate(authority, name) for name in names)
    with home.store.writing() as connection:
        put(connection, _ROW, "\n".join([*_given(connection), *names]).encode())
        for name, pem in zip(names, (bridge, certificate), strict=True):
            certified.keep(connection, name, ca.serial(pem))
    home.folder.write("link/bridge.key", bridge_key)
    home.folder.write("link/bridge.pem", bridge)
    return names[0], names[1], key, certificate


def forget(folder: Folder) -> None:
    """Remove the bridge's key and certificate.

    Raises:
        StorageError: the disk is read-only or broken.
    """
    for name in ("link/bridge.key", "link/bridge.pem"):
        folder.remove(name)


def _names(settings: Settings) -> tuple[str, str]:
    return settings.bridge, settings.account


def _given(connection: Connection) -> list[str]:
    row: bytes | None = connection.execute(select(values.c.value).where(values.c.name == _ROW)).scalar()
    return row.decode().split("\n") if row else []
