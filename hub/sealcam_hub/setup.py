"""Makes a hub: authority, keys, what the owner signs, the broker's files, an empty ledger.

The owner root is derived from 24 words, signs the hub's certificate and the first recipient set, and is gone again.
Where the words are used on another device, `prepare` says what is to be signed there, and `finish` takes it.
Implements the hub's part of design/wire.md section 2.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import KEY_BYTES, SUITE, OwnerKeys, SigningKey
from sealcam.wire.statement_kinds import HubCertificate, Recipient, RecipientKind, RecipientSet
from sealcam_hub import ca, mosquitto, signing
from sealcam_hub.folder import Address, Folder, Settings
from sealcam_hub.keys import HubKeys, load_keys
from sealcam_hub.store import create_store
from sealcam_hub.words import new_words, owner_keys

__all__ = ["finish", "found", "make_hub", "new_words", "owner_keys", "prepare"]


def make_hub(folder: Folder, broker: Address, show_words: Callable[[str], None]) -> HubKeys:
    """Make a hub in `folder`; `show_words` is given the 24 words once, and they are kept nowhere.

    Raises:
        StorageError: there is a hub already, or the folder can't be written; what was begun can be begun again.
    """
    _check_free(folder)
    words = new_words()
    folder.create()
    show_words(words)
    return found(folder, broker, owner_keys(words))


def found(
    folder: Folder, broker: Address, owner: OwnerKeys, number: int = 1, others: tuple[Recipient, ...] = ()
) -> HubKeys:
    """Make a hub of this owner's in `folder`, with recipient set `number`: itself, `others`, and the words.

    Raises:
        StorageError: as `make_hub`.
    """
    public = signing.OwnerFile(owner.root.public, owner.recovery.public)
    return finish(folder, broker, signing.sign(prepare(folder, public, number, others), owner))


def prepare(
    folder: Folder, owner: signing.OwnerFile, number: int = 1, others: tuple[Recipient, ...] = ()
) -> signing.Request:
    """Make a hub's own keys, and say what its owner must sign; asked again for the same owner, the keys stay.

    Raises:
        StorageError: as `make_hub`.
    """
    _check_free(folder)
    folder.create()
    operating = _begun(folder, owner.root)
    itself = Recipient(kind=RecipientKind.HUB, public=operating.public)
    recovery = Recipient(kind=RecipientKind.RECOVERY, public=owner.recovery)
    chosen = RecipientSet(number=number, suite=SUITE, home_hub=operating.public, recipients=(itself, *others, recovery))
    return signing.Request(owner.root, None, chosen, (operating.public,), {})


def finish(folder: Folder, broker: Address, signed: signing.Signed) -> HubKeys:
    """Make the hub whose keys `prepare` has made.

    Raises:
        ConfigError: what was signed is not what was asked for.
        StorageError: as `make_hub`.
    """
    _check_free(folder)
    operating, root = SigningKey(folder.read("keys/operating")), folder.read("keys/root.pub")
    try:
        chosen = statement.read(signed.recipient_set, root, RecipientSet)
        certificates = {statement.read(one, root, HubCertificate).hub: one for one in signed.certificates}
    except EnvelopeError as error:
        raise ConfigError("what was signed is refused", "is it signed with this owner's words?") from error
    if chosen.home_hub != operating.public or operating.public not in certificates:
        raise ConfigError("what was signed is for another hub", "sign the request of this one")
    folder.write("keys/hub-certificate", certificates[operating.public])
    folder.write("keys/recipient-set", signed.recipient_set)
    if folder.ledger.exists():  # `hub.toml` is written last: without it an earlier try didn't come to its end
        folder.ledger.unlink()
    link_name = new_link_name()
    _certificates(folder, broker, link_name)
    create_store(folder.ledger).close()
    folder.save_settings(Settings(broker, link_name))
    return load_keys(folder)


def new_link_name() -> str:
    """What a hub is called at its broker."""
    return f"hub-{secrets.token_hex(4)}"


def _check_free(folder: Folder) -> None:
    if folder.exists:
        raise StorageError(f"there is a hub in {folder.path} already", "nothing was changed; its cameras belong to it")


def _begun(folder: Folder, root: bytes) -> SigningKey:
    """The operating key of a hub that was begun for this owner, or a new one."""
    there = folder.path / "keys" / "root.pub"
    if there.exists() and folder.read("keys/root.pub") != root:
        folder.remove("keys/operating")
    operating = fresh_keys(folder)
    folder.write("keys/root.pub", root)
    return operating


def fresh_keys(folder: Folder) -> SigningKey:
    """The operating key of a hub that was begun in `folder`, or a new one and a table key."""
    if (folder.path / "keys" / "operating").exists():
        return SigningKey(folder.read("keys/operating"))
    operating = SigningKey.generate()
    folder.write("keys/table", secrets.token_bytes(KEY_BYTES))
    folder.write("keys/operating", operating.seed)
    return operating


def _certificates(folder: Folder, broker: Address, link_name: str) -> None:
    authority = ca.new_authority()
    root = ca.public_pem(authority.certificate)
    folder.write("ca/ca.key", ca.private_pem(authority.key))
    folder.write("ca/ca.pem", root)
    hosts = dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), broker.host))
    server = ca.server_certificate(authority, [host for host in hosts if host not in ("", "0.0.0.0", "::")])  # noqa: S104
    mosquitto.write_files(folder, broker, link_name, server, root, ca.revocation_list(authority, ()))
    key, certificate = ca.client_certificate(authority, link_name)
    folder.write("link/link.key", key)
    folder.write("link/link.pem", certificate)
