"""The console's door: the one-time link, made by whoever may write the hub's folder, and the owner's passphrase.

Of the link only the token's hash is kept, in a file of its own, so that `sealcam-hub link` can make a new one while
`serve` runs in another process. The newest link is the only one. What it is good for is left to `console.door`, what
is kept of the passphrase to `passphrase`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from contextlib import suppress

from sealcam.wire.errors import SealcamError
from sealcam_hub.folder import Folder
from sealcam_hub.passphrase import Passphrase

_FILE = "console.link"
_TOKEN_BYTES = 24


def make_link(folder: Folder, port: int) -> str:
    """A new link to the console at `port`; an older one stops working.

    Raises:
        StorageError: the folder can't be written.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    folder.write(_FILE, json.dumps({"port": port, "digest": _digest(token)}).encode())
    return f"http://localhost:{port}/?token={token}"


def address_for(folder: Folder, port: int) -> str:
    """Where the owner goes: a new link where no passphrase was chosen yet, afterwards the plain address.

    Raises:
        StorageError: the folder can't be written.
    """
    link = make_link(folder, port)
    return link if Passphrase(folder).mark() is None else f"http://localhost:{port}/"


def new_link(folder: Folder) -> str:
    """A new link to the console that was served last.

    Raises:
        SealcamError: none was served from this folder yet.
    """
    found = _read(folder)
    if found is None:
        raise SealcamError(f"no console was served from {folder.path} yet", "start it: sealcam-hub serve")
    return make_link(folder, found[0])


def redeem(folder: Folder, token: str) -> bool:
    """Whether `token` is that of the newest link; it works once. One process serves, so nobody else redeems."""
    found = _read(folder)
    if found is None or not hmac.compare_digest(found[1], _digest(token)):
        return False
    folder.write(_FILE, json.dumps({"port": found[0], "digest": ""}).encode())
    return True


class Door(Passphrase):
    """Link and passphrase of the hub in `folder`, as the console asks for them."""

    def redeem(self, token: str) -> bool:
        """Whether `token` is that of the newest link; it works once."""
        return redeem(self._folder, token)


def _read(folder: Folder) -> tuple[int, str] | None:
    with suppress(OSError, ValueError, KeyError):
        found = json.loads((folder.path / _FILE).read_bytes())
        return int(found["port"]), str(found["digest"])
    return None


def _digest(token: str) -> str:
    return hashlib.blake2b(token.encode(), digest_size=32).hexdigest()
