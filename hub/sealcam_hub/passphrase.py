"""The passphrase of the console: what one must be like, and what is kept of it.

Kept is an Argon2id string in `keys/passphrase` (mode 0600): it goes into a full copy of the hub, which is the hub
itself, and into no backup. Whoever may write the folder may set another one, and opens everything anyway. Who may try
how often is `console.throttle`'s; design/threat-model.md, "Who may look".
"""

from __future__ import annotations

import hashlib
import unicodedata

import nacl.exceptions
import nacl.pwhash.argon2id as argon2id

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub.folder import Folder

# RFC 9106, section 4, second choice, with one lane: 0.2 s on the virtual machine, about 1 s on a Raspberry Pi 4 and
# 2 s on a Zero 2 W by their memory's speed; 64 MiB for that long, once at a time (`console.door`).
PASSES = 3
MEMORY_BYTES = 64 << 20
FEWEST = 12  # characters: whoever may guess 288 times a day needs luck, and nobody has to write it on the monitor
MOST = 128
DAMAGED = "set another one: sealcam-hub passphrase"
_FILE = "keys/passphrase"


class TooShort(ConfigError):
    """A passphrase that isn't one."""


def normal(typed: str) -> str:
    """What counts of a typed passphrase: the same whether a browser or a terminal sends it (NFKC, no space around)."""
    return unicodedata.normalize("NFKC", typed).strip()


def check(typed: str) -> None:
    """Return if `typed` is long enough; what it is made of is the owner's business.

    Raises:
        TooShort: it is too short, or longer than anybody types.
    """
    length = len(normal(typed))
    if length < FEWEST:
        raise TooShort(f"it has {length} characters, and at least {FEWEST} are needed", "four words are easily typed")
    if length > MOST:
        raise TooShort(f"it has {length} characters, and at most {MOST} are taken")


def hashed(typed: str) -> bytes:
    """What is kept of a passphrase; takes as long as `PASSES` over `MEMORY_BYTES` do.

    Raises:
        TooShort: it isn't one.
    """
    check(typed)
    return argon2id.str(normal(typed).encode(), PASSES, MEMORY_BYTES)


def holds(kept: bytes, typed: str) -> bool:
    """Whether `typed` is the passphrase of which `kept` is kept; takes as long as `hashed`.

    Raises:
        StorageError: what is kept is damaged.
    """
    if not kept.startswith(argon2id.STRPREFIX):
        raise StorageError("what is kept of the passphrase is damaged", DAMAGED)
    try:
        return argon2id.verify(kept, normal(typed).encode())
    except nacl.exceptions.InvalidkeyError:
        return False


def pretend(typed: str) -> bool:
    """False, as slowly as `holds`: for a name that there isn't."""
    argon2id.str(normal(typed).encode()[: 4 * MOST], PASSES, MEMORY_BYTES)
    return False


class Passphrase:
    """The passphrase of the hub in `folder`, read anew each time: a command in another process may set it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def mark(self) -> bytes | None:
        """Which passphrase holds, as bytes that tell nothing of it; none where none was ever chosen.

        Raises:
            StorageError: the file can't be read.
        """
        kept = self._kept()
        return None if kept is None else hashlib.sha256(kept).digest()

    def matches(self, typed: str) -> bool:
        """Whether `typed` is the passphrase; takes as long as `PASSES` over `MEMORY_BYTES` do.

        Raises:
            StorageError: there is none, or what is kept of it is damaged.
        """
        kept = self._kept()
        if kept is None:
            raise StorageError("what is kept of the passphrase is damaged", DAMAGED)
        return holds(kept, typed)

    def choose(self, typed: str) -> None:
        """Let `typed` be the passphrase from now on; whoever is signed in with another one is so no more.

        Raises:
            TooShort: it isn't one.
            StorageError: it can't be kept.
        """
        self._folder.write(_FILE, hashed(typed))

    def _kept(self) -> bytes | None:
        try:
            return (self._folder.path / _FILE).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"the passphrase can't be read: {error.strerror}") from error
