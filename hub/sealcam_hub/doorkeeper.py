"""Who may still go in and out at the broker: its lists, written anew, and the live session of who was turned out.

What Mosquitto 2 does was measured: told to (SIGHUP), it takes up both lists at once; a denied topic then delivers
nothing in either direction on a session that is there already, and a revoked certificate makes no new one. But the
session itself stays until somebody with the same name comes: here that is the hub, with a certificate that its own
authority made for the purpose. Where all of this fails nothing is lost but quiet: the hub believes nothing that an
expelled camera says.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import tempfile
from pathlib import Path

from sqlalchemy import Connection

from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import RecipientKind
from sealcam_hub import ca, certified, mosquitto
from sealcam_hub.expulsion import expelled
from sealcam_hub.home import Home
from sealcam_hub.homeassistant import accounts
from sealcam_hub.workers import names

_log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
_CONNECT = bytes.fromhex("100d00044d51545405020005000000")  # MQTT 5, clean start, no client id: the broker gives it
_DISCONNECT = bytes.fromhex("e000")
_COMMAND = "mosquitto"


def refresh(home: Home) -> bool:
    """Write the broker's lists anew; whether a broker was there to be told.

    Raises:
        StorageError: the disk is full or read-only, or the ledger can't be read.
    """
    with home.store.reading() as connection:
        out = _out(home, connection)
        serials = [one for alias in out for one in certified.serials(connection, alias)]
        access = _access(home, connection)
    revoked = ca.revocation_list(home.authority(), serials)
    mosquitto.write_lists(home.folder, access, revoked)
    if b"\ncrlfile " not in home.folder.read("broker/mosquitto.conf"):  # of a hub from before there was a list
        mosquitto.write_configuration(home.folder, home.settings.broker)
    return _tell(home.folder.path / "broker" / mosquitto.PID_FILE)


def keep_up(home: Home) -> None:
    """Write the lists anew where an earlier version of this hub wrote them, which let less through; and say so.

    Raises:
        StorageError: as `refresh`.
    """
    needed = (home.folder.path / name for name in ("ca/ca.key", "broker/acl", "broker/mosquitto.conf"))
    if not home.keys.is_home or not all(one.exists() for one in needed):
        return  # a broker of somebody else's
    with home.store.reading() as connection:
        access = _access(home, connection)
    if home.folder.read("broker/acl") == access.encode():
        return
    told = "the broker was told" if refresh(home) else "a broker that runs takes it up when it is restarted"
    _log.info("the broker's access list was of an earlier version and is written anew; %s", told)


def cut(home: Home, alias: str) -> bool:
    """End the session that a camera (alias) or a hub (its link's name) has at the broker by taking its place and
    leaving; whether the broker let us.

    For one whose certificates are revoked already: it can't come back.
    """
    key, certificate = ca.client_certificate(home.authority(), alias)
    address, authority = home.settings.broker, home.folder.path / "ca" / "ca.pem"
    try:
        with tempfile.TemporaryDirectory(dir=home.folder.path / "link") as kept:  # ssl takes files alone
            chain, secret = Path(kept) / "cut.pem", Path(kept) / "cut.key"
            for path, data in ((chain, certificate), (secret, key)):
                path.touch(mode=0o600)
                path.write_bytes(data)
            context = ssl.create_default_context(cafile=authority)
            context.load_cert_chain(chain, secret)
        with (
            socket.create_connection((address.host, address.port), timeout=TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as link,
        ):
            link.sendall(_CONNECT)
            taken = link.recv(4)
            link.sendall(_DISCONNECT)
            return taken[:1] == b"\x20" and taken[3:4] == b"\0"
    except OSError:
        return False


def removed(home: Home, connection: Connection) -> list[str]:
    """What hubs are called at the broker that were let in and are in the recipient set no more."""
    standing = {key_id(one.public).hex() for one in home.keys.chosen.recipients}
    return [name for kid, name in certified.links(connection).items() if kid not in standing]


def _out(home: Home, connection: Connection) -> list[str]:
    """What is called so at the broker is let in no more: expelled cameras, hubs that were taken out, old accounts of
    Home Assistant."""
    return [*expelled(connection), *removed(home, connection), *accounts.over(connection, home.folder)]


def _access(home: Home, connection: Connection) -> str:
    """The text of the access list as it should be."""
    links = [home.settings.link_name, *_links(home, connection)]
    return mosquitto.access_list(links, _out(home, connection), accounts.standing(home.folder), names(home.settings))


def _links(home: Home, connection: Connection) -> list[str]:
    """What the other hubs of the recipient set are called at the broker."""
    hubs = [one.public for one in home.keys.chosen.recipients if one.kind is RecipientKind.HUB]
    found = (certified.link(connection, hub) for hub in hubs if hub != home.keys.operating.public)
    return [name for name in found if name is not None]


def _tell(pid_file: Path) -> bool:
    """Have the broker read its lists again; false where none runs here, which will read them as it starts."""
    try:
        pid = int(pid_file.read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() != _COMMAND:
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True
