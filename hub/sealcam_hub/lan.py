"""The console on the LAN as the owner has turned it on: its one name, its ports, its authority. Off until then.

Kept in `ca/`, which goes into a full copy of the hub: phones go on trusting a hub that was restored. What is served
there is `serve`'s and `console.lan_page`'s, the certificate `lan_tls`'.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import asdict, dataclass

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub import lan_ca
from sealcam_hub.ca import Authority, load_authority, private_pem, public_pem
from sealcam_hub.folder import Folder

PORT, PREPARE_PORT = 8443, 8481
_FILE, _KEY, _CERTIFICATE = "ca/lan.json", "ca/console.key", "ca/console.pem"
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Lan:
    """Where the console is on the LAN: over TLS at `port`, and at `prepare_port` the page that prepares a phone."""

    name: str
    port: int = PORT
    prepare_port: int = PREPARE_PORT

    @property
    def address(self) -> str:
        """The console's."""
        return f"https://{self.name}:{self.port}"

    @property
    def prepare(self) -> str:
        """That of the page on plain HTTP."""
        return f"http://{self.name}:{self.prepare_port}"


def default_name() -> str:
    """This machine's name as its own mDNS announces it."""
    return f"{socket.gethostname().partition('.')[0].lower()}.local"


def check_name(name: str) -> str:
    """A name under which the console may be reached, in lower case.

    Raises:
        ConfigError: it isn't one: an address, one without a dot, `localhost`.
    """
    lower = name.lower().rstrip(".")
    if not _NAME.fullmatch(lower) or lower.endswith(".localhost"):
        raise ConfigError(f"{name!r} is no name for the LAN", "such as sealcam.local, or a name in your router's DNS")
    return lower


def read(folder: Folder) -> Lan | None:
    """What was turned on; none where nothing was.

    Raises:
        StorageError: what is kept of it is damaged.
    """
    if not (folder.path / _FILE).exists():
        return None
    try:
        told = json.loads(folder.read(_FILE))
        return Lan(check_name(told["name"]), int(told["port"]), int(told["prepare_port"]))
    except (ValueError, TypeError, KeyError) as error:
        message = f"{folder.path / _FILE} is damaged"
        raise StorageError(message, "turn it on again: sealcam-hub lan on") from error


def turn_on(folder: Folder, wanted: Lan) -> bool:
    """Let the console be on the LAN when it is served next; whether phones have to trust another authority for it.

    Raises:
        StorageError: the folder can't be written.
    """
    there = (folder.path / _KEY).exists() and lan_ca.name_of(authority(folder)) == wanted.name
    if not there:
        made = lan_ca.new_authority(wanted.name)
        folder.write(_KEY, private_pem(made.key))
        folder.write(_CERTIFICATE, public_pem(made.certificate))
    folder.write(_FILE, json.dumps(asdict(wanted)).encode())
    return not there


def turn_off(folder: Folder) -> None:
    """Let it be on the LAN no more; the authority stays, for another time.

    Raises:
        StorageError: the folder can't be written.
    """
    folder.remove(_FILE)


def authority(folder: Folder) -> Authority:
    """The console's authority.

    Raises:
        StorageError: it is missing or damaged.
    """
    try:
        return load_authority(folder.read(_KEY), folder.read(_CERTIFICATE))
    except (ValueError, TypeError) as error:
        message = f"the console's authority in {folder.path / 'ca'} is damaged"
        raise StorageError(message, "restore ca/console.key and ca/console.pem, or remove both") from error
