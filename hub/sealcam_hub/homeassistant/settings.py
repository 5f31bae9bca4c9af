"""What the owner turned on for Home Assistant, in `link/homeassistant.json` (mode 0600); nothing is on by itself.

Passwords stand there as they are used, the disarm code and the live view's token only as what checks them. A full copy
of the hub has the file, a backup doesn't. Read anew whenever it changed: commands write it, `serve` follows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sealcam.wire.errors import StorageError
from sealcam_hub.folder import Address, Folder

FILE = "link/homeassistant.json"
ALLOWED = ("disarm", "privacy", "sensitivity", "image")


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """One broker and what goes there. `own` is the hub's own Mosquitto, with the `bridge` and `account` that have
    certificates there; `authority` (PEM) certifies another broker, where the system's authorities don't.

    `code` is an Argon2id string, `token` the SHA-256 of the live view's token in hex; empty where there is none.
    `leaving`: everything is to be taken back from the broker, and then forgotten.
    """

    host: str
    port: int
    own: bool = False
    tls: bool = True
    authority: str = ""
    username: str = ""
    password: str = ""
    bridge: str = ""
    account: str = ""
    allowed: tuple[str, ...] = ()
    code: str = ""
    live_host: str = ""
    live_port: int = 0
    token: str = ""
    leaving: bool = False

    @property
    def broker(self) -> Address:
        """Where states go."""
        return Address(self.host, self.port)

    @property
    def live(self) -> Address | None:
        """Where the live view listens, if it does."""
        return Address(self.live_host, self.live_port) if self.token else None

    def allows(self, what: str) -> bool:
        """Whether the owner has allowed that."""
        return what in self.allowed


def load(folder: Folder) -> Settings | None:
    """What is turned on; none where nothing is.

    Raises:
        StorageError: the file can't be read, or isn't what `save` wrote.
    """
    if not (folder.path / FILE).exists():
        return None
    try:
        told = json.loads(folder.read(FILE))
        return Settings(**{**told, "allowed": tuple(told["allowed"])})
    except (ValueError, TypeError, KeyError) as error:
        path = folder.path / FILE
        raise StorageError(f"{path} is damaged", "remove it, and turn Home Assistant on again") from error


def save(folder: Folder, settings: Settings | None) -> None:
    """Keep what is turned on; none forgets it.

    Raises:
        StorageError: the disk is full or read-only.
    """
    if settings is None:
        folder.remove(FILE)
    else:
        folder.write(FILE, json.dumps(asdict(settings), indent=1).encode())
