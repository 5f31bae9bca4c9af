"""Makes a hub: authority, keys, the owner's words, the broker's files, an empty ledger.

The owner root is derived from 24 words, signs the hub's certificate and the first recipient set, and is gone again;
the words are for paper. Implements the hub's part of design/wire.md section 2.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

from mnemonic import Mnemonic

from sealcam.wire import statement
from sealcam.wire.errors import StorageError
from sealcam.wire.keys import KEY_BYTES, SUITE, OwnerKeys, SigningKey
from sealcam.wire.statement import HubCertificate, Recipient, RecipientKind, RecipientSet
from sealcam_hub import ca, mosquitto
from sealcam_hub.folder import Address, Folder, Settings
from sealcam_hub.keys import HubKeys, load_keys, save_keys
from sealcam_hub.store import create_store

WORDS_BITS = 256  # 24 words of BIP 39


def new_words() -> str:
    """24 words that nobody else has."""
    return str(Mnemonic("english").generate(WORDS_BITS))


def owner_keys(words: str) -> OwnerKeys:
    """The owner's keys from their words."""
    return OwnerKeys.from_seed(Mnemonic.to_seed(words))


def make_hub(folder: Folder, broker: Address, show_words: Callable[[str], None]) -> HubKeys:
    """Make a hub in `folder`; `show_words` is given the 24 words once, and they are kept nowhere.

    Raises:
        StorageError: there is a hub already, or the folder can't be written; what was begun can be begun again.
    """
    if folder.exists:
        raise StorageError(f"there is a hub in {folder.path} already", "nothing was changed; its cameras belong to it")
    folder.create()
    if folder.ledger.exists():  # `hub.toml` is written last: without it an earlier try didn't come to its end
        folder.ledger.unlink()
    words = new_words()
    show_words(words)
    _keys(folder, owner_keys(words))
    link_name = f"hub-{secrets.token_hex(4)}"
    _certificates(folder, broker, link_name)
    create_store(folder.ledger).close()
    folder.save_settings(Settings(broker, link_name))
    return load_keys(folder)


def _keys(folder: Folder, owner: OwnerKeys) -> None:
    operating = SigningKey.generate()
    recipients = (
        Recipient(kind=RecipientKind.HUB, public=operating.public),
        Recipient(kind=RecipientKind.RECOVERY, public=owner.recovery.public),
    )
    chosen = RecipientSet(number=1, suite=SUITE, home_hub=operating.public, recipients=recipients)
    certificate = statement.sign(owner.root, HubCertificate(hub=operating.public, number=1))
    signed = certificate, statement.sign(owner.root, chosen)
    save_keys(folder, operating, secrets.token_bytes(KEY_BYTES), owner.root.public, signed)


def _certificates(folder: Folder, broker: Address, link_name: str) -> None:
    authority = ca.new_authority()
    root = ca.public_pem(authority.certificate)
    folder.write("ca/ca.key", ca.private_pem(authority.key))
    folder.write("ca/ca.pem", root)
    hosts = dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), broker.host))
    server = ca.server_certificate(authority, [host for host in hosts if host not in ("", "0.0.0.0", "::")])  # noqa: S104
    mosquitto.write_files(folder, broker, link_name, server, root)
    key, certificate = ca.client_certificate(authority, link_name)
    folder.write("link/link.key", key)
    folder.write("link/link.pem", certificate)
