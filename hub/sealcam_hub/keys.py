"""The keys a hub holds, and the key table that keeps small secrets under one of them.

The owner root is not among them: it signs the hub's certificate and the recipient sets, and goes back onto paper.
Two of these keys change while a hub runs, at the hand of another process: the table key when something is deleted,
the recipient set when the owner signs the next. The row of each in `values` says which is in force; every
transaction asks for it as it begins (`HubKeys.follow`), so that whoever holds these keys uses the right ones.
Implements the hub's part of design/wire.md sections 2 and 10.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

import nacl.exceptions
import nacl.secret
from sqlalchemy import Connection, select

from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import KEY_BYTES, BoxKey, SigningKey, fingerprint
from sealcam.wire.labels import blake2b
from sealcam.wire.statement_kinds import HubCertificate, RecipientSet
from sealcam_hub import tables
from sealcam_hub.folder import Folder

TABLE_ROW, SET_ROW = "table-key", "recipient-set"  # names in `values`: the key's id; the set's number, u32
NEXT = "keys/table.next"
_ID = "sealcam-hub/table-key"
_IN_FORCE = select(tables.values).where(tables.values.c.name.in_((TABLE_ROW, SET_ROW)))


def table_id(key: bytes) -> bytes:
    """The 8-byte name of a table key."""
    return blake2b(_ID, key, size=8)


class TableKey:
    """Encrypts the content keys and prekeys of the ledger: XSalsa20-Poly1305 with a random nonce (72 bytes each).

    `find` gives the key of an id from the folder, or none. Safe to share between threads: each thread works with the
    key that was in force when its newest transaction began. (A context variable, since each thread has a context.)
    """

    def __init__(self, key: bytes, find: Callable[[bytes], bytes | None] = lambda _id: None) -> None:
        self._find = find
        self._newest = (table_id(key), nacl.secret.SecretBox(key))
        self._mine: ContextVar[tuple[bytes, nacl.secret.SecretBox] | None] = ContextVar("table key", default=None)

    @property
    def identity(self) -> bytes:
        """The id of the key that this thread works with."""
        return self._now()[0]

    def enter(self, identity: bytes) -> bool:
        """Work with the key of that id in this thread; false when there is none, and then nothing has changed."""
        newest = next((one for one in (self._now(), self._newest) if one[0] == identity), None)
        if newest is None:
            key = self._find(identity)
            if key is None:
                return False
            self._newest = newest = (identity, nacl.secret.SecretBox(key))
        self._mine.set(newest)
        return True

    def wrap(self, secret: bytes) -> bytes:
        """`secret` as the ledger stores it, 40 bytes longer."""
        return bytes(self._now()[1].encrypt(secret))

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again.

        Raises:
            EnvelopeError: another table key wrapped it, or it was changed.
        """
        try:
            return self._now()[1].decrypt(wrapped)
        except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
            raise EnvelopeError from error

    def _now(self) -> tuple[bytes, nacl.secret.SecretBox]:
        return self._mine.get() or self._newest


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recipient set that holds for this hub: the statement, what it says, and where this hub stands in it."""

    statement: bytes
    says: RecipientSet
    slot: int


class HubKeys:
    """A hub's own keys and what the owner root signed for it; `recovery` is the words' key while a recovery runs."""

    def __init__(
        self, folder: Folder, operating: SigningKey, table: TableKey, root_public: bytes, certificate: bytes
    ) -> None:
        self.operating = operating
        self.table = table
        self.root_public = root_public
        self.certificate = certificate  # statement
        self.recovery: BoxKey | None = None
        self._folder = folder
        if statement.read(certificate, root_public, HubCertificate).hub != operating.public:
            raise EnvelopeError
        self._chosen = self.check_set(folder.read("keys/recipient-set"))

    def __repr__(self) -> str:
        return f"HubKeys({self.operating.kid.hex()})"

    @property
    def kid(self) -> bytes:
        """The 8-byte name of this hub's operating key."""
        return self.operating.kid

    @property
    def chosen(self) -> RecipientSet:
        """The recipient set in force."""
        return self._chosen.says

    @property
    def recipient_set(self) -> bytes:
        """The recipient set in force, as the root signed it."""
        return self._chosen.statement

    @property
    def set_number(self) -> int:
        """The number of the recipient set in force."""
        return self._chosen.says.number

    @property
    def slot(self) -> int:
        """Where this hub stands in the recipient set."""
        return self._chosen.slot

    @property
    def is_home(self) -> bool:
        """Whether this is the home hub: only its receipts delete, only its commands count."""
        return self._chosen.says.home_hub == self.operating.public

    @property
    def spare(self) -> tuple[BoxKey, ...]:
        """What opens mail beside a camera's prekeys: the words' key, while a recovery runs."""
        return () if self.recovery is None else (self.recovery,)

    @property
    def root_fingerprint(self) -> str:
        """What a claim compares, as hex digits."""
        return fingerprint(self.root_public).hex()

    def check_set(self, signed: bytes) -> Chosen:
        """A recipient set of this owner in which this hub stands.

        Raises:
            EnvelopeError: it isn't one.
        """
        says = statement.read(signed, self.root_public, RecipientSet)
        publics = [one.public for one in says.recipients]
        if self.operating.public not in publics:
            raise EnvelopeError
        return Chosen(signed, says, publics.index(self.operating.public))

    def follow(self, connection: Connection) -> bool:
        """Take up what is in force as this transaction begins; false when its table key isn't to be found.

        Raises:
            EnvelopeError: the recipient set in the folder is not the owner's.
        """
        rows = {row.name: row.value for row in connection.execute(_IN_FORCE)}
        number = rows.get(SET_ROW)
        if number is not None and int.from_bytes(number, "big") > self.set_number:
            self._chosen = self.check_set(self._folder.read("keys/recipient-set"))
        identity = rows.get(TABLE_ROW)
        return identity is None or self.table.enter(identity)


def table_keys(folder: Folder) -> dict[bytes, bytes]:
    """The table keys in `folder` by id: one, or two while the key table is written anew.

    Raises:
        StorageError: there is none, or a file isn't a key.
    """
    found = [folder.read("keys/table")]
    if (folder.path / NEXT).exists():
        try:
            found.append(folder.read(NEXT))
        except StorageError:  # it has just become `keys/table`
            found.append(folder.read("keys/table"))
    return {table_id(key): key for key in found if len(key) == KEY_BYTES}


def load_keys(folder: Folder) -> HubKeys:
    """The keys in `folder`, checked against what the root signed.

    Raises:
        StorageError: there are none, or they don't belong together.
    """
    seed, root = folder.read("keys/operating"), folder.read("keys/root.pub")
    try:
        keys = list(table_keys(folder).values())
        if not len(seed) == len(root) == KEY_BYTES or not keys:
            raise EnvelopeError
        table = TableKey(keys[0], lambda identity: table_keys(folder).get(identity))
        return HubKeys(folder, SigningKey(seed), table, root, folder.read("keys/hub-certificate"))
    except EnvelopeError as error:
        message = f"the keys in {folder.path / 'keys'} don't belong together"
        raise StorageError(message, "restore the whole keys folder from one backup") from error
