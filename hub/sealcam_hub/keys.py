"""The keys a hub holds, and the key table that keeps small secrets under one of them.

The owner root is not among them: it signs the hub's certificate and the recipient set once, in `setup`, and goes back
onto paper. Implements the hub's part of design/wire.md section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import nacl.exceptions
import nacl.secret

from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import KEY_BYTES, SigningKey, fingerprint
from sealcam.wire.statement import HubCertificate, RecipientSet
from sealcam_hub.folder import Folder


class TableKey:
    """Encrypts the content keys and prekeys of the ledger: XSalsa20-Poly1305 with a random nonce (72 bytes each)."""

    def __init__(self, key: bytes) -> None:
        self._box = nacl.secret.SecretBox(key)

    def wrap(self, secret: bytes) -> bytes:
        """`secret` (32 bytes) as the ledger stores it."""
        return bytes(self._box.encrypt(secret))

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again.

        Raises:
            EnvelopeError: another table key wrapped it, or it was changed.
        """
        try:
            return self._box.decrypt(wrapped)
        except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
            raise EnvelopeError from error


@dataclass(frozen=True, slots=True)
class HubKeys:
    """A hub's own keys and what the owner root signed for it."""

    operating: SigningKey
    table: TableKey
    root_public: bytes
    certificate: bytes  # statement
    recipient_set: bytes  # statement
    set_number: int
    slot: int  # where this hub stands in the recipient set

    def __repr__(self) -> str:
        return f"HubKeys({self.operating.kid.hex()})"

    @property
    def root_fingerprint(self) -> str:
        """What a claim compares, as hex digits."""
        return fingerprint(self.root_public).hex()


def _checked(operating: SigningKey, table: bytes, root: bytes, certificate: bytes, recipients: bytes) -> HubKeys:
    stated = statement.read(certificate, root, HubCertificate)
    chosen = statement.read(recipients, root, RecipientSet)
    publics = [one.public for one in chosen.recipients]
    if stated.hub != operating.public or operating.public not in publics:
        raise EnvelopeError
    slot = publics.index(operating.public)
    return HubKeys(operating, TableKey(table), root, certificate, recipients, chosen.number, slot)


def load_keys(folder: Folder) -> HubKeys:
    """The keys in `folder`, checked against what the root signed.

    Raises:
        StorageError: there are none, or they don't belong together.
    """
    seed, table, root = (folder.read(name) for name in ("keys/operating", "keys/table", "keys/root.pub"))
    try:
        if not len(seed) == len(table) == len(root) == KEY_BYTES:
            raise EnvelopeError
        signed = folder.read("keys/hub-certificate"), folder.read("keys/recipient-set")
        return _checked(SigningKey(seed), table, root, *signed)
    except EnvelopeError as error:
        message = f"the keys in {folder.path / 'keys'} don't belong together"
        raise StorageError(message, "restore the whole keys folder from one backup") from error


def save_keys(folder: Folder, operating: SigningKey, table: bytes, root: bytes, signed: tuple[bytes, bytes]) -> None:
    """Write a new hub's keys; `signed` is the hub certificate and the recipient set."""
    names = ("keys/operating", "keys/table", "keys/root.pub", "keys/hub-certificate", "keys/recipient-set")
    for name, data in zip(names, (operating.seed, table, root, *signed), strict=True):
        folder.write(name, data)
